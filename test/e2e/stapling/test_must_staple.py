# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Must-Staple certificates (RFC 7633), with a client that enforces it: gnutls-cli refuses them without a staple."""

import socket
import threading
import time

import pytest

import responders
from clients import Handshake
from conftest import HOST, NOTHING_HELD, QUICK
from httpd import Httpd
from wait import poll

MUST = {"must_staple": True}
SAID = r"\[ocsp_cache:warn\] .*Must-Staple"
LET_IN = r"\[ocsp_cache:warn\] .*OCSPCacheMustStapleWait"


class Client(threading.Thread):
    """An enforcing client that connects repeatedly from the moment when the port is open."""

    def __init__(self, server: Httpd) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._over = threading.Event()
        self.seen: list[Handshake] = []

    def run(self) -> None:
        while not self._over.is_set():
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._server.https_port)) == 0:
                    break
        while not self._over.is_set():
            self.seen.append(self._server.gnutls(HOST))

    def end(self) -> list[Handshake]:
        self._over.set()
        self.join()
        return self.seen


def assert_served(seen: Handshake) -> None:
    assert seen.ok and seen.status == "good", seen


# ---- the client without this module ---------------------------------------------------------------------------------

@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_control_the_client_refuses_without_a_staple(site, tls):
    one = site(leaf=MUST, vhost={"stapling": False})
    one.server.expect(SAID)
    one.server.start()
    seen = one.server.gnutls(HOST, tls=tls)
    assert not seen.ok and "OCSP status" in seen.output, seen
    assert one.handshake(tls=tls).ok, "it is the certificate's demand that makes the difference, not the server"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_the_client_is_served_with_one(site, tls):
    one = site(leaf=MUST)
    one.server.start()
    assert_served(one.server.gnutls(HOST, tls=tls))


# ---- first start -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_cold_start_with_a_slow_responder_fails_nobody(site, mpm):
    one = site(responders.delayed(responders.good(), 1.5), leaf=MUST, mpm=mpm)
    client = Client(one.server)
    client.start()
    one.server.start()
    assert not one.responder.asked or not one.responder.asked[0].answered, "too slow a machine: nothing was waited for"
    poll(lambda: len(client.seen) >= 3, "three handshakes", 20)
    seen = client.end()
    for each in seen:
        assert_served(each)
    assert seen[0].seconds > 0.5, "control: the first client came while there was nothing to staple"


def test_responder_down_the_server_serves_in_the_end_and_says_so(site):
    one = site(responders.hang(), leaf=MUST, directives=(
        "OCSPCacheMustStapleWait 2s", "SSLStaplingErrorCacheTimeout 1", "SSLStaplingResponderTimeout 3"))
    one.server.allow(NOTHING_HELD)
    one.server.expect(LET_IN)
    begin = time.monotonic()
    one.server.start()
    up = time.monotonic()
    seen = one.handshake()
    end = time.monotonic()
    assert seen.ok and seen.status is None, seen
    assert end - begin >= 2.0, "nobody was let in before the time was over"
    assert end - up <= 2.0 + 2.0, "nor much later"
    assert not one.server.gnutls(HOST).ok
    line = one.server.wait_log("OCSPCacheMustStapleWait", "warn")
    assert one.leaf.serial_hex in line.text and HOST in line.text
    one.responder.script = responders.good()
    one.wait_staple()
    assert_served(one.server.gnutls(HOST))
    assert len(one.server.ours("warn", "OCSPCacheMustStapleWait")) == 1, "once, however many children there are"


def test_no_wait_when_none_is_wanted(site):
    one = site(responders.hang(), leaf=MUST, directives=("OCSPCacheMustStapleWait 0",))
    one.server.allow(NOTHING_HELD, LET_IN)
    one.server.start()
    seen = one.handshake()
    assert seen.ok and seen.status is None and seen.seconds < 5, seen  # the default wait


def test_others_wait_for_nobody(site):
    """A starting server waits only for Must-Staple certificates."""
    one = site(responders.hang(), directives=("OCSPCacheMustStapleWait 20s",))
    one.server.allow(NOTHING_HELD)
    one.server.start()
    seen = one.handshake()
    assert seen.ok and seen.seconds < 20, seen


def test_an_error_first_and_then_a_response(site):
    """An error, as responders return it just after the certificate was issued, does not end the wait."""
    one = site(responders.try_later(), leaf=MUST, directives=("SSLStaplingErrorCacheTimeout 1",))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.responder.wait_asked(2)  # by GET, then by POST
    one.responder.script = responders.good()
    assert_served(one.server.gnutls(HOST))


@pytest.mark.parametrize("mpm, most", [("prefork", 2.0), ("event", 5.0)])
def test_a_server_that_waits_can_be_stopped(site, mpm, most):
    """The event MPM signals its children only after three seconds. Before that it uses a pipe, which this module cannot
    read."""
    one = site(responders.hang(), leaf=MUST, mpm=mpm, directives=("OCSPCacheMustStapleWait 60s",))
    one.server.allow(NOTHING_HELD, r"\[core:warn\] .* AH00045: child process \d+ still did not exit, sending a SIGTERM")
    one.server.start()
    one.responder.wait_asked()
    begin = time.monotonic()
    one.server.stop()
    assert time.monotonic() - begin < most


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_a_server_that_waits_can_be_restarted(site, mpm):
    one = site(responders.hang(), leaf=MUST, mpm=mpm, directives=("OCSPCacheMustStapleWait 60s",))
    one.server.allow(NOTHING_HELD)
    one.server.start()
    one.responder.wait_asked()
    begin = time.monotonic()
    one.server.graceful(one.changed(directives=("OCSPCacheMustStapleWait 0",)))
    assert time.monotonic() - begin < 3
    assert one.handshake().ok


# ---- outages and restarts --------------------------------------------------------------------------------------------

def test_no_failed_handshake_through_outage_and_every_restart(site):
    one = site(leaf=MUST, directives=QUICK)
    client = Client(one.server)
    client.start()
    one.server.start()
    poll(lambda: client.seen, "a handshake", 20)
    one.responder.refuse()
    one.server.wait_log("Stapling continues with the stored response", "info")
    for _ in range(2):
        one.server.graceful()
    one.server.graceful(settle=False)
    seen = client.end()
    for each in seen:
        assert_served(each)
    assert len(seen) >= 3, "that was no load"

    one.server.hang_up()
    assert_served(one.server.gnutls(HOST))
    one.server.stop()
    one.server.start()
    assert_served(one.server.gnutls(HOST))
    one.server.kill()
    one.server.expect(r"AH00098: pid file .* overwritten")
    one.server.start()
    assert_served(one.server.gnutls(HOST))


def test_a_restart_with_a_response_does_not_wait(site):
    one = site(leaf=MUST, directives=("OCSPCacheMustStapleWait 60s",))
    one.server.start()
    assert_served(one.server.gnutls(HOST))
    one.responder.refuse()
    one.server.stop()
    one.server.start()
    seen = one.server.gnutls(HOST)
    assert_served(seen)
    assert seen.seconds < 60, seen


# ---- what cannot work is reported ------------------------------------------------------------------------------------

@pytest.mark.parametrize("leaf, vhost, words", [
    ({}, {"stapling": False}, "SSLUseStapling is off"),
    ({"url": None}, {}, "names no OCSP responder"),
    ({}, {"issuer": "none"}, "issuer's certificate is missing"),
    ({"url": "https://ocsp.example.test/"}, {}, "https is not supported"),
], ids=["stapling-off", "no-url", "no-issuer", "https"])
def test_config_test_warns(site, leaf, vhost, words):
    for must_staple in (True, False):
        one = site(leaf={**leaf, "must_staple": must_staple}, vhost=vhost)
        checked = one.server.check()
        assert checked.code == 0, checked.output
        lines = [line for line in checked.lines if "[ocsp_cache:warn]" in line]
        if must_staple:
            assert len(lines) == 1, checked.output
            assert words in lines[0] and "Must-Staple" in lines[0] and one.leaf.serial_hex in lines[0]
        else:
            assert not any("Must-Staple" in line for line in checked.lines), "control"


def test_config_test_is_silent_where_all_is_well(site):
    checked = site(leaf=MUST).server.check()
    assert checked.lines == ["Syntax OK"], checked.output


def test_responder_behind_the_server_itself(site):
    """It can answer only when the server accepts connections: the wait was in vain, and the log has the advice."""
    # one child accepts connections a little earlier than the other one gives up
    one = site(responders.delayed(responders.good(), 1.0), leaf={"must_staple": True}, modules=("proxy", "proxy_http"))
    own = f"http://127.0.0.1:{one.server.http_port}/"
    one.server.config = one.changed(directives=("OCSPCacheMustStapleWait 300ms",
                                                f"OCSPCacheResponder {one.responder.url} {own}ocsp/",
                                                f"ProxyPass /ocsp/ {one.responder.url}"))
    one.server.expect(r"\[ocsp_cache:warn\] .*OCSPCacheMustStapleWait")
    one.server.start()
    one.wait_staple()
    one.server.wait_log("OCSPCacheMustStapleWait", "warn")
