# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A fleet behind one responder request: servers that share responses through redis or memcached (OCSPCacheShared)."""

import dataclasses
import json
import threading

import pytest

import clients
import responders
import stores
from conftest import HOST
from fleet import ASKED, TOOK
from httpd import Httpd
from wait import poll

# Refreshed every one or two seconds: the equivalent of weeks.
PACE = ("SSLStaplingStandardCacheTimeout 2", "SSLStaplingErrorCacheTimeout 1", "SSLStaplingResponderTimeout 2",
        "OCSPCacheRefreshInterval 1 2")
DOWN = r"^\[ocsp_cache:warn\] .*the shared store \S+ cannot be used: "
STATUS = ('<Location "/ocsp">', "SetHandler ocsp-cache-status", "Require all granted", "</Location>")


def assert_stapled_at_once(server: Httpd) -> None:
    seen = server.handshake(HOST)
    assert seen.ok and seen.status == "good", seen


# ---- one query for all -----------------------------------------------------------------------------------------------

@pytest.mark.asan
@pytest.mark.parametrize("kind", [stores.Redis, stores.Memcached])
def test_the_first_queries_and_the_others_take(fleet, kind):
    one = fleet(kind=kind, must_staple=True)
    first, second, third, fourth = (one.server() for _ in range(4))
    first.start()
    assert first.wait_staple(HOST).ok
    first.wait_log(ASKED)
    one.store.wait_response()
    for server in (second, third):
        server.start()
        assert_stapled_at_once(server)
        server.wait_log(TOOK)
    assert one.asked() == 1, "two servers took the response of the first one"

    one.responder.refuse()
    fourth.start()
    assert fourth.gnutls(HOST).ok, "an enforcing client at an empty server, in an outage"
    assert_stapled_at_once(fourth)
    assert fourth.ours(pattern=TOOK) and one.asked() == 1


def test_control_without_the_store_each_server_queries(fleet):
    one = fleet()
    for _ in range(2):
        server = one.server()
        server.config = dataclasses.replace(server.config, directives=())
        server.start()
        server.wait_staple(HOST)
    assert one.asked() == 2


def test_one_server_queries_for_each_refresh(fleet):
    """For each response, the server with the earliest refresh time queries the responder, and the others find it."""
    one = fleet()
    servers = [one.server(*PACE).start() for _ in range(3)]
    for server in servers:
        poll(lambda: len(server.ours(pattern=TOOK)) >= 3, f"{server.root.name} has taken three responses", 60)
    taken = sum(len(server.ours(pattern=TOOK)) for server in servers)
    asked = sum(len(server.ours(pattern=ASKED)) for server in servers)
    assert taken > asked, f"{taken} taken, {asked} asked for: each server for itself would be 0 and all"


def test_servers_that_start_while_one_queries_wait_for_it(fleet):
    """The store is empty, and the responder is slow: a claim keeps the others from querying it."""
    one = fleet(responders.delayed(responders.good(), 1.0))
    servers = [one.server() for _ in range(4)]
    servers[0].start()
    poll(lambda: one.asked() == 1, "its claim is in the store")  # two servers at one moment may both find none
    starters = [threading.Thread(target=server.start) for server in servers[1:]]
    for thread in starters:
        thread.start()
    for thread in starters:
        thread.join()
    for server in servers:
        server.wait_staple(HOST)
    assert one.asked() == 1
    assert sum(len(server.ours(pattern=TOOK)) for server in servers) == 3


@pytest.mark.parametrize("since", [10**6 * 253402300799, 2**62, 2**64 - 1])
def test_a_claim_without_an_answer_delays_no_longer_than_an_exchange(fleet, since):
    """A claim that never ends: from the last second that counts, from beyond it, and from before 1970."""
    one = fleet()
    first = one.server().start()
    first.wait_staple(HOST)
    name = one.store.wait_response()
    first.stop()
    one.store.flush()
    one.store.put(name + ":asking", bytes(7) + b"\x01" + since.to_bytes(8, "big"))
    second = one.server("SSLStaplingResponderTimeout 1").start()
    second.wait_staple(HOST)
    assert one.asked() == 2


def test_revoked_comes_through_the_store_too(fleet):
    one = fleet(responders.revoked())
    said = r"^\[ocsp_cache:crit\] .*REVOKED"
    servers = [one.server() for _ in range(2)]
    for server in servers:
        server.expect(said)
        server.start()
        server.wait_staple(HOST, "revoked")
        one.store.wait_response()
    assert servers[1].ours("crit", "the shared store .* reports the certificate as REVOKED") and one.asked() == 1


def test_where_a_response_came_from_is_shown(fleet):
    one = fleet()
    for origin in ("responder", "shared"):
        server = one.server(*STATUS).start()
        server.wait_staple(HOST)
        one.store.wait_response()
        report = json.loads(clients.http_get(f"http://127.0.0.1:{server.http_port}/ocsp?format=json"))
        assert [each["response"]["origin"] for each in report["certificates"]] == [origin], report


def test_two_fleets_in_one_store_do_not_meet(fleet):
    one = fleet()
    for prefix in ("red", "blue"):
        for _ in range(2):
            one.server(f"OCSPCacheSharedPrefix {prefix}").start().wait_staple(HOST)
            poll(lambda: [name for name in one.store.responses() if name.startswith(prefix + ":1:")], "its response")
    assert one.asked() == 2, "one request for each fleet"
    assert {name.split(":")[0] for name in one.store.responses()} == {"red", "blue"}


# ---- failures of the store ------------------------------------------------------------------------------------

def test_a_flushed_store_is_filled_again_by_a_server_that_holds_a_response(fleet):
    """Also by one that holds it and cannot reach the responder."""
    one = fleet()
    first = one.server(*PACE).start()
    first.wait_staple(HOST)
    one.responder.refuse()
    first.wait_log("Stapling continues with the stored response")
    one.store.flush()
    one.store.wait_response()
    second = one.server().start()
    second.wait_staple(HOST)
    assert second.ours(pattern=TOOK)


@pytest.mark.parametrize("kind", [stores.Redis, stores.Memcached])
def test_a_dead_store_is_one_line_and_its_return_another(fleet, kind):
    one = fleet(kind=kind)
    one.store.kill()
    server = one.server(*PACE)
    server.expect(DOWN)
    server.start()
    server.wait_staple(HOST)
    server.wait_log("cannot be used", "warn")
    one.responder.wait_asked(one.asked() + 3)
    one.store.start()
    server.wait_log("works again", "notice", deadline=40)
    one.store.wait_response()
    assert len(server.ours("warn", "cannot be used")) == 1
    assert not server.log("socache_redis") and not server.log("socache_memcache"), "the provider's own lines"


@pytest.mark.parametrize("kind", [stores.Redis, stores.Memcached])
def test_a_store_that_hangs_blocks_nothing(fleet, kind):
    one = fleet(kind=kind)
    server = one.server(*PACE, "OCSPCacheSharedTimeout 100ms")
    server.expect(DOWN + "it does not answer within 100 ms")
    server.start()
    server.wait_staple(HOST)
    one.store.wait_response()
    one.store.pause()
    server.wait_log("does not answer within 100 ms", "warn", deadline=30)
    known = one.asked()
    one.responder.wait_asked(known + 3)
    assert_stapled_at_once(server)
    server.graceful()  # while threads of the old child hang in the provider
    poll(lambda: len(server.ours("warn", "does not answer")) == 2, "the new child has met the store", 30)
    one.store.resume()
    server.wait_log("works again", "notice", deadline=40)


@pytest.mark.asan
def test_a_server_ends_while_the_store_hangs(fleet):
    one = fleet()
    server = one.server(*PACE, "OCSPCacheSharedTimeout 100ms")
    server.expect(DOWN)
    server.start()
    one.store.wait_response()
    one.store.pause()
    server.wait_log("does not answer", "warn", deadline=30)
    server.stop()
    one.store.resume()


def test_a_store_that_refuses_writes_is_still_read(fleet):
    one = fleet()
    first = one.server(*PACE)
    first.expect(r"^\[ocsp_cache:warn\] .*accepts no responses: it answers with an error")
    first.start()
    one.store.wait_response()
    one.store.refuse_writes(True)
    first.wait_log("accepts no responses", "warn", deadline=30)
    one.responder.wait_asked(one.asked() + 2)
    one.store.refuse_writes(False)
    first.wait_log("works again", "notice", deadline=40)
    assert len(first.ours("warn", "accepts no responses")) == 1
