# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The processes of a server, as /proc shows them."""

import os
import re
from pathlib import Path


def of(conf_file: Path) -> dict[int, tuple[int, str]]:
    """pid -> parent's pid and name, of every live process that was started with this configuration."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if str(conf_file).encode() not in (entry / "cmdline").read_bytes().split(b"\0"):
                continue
            name, status = (entry / "stat").read_text().rsplit(")", 1)
            name, status = name.partition("(")[2], status.split()
        except OSError:
            continue
        if status[0] != "Z":
            found[int(entry.name)] = int(status[1]), name
    return found


def has_begun(pid: int, mpm: str) -> bool:
    """Until then, the handler of SIGTERM in httpd's MPMs calls exit() from within whatever the child does, malloc()
    included. Those with threads block signals before they make the first; one of prefork is safe while it sleeps. An
    emulator, which has a thread of its own, hides which signals are blocked."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
    if mpm == "prefork":
        return re.search(r"^State:\s+[^RD]", status, re.M) is not None
    if os.environ.get("OC_TEST_EMULATED"):
        return re.search(r"^Threads:\s+[12]$", status, re.M) is None
    return re.search(r"^SigBlk:\s+0+$", status, re.M) is None


def is_at_rest(pid: int) -> bool:
    """Does each of its threads sleep? A child of event or worker that is ended while a thread ends a connection may
    crash: httpd's close_worker_sockets() then closes a socket whose memory that thread frees."""
    try:
        return all(task.read_text().rsplit(")", 1)[1].split()[0] == "S"
                   for task in Path(f"/proc/{pid}/task").glob("*/stat"))
    except OSError:
        return False
