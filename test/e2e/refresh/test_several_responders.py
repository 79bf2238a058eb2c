# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A certificate that names several responders: the next one is queried when the first is out of order."""

import time

import pytest

import responders
from cachectl import ctl
from clock import DAY
from conftest import CACHE, HOST, NOTHING_HELD
from fleet import Fleet
from httpd import Config, Vhost
from observe import certificate
from pki import response
from wait import holds, poll

NEXT = "The next responder is queried: "


@pytest.fixture
def several(site, responder):
    """Factory: a site whose certificate names responders with these scripts; None: one that refuses connections."""
    def make(*scripts, **options):
        answering = [responder(script) for script in scripts]
        for one, script in zip(answering, scripts):
            if script is None:
                one.refuse()
        return site(leaf={"url": [one.url for one in answering]}, **options), answering
    return make


OUT_OF_ORDER = {"refused": None, "closes": responders.nothing(), "http-500": responders.http_status(500),
                "http-502": responders.http_status(502), "http-503": responders.http_status(503)}
NOT_OUT_OF_ORDER = {"http-404": responders.http_status(404), "http-403": responders.http_status(403),
                    "http-429": responders.http_status(429), "try-later": responders.try_later(),
                    "unauthorized": responders.unauthorized(), "expired": responders.good(-9000, -1000)}


@pytest.mark.parametrize("first", OUT_OF_ORDER.values(), ids=OUT_OF_ORDER)
def test_the_next_answers_for_one_that_is_out_of_order(several, first):
    one, (dead, alive, third) = several(first, responders.good(), responders.good())
    one.server.start()
    one.wait_staple()
    assert len(alive.asked) == 1 and not third.asked
    assert len(one.server.ours("info", NEXT + alive.url)) == 1
    assert not one.server.ours(("warn", "notice")), "nothing failed"
    assert certificate(one.server, one.leaf)["failures"] == 0


@pytest.mark.parametrize("first", NOT_OUT_OF_ORDER.values(), ids=NOT_OUT_OF_ORDER)
def test_an_answer_is_an_answer(several, first):
    one, (answering, other) = several(first, responders.good())
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.server.wait_log("There is no valid response", "warn")
    assert answering.asked and not other.asked


def test_the_order_is_kept(several):
    one, answering = several(responders.good(), responders.good())
    one.server.start()
    one.wait_staple()
    assert [len(each.asked) for each in answering] == [1, 0]


def test_one_that_hangs_leaves_time_for_the_next(several):
    one, (hung, alive) = several(responders.hang(), responders.good(), directives=("SSLStaplingResponderTimeout 4",))
    one.server.start()
    one.wait_staple()
    assert len(hung.asked) == 1, "it is not hedged: the next one is queried soon"
    assert 1.5 <= alive.asked[0].at - hung.asked[0].at < 4, "an equal part of the deadline each"


def test_all_fail_as_one_attempt(several):
    one, answering = several(responders.http_status(500), None, responders.nothing(),
                             directives=("SSLStaplingErrorCacheTimeout 1",))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.server.wait_log("There is no valid response", "warn")
    assert len(one.server.ours("info", NEXT)) == 2
    line = one.server.ours("warn", "There is no valid response")[0]
    assert answering[2].url in line.text
    assert "<br>".join(each.url for each in answering) in one.server.status_page()
    poll(lambda: len(answering[0].asked) >= 4, "the next attempt begins with the first again")
    assert len(one.server.ours("info", NEXT)) <= 4, "not logged for each attempt"


def test_a_pause_that_the_first_requested_is_kept(several):
    busy = lambda exchange: exchange.reply(b"busy", status=503, content_type="text/plain",
                                           headers=(("Retry-After", "400"),))
    one, _ = several(busy, None)
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.server.wait_log("There is no valid response", "warn")
    seen = certificate(one.server, one.leaf)
    assert seen["failures"] == 1 and 390 <= seen["next_request"] - time.time() <= 401, seen


def test_a_requested_refresh_goes_on_to_the_next(several):
    """It is not due, and its responder has died since."""
    one, (first, second) = several(responders.good(), responders.good())
    one.server.start()
    one.wait_staple()
    first.refuse()
    assert ctl(one.server, "refresh", "--all").code == 0
    assert len(second.asked) == 1
    holds(lambda: len(second.asked) == 1, "once", 1)


def fails_after(happens):
    """A script: something happens once, then the responder is out of order."""
    def script(exchange):
        if len(exchange.responder.asked) == 1:
            happens()
        responders.http_status(503)(exchange)
    return script


def test_a_file_that_arrives_between_two_ends_the_attempt(several, folder):
    inbox = folder / "responses"
    inbox.mkdir()
    inbox.chmod(0o755)
    one, (first, second) = several(None, responders.good(), directives=(f'OCSPCacheResponseFolder "{inbox}"',))
    der = response(one.leaf)
    first.accept()
    first.script = fails_after(lambda: (inbox / f"{one.leaf.serial_hex}.der").write_bytes(der))
    one.server.start()
    one.wait_staple()
    one.server.wait_log("the file .* reports good")
    holds(lambda: certificate(one.server, one.leaf)["failures"] == 0, "nothing is due", 2)
    assert len(first.asked) <= 2 and not second.asked, "GET and POST"


def test_a_certificate_that_expires_between_two_ends_the_attempt(several, clock):
    one, (first, second) = several(None, responders.good(), environment=clock.environment)
    first.accept()
    first.script = fails_after(lambda: clock.set(61 * DAY))
    one.server.expect(r"^\[ocsp_cache:warn\] .*the certificate itself has expired")
    one.server.start()
    one.server.wait_log("the certificate itself has expired", "warn")
    holds(lambda: certificate(one.server, one.leaf)["failures"] <= 2, "there is a pause", 2)
    assert not second.asked


def test_the_claim_of_another_server_holds_up_no_attempt_that_has_begun(httpd, ca, responder, store):
    """Two servers that began at the same moment: the other one's claim comes while the first responder is queried."""
    first, second = responder(), responder()
    leaf = ca.leaf(HOST, url=[first.url, second.url])
    fleet = Fleet(httpd, store(), first, (leaf,), (HOST,))
    filling = fleet.server().start()
    name = fleet.store.wait_response()
    filling.stop()
    fleet.store.flush()
    del first.asked[:]
    first.script = fails_after(lambda: fleet.store.put(
        name + ":asking", bytes(7) + b"\x01" + int(time.time() * 10**6).to_bytes(8, "big")))
    fleet.server("SSLStaplingResponderTimeout 60").start().wait_staple(HOST)
    assert second.asked[0].at - first.asked[-1].at < 5, "not the 62 seconds that another server may take"


def test_each_responder_keeps_its_share_of_the_workers(httpd, ca, responder):
    dead, counting = responder(), responders.Counting(seconds=0.1)
    dead.refuse()
    alive, other = responder(counting), responder(responders.Counting(seconds=0.1))
    vhosts = tuple(Vhost(f"h{n}.example.test",
                         (ca.leaf(f"h{n}.example.test", url=[dead.url, alive.url] if n % 2 else other.url),))
                   for n in range(20))
    server = httpd(Config(vhosts=vhosts, cache=CACHE, directives=("OCSPCacheWorkers 7 2",))).start()
    for vhost in vhosts:
        server.wait_staple(vhost.host, deadline=30)
    assert counting.most == 2
    assert len(alive.asked) == 10 and len(other.asked) == 10


def test_the_next_is_queried_when_the_first_breaks_off_and_hangs(several):
    """Nothing is held. With one responder, the broken exchange is followed by another at once, which may hang in full."""
    def first(exchange):
        if len(exchange.responder.asked) % 2 == 1:
            time.sleep(1.2)  # what is cut off after a second has hung
        else:
            responders.hang()(exchange)
    one, (_, alive) = several(first, responders.good(), directives=("SSLStaplingResponderTimeout 4",))
    one.server.start()
    one.wait_staple(deadline=10)
    assert len(alive.asked) == 1
