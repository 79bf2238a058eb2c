# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What a run consists of: a server with one MPM, a responder whose behaviour changes, a redis, a clock and a disk that
can be set, and clients that verify what they get."""

from __future__ import annotations

import collections
import json
import os
import re
import struct
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Callable, Iterator

import pki
import plan
import responders
import stores
from clock import Clock
from fault_cast import Cast
from fault_kinds import Body, Talk
from httpd import REPOSITORY, Config, Httpd, Vhost
from mutual import Mutual
from ocsp_der import Answer, Single

HERE = Path(__file__).resolve().parent
LOAD = Path(os.environ.get("LOAD_CLIENT", REPOSITORY / "out" / "bench" / "load"))
N_HOSTS = 6
PLAIN = "plain.example.test"
# At most so many handshakes a second, and so many at a time: a machine that is busy with something else must not be
# flooded.
RATE = {"stapled": (12, 3), "a": (6, 1), "b": (6, 1)}
TIMEOUT = 2                          # of an exchange with the responder
RETRY = 3                            # the longest pause after a failure
INTERVAL = (2, 6)                    # between successes
DIRECTIVES = (f"OCSPCacheRefreshInterval {INTERVAL[0]} {INTERVAL[1]}", f"SSLStaplingErrorCacheTimeout {RETRY}",
              f"SSLStaplingResponderTimeout {TIMEOUT}", "OCSPCacheSharedTimeout 100ms", "OCSPCacheWorkers 12 12")
ROOM = {"prefork": ("MaxRequestWorkers 64", "ServerLimit 64")}  # children that are stopped take places


def returns_errors(number: int) -> bool:
    """Whether the host has SSLStaplingReturnResponderErrors on, and staples a verified "unknown" too if it holds
    nothing better."""
    return number % 2 == 1


def host(number: int) -> str:
    return f"h{number}.example.test"


class Disk:
    """The disk of the cache's folder (fakedisk.c)."""

    def __init__(self, folder: Path, cache_folder: Path) -> None:
        self.library, self._file, self._concerned = folder / "fakedisk.so", folder / "disk", cache_folder
        self._file.write_bytes(bytes(16))
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", str(self.library),
                        str(HERE / "fakedisk.c")],
                       check=True)

    def set(self, late_ms: float = 0, is_full: bool = False) -> None:
        with open(self._file, "r+b") as file:
            file.write(struct.pack("=qq", int(late_ms), is_full))

    @property
    def environment(self) -> dict[str, str]:
        return {"OC_TEST_DISK": str(self._file), "OC_TEST_DISK_FOLDER": str(self._concerned.resolve())}


class Responder(responders.ScriptedResponder):
    """One port for all certificates. The path says which one a request is for; plan.moods() says how it is answered."""

    base = "/"

    def __init__(self, cast: Cast, seed: str, mutual: Mutual) -> None:
        self._cast, self._mutual = cast, mutual
        self._moods = [plan.moods(seed, number) for number in range(N_HOSTS)]
        self.mood = [next(moods) for moods in self._moods]
        self._next = [next(moods) for moods in self._moods]
        self._calm: plan.Mood | None = None
        self.leaves: list[pki.Leaf] = []
        # certificate, method, time.monotonic()
        self.seen: collections.deque[tuple[int, str, float]] = collections.deque()
        super().__init__(cast.ca, self._answer)

    def url_for(self, number: int) -> str:
        return f"{self.url}{number}/"

    def advance(self, elapsed: float) -> None:
        """Change the moods that are due."""
        self._calm = plan.Mood(elapsed, None, 30) if plan.is_calm(elapsed) else None
        for number, following in enumerate(self._next):
            if elapsed < following.at:
                continue
            self.mood[number], self._next[number] = following, next(self._moods[number])

    def _answer(self, exchange: responders.Exchange) -> None:
        number = int(urllib.parse.urlsplit(exchange.handler.path).path.strip("/").split("/")[0])
        if number >= N_HOSTS:
            self._mutual.answer(exchange, number - N_HOSTS)
            return
        self.seen.append((number, exchange.handler.command, time.monotonic()))
        mood, leaf = self._calm or self.mood[number], self.leaves[number]
        right = Answer((Single(next=mood.validity),)).der(leaf, self._cast["delegated"])
        if isinstance(mood.row, Talk):
            mood.row.script(exchange, right)
        else:
            exchange.reply(mood.row.der(self._cast, leaf) if isinstance(mood.row, Body) else right)


class Server(Httpd):
    """A server whose log is read from its last start on only: a run of hours writes much."""

    log_begins = 0
    is_reloaded = False  # since its last full start

    def start(self, deadline: float = 30) -> "Server":
        self.is_reloaded = False
        super().start(deadline)
        return self

    def graceful(self, config: Config | None = None, settle: bool = True, deadline: float = 30) -> None:
        super().graceful(config, settle, deadline)
        self.is_reloaded = True

    def raw_log(self) -> str:
        try:
            with open(self.error_log, encoding="utf-8", errors="replace") as file:
                file.seek(self.log_begins)
                return file.read()
        except FileNotFoundError:
            return ""

    def forget_log(self) -> None:
        self.log_begins = self.error_log.stat().st_size if self.error_log.exists() else 0


class Clients:
    """The load client; each line that it prints goes to `take`, in a thread of its own."""

    def __init__(self, server: Server, name: str, n_hosts: int, rate: tuple[float, int], seconds: float,
                 take: Callable[[dict], None]) -> None:
        self._process = subprocess.Popen(
            [str(LOAD), "--address", f"127.0.0.1:{server.https_port}", "--ca", str(server.root_ca.cert_file),
             "--host", name,
             "--hosts", str(n_hosts), "--rate", str(rate[0]), "--closed", str(rate[1]), "--seconds", str(seconds),
             "--timeout", "20", "--stream"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read, args=(take,), daemon=True)
        self._thread.start()
        self.result: dict = {}

    def _read(self, take: Callable[[dict], None]) -> None:
        for line in self._process.stdout:
            document = json.loads(line)
            if "timeline" in document:
                self.result = document
            else:
                take(document)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()

    def join(self) -> None:
        self._process.wait()
        self._thread.join()


class Stage:
    """Everything, not yet started."""

    def __init__(self, folder: Path, mpm: str, seed: str) -> None:
        self.folder = folder
        root = pki.Authority.root(folder / "pki", "Soak Root")
        ca = root.intermediate("Soak Intermediate")
        cast = Cast(ca, pki.Authority.root(folder / "pki", "Stranger"))
        self.mutual = Mutual(cast, root, seed, N_HOSTS)
        self.responder = Responder(cast, seed, self.mutual)
        self.store = stores.Redis(folder / "redis")
        self.clock = Clock(folder)
        leaves = [ca.leaf(host(number), url=self.responder.url_for(number)) for number in range(N_HOSTS)]
        self.responder.leaves = leaves
        plain = [Vhost(f"{name}.{PLAIN}", (ca.leaf(f"{name}.{PLAIN}"),), stapling=False) for name in ("a", "b")]
        vhosts = [Vhost(host(number), (leaf,), directives=("SSLStaplingReturnResponderErrors on",)
                        if returns_errors(number) else ())
                  for number, leaf in enumerate(leaves)]
        self.server = Server(folder / "server", Config(
            vhosts=(*plain, *vhosts, self.mutual.vhost(self.responder.url)), mpm=mpm, log_level="info",
            cache="ocsp_cache:cache/staples(256000)", client=True, modules=("socache_redis",),
            directives=(*DIRECTIVES, *ROOM.get(mpm, ()), f"OCSPCacheShared {self.store.argument}")), root)
        self.disk = Disk(folder, self.server.cache_folder)
        self.server.environment = {**self.clock.environment, **self.disk.environment,
                                   "LD_PRELOAD": f"{self.clock.library} {self.disk.library}"}

    @property
    def cache_file(self) -> Path:
        return self.server.cache_folder / "staples"

    def stop(self) -> None:
        self.disk.set()
        self.clock.set(0)
        try:
            self.server.stop(60)
        finally:
            if self.server.processes():
                self.server.kill()
            self.store.kill()
            self.responder.stop()


def sockets_of(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    found = set()
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            match = re.match(r"socket:\[(\d+)\]", os.readlink(entry))
            if match:
                found.add(match.group(1))
    except OSError:
        pass  # it has ended
    return found


def connections_to(port: int) -> Iterator[str]:
    """The inodes of established connections whose other end is this port of the loopback."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "01" and int(fields[2].split(":")[1], 16) == port:
            yield fields[9]
