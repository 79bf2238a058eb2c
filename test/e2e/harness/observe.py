# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What can be seen of a running server from outside: which child refreshes, the status page as values, open
connections, what its parent holds."""

from __future__ import annotations

import datetime
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import pki
from httpd import Httpd
from wait import poll

LEADS = "this child refreshes OCSP responses"
STAMP = re.compile(r"^\[\w+ (\w+ \d+ [\d:.]+ \d+)\] \[[^\]]*\] \[pid (\d+)(?::tid \d+)?\] (.*)$", re.M)


def stamped(server: Httpd, pattern: str) -> list[tuple[float, int, str]]:
    """The log's lines that match: when (time.time()), by which process, what."""
    return [(datetime.datetime.strptime(date, "%b %d %H:%M:%S.%f %Y").timestamp(), int(pid), text)
            for date, pid, text in STAMP.findall(server.raw_log()) if re.search(pattern, text)]


def wait_leader(server: Httpd, other_than: Optional[int] = None, deadline: float = 15) -> int:
    """The child that refreshes: the last one that logged it, once it is alive and no earlier child is."""
    def found() -> Optional[int]:
        said = stamped(server, LEADS)
        alive = said and said[-1][1] in server.children()
        return said[-1][1] if alive and said[-1][1] != other_than else None
    return poll(found, "a child that refreshes", deadline)


def state_of(pid: int) -> str:
    """The state of a process, as in proc(5): "T" is stopped."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(") ")[2][:1]


def status(server: Httpd) -> dict[str, str]:
    """The module's lines in server-status?auto."""
    lines = [line.partition(": ") for line in server.status_page("?auto").splitlines()]
    return {key: value for key, _, value in lines if key.startswith("OCSPCache")}


def certificate(server: Httpd, leaf: pki.Leaf) -> dict:
    """One certificate on the status page."""
    return next(one for one in server.certificates() if one["serial"] == leaf.serial_hex)


def connected(pid: int, *, local: Optional[int] = None, remote: Optional[int] = None) -> int:
    """How many established TCP connections of a process have this port of the loopback at their end."""
    inodes = set()
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            match = re.match(r"socket:\[(\d+)\]", os.readlink(entry))
            if match:
                inodes.add(match.group(1))
    except OSError:
        return 0
    count = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        near, far = (int(address.split(":")[1], 16) for address in fields[1:3])
        count += fields[3] == "01" and fields[9] in inodes and local in (None, near) and remote in (None, far)
    return count


@dataclass(frozen=True)
class Holdings:
    """What a process has, and what System V has for all that run in its namespace."""

    descriptors: int
    threads: int
    shared_maps: int
    rss_kb: int
    sysv: dict[str, int]

    @classmethod
    def of(cls, pid: int) -> "Holdings":
        proc = Path(f"/proc/{pid}")
        maps = (proc / "maps").read_text().splitlines()
        rss = re.search(r"^VmRSS:\s+(\d+) kB", (proc / "status").read_text(), re.M)
        sysv = {kind: len(Path(f"/proc/sysvipc/{kind}").read_text().splitlines()) - 1 for kind in ("shm", "sem")}
        return cls(descriptors=len(list((proc / "fd").iterdir())), threads=len(list((proc / "task").iterdir())),
                   shared_maps=sum(1 for line in maps if line.split()[1].endswith("s")), rss_kb=int(rss.group(1)),
                   sysv=sysv)
