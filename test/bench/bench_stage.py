# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What every scenario uses: a PKI, the responder, servers on one processor and clients on the other, and the
measurement."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Sequence

import pki
from bench_contenders import Contender, make
from bench_responder import Responder
from wait import poll

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
LOAD = Path(os.environ.get("LOAD_CLIENT", REPOSITORY / "out" / "bench" / "load"))


def processors() -> tuple[set[int], set[int]]:
    """Who runs where: (servers, clients and responder). With one processor, all on that."""
    available = sorted(os.sched_getaffinity(0))
    return ({available[0]}, set(available[1:])) if len(available) > 1 else ({available[0]}, {available[0]})


SERVERS, CLIENTS = processors()


@contextmanager
def on(cpus: set[int]) -> Iterator[None]:
    """What is started within, stays there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def adopt_orphans() -> None:
    """Daemons become our children: not every machine has an init that reaps them."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of whole processes, threads that have ended included, in nanoseconds' resolution."""
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)  # what clock_getcpuclockid(3) makes of a pid


def memory(pids: Sequence[int]) -> dict[str, float]:
    """kB of all processes together: PSS, in which shared pages count in shares, and what each has for itself."""
    total = {"pss_kb": 0, "private_kb": 0}
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            word, *rest = line.split()
            if word == "Pss:":
                total["pss_kb"] += int(rest[0])
            elif word in ("Private_Dirty:", "Private_Clean:"):
                total["private_kb"] += int(rest[0])
    return {**total, "processes": len(pids)}


@dataclass
class Running:
    """A server with its names and certificates. `name`: how the responder knows them."""

    name: str
    contender: Contender
    server: object
    hosts: list[str]
    pattern: str
    root: pki.Authority

    def load(self, *options: object) -> "Load":
        return Load(self, options)


class Load:
    """The load client running against one server; result() waits for its end."""

    def __init__(self, running: Running, options: Sequence[object]) -> None:
        command = [str(LOAD), "--address", f"127.0.0.1:{running.server.port}", "--ca", str(running.root.cert_file),
                   "--host", running.pattern, "--hosts", str(len(running.hosts)), *map(str, options)]
        with on(CLIENTS):
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def result(self) -> dict:
        output, _ = self._process.communicate()
        if self._process.returncode != 0:
            raise AssertionError(f"the load client ended with {self._process.returncode}")
        return json.loads(output)


class Stage:
    """One scenario's servers. A context: at its end everything is stopped and deleted."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ocsp-cache-bench-")
        self.folder = Path(self._folder.name)
        self.folder.chmod(0o755)
        self.root = pki.Authority.root(self.folder / "pki", "Bench Root")
        self._ca = self.root.intermediate("Bench Intermediate")
        self.responder = Responder(self._ca)
        self.running: dict[str, Running] = {}

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *exception: object) -> None:
        for one in self.running.values():
            one.server.stop()
        self.responder.stop()
        self._folder.cleanup()

    def issue(self, n: int, name: str, key: str = "ec") -> list[pki.Leaf]:
        """n certificates for h0... to be used by several servers."""
        return [self._ca.leaf(f"h{i}.example.test", url=self.responder.url(name), key=key) for i in range(n)]

    def add(self, contender: Contender, name: str = "", n: int = 1, directives: tuple[str, ...] = (),
            leaves: Sequence[pki.Leaf] = ()) -> Running:
        """A server that is not started yet."""
        name = name or contender.name
        hosts = [f"h{i}.example.test" for i in range(n)]
        leaves = leaves or self.issue(n, name)
        server = make(contender, self.folder / name, leaves, hosts, self.root, directives)
        self.running[name] = Running(name, contender, server, hosts, "h%d.example.test", self.root)
        return self.running[name]

    def start_responder(self) -> None:
        """All certificates are issued."""
        self.responder.start(CLIENTS)

    def start(self) -> None:
        """All servers."""
        for one in self.running.values():
            start(one)


def start(one: Running) -> None:
    with on(SERVERS):
        one.server.start()


def warm(one: Running, deadline: float = 60) -> None:
    """Until a dozen handshakes in a row are stapled: every process of the server has it. nginx's have to be met one by
    one."""
    if not one.contender.staples:
        return

    def stapled() -> bool:
        got = one.load("--rate", 100, "--seconds", 0.12, "--timeout", 20).result()
        return got["good"] == got["started"]
    try:
        poll(stapled, f"{one.name} staples", deadline, 0.1)
    except AssertionError as failure:
        raise AssertionError(f"{failure}\n{one.server.log()}") from None


def together(*actions) -> list:
    """Each in a thread of its own, all at once; their results."""
    results: list = [None] * len(actions)
    problems: list[BaseException] = []

    def run(i: int) -> None:
        try:
            results[i] = actions[i]()
        except BaseException as problem:  # pylint: disable=broad-except
            problems.append(problem)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return results


def slice_of(one: Running, *options: object) -> dict:
    """A load, and the processor time that the server took for it."""
    pids = one.server.pids()
    begin = cpu_seconds(pids)
    got = one.load(*options).result()
    time.sleep(0.02)  # the last connections' ends; the same for everybody
    used = cpu_seconds(pids) - begin
    if one.server.pids() != pids:
        got["processes_changed"] = True
    got["server_cpu_s"] = used
    got["cpu_us_per_handshake"] = used / got["done"] * 1e6 if got["done"] else None
    got.pop("timeline")
    return got
