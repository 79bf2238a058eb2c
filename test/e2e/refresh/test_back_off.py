# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The back-off of a certificate that never had a response survives reloads, unless its query has changed."""

import pytest

import responders
from conftest import CACHE, NOTHING_HELD
from httpd import Config, Vhost
from observe import LEADS, certificate
from wait import holds, poll


def busy(exchange):
    exchange.reply(b"busy", status=503, content_type="text/plain", headers=(("Retry-After", "400"),))


@pytest.fixture
def failing(site):
    """A server whose only certificate has failed once."""
    one = site(busy)
    one.server.allow(NOTHING_HELD)
    one.server.start()
    one.server.wait_log("There is no valid response", "warn")
    assert len(one.responder.asked) == 1
    return one


def test_reloads_send_no_requests(failing):
    before = certificate(failing.server, failing.leaf)
    for n in range(4):
        failing.server.graceful()
        poll(lambda: len(failing.server.ours("info", LEADS)) == n + 2, "a child of the new generation leads")
        holds(lambda: len(failing.responder.asked) == 1, "no request", 0.5)
    after = certificate(failing.server, failing.leaf)
    assert len(failing.responder.asked) == 1
    assert (after["failures"], after["last_verdict"]) == (1, "http-status") \
        and after["next_request"] == before["next_request"]


def test_another_responder_is_queried_at_once(failing, responder):
    other = responder()
    failing.server.graceful(failing.changed(directives=(f"OCSPCacheResponder {failing.responder.url} {other.url}",)))
    failing.wait_staple()
    assert len(failing.responder.asked) == 1 and len(other.asked) == 1


@pytest.mark.parametrize("line", ["SSLStaplingResponderTimeout 3", "OCSPCacheCertIDHash sha256"])
def test_another_way_to_query_is_tried_at_once(failing, line):
    failing.server.graceful(failing.changed(directives=(line,)))
    failing.responder.wait_asked(2)


def test_a_stop_and_a_start_forget_it(failing):
    """Control: the file stores responses only."""
    failing.server.stop()
    failing.server.start()
    failing.responder.wait_asked(2)


@pytest.mark.parametrize("cache, status", [(None, "superseded"), ("ocsp_cache:cache/staples(32768)", "cache-full")])
def test_pauses_grow_while_valid_responses_cannot_be_kept(httpd, ca, responder, cache, status):
    """They are older than the one that is held, or there is no room for them: 5, 10, 20 seconds as after any failure."""
    answering = responder(responders.good(this_update=0))
    n = 30 if cache else 1
    hosts = [f"h{i}.example.test" for i in range(n)]
    leaves = [ca.leaf(host, url=answering.url) for host in hosts]
    server = httpd(Config(vhosts=tuple(Vhost(host, (leaf,)) for host, leaf in zip(hosts, leaves)), cache=cache or CACHE,
                          directives=("OCSPCacheRefreshInterval 1 1",) if not cache else ()))
    server.allow(r"\[ocsp_cache:(warn|error)\] ")
    server.start()
    if not cache:
        server.wait_staple(hosts[0])
        answering.script = responders.good(this_update=-7200)
    poll(lambda: any(one["failures"] >= 3 and one["last_verdict"] == status for one in server.certificates()),
         "three failures in a row are counted", 45)
