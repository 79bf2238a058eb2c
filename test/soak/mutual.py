# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Clients with certificates: a host that requires them, a responder that reports one after the other as revoked, and
what must hold of each connection."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pki
import plan
import responders
from fault_cast import Cast
from httpd import Vhost
from mtls import HOST, Connection, make_vhost
from ocsp_der import Answer, Single

if TYPE_CHECKING:
    from invariants import Invariants

N_CLIENTS = 4
VALIDITY = 20       # seconds, of each response
PAUSE = 0.5         # between two connections of a client
BREAKS = ("kill-", "restart", "stop-", "short-lived", "clock")
DELAYS = (*BREAKS, "graceful", "responder-refuses")  # what a query or the child that leads can wait for
LINES = ("OCSPCacheClient hard", "OCSPCacheClientGrace 0", "OCSPCacheClientWait 2s")


class Mutual:
    """The host and its clients' certificates. The path of a request is the client's number after those of the hosts."""

    def __init__(self, cast: Cast, root: pki.Authority, seed: str, first: int) -> None:
        self._cast, self._root, self._seed, self._first = cast, root, seed, first
        self.leaves: list[pki.Leaf] = []
        self.good: list[list[float]] = [[] for _ in range(N_CLIENTS)]  # when the last two good responses were sent
        self.start = float("inf")  # time.monotonic() at the beginning of the run

    def vhost(self, responder_url: str) -> Vhost:
        """The certificates are valid whatever the clock is set to: mod_ssl has to accept them."""
        self.leaves = [self._cast.ca.client(f"client-{number}", url=f"{responder_url}{self._first + number}/",
                                            delay=-30, days=90) for number in range(N_CLIENTS)]
        return make_vhost(self._root, self._cast.ca.leaf(HOST), LINES)

    def revoked_at(self, number: int) -> float:
        """time.monotonic()"""
        return self.start + plan.revoked_at(self._seed, number)

    def answer(self, exchange: responders.Exchange, number: int) -> None:
        is_good = time.monotonic() < self.revoked_at(number)
        if is_good:
            self.good[number] = [*self.good[number][-1:], time.monotonic()]
        single = Single(status="good" if is_good else "revoked", next=VALIDITY)
        exchange.reply(Answer((single,)).der(self.leaves[number], self._cast["delegated"]))


class Guests:
    """Connects as each of the clients, again and again, and judges whether it had to be served."""

    def __init__(self, watch: "Invariants", bound: float) -> None:
        """`bound`: seconds after which the schedule has noticed a revocation, if nothing disturbs it."""
        self._watch, self._mutual, self._bound = watch, watch.stage.mutual, bound
        self._over = threading.Event()
        self._served: list[float | None] = [None] * N_CLIENTS  # when last
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(N_CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def are_all_served(self) -> bool:
        return None not in self._served

    def check_calm(self) -> None:
        for number, served in enumerate(self._served):
            if time.monotonic() < self._mutual.revoked_at(number) and (
                    served is None or time.monotonic() - served > PAUSE + 1 + self._watch.slack()):
                self._watch.problem(f"client {number}: it is not served in the calm, though the responder answers")

    def _run(self, number: int) -> None:
        server, leaf = self._watch.stage.server, self._mutual.leaves[number]
        while not self._over.wait(PAUSE):
            begin = time.monotonic()
            try:
                connection = Connection(server.https_port, server.root_ca, leaf)
                reply = connection.get()
                connection.close()
            except OSError as failure:  # no TCP connection
                self._judge_refused(number, begin, str(failure))
                continue
            self._watch.handshakes.total["clients served" if reply.status == 200 else "clients refused"] += 1
            if reply.status == 200:
                self._judge_served(number, begin)
            else:
                self._judge_refused(number, begin, f"{reply.status} {reply.error}")

    def _judge_served(self, number: int, begin: float) -> None:
        """A good response ends in any case; only a clock that is off lets it count for longer."""
        self._served[number] = begin
        late, slack, journal = begin - self._mutual.revoked_at(number), self._watch.slack(), self._watch.journal
        if late > self._bound + slack and not journal.near(DELAYS, late + 2, begin) \
                or late > VALIDITY + 2 + slack and not journal.near(("clock",), VALIDITY + 2 + slack):
            self._watch.problem(f"client {number}: served {late:.1f} s after its responder reported it as revoked")

    def _judge_refused(self, number: int, begin: float, why: str) -> None:
        """The last good response may not have arrived; the one before it did."""
        served, now, journal = self._served[number], time.monotonic(), self._watch.journal
        if served is None or now >= self._mutual.revoked_at(number) or journal.near(BREAKS, now - served + 3):
            return
        left = self._mutual.good[number][0] + VALIDITY - now
        if left > 1:
            self._watch.problem(f"client {number}: refused, though a good response is valid for {left:.0f} s: {why}")
