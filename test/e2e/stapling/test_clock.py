# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The server's clock jumps, by days, to and fro: no crash, nothing expired by its own clock, and back to normal with the clock."""

from clock import DAY
from conftest import NOTHING_HELD, QUICK
from wait import poll

def test_clock_that_jumps_to_and_fro(site, clock):
    one = site(environment=clock.environment, directives=QUICK)
    one.server.allow(NOTHING_HELD, r"\[ocsp_cache:warn\] .*Stapling goes on with the response held")
    one.server.start()
    one.wait_staple()

    clock.set(3 * DAY)  # by this clock the response, valid for a day, has ended, and so has each new one
    one.wait_staple(None)
    one.server.wait_log("Nothing valid is held to staple", "warn")

    clock.set(-3 * DAY)  # by this one new ones are from the future; the one held is good, as it is for clients
    one.wait_staple("good")

    for seconds in (0, DAY, -DAY, 20 * DAY, 0):
        clock.set(seconds)
        assert one.handshake().ok
    asked = len(one.responder.asked)
    one.wait_staple("good", deadline=20)
    poll(lambda: len(one.responder.asked) >= asked + 2, "the responder is asked again", 30)
    assert one.handshake().status == "good"
