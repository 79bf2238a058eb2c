# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""GET and POST: which is used when, how many requests that takes, and what is remembered of a responder."""

import pytest
from cryptography.x509 import ocsp

import responders
from conftest import CACHE, NOTHING_HELD
from httpd import Config, Vhost
from observe import certificate

ERRORS = {status.name.lower(): responders.error(status) for status in (
    ocsp.OCSPResponseStatus.MALFORMED_REQUEST, ocsp.OCSPResponseStatus.INTERNAL_ERROR,
    ocsp.OCSPResponseStatus.TRY_LATER, ocsp.OCSPResponseStatus.UNAUTHORIZED)}
NO_USE = {**ERRORS, "unknown": responders.unknown(), "expired": responders.good(-9000, -1000),
          "future": responders.good(9000, 90000), "not-der": responders.garbage(),
          "http-404": responders.http_status(404)}
PACE = ("SSLStaplingStandardCacheTimeout 2", "SSLStaplingErrorCacheTimeout 1", "OCSPCacheRefreshInterval 1 2")


def methods(responder):
    return [asked.method for asked in list(responder.asked)]


@pytest.mark.parametrize("get", NO_USE.values(), ids=NO_USE)
def test_post_obtains_what_get_does_not(site, get):
    one = site(responders.by_method(get, responders.good()))
    one.server.start()
    one.wait_staple()
    assert methods(one.responder) == ["GET", "POST"]
    assert not one.server.ours(("notice", "warn", "error", "crit")), "nothing failed"


def test_a_response_of_another_ca_by_get(site, stranger):
    one = site(responders.by_method(responders.good(signer=stranger), responders.good()))
    one.server.start()
    one.wait_staple()
    assert methods(one.responder) == ["GET", "POST"]


def test_a_revocation_that_get_hides(site):
    """A cache on the way sends an old response to GET."""
    one = site(responders.by_method(responders.good(-9000, -1000), responders.revoked()))
    one.server.expect(r"^\[ocsp_cache:crit\] .*REVOKED")
    one.server.start()
    one.wait_staple("revoked")
    assert methods(one.responder) == ["GET", "POST"]


@pytest.mark.parametrize("get, post, verdict, said", [
    (responders.try_later(), responders.try_later(), "try-later", r"again later: OCSPResponseStatus 3, by POST and by GET\. "),
    (responders.try_later(), responders.http_status(405), "try-later", "by GET; by POST: .*HTTP"),
    (responders.good(-9000, -1000), responders.unauthorized(), "unauthorized", "by POST; by GET: .*expired"),
    (responders.unauthorized(), responders.good(-9000, -1000), "unauthorized", "by GET; by POST: .*expired"),
    (responders.unauthorized(), responders.nothing(), "unauthorized", "by GET; by POST: "),
], ids=["same", "post-not-allowed", "post-is-more-useful", "get-is-more-useful", "post-closes"])
def test_where_both_fail_the_more_useful_answer_counts(site, get, post, verdict, said):
    one = site(responders.by_method(get, post))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.server.wait_log(said, "warn")
    seen = certificate(one.server, one.leaf)
    assert (seen["failures"], seen["last_verdict"]) == (1, verdict)
    assert methods(one.responder) == ["GET", "POST"], "two requests for one attempt"


def test_a_response_that_get_brings_costs_one_request(site):
    """Control: also a revocation is a valid response."""
    one = site(responders.revoked())
    one.server.expect(r"^\[ocsp_cache:crit\] .*REVOKED")
    one.server.start()
    one.wait_staple("revoked")
    assert methods(one.responder) == ["GET"]


def test_post_shares_the_deadline_of_get(site):
    slow = responders.delayed(responders.try_later(), 1.2)
    one = site(responders.by_method(slow, responders.hang()), directives=("SSLStaplingResponderTimeout 2",))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.server.wait_log("by GET; by POST: the responder did not answer in time", "warn", deadline=10)
    gets, posts = ([asked for asked in list(one.responder.asked) if asked.method == method]
                   for method in ("GET", "POST"))
    assert 1.0 < posts[0].at - gets[0].at < 2.0
    assert len(gets) <= 2 and len(posts) <= 2, "more than the query and its hedge"


def many(httpd, ca, answering, count):
    """`count` certificates of one responder, queried one after the other."""
    hosts = [f"h{n}.example.test" for n in range(count)]
    vhosts = tuple(Vhost(host, (ca.leaf(host, url=answering.url),)) for host in hosts)
    server = httpd(Config(vhosts=vhosts, cache=CACHE, directives=("OCSPCacheWorkers 1 1",))).start()
    for host in hosts:
        server.wait_staple(host, deadline=30)
    return server


def test_what_worked_is_remembered_and_get_is_tried_again(httpd, ca, responder):
    answering = responder(responders.by_method(responders.try_later(), responders.good()))
    many(httpd, ca, answering, 20)
    assert methods(answering) == ["GET", "POST"] + 16 * ["POST"] + ["GET", "POST"] + 2 * ["POST"]


def test_a_responder_that_learns_get_is_queried_by_get(httpd, ca, responder):
    def script(exchange):
        is_get = exchange.handler.command == "GET"
        (responders.unauthorized() if is_get and len(answering.asked) < 3 else responders.good())(exchange)
    answering = responder(script)
    many(httpd, ca, answering, 20)
    assert methods(answering) == ["GET", "POST"] + 16 * ["POST"] + 3 * ["GET"]


def test_a_responder_that_unlearns_post_is_queried_by_get(site):
    one = site(responders.by_method(responders.try_later(), responders.good()), directives=PACE)
    one.server.start()
    one.wait_staple()
    one.responder.script = responders.by_method(responders.good(), responders.http_status(405))
    known = len(one.responder.asked)
    one.responder.wait_asked(known + 3)
    assert methods(one.responder)[known:known + 3] == ["POST", "GET", "GET"]


def test_one_responder_s_memory_is_not_another_s(httpd, ca, responder):
    by_post = responder(responders.by_method(responders.try_later(), responders.good()))
    by_get = responder()
    vhosts = tuple(Vhost(f"h{n}.example.test", (ca.leaf(f"h{n}.example.test", url=one.url),))
                   for n, one in enumerate((by_post, by_get, by_post, by_get)))
    server = httpd(Config(vhosts=vhosts, cache=CACHE, directives=("OCSPCacheWorkers 1 1",))).start()
    for vhost in vhosts:
        server.wait_staple(vhost.host)
    assert methods(by_post) == ["GET", "POST", "POST"] and methods(by_get) == ["GET", "GET"]
