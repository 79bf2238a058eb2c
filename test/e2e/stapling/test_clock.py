# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The server's clock jumps by days in both directions: no crash, nothing stapled that has expired by the same clock,
and recovery with the clock."""

import os
import re
import signal
import time

import clients
import responders
from clock import DAY
from conftest import NOTHING_HELD, QUICK
from observe import certificate, wait_leader
from wait import NotReached, poll


def test_clock_that_is_set_back_and_leaders_that_live_for_a_second(site, clock):
    """A refresh scheduled by the wrong clock becomes due soon by the right one, for any number of successive
    leaders."""
    one = site(responders.http_status(500), environment=clock.environment,
               directives=("SSLStaplingErrorCacheTimeout 4",))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.server.wait_log("There is no valid response", "warn")
    real = certificate(one.server, one.leaf)["next_request"]
    clock.set(3600)
    poll(lambda: certificate(one.server, one.leaf)["next_request"] > real + 3000, "a due time of the wrong clock")
    clock.set(0)
    known, leader = len(one.responder.asked), None
    for _ in range(8):
        leader = wait_leader(one.server, other_than=leader)
        try:
            poll(lambda: len(one.responder.asked) > known, "a request", 1.5)
            return
        except NotReached:
            os.kill(leader, signal.SIGKILL)
    raise AssertionError("eight leaders have come and gone, and the responder was not queried")


def test_response_that_was_obtained_while_the_clock_was_ahead(site, clock):
    """It is from the future after the clock has been set right: no client gets it, and the responder is queried at
    once."""
    one = site(responders.good(this_update=1200), environment=clock.environment,
               directives=("SSLStaplingErrorCacheTimeout 2",))
    one.server.allow(NOTHING_HELD)
    clock.set(3600)
    one.server.start()
    one.wait_staple("good")
    known = len(one.responder.asked)

    clock.set(0)
    assert one.handshake().status is None
    poll(lambda: len(one.responder.asked) > known, "a query", 5)
    one.server.wait_log("By this server's clock, the stored response is not valid before", "warn")
    assert re.search(r"^ocsp_cache_last_success_age_seconds\S* 0$", 
                     clients.http_get(f"http://127.0.0.1:{one.server.http_port}/ocsp-cache-status?format=prometheus"), re.M)
    page = certificate(one.server, one.leaf)
    assert page["state"] == "none" and page["attention"] == "warning" and "becomes valid in" in page["reason"]
    clock.set(3600)  # nothing was lost
    assert one.handshake().status == "good"
    clock.set(0)
    assert one.handshake().status is None
    one.responder.script = responders.good()
    one.wait_staple("good", deadline=5)
    assert certificate(one.server, one.leaf)["response"]["usable_from"] < time.time()


def test_an_error_does_not_replace_a_response_that_is_usable_later(site, clock):
    """The error could be stapled, the response cannot until the clock is set right again."""
    one = site(responders.good(this_update=1200), environment=clock.environment,
               directives=("SSLStaplingErrorCacheTimeout 2", "SSLStaplingReturnResponderErrors On"))
    one.server.expect(NOTHING_HELD)
    clock.set(3600)
    one.server.start()
    one.wait_staple("good")

    one.responder.script = responders.try_later()
    clock.set(0)
    one.server.wait_log("By this server's clock, the stored response is not valid before", "warn")
    clock.set(3600)
    assert one.handshake().status == "good"


def test_clock_that_jumps_to_and_fro(site, clock):
    one = site(environment=clock.environment, directives=QUICK)
    one.server.allow(NOTHING_HELD, r"\[ocsp_cache:warn\] .*Stapling continues with the stored response")
    one.server.start()
    one.wait_staple()

    clock.set(3 * DAY)  # by this clock the response, valid for a day, has expired, and so has every new one
    one.wait_staple(None)
    one.server.wait_log("There is no valid response to staple", "warn")

    clock.set(-3 * DAY)  # by this clock every response is from the future; the stored one stays
    one.wait_staple(None)
    clock.set(0)
    assert one.handshake().status == "good"

    for seconds in (0, DAY, -DAY, 20 * DAY, 0):
        clock.set(seconds)
        assert one.handshake().ok
    asked = len(one.responder.asked)
    one.wait_staple("good", deadline=20)
    poll(lambda: len(one.responder.asked) >= asked + 2, "the responder is queried again", 30)
    assert one.handshake().status == "good"


def test_server_that_starts_with_a_clock_that_is_behind(site, clock):
    """Until the clock is set right, the stored response is not stapled; then it is, and no line denies it, although the
    responder is down all the time."""
    one = site(responders.good(next_update=86400), environment=clock.environment,
               directives=("SSLStaplingErrorCacheTimeout 2",))
    one.server.allow(NOTHING_HELD, "By this server's clock")
    one.server.start()
    one.wait_staple()
    one.server.stop()
    one.responder.refuse()
    clock.set(-7200)
    one.server.start()
    assert one.handshake().status is None
    one.server.wait_log("By this server's clock, the stored response is not valid before", "warn")
    clock.set(0)
    one.wait_staple()
    one.server.wait_log("the stored response is good until", "debug")
    known = len(one.server.ours(pattern="There is no valid response"))
    one.server.wait_log("Stapling continues with the stored response")
    assert len(one.server.ours(pattern="There is no valid response")) == known
