# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Connections to a responder are reused where it allows that, and closed where it does not."""

import collections
import threading
import time
from typing import Callable, Optional

import pytest

import pki
import responders
from httpd import Config, Httpd, Vhost
from wait import poll

CACHE = "ocsp_cache:cache/staples(1048576)"
MANY = 50
PER_RESPONDER = 8  # threads that may query one responder at the same time: the default of OCSPCacheWorkers
AGE = 10           # seconds after which an idle connection is closed


class Keeping:
    """A script around another one: speaks HTTP/1.1, and keeps each connection open, but closes it without an answer
    after `most` requests."""

    def __init__(self, script: Optional[responders.Script] = None, most: int = 1000) -> None:
        self._script = script or responders.good()
        self._most = most
        self._lock = threading.Lock()
        self.connections: collections.Counter[tuple[str, int]] = collections.Counter()

    def __call__(self, exchange: responders.Exchange) -> None:
        handler = exchange.handler
        handler.protocol_version = "HTTP/1.1"
        with self._lock:
            self.connections[handler.client_address] += 1
            handler.close_connection = self.connections[handler.client_address] >= self._most
        self._script(exchange)


def established(port: int) -> int:
    """Connections to 127.0.0.1:port that their client has not closed."""
    open_states = {"01", "08"}  # ESTABLISHED, CLOSE_WAIT
    count = 0
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            count += fields[2] == f"0100007F:{port:04X}" and fields[3] in open_states
    return count


def server_with(httpd: Callable[..., Httpd], ca: pki.Authority, *answering: responders.ScriptedResponder) -> Httpd:
    """MANY vhosts, whose certificates name these responders in turn."""
    vhosts = []
    for number in range(MANY):
        host = f"host{number}.example.test"
        vhosts.append(Vhost(host, (ca.leaf(host, url=answering[number % len(answering)].url),)))
    return httpd(Config(vhosts=tuple(vhosts), cache=CACHE))


def wait_all_stapled(server: Httpd) -> None:
    for vhost in server.config.vhosts:
        assert vhost.leaves[0].serial_hex in server.wait_staple(vhost.host, deadline=30).staple


@pytest.mark.asan
def test_fifty_certificates_over_a_few_connections(httpd, ca, responder):
    script = Keeping()
    answering = responder(script)
    server = server_with(httpd, ca, answering).start()
    wait_all_stapled(server)
    assert len(answering.asked) == MANY
    assert {asked.headers["connection"] for asked in answering.asked} == {"keep-alive"}
    assert sum(script.connections.values()) == MANY
    assert 1 <= len(script.connections) <= PER_RESPONDER, script.connections


def test_control_a_responder_that_closes_is_connected_to_each_time(httpd, ca, responder):
    script = Keeping(most=1)
    answering = responder(script)
    server = server_with(httpd, ca, answering).start()
    wait_all_stapled(server)
    assert len(script.connections) == len(answering.asked) == MANY


def test_responder_that_hangs_up_now_and_then_is_not_a_failure(httpd, ca, responder):
    script = Keeping(most=4)
    answering = responder(script)
    server = server_with(httpd, ca, answering).start()
    wait_all_stapled(server)
    assert len(answering.asked) == MANY
    assert max(script.connections.values()) <= 4
    assert MANY / 4 <= len(script.connections) < MANY
    assert server.ours(pattern="reports good"), "the control of the next line"
    assert not server.ours(pattern="closed before|There is no valid response")


def test_responders_in_turn_keep_each_their_own(httpd, ca, responder):
    scripts = [Keeping() for _ in range(5)]
    server = server_with(httpd, ca, *[responder(script) for script in scripts]).start()
    wait_all_stapled(server)
    for script in scripts:
        assert sum(script.connections.values()) == MANY / 5
        assert len(script.connections) <= PER_RESPONDER
    assert sum(len(script.connections) for script in scripts) < MANY / 2


@pytest.mark.slow
def test_idle_connections_are_closed_in_time(httpd, ca, responder):
    answering = responder(Keeping())
    server_with(httpd, ca, answering).start()
    answering.wait_asked(MANY, deadline=30)
    assert established(answering.port) >= 1
    poll(lambda: established(answering.port) == 0, "no connection is open", AGE + 5)
    assert time.monotonic() - answering.asked[-1].at > AGE - 2, "they were not kept for a while"


@pytest.mark.slow
def test_idle_connections_of_queries_for_clients_are_closed_in_time(mtls):
    """These have a stock of their own, and no certificate of the server is refreshed here."""
    one = mtls(Keeping())
    one.server.start()
    assert one.get(one.client("one")).status == 200 and one.get(one.client("two")).status == 200
    assert established(one.responder.port) >= 1
    last = one.responder.asked[-1].at
    poll(lambda: established(one.responder.port) == 0, "no connection is open", AGE + 5)
    assert time.monotonic() - last > AGE - 2, "they were not kept for a while"


def test_a_leaving_generation_closes_its_connections(httpd, ca, responder):
    answering = responder(Keeping())
    server = server_with(httpd, ca, answering).start()
    poll(lambda: len(server.ours(pattern="reports good")) == MANY, "all answers are published", 30)
    assert established(answering.port) >= 1
    last = answering.asked[-1].at
    server.graceful(settle=False)
    poll(lambda: established(answering.port) == 0, "no connection is open", AGE + 5)
    assert time.monotonic() - last < AGE, "they were only closed for their age"
    assert len(answering.asked) == MANY
