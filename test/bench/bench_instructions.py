# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Instructions instead of seconds: httpd under valgrind's callgrind, which counts the same on a busy machine as on an
idle one.

For `make bench` (bench_warm.py: whole connections) and for test/guards/hot_cost.py (only our hook).
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from httpd import Httpd, apxs
from wait import poll


@dataclass
class Cost:
    calls: int = 0
    instructions: int = 0
    system_calls: int = 0


@dataclass
class Profile:
    """What was collected: `total` while the toggled function ran; edges with all that is below them."""

    total: int = 0
    own: dict[str, Cost] = field(default_factory=lambda: defaultdict(Cost))
    objects: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # instructions by program or library
    # caller, callee, its object
    edges: dict[tuple[str, str, str], Cost] = field(default_factory=lambda: defaultdict(Cost))


def profile(text: str) -> Profile:
    """callgrind's file format, as much of it as is needed here (valgrind's manual, "Callgrind Format
    Specification")."""
    found, names, objects = Profile(), {}, {}
    function = callee = callee_object = current_object = ""
    calls = None

    def name(table: dict[str, str], reference: str) -> str:
        match = re.match(r"\((\d+)\)(?: (.*))?$", reference)
        if match is None:
            return reference
        if match[2]:
            table[match[1]] = match[2]
        return table.get(match[1], match[1])
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == "fn":
            function = name(names, value)
        elif key == "ob":
            current_object = name(objects, value)
        elif key == "cob":
            callee_object = name(objects, value)
        elif key == "cfn":
            callee = name(names, value)
        elif key == "calls":
            calls = int(value.split()[0])
        elif line.startswith("summary:"):
            found.total = int(line.split()[1])
        elif re.match(r"[-+*0-9]", line):
            costs = [int(cell) for cell in line.split()[1:3]] + [0, 0]
            cost = found.own[function] if calls is None else \
                found.edges[function, callee, callee_object or current_object]
            cost.calls += calls or 0
            cost.instructions += costs[0]
            cost.system_calls += costs[1]
            if calls is None:
                found.objects[Path(current_object).name] += costs[0]
            if calls is not None:
                calls, callee_object = None, ""
    return found


def run(server: Httpd, toggle: str, connect: Callable[[], None], connections: int) -> Profile:
    """The server (configured, stopped) in one process under callgrind, collecting while `toggle` runs; connections one
    by one."""
    folder = server.root / "callgrind"
    folder.mkdir(exist_ok=True)
    output = folder / "out"
    command = ["valgrind", "--tool=callgrind", "--vgdb=no", f"--toggle-collect={toggle}", "--collect-systime=nsec",
               f"--callgrind-out-file={output}", f"{apxs('SBINDIR')}/{apxs('PROGNAME')}", "-X", "-d", str(server.root),
               "-f",
               str(server.conf_file)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    try:
        poll(lambda: process.poll() is not None or _listens(server.https_port), "httpd listens under valgrind", 60)
        assert process.poll() is None, f"{' '.join(command)}: {process.communicate()[0]}"
        output.chmod(0o666)  # root opened it, and the account that root became writes it at the end
        for _ in range(connections):
            connect()
    finally:
        process.send_signal(signal.SIGTERM)
        console = process.communicate()[0]
    text = output.read_text(encoding="utf-8")
    assert "summary:" in text, console
    return profile(text)


def handshake(server: Httpd, host: str) -> Callable[[], None]:
    """A connection that requests a staple, and gets one where the server has a cache."""
    def connect() -> None:
        shake = server.handshake(host)
        assert shake.ok, str(shake)
        assert shake.status == ("good" if server.config.cache else None), str(shake)
    return connect


def _listens(port: int) -> bool:
    """Without connecting: a connection would be counted."""
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
               for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:])
