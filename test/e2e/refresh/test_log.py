# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What is logged about a certificate, at which level, and how often: a line for each change, none for each attempt."""

import calendar
import itertools
import re
import time

from cryptography.x509 import ocsp

import responders
from conftest import HOST, NOTHING_HELD, QUICK
from error_log import LogLine
from httpd import Httpd
from wait import poll

ABOVE_DEBUG = ("info", "notice", "warn", "error", "crit", "alert", "emerg")
ABOUT = r": certificate .*\(serial [0-9A-F]+\): (the )?responder http"


def logged(server: Httpd) -> list[LogLine]:
    """Every line above debug about the certificate and its responder."""
    return server.ours(ABOVE_DEBUG, ABOUT)


def levels(server: Httpd) -> list[str]:
    return [line.level for line in logged(server)]


def wait_attempts(count: int, *sites) -> None:
    """Wait until each of these has made `count` more attempts and logged them, at debug or above."""
    def attempts() -> list[int]:
        return [len(one.server.ours(pattern=ABOUT)) for one in sites]
    known = attempts()
    poll(lambda: all(now >= before + count for now, before in zip(attempts(), known)), f"{count} more attempts", 30)


# ---- success and failure ---------------------------------------------------------------------------------------------

def test_success_and_failure_and_recovery_are_logged_once(site):
    """Three servers side by side: a responder that answers, one that fails later, and one that never answers."""
    well, later, never = (site(script, directives=QUICK) for script in (None, None, responders.http_status(500)))
    never.server.expect(NOTHING_HELD)
    for one in (well, later, never):
        one.server.start()
    later.wait_staple()
    later.responder.script = responders.http_status(500)
    later.server.wait_log("Stapling continues with the stored response until", "info")
    wait_attempts(2, well, later, never)
    assert levels(well.server) == ["info"], logged(well.server)
    assert levels(later.server) == ["info", "info"], logged(later.server)
    assert levels(never.server) == ["warn"], logged(never.server)
    line, = logged(well.server)
    for word in (HOST, well.leaf.serial_hex, "CN=" + HOST, well.responder.url, "reports good", "stapled until",
                 "next request"):
        assert word in line.text

    for one in (later, never):
        one.responder.script = responders.good()
    for one in (later, never):
        one.server.wait_log("reports good", "notice")
    wait_attempts(2, well, later, never)
    assert levels(well.server) == ["info"], logged(well.server)
    assert levels(later.server) == ["info", "info", "notice"], logged(later.server)
    assert levels(never.server) == ["warn", "notice"], logged(never.server)


def test_another_kind_of_failure_is_logged_once_too(site):
    one = site(responders.http_status(500), directives=QUICK)
    one.server.expect(NOTHING_HELD)
    one.server.start()
    wait_attempts(2, one)
    one.responder.script = responders.nothing()
    wait_attempts(3, one)
    assert levels(one.server) == ["warn", "info"], logged(one.server)
    assert "HTTP" in logged(one.server)[0].text and "broke before the answer was complete" in logged(one.server)[1].text


def alternating(*scripts):
    """One script for each request, in turns."""
    turn = itertools.cycle(scripts)
    return lambda exchange: next(turn)(exchange)


def test_alternating_failures_are_logged_once_each(site):
    """Responders behind a load balancer fail in several ways at a time. Two servers side by side: with a stored
    response, and without."""
    ways = responders.http_status(503), responders.try_later(), responders.nothing()
    held, bare = site(directives=QUICK), site(alternating(*ways), directives=QUICK)
    bare.server.expect(NOTHING_HELD)
    for one in (held, bare):
        one.server.start()
    held.wait_staple()
    held.responder.script = alternating(*ways)
    wait_attempts(6, held, bare)
    assert set(levels(held.server)) == {"info"}, logged(held.server)
    assert len(logged(held.server)) <= 1 + len(ways), logged(held.server)
    assert levels(bare.server).count("warn") == 1, logged(bare.server)
    assert len(logged(bare.server)) <= len(ways), logged(bare.server)


# ---- expiry ----------------------------------------------------------------------------------------------------------

def test_expiry_is_logged_at_the_threshold_and_at_the_end_and_recovery_once(site):
    """Three servers side by side, as the time has to pass: responses of 8 seconds, of which none is renewed."""
    plain = site(responders.good(next_update=8), directives=QUICK)
    late = site(responders.good(next_update=8), directives=(*QUICK, "OCSPCacheExpiryWarning 1200ms"))
    never = site(responders.good(next_update=8), directives=(*QUICK, "OCSPCacheExpiryWarning 0"))
    for one in (plain, late, never):
        one.server.expect(NOTHING_HELD)
        one.server.start()
    for one in (plain, late, never):
        one.wait_staple()
        one.responder.refuse()
    for one in (plain, late):
        one.server.expect(r"\[ocsp_cache:warn\] .*Stapling continues with the stored response")
    for one in (plain, late, never):
        one.server.wait_log("There is no valid response", "warn", deadline=25)
    wait_attempts(2, plain, late, never)
    assert levels(plain.server) == ["info", "info", "warn", "warn"], logged(plain.server)
    assert levels(late.server) == ["info", "info", "warn", "warn"], logged(late.server)
    assert levels(never.server) == ["info", "info", "warn"], logged(never.server)
    for one, most, least in ((plain, 2.1, 0), (late, 1.3, 0)):
        until, at = _left_when_warned(one.server)
        assert least <= until - at <= most, f"warned {until - at} s before the end"
    for one in (plain, late, never):
        one.responder.accept()
        one.responder.script = responders.good()
    for one in (plain, late, never):
        one.server.wait_log("reports good", "notice")
    wait_attempts(2, plain, late, never)
    for one in (plain, late, never):
        assert levels(one.server)[-2:] == ["warn", "notice"], logged(one.server)


def _left_when_warned(server: Httpd) -> tuple[float, float]:
    """The end that the first warning names, and when it was logged."""
    stamp = re.search(r"^\[\w+ (\w+ \d+ [\d:]+)(\.\d+) (\d+)\] \[ocsp_cache:warn\] .* until \w+, (.*?) GMT",
                      server.raw_log(),
                      re.M)
    at = time.mktime(time.strptime(f"{stamp[1]} {stamp[3]}", "%b %d %H:%M:%S %Y")) + float(stamp[2])
    return calendar.timegm(time.strptime(stamp[4], "%d %b %Y %H:%M:%S")), at


# ---- revoked ---------------------------------------------------------------------------------------------------------

def test_revoked_is_critical_and_logged_once(site):
    one = site(directives=QUICK)
    one.server.start()
    one.wait_staple()
    one.server.expect(r"\[ocsp_cache:crit\] .*REVOKED since .*Clients reject this certificate")
    one.responder.script = responders.revoked()
    one.wait_staple("revoked")
    wait_attempts(2, one)
    one.responder.script = responders.http_status(500)
    wait_attempts(1, one)
    one.responder.script = responders.revoked()
    wait_attempts(2, one)
    assert levels(one.server).count("crit") == 1, logged(one.server)
    assert len(logged(one.server)) <= 4, logged(one.server)  # good, revoked, the outage, its end
    assert one.leaf.serial_hex in one.server.ours("crit")[0].text


# ---- what an administrator has to do ---------------------------------------------------------------------------------

def test_every_failure_names_its_cause_its_effect_and_the_remedy(site):
    for script, words in ((responders.unauthorized(), "not authorized"), (responders.garbage(), "DER"),
                          (responders.error(ocsp.OCSPResponseStatus.SIG_REQUIRED), "signed requests"),
                          (responders.http_status(404), "404")):
        one = site(script)
        one.server.expect(NOTHING_HELD)
        one.server.start()
        text = one.server.wait_log("There is no valid response to staple; next request", "warn").text
        assert words in text and one.responder.url in text and one.leaf.serial_hex in text and HOST in text
        assert len(text.split("GMT. ", 1)[1]) > 40, "advice at its end"
