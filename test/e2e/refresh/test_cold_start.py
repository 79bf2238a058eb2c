# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A server without a response queries a responder that hangs: clients get a staple soon after the responder is back."""

import select
import threading
import time

import pytest

import responders
from conftest import NOTHING_HELD
from wait import poll


def test_a_restarted_responder_is_queried_at_once(site):
    """Its hung connections are closed when it is restarted."""
    one = site(responders.hang())
    one.server.start()
    one.responder.wait_asked(1)
    poll(lambda: time.monotonic() - one.responder.asked[0].at > 1.2, "it hangs")
    one.responder.script = responders.good()
    back = time.monotonic()
    one.wait_staple(deadline=2)
    assert time.monotonic() - back < 2
    assert len(one.responder.asked) == 2
    assert not one.server.ours(("notice", "warn"))


class Lost:
    """A script: what arrives is never answered, not even after the responder is back, except the exchanges `kept`:
    these are answered when the test says so. Knows how many exchanges the server had at a time, as the kernel does."""

    def __init__(self, kept=()):
        self.kept, self.answer, self.most = kept, threading.Event(), 0
        self._connections, self._lock = [], threading.Lock()

    @staticmethod
    def _is_open(connection):
        """The server sends nothing after its request, so the socket is readable when it has been closed."""
        return not select.select([connection], [], [], 0)[0]

    def __call__(self, exchange):
        with self._lock:
            self._connections.append(exchange.handler.connection.dup())  # the handler closes its own
            number = len(self._connections)
            self.most = max(self.most, sum(map(self._is_open, self._connections)))
        if number in self.kept:
            self.answer.wait(30)
            responders.good()(exchange)
        else:
            exchange.handler.connection.settimeout(60)
            exchange.handler.connection.recv(1)  # until the server gives up


def test_a_hung_exchange_is_hedged(site):
    """The first request is lost. The second one begins in parallel, long before its deadline, and is answered."""
    one = site(Lost(), directives=("SSLStaplingResponderTimeout 20", "LogLevel ocsp_cache:debug"))
    one.server.start()
    one.responder.wait_asked(1)
    one.responder.script = responders.good()
    one.wait_staple(deadline=18)
    assert len(one.responder.asked) == 2
    assert not one.server.ours(("notice", "warn")), "the exchange that hung did not fail: it was called off"
    assert len(one.server.ours("debug", "queried a second time while it hangs")) == 1


@pytest.mark.parametrize("share, most", [(2, 2), (1, 1)])
def test_there_are_two_exchanges_at_most(site, share, most):
    """Each exchange is hedged once, and the limit of the responder holds."""
    script = Lost()
    one = site(script, directives=("SSLStaplingResponderTimeout 2", f"OCSPCacheWorkers 16 {share}"))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.responder.wait_asked(2 * most + 1, deadline=40)
    assert script.most == most
    assert len(one.server.ours(("warn", "info", "debug"), "There is no valid response to staple")) >= 2, \
        "two exchanges have timed out"


@pytest.mark.asan
def test_a_hedge_outlasts_the_exchange_that_hung(site):
    """It has its own deadline; the pause after the failure of the other one does not delay what it obtains."""
    script = Lost(kept={2})
    one = site(script, directives=("SSLStaplingResponderTimeout 4",))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.server.wait_log("There is no valid response to staple", "warn")
    script.answer.set()
    one.wait_staple(deadline=10)
    assert one.responder.asked[1].answered


def test_a_restart_is_followed_by_one_request(site):
    """Both exchanges are cut off when the responder restarts."""
    one = site(responders.hang(), directives=("SSLStaplingResponderTimeout 20",))
    one.server.start()
    one.responder.wait_asked(2, deadline=20)
    poll(lambda: time.monotonic() - one.responder.asked[1].at > 1.2, "both hang")
    one.responder.script = responders.good()
    one.wait_staple(deadline=10)
    assert len(one.responder.asked) == 3
    assert not one.server.ours(("notice", "warn"))


def test_a_hung_exchange_is_followed_by_the_next_one(site):
    """The pause of 5 to 7.5 s begins with the first one, so it has passed when that one has hung for 8 s. Without a
    second worker for the responder there is no hedge."""
    one = site(responders.hang(), directives=("SSLStaplingResponderTimeout 8", "OCSPCacheWorkers 16 1"))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    first, second = one.responder.wait_asked(2, deadline=20)
    assert 7 < second.at - first.at < 12, "with the pause after it, 13 s at least"
    one.responder.script = responders.good()
    one.wait_staple(deadline=4)


def test_a_responder_that_cuts_connections_off_is_queried_with_pauses(site):
    """Control: not at once, and at most one more time after a hang."""
    def slow_cut(exchange):
        time.sleep(1.3)
    one = site(slow_cut)
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.server.wait_log("There is no valid response", "warn")
    assert len(one.responder.asked) == 2
    third = one.responder.wait_asked(3)[2]
    assert third.at - one.responder.asked[1].at > 4


def test_while_a_response_is_held_there_is_no_hurry(site):
    """Control: a cut-off exchange is a failure like others."""
    one = site(directives=("SSLStaplingStandardCacheTimeout 2", "OCSPCacheRefreshInterval 1 2"))
    one.server.start()
    one.wait_staple()

    def slow_cut(exchange):
        time.sleep(1.3)
    one.responder.script = slow_cut
    known = len(one.responder.asked)
    one.server.wait_log("Stapling continues with the stored response", "info")
    assert len(one.responder.asked) == known + 1


def test_while_a_response_is_held_there_is_no_hedge(site):
    """Control: an exchange that hangs until its deadline."""
    one = site(directives=("SSLStaplingStandardCacheTimeout 2", "OCSPCacheRefreshInterval 1 2",
                           "SSLStaplingResponderTimeout 3"))
    one.server.start()
    one.wait_staple()
    one.responder.script = script = Lost()
    one.server.wait_log("Stapling continues with the stored response", "info")
    assert script.most == 1
