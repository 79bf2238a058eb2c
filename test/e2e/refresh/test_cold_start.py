# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A server without a response queries a responder that hangs: clients get a staple soon after the responder is back."""

import time

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


def test_a_hung_exchange_is_followed_by_the_next_one(site):
    """The pause of 5 to 7.5 s begins with the first one, so it has passed when that one has hung for 8 s."""
    one = site(responders.hang(), directives=("SSLStaplingResponderTimeout 8",))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    first, second = one.responder.wait_asked(2, deadline=20)
    assert 8 <= second.at - first.at < 10
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
