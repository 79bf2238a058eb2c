#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`make bench-client`: client certificates and a responder that answers, is slow, or hangs: mod_ocsp_client
against mod_ssl's SSLOCSPEnable and nginx's ssl_ocsp.

Writes out/bench/client.json and prints the tables; `make bench-docs` puts them into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e" / "harness")]

import bench_client_tables  # noqa: E402
import bench_instructions  # noqa: E402
from bench_client_open import revoked_while_open  # noqa: E402
from bench_client_stage import ALL, CACHING, HARD, MOD_SSL, NGINX, NGINX_PLAIN, PLAIN, MutualStage  # noqa: E402
from bench_responder import HANG, Manner  # noqa: E402
from bench_stage import CLIENTS, LOAD, REPOSITORY, SERVERS, Running, adopt_orphans, on, slice_of, together  # noqa: E402
from bench_warm import in_turns  # noqa: E402
from httpd import module_path  # noqa: E402

# Seconds, of the responses in the scene in which the responder begins to hang: mod_ocsp_client queries in the middle of
# it, and knows ten seconds later, before the responses end, that there is no answer. So it does with usual validities.
VALIDITY = 30
N_REVOKED = 20
TIMEOUT = 12


@dataclass(frozen=True)
class Scene:
    """`known`: each client has been there before the responder becomes as `manner` says."""

    name: str
    manner: Manner
    known: bool
    seconds: float
    validity: int = 86400


SCENES = (
    Scene("healthy", Manner(), True, 6),
    Scene("slow", Manner(delay=0.3), False, 10),
    Scene("hung", HANG, True, 35, VALIDITY),
    Scene("hung-unknown", HANG, False, 8),
)


@dataclass(frozen=True)
class Size:
    """How much a run measures."""

    clients: tuple[int, ...]
    rate: float
    stretch: float  # of the scenes' seconds, but for those in which responses end
    rounds: int
    slice_s: float
    counted: tuple[int, int]  # connections under callgrind, in two runs


FULL = Size((20, 1000), 30, 1, 12, 0.5, (5, 25))
QUICK = Size((10, 50), 10, 0.5, 2, 0.2, (3, 8))


def _meet(stage: MutualStage, one: Running, n: int) -> None:
    """Each client connects, more than once where a server's processes do not share what they know."""
    for clients, count in ((stage.good, n), (stage.revoked, len(stage.revoked.leaves))):
        one.load(*clients.options(count), "--rate", 80, "--seconds", max(count / 80, 0.5), "--timeout",
                 TIMEOUT).result()


def _visit(stage: MutualStage, one: Running, n: int, rate: float, seconds: float) -> dict:
    """What clients that are not revoked see, and clients that are, at the same time."""
    good = one.load(*stage.good.options(n), "--rate", rate, "--seconds", seconds, "--timeout", TIMEOUT)
    revoked = one.load(*stage.revoked.options(), "--rate", rate / 5, "--seconds", seconds, "--timeout", TIMEOUT)
    return {"good": good.result(), "revoked": revoked.result()}


def play(scene: Scene, n: int, size: Size) -> dict:
    """All servers under the same light load at the same time; name -> what its clients saw."""
    with MutualStage(n, N_REVOKED) as stage:
        for contender in ALL:
            stage.add_mutual(contender, contender.name)
        stage.start_responder()
        for name in stage.running:
            stage.responder.set(name, Manner(validity=scene.validity) if scene.known else scene.manner)
        stage.start()
        if scene.known:
            together(*(lambda one=stage.running[name]: _meet(stage, one, n) for name in CACHING))
        for name in stage.running:
            stage.responder.set(name, scene.manner)
        before = stage.responder.asked()
        # What is to end within the scene, ends in a short run too.
        seconds = scene.seconds * (1 if scene.validity == VALIDITY else size.stretch)
        found = together(*(lambda one=one: _visit(stage, one, n, size.rate, seconds) for one in stage.running.values()))
        asked = stage.responder.asked()
        return {name: {**got, "asked": asked.get(name, 0) - before.get(name, 0)}
                for name, got in zip(stage.running, found)}


def scenes(size: Size) -> dict:
    return {f"{scene.name}-{n}": {"n": n, "servers": play(scene, n, size)} for n in size.clients for scene in SCENES}


def cost(size: Size) -> dict:
    """Processor time of the server for a handshake and one request, with 20 clients that are known; in turns."""
    contenders = (PLAIN, MOD_SSL, HARD, NGINX_PLAIN, NGINX)
    with MutualStage(20, 1) as stage:
        for contender in contenders:
            stage.add_mutual(contender, contender.name)
        stage.start_responder()
        for name in stage.running:
            stage.responder.set(name, Manner(delay=0))
        stage.start()
        for one in stage.running.values():
            _meet(stage, one, 20)
        options = ("--closed", 8, "--seconds", size.slice_s, *stage.good.options())
        return in_turns(list(stage.running), size.rounds, lambda name: slice_of(stage.running[name], *options))


def _request(stage: MutualStage, one: Running) -> None:
    """A connection of a client that is let in."""
    context = ssl.create_default_context(cafile=str(stage.root.cert_file))
    context.load_cert_chain(stage.good.file(0))
    with socket.create_connection(("127.0.0.1", one.server.port)) as raw, \
            context.wrap_socket(raw, server_hostname=one.hosts[0]) as connection:
        connection.sendall(b"GET /index.html HTTP/1.1\r\nHost: h0.example.test\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.1 200"), answer


def instructions(size: Size) -> dict:
    """contender -> instructions of one connection of a known client, with its request: the difference of two runs, so
    that what the first connections of a process pay for is left out."""
    found = {}
    with MutualStage(1, 1) as stage:
        for contender in (PLAIN, MOD_SSL, HARD):  # under callgrind, the first contact takes long
            stage.add_mutual(contender, contender.name, ("OCSPCacheClientWait 60s",))
        stage.start_responder()
        for name, one in stage.running.items():
            one.server.start()
            one.server.stop()  # the configuration is written
            runs = [bench_instructions.run(one.server.httpd, "ap_run_process_connection",
                                           lambda one=one: _request(stage, one), n) for n in size.counted]
            found[name] = (runs[1].total - runs[0].total) / (size.counted[1] - size.counted[0])
    return found


PARTS = {"cost": cost, "instructions": instructions, "scenes": scenes,
         "open": lambda size: revoked_while_open(6 * size.stretch)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", default=os.environ.get("BENCH") == "quick",
                        help="a minute instead of five, and rough (BENCH=quick)")
    parser.add_argument("--only", action="append", choices=list(PARTS),
                        help="these parts alone; the others' figures stay")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "out" / "bench" / "client.json")
    arguments = parser.parse_args()
    for needed in (module_path(), module_path().with_name("mod_ocsp_client.so"), LOAD):
        if not needed.exists():
            raise SystemExit(f"bench-client: {needed} is not there: run this by `make bench-client`")
    adopt_orphans()
    size, output = QUICK if arguments.quick else FULL, arguments.output
    output.parent.mkdir(parents=True, exist_ok=True)
    found = json.loads(output.read_text(encoding="utf-8")) if arguments.only and output.exists() else {}
    begin = time.monotonic()
    found.update(quick=arguments.quick or found.get("quick", False), load_before=os.getloadavg()[0],
                 processors_used={"servers": len(SERVERS), "clients": len(CLIENTS)})
    with on(CLIENTS):
        for name, part in PARTS.items():
            if arguments.only and name not in arguments.only:
                continue
            print(f"bench-client: {name} ...", file=sys.stderr, flush=True)
            found[name] = part(size)
            output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    seconds = time.monotonic() - begin
    if not arguments.only:
        found["seconds"] = round(seconds, 1)
    output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(bench_client_tables.text(found))
    print(f"{seconds:.0f} s; {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
