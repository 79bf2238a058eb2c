#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""How the module grows with certificates, and what a refreshed one costs: `make bench-scale`, `make bench-scale
SCALE="--hosts 1000"` for a short run, SCALE='--only check' for one scene. Both sides of each ratio are measured by
turns in the same run; what is printed is the median, ratios are the medians of the rounds' ratios.

check    processor time of `httpd -t`, compared with mod_ssl without stapling, for hosts with a certificate each, hosts
         that share certificates, an issuer in SSLCertificateChainFile, and hosts with an ECDSA and an RSA certificate
start    a cold start: until httpd listens, until all responses are held (the responder takes 20 ms), what a child needs
         in memory for each certificate, the status page, the idle server
reload   processor time of the parent for a graceful restart, compared with mod_ssl without stapling
refresh  processor time of all processes for a refreshed certificate, compared with OpenSSL's functions alone
         (bench_refresh.c)
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Callable

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "test" / "bench"), str(TOP / "test" / "e2e" / "harness")]

import bench_scale_tables  # noqa: E402
import clients  # noqa: E402
import pki  # noqa: E402
from bench_responder import Manner, Responder  # noqa: E402
from bench_stage import adopt_orphans, cpu_seconds, memory  # noqa: E402
from httpd import Config, Httpd, Vhost  # noqa: E402
from wait import poll  # noqa: E402

ANSWER_TIME = 0.02
REFRESHED = 500  # certificates in the scene `refresh`
RESULT = TOP / "out" / "bench" / "scale.json"


class Scene:
    """A PKI, a responder, and as many hosts as wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = pki.Authority.root(folder / "pki", "Scale Root")
        self.ca = self.root.intermediate("Scale Intermediate")
        self.responder = Responder(self.ca)
        self._servers: list[Httpd] = []

    def leaf(self, n: int, name: str = "all", key: str = "ec") -> pki.Leaf:
        return self.ca.leaf(f"h{n}.example.test", url=self.responder.url(name), key=key)

    def pair(self, vhosts: tuple[Vhost, ...]) -> tuple[Httpd, Httpd]:
        """(mod_ssl without stapling, this module)"""
        number, size = len(self._servers), 2**22 + sum(len(one.leaves) for one in vhosts) * 4096
        plain = Config(vhosts=tuple(replace(one, stapling=False) for one in vhosts), module=False)
        ours = Config(vhosts=vhosts, cache=f"ocsp_cache:cache/staples({size})", log_level="warn",
                      directives=("<Location /s>", "SetHandler ocsp-cache-status", "</Location>"))
        self._servers += [Httpd(self.folder / f"server{number + i}", config, self.root)
                          for i, config in enumerate((plain, ours))]
        return self._servers[-2], self._servers[-1]

    def close(self) -> None:
        for server in self._servers:
            if server.processes():
                server.stop(120)
        self.responder.stop()


def _by_turns(rounds: int, sides: tuple[Callable[[], float], ...]) -> list[list[float]]:
    """For each side its rounds; the order changes from round to round."""
    found: list[list[float]] = [[] for _ in sides]
    for number in range(rounds):
        for i in range(len(sides)) if number % 2 == 0 else reversed(range(len(sides))):
            found[i].append(sides[i]())
    return found


def _compared(rounds: list[list[float]]) -> dict:
    theirs, ours = rounds
    return {"theirs": theirs, "ours": ours, "ratio": statistics.median(a / b for a, b in zip(ours, theirs))}


# ---- httpd -t ----

def _shapes(scene: Scene, hosts: int) -> dict[str, tuple[Vhost, ...]]:
    leaves = [scene.leaf(n) for n in range(hosts)]
    names = [f"h{n}.example.test" for n in range(hosts)]
    return {
        "own": tuple(Vhost(name, (leaf,)) for name, leaf in zip(names, leaves)),
        "shared": tuple(Vhost(name, (leaves[n - n % 50],)) for n, name in enumerate(names)),
        "chain": tuple(Vhost(name, (leaf,), issuer="chain") for name, leaf in zip(names, leaves)),
        "pairs": tuple(Vhost(name, (leaf, scene.leaf(n, key="rsa")))
                       for n, (name, leaf) in enumerate(zip(names[::2], leaves[::2]))),
    }


def _check_seconds(server: Httpd) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    checked = server.check()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert checked.code == 0 and checked.lines == ["Syntax OK"], checked.output
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def check(scene: Scene, hosts: int, rounds: int) -> dict:
    found = {}
    for shape, vhosts in _shapes(scene, hosts // 2).items():
        plain, ours = scene.pair(vhosts)
        found[shape] = _compared(_by_turns(rounds, (lambda: _check_seconds(plain), lambda: _check_seconds(ours))))
        print(f"check {shape}: {found[shape]['ratio']:.2f}", flush=True)
    return {"hosts": hosts // 2, "shapes": found}


# ---- a running server ----

def _started(server: Httpd) -> float:
    begin = time.monotonic()
    server.start(deadline=600)
    return time.monotonic() - begin


def _until_held(scene: Scene, server: Httpd, n: int, asked: int = 0) -> float:
    """The responder is watched; the server, only at the end."""
    begin = time.monotonic()
    poll(lambda: scene.responder.asked().get("all", 0) - asked >= n, "all are queried", 300)
    poll(lambda: f"OCSPCacheCertificatesStapled: {n}\n" in server.status_page("?auto"), "all are held", 60)
    return time.monotonic() - begin


def _private_kb(server: Httpd) -> float:
    """What the child that has most for itself has: with this module, the one that refreshes."""
    return max(memory([pid])["private_kb"] for pid in server.children())


def _page_seconds(server: Httpd) -> float:
    begin = time.monotonic()
    body = clients.http_get(f"http://127.0.0.1:{server.http_port}/s")
    assert body.rstrip().endswith("</html>")
    return time.monotonic() - begin


def _reload_seconds(server: Httpd) -> float:
    """Of the parent's processor time."""
    before = cpu_seconds([server.parent])
    server.graceful(settle=False, deadline=300)
    return cpu_seconds([server.parent]) - before


def start(scene: Scene, hosts: int, rounds: int) -> dict:
    """And reload, of the same servers."""
    plain, ours = scene.pair(tuple(Vhost(f"h{n}.example.test", (scene.leaf(n),)) for n in range(hosts)))
    scene.responder.start(os.sched_getaffinity(0)).set("all", Manner(delay=ANSWER_TIME, keeps=True))
    found = {"hosts": hosts, "listen_s": _started(ours)}
    before = cpu_seconds(sorted(ours.children()))
    found["held_s"] = _until_held(scene, ours, hosts)
    found["refresh_us"] = (cpu_seconds(sorted(ours.children())) - before) / hosts * 1e6
    print(f"start: held after {found['held_s']:.1f} s, {found['refresh_us']:.0f} us for each", flush=True)
    time.sleep(1)
    before = cpu_seconds(sorted(ours.processes()))
    time.sleep(5)  # idle time is what is measured
    found["idle_percent"] = (cpu_seconds(sorted(ours.processes())) - before) / 5 * 100
    found["page_s"] = [_page_seconds(ours) for _ in range(9)]
    found["plain_listen_s"] = _started(plain)
    found["private_kb"] = {"ours": _private_kb(ours), "theirs": _private_kb(plain)}
    found["reload"] = _compared(_by_turns(rounds, (lambda: _reload_seconds(plain), lambda: _reload_seconds(ours))))
    print(f"reload: {found['reload']['ratio']:.2f}", flush=True)
    return found


# ---- the cost of a response ----

def refresh(scene: Scene, rounds: int) -> dict:
    leaves = [scene.leaf(n) for n in range(REFRESHED)]
    vhosts = tuple(Vhost(f"h{n}.example.test", (leaf,)) for n, leaf in enumerate(leaves))
    scene.responder.start(os.sched_getaffinity(0)).set("all", Manner(delay=0, keeps=True))

    all_of_them = scene.folder / "all.pem"
    all_of_them.write_text("".join(leaf.cert_file.read_text() for leaf in leaves))

    def bare() -> float:
        command = [str(TOP / "out" / "bench" / "bench_refresh"), "127.0.0.1", str(scene.responder.port), "/all/",
                   str(scene.ca.cert_file), str(all_of_them)]
        return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

    def ours() -> float:
        _, server = scene.pair(vhosts)
        asked = scene.responder.asked().get("all", 0)
        server.start(deadline=60)
        _until_held(scene, server, REFRESHED, asked)
        used = cpu_seconds(sorted(server.children()))
        server.stop()
        return used / REFRESHED * 1e6
    found = _compared(_by_turns(rounds, (bare, ours)))
    print(f"refresh: {found['ratio']:.2f}", flush=True)
    return {"certificates": REFRESHED, **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("check", "start", "refresh"))
    arguments = parser.parse_args()
    found = json.loads(RESULT.read_text()) if arguments.only and RESULT.exists() else {}
    found["load_before"] = os.getloadavg()[0]
    adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    scenes = {"check": lambda scene: check(scene, arguments.hosts, arguments.rounds),
              "start": lambda scene: start(scene, arguments.hosts, arguments.rounds),
              "refresh": lambda scene: refresh(scene, arguments.rounds)}
    for name in [arguments.only] if arguments.only else scenes:
        with tempfile.TemporaryDirectory(prefix="ocsp-cache-scale-") as folder:
            Path(folder).chmod(0o755)
            scene = Scene(Path(folder))
            try:
                found[name] = scenes[name](scene)
            finally:
                scene.close()
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n")
    print(bench_scale_tables.text(found))


if __name__ == "__main__":
    main()
