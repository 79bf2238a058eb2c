#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""How often a fleet of real httpds queries its responder, without and with a shared store, also when one of them fails.

Responses live for a minute and less, and the CA publishes the next one when half of that is over: a fleet's week in
minutes. Requests are counted by the responder. Run by `make bench-fleet`; the table goes to stdout, the figures to
--json.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e" / "harness"))

import pki  # noqa: E402
import responders  # noqa: E402
import stores  # noqa: E402
from conftest import CACHE  # noqa: E402
from httpd import Config, Httpd, Vhost  # noqa: E402

KINDS = {"redis": stores.Redis, "memcached": stores.Memcached}
PR_SET_CHILD_SUBREAPER = 36
SMALL = ("StartServers 1", "MinSpareThreads 1", "MaxSpareThreads 16", "OCSPCacheRefreshInterval 1 86400",
         "SSLStaplingErrorCacheTimeout 5", "SSLStaplingResponderTimeout 5")


def publishing(validity: float) -> responders.Script:
    """A CA that publishes each response when half of the one before is over."""
    def script(exchange: responders.Exchange) -> None:
        age = pki.now().timestamp() % (validity / 2)
        responders.good(-age, validity - age)(exchange)
    return script


class Fleet:
    """Servers of one configuration; `phases` has the requests that the responder received in each part of the run."""

    def __init__(self, folder: Path, options: argparse.Namespace, kind: str) -> None:
        folder.mkdir()
        folder.chmod(0o755)
        self.folder, self.options, self.servers, self.phases = folder, options, [], []
        self.root_ca = pki.Authority.root(folder / "pki", "Fleet Root")
        ca = self.root_ca.intermediate("Fleet Intermediate")
        self.responder = responders.ScriptedResponder(ca, publishing(options.validity))
        self.store = KINDS[kind](folder / "store") if kind in KINDS else None
        self.vhosts = tuple(Vhost(host, (ca.leaf(host, url=self.responder.url),)) for host in
                            (f"host{n}.example.test" for n in range(options.certificates)))

    def start(self, count: int) -> None:
        """So many more, all at once."""
        shared = (f"OCSPCacheShared {self.store.argument}",) if self.store else ()
        config = Config(vhosts=self.vhosts, cache=CACHE, directives=SMALL + shared, status=False, log_level="info",
                        modules=(self.store.module,) if self.store else ())
        more = [Httpd(self.folder / f"server{len(self.servers) + n}", config, self.root_ca) for n in range(count)]
        self.servers += more
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda server: server.start(), more))

    def phase(self, name: str, periods: float, servers: int = 0) -> None:
        """So many refresh periods of a fleet's life; `servers`: join at its beginning."""
        begin, known = time.monotonic(), len(self.responder.asked)
        if servers:
            self.start(servers)
        threading.Event().wait(max(0.0, begin + periods * self.options.period - time.monotonic()))
        asked = len(self.responder.asked) - known
        lasted = (time.monotonic() - begin) / self.options.period
        # Each server's first virtual host, at the end of the phase.
        bare = sum(server.handshake(vhost.host).status != "good" for server in self.servers
                   for vhost in self.vhosts[:1])
        self.phases.append({"store": self.store.provider if self.store else None, "phase": name,
                            "servers": len(self.servers), "periods": round(lasted, 2), "requests": asked,
                            "per_certificate": asked / len(self.vhosts),
                            "per_certificate_and_period": asked / len(self.vhosts) / lasted, "bare": bare})
        print_row(self.phases[-1])

    def close(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda server: server.stop(), self.servers))
        if self.store:
            self.store.kill()
        self.responder.stop()


def print_row(row: dict) -> None:
    print(f"{row['store'] or 'none':10} {row['phase']:28} {row['servers']:8} {row['periods']:8.1f} {row['requests']:9} "
          f"{row['per_certificate']:12.1f} {row['per_certificate_and_period']:12.2f} {row['bare']:8}", flush=True)


def without_store(fleet: Fleet) -> None:
    fleet.phase("cold start, all at once", 1, fleet.options.servers)
    fleet.phase("steady", 1)


def with_store(fleet: Fleet) -> None:
    fleet.phase("cold start, all at once", 1, fleet.options.servers)
    fleet.phase("steady", 2)
    fleet.store.kill()
    fleet.phase("store dead", 1)
    fleet.store.start()
    fleet.phase("store back, empty", 1)
    fleet.phase("10 more join", 0.5, 10)
    works, fleet.responder.script = fleet.responder.script, responders.http_status(503)
    fleet.phase("responder answers 503", 0.5)
    fleet.responder.script = works
    fleet.phase("responder back", 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--servers", type=int, default=20)
    parser.add_argument("--certificates", type=int, default=10)
    parser.add_argument("--validity", type=float, default=40, help="seconds that a response is valid for")
    parser.add_argument("--store", choices=sorted(KINDS), default="redis")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    options.period = options.validity / 2 * 1.1  # when a server that is alone queries again: docs/schedule.md

    # Daemons become our children and can be reaped.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    folder, phases = Path(tempfile.mkdtemp(prefix="ocsp-cache-fleet-")), []
    folder.chmod(0o755)
    print(f"{options.certificates} certificates, valid for {options.validity:.0f} s, requested every "
          f"{options.period:.0f} s by a server alone\n"
          f"{'store':10} {'phase':28} {'servers':>8} {'periods':>8} {'requests':>9} {'per':>12} {'and':>12} "
          f"{'without':>8}\n"
          f"{'':10} {'':28} {'':8} {'':8} {'':9} {'certificate':>12} {'period':>12} {'staple':>8}")
    try:
        for kind, play in (("none", without_store), (options.store, with_store)):
            fleet = Fleet(folder / kind, options, kind)
            try:
                play(fleet)
            finally:
                fleet.close()
            phases += fleet.phases
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps({"certificates": options.certificates, "validity_seconds": options.validity,
                                            "period_seconds": options.period, "phases": phases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
