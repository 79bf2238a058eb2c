# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Responders that are down, slow or malicious: what clients get, and what the log reports."""

import datetime
import re

import pytest

import responders
from conftest import CACHE, HOST, NOTHING_HELD, QUICK
from httpd import Config, Httpd, Vhost
from wait import holds, poll


def next_update(staple: str) -> datetime.datetime:
    text = re.search(r"Next Update: (.* GMT)", staple).group(1)
    return datetime.datetime.strptime(text, "%b %d %H:%M:%S %Y %Z")


def utcnow() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


TIMED_OUT = "did not answer in time"
HANGS = ("SSLStaplingResponderTimeout 120",)


def still_hangs(server: Httpd) -> bool:
    """No exchange has reached its deadline, which is longer than any client or test waits."""
    return not server.ours(pattern=TIMED_OUT)


# ---- nothing cached: never wait --------------------------------------------------------------------------------------

@pytest.mark.asan
def test_a_responder_that_hangs_from_the_start_delays_nobody(site):
    """The control is test_shmcb_makes_the_handshake_wait_for_a_hanging_responder: there this configuration blocks."""
    one = site(responders.hang(), directives=HANGS)
    one.server.start()
    one.responder.wait_asked()
    for _ in range(10):
        seen = one.handshake()
        assert seen.ok and seen.status is None, seen
    assert still_hangs(one.server), "all of them were served while the responder was silent"
    one.server.stop()
    assert still_hangs(one.server), "and the server ended"


def test_a_hanging_responder_delays_no_graceful_restart(site):
    one = site(responders.hang(), directives=HANGS)
    one.server.start()
    one.responder.wait_asked()
    one.server.graceful()
    assert one.handshake().ok
    assert still_hangs(one.server)


def test_one_hanging_responder_does_not_delay_anothers_certificate(httpd, ca, responder):
    dead, alive = responder(responders.hang()), responder()
    vhosts = tuple(Vhost(f"dead{n}.example.test", (ca.leaf(f"dead{n}.example.test", url=dead.url),)) for n in range(6))
    vhosts += (Vhost("alive.example.test", (ca.leaf("alive.example.test", url=alive.url),)),)
    server = httpd(Config(vhosts=vhosts, cache=CACHE, directives=HANGS))
    server.start()
    server.wait_staple("alive.example.test")
    assert still_hangs(server)


def test_first_staple_once_the_responder_is_back(site):
    one = site(directives=QUICK)
    one.responder.refuse()
    one.server.expect(NOTHING_HELD)
    one.server.start()
    assert one.handshake().status is None
    one.responder.accept()
    one.wait_staple("good", deadline=20)


# ---- what is stapled: the table of the manual ------------------------------------------------------------------------

NO_ANSWER = {"nothing": responders.nothing(), "500": responders.http_status(500), "hang": responders.hang()}
ERRORS = {"trylater": responders.try_later(), "unauthorized": responders.unauthorized(),
          "unknown": responders.unknown()}
REASONS = {"nothing": "the connection to the responder broke", "500": "HTTP status 500", "hang": TIMED_OUT,
           "trylater": "try again later", "unauthorized": "not authorized", "unknown": "does not know the certificate"}
POLICY = {"default": (), "off": ("SSLStaplingReturnResponderErrors off",),
          "on": ("SSLStaplingReturnResponderErrors on",),
          "on-nofake": ("SSLStaplingReturnResponderErrors on", "SSLStaplingFakeTryLater off"),
          "off-fake": ("SSLStaplingReturnResponderErrors off", "SSLStaplingFakeTryLater on")}


@pytest.mark.parametrize("policy", POLICY)
@pytest.mark.parametrize("answer", [*ERRORS, *NO_ANSWER])
def test_error_policy(site, answer, policy):
    if answer in ERRORS:
        expected = answer if policy.startswith("on") else None
    else:
        expected = "trylater" if policy == "on" else None
    one = site({**ERRORS, **NO_ANSWER}[answer],
               directives=("SSLStaplingErrorCacheTimeout 1", "SSLStaplingResponderTimeout 1", *POLICY[policy]))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    line = one.server.wait_log(one.leaf.serial_hex, "warn")
    assert HOST in line.text and one.responder.url in line.text and REASONS[answer] in line.text, line
    if expected:
        one.wait_staple(expected)
    else:
        one.responder.wait_asked(2, one.leaf, deadline=20)
        seen = one.handshake()
        assert seen.ok and seen.status is None, seen


UNUSABLE = {  # the answer, and the reason in the log
    "garbage": (lambda stranger: responders.garbage(), "DER|ASN.1"),
    "stranger": (lambda stranger: responders.good(signer=stranger), "not authorized"),
    "stranger-revoked": (lambda stranger: responders.revoked(signer=stranger), "not authorized"),
    "expired": (lambda stranger: responders.good(this_update=-7200, next_update=-3600), "already expired"),
    "future": (lambda stranger: responders.good(this_update=7200, next_update=86400), "is not valid yet"),
    "oversized": (lambda stranger: lambda exchange: exchange.reply(b"\x30\x84\x00\x10\x00\x00" + bytes(1 << 20)),
                  "larger than a staple may be"),
    "html": (lambda stranger: lambda exchange: exchange.reply(b"<html>login</html>", content_type="text/html"),
             "not of type application/ocsp-response"),
    "random": (lambda stranger: lambda exchange: exchange.reply(b"\x30\x40" + bytes(range(64))), "DER"),
}


@pytest.mark.parametrize("policy", ["default", "off", "on"])
@pytest.mark.parametrize("answer", UNUSABLE)
def test_what_a_client_would_reject_is_never_stapled(site, stranger, answer, policy):
    script, reason = UNUSABLE[answer]
    one = site(script(stranger), directives=(*QUICK, *POLICY[policy]))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    line = one.server.wait_log(one.leaf.serial_hex, "warn")
    assert HOST in line.text and one.responder.url in line.text and re.search(reason, line.text), line
    one.responder.wait_asked(2, one.leaf, deadline=20)
    seen = one.handshake()
    assert seen.ok and seen.status is None, seen


# ---- something valid is cached ---------------------------------------------------------------------------------------

WORSE = {"trylater": responders.try_later(), "unauthorized": responders.unauthorized(), "unknown": responders.unknown(),
         "garbage": responders.garbage(), "500": responders.http_status(500), "nothing": responders.nothing(),
         "expired": responders.good(this_update=-7200, next_update=-3600)}


@pytest.mark.parametrize("policy", ["default", "on"])
@pytest.mark.parametrize("answer", WORSE)
def test_a_valid_good_response_is_kept_whatever_comes_then(site, answer, policy):
    one = site(directives=(*QUICK, *POLICY[policy]))
    one.server.start()
    one.wait_staple()
    one.responder.script = WORSE[answer]
    one.responder.wait_asked_again()
    one.responder.wait_asked_again()
    seen = one.handshake()
    assert seen.ok and seen.status == "good", seen


@pytest.mark.asan
def test_a_strangers_signature_does_not_replace_a_valid_response(site, stranger):
    one = site(directives=QUICK)
    one.server.start()
    one.wait_staple()
    one.responder.script = responders.revoked(signer=stranger)
    one.responder.wait_asked_again()
    one.responder.wait_asked_again()
    assert one.server.gnutls(HOST).status == "good"


def test_a_refused_connection_does_not_cost_the_staple(site):
    one = site(directives=QUICK)
    one.server.start()
    one.wait_staple()
    one.responder.refuse()
    one.server.wait_log("Connection refused. Stapling continues with the stored response", "info")
    holds(lambda: one.handshake().status == "good", "still good", 3)


@pytest.mark.asan
@pytest.mark.parametrize("policy", ["default", "off", "on"])
def test_revoked_is_stapled_whatever_the_settings_and_logged_at_crit(site, policy):
    one = site(directives=(*QUICK, *POLICY[policy]))
    one.server.expect(r"\[ocsp_cache:crit\] .*" + one.leaf.serial_hex)
    one.server.start()
    one.wait_staple("good")
    one.responder.script = responders.revoked()
    one.wait_staple("revoked", deadline=20)
    line = one.server.wait_log("revoked", "crit")
    assert HOST in line.text and one.leaf.serial_hex in line.text


def test_revoked_from_the_start(site):
    one = site(responders.revoked())
    one.server.expect(r"\[ocsp_cache:crit\] .*" + one.leaf.serial_hex)
    one.server.start()
    one.wait_staple("revoked")


def test_an_older_good_does_not_replace_a_newer_revoked(site):
    one = site(responders.revoked(), directives=QUICK)
    one.server.expect(r"\[ocsp_cache:crit\] ")
    one.server.start()
    one.wait_staple("revoked")
    one.responder.script = responders.good(this_update=-3600)
    one.responder.wait_asked_again()
    one.responder.wait_asked_again()
    assert one.handshake().status == "revoked"


def test_a_short_lived_response_is_renewed_before_it_ends(site):
    one = site(responders.good(this_update=0, next_update=4))
    one.server.start()
    one.wait_staple()
    seen: set[str] = set()

    def good() -> bool:
        handshake = one.handshake()
        seen.add(handshake.staple)
        return handshake.status == "good" and next_update(handshake.staple) >= utcnow().replace(microsecond=0)
    holds(good, "a current good staple", 9)
    assert len(seen) >= 3, "several responses were shown one after the other"


def test_an_expired_response_is_not_stapled(site):
    one = site(responders.good(this_update=0, next_update=4), directives=QUICK[1:])
    one.server.start()
    one.wait_staple()
    one.server.expect(NOTHING_HELD)
    # in its last second, logged once
    one.server.allow(r"\[ocsp_cache:warn\] .*Stapling continues with the stored response")
    one.responder.refuse()

    def none_left() -> bool:
        handshake = one.handshake()
        assert handshake.ok
        if handshake.status is None:
            return True
        assert next_update(handshake.staple) >= utcnow().replace(microsecond=0) - datetime.timedelta(seconds=1)
        return False
    poll(none_left, "the staple is gone when its time is over", 10)
    one.server.wait_log("There is no valid response to staple", "warn")
    one.responder.accept()
    one.wait_staple("good", deadline=20)


def test_wrong_responder_url_is_a_clear_line(site):
    one = site(leaf={"url": "https://ocsp.example.test/"})
    one.server.expect(r"\[ocsp_cache:warn\] .*https is not supported")
    one.server.start()
    assert one.handshake().status is None
    line = one.server.wait_log("https is not supported", "warn")
    assert HOST in line.text and one.leaf.serial_hex in line.text and "SSLStaplingForceURL" in line.text
    assert line.text.count("https://ocsp.example.test/") == 1


def test_unresolvable_responder_is_a_clear_line(site):
    one = site(leaf={"url": "http://ocsp.no-such-host.invalid/"})
    one.server.expect(NOTHING_HELD)
    one.server.start()
    assert one.handshake().status is None
    line = one.server.wait_log("host name was not found", "warn", deadline=30)
    assert HOST in line.text and one.leaf.serial_hex in line.text and "ocsp.no-such-host.invalid" in line.text


def test_a_failure_is_logged_once_and_its_end_too(site):
    one = site(responders.try_later(), directives=QUICK)
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.responder.wait_asked(3, deadline=30)
    assert len(one.server.ours("warn")) == 1, "not again at every retry"
    one.responder.script = responders.good()
    one.server.wait_log("reports good", ("info", "notice"), deadline=20)
