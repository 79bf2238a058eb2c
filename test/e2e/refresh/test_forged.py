# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A stored record that differs from its response is dropped with one warning, and the responder's replaces it."""

import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import ocsp

import cache_file
import responders
from cachectl import ctl
from cache_file import GOOD, REVOKED, TRY_LATER, UNKNOWN, Record
from conftest import NOTHING_HELD
from pki import next_update_of, response, this_update_of
from wait import holds

DAY, YEARS = 86400, 10 * 365 * 86400
DROPPED = r"^\[ocsp_cache:warn\] .*the stored response is dropped: "
SAID = r"^\[ocsp_cache:crit\] .*REVOKED"
ERRORS_ON = ("SSLStaplingReturnResponderErrors On",)


def honest(leaf, der):
    """The record that the module itself makes of a response."""
    read = ocsp.load_der_ocsp_response(der)
    verdict = REVOKED if read.certificate_status is ocsp.OCSPCertStatus.REVOKED else GOOD
    return Record(leaf, der, verdict, this_update_of(der), next_update_of(der),
                  next_update_of(der), time.time())


def error_record(leaf, status=ocsp.OCSPResponseStatus.TRY_LATER, **changes):
    der = ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(serialization.Encoding.DER)
    return Record(leaf, der, TRY_LATER, usable_until=time.time() + 500, fetched_at=time.time()).changed(**changes)


def stored(one, record):
    cache_file.write(one.server.cache_folder / "staples", [record])


def test_control_an_honest_record_is_stapled_without_a_query(site):
    one = site(responders.hang())
    stored(one, honest(one.leaf, response(one.leaf)))
    one.server.start()
    one.wait_staple()
    assert not one.server.ours("warn")
    holds(lambda: not one.responder.asked, "no responder is queried", 1)


FORGERIES = {
    "thisUpdate": lambda good: good.changed(this_update=good.this_update + YEARS),
    "thisUpdate-a-second-later": lambda good: good.changed(this_update=good.this_update + 1),
    "nextUpdate": lambda good: good.changed(next_update=good.next_update + YEARS,
                                            usable_until=good.next_update + YEARS),
    "verdict": lambda good: good.changed(verdict=REVOKED),
    "order": lambda good: good.changed(order=3 << 56),
    "expiry": lambda good: good.changed(expiry=good.next_update + YEARS),
    "signature": lambda good: good.changed(der=good.der[:-5] + b"\0\0\0\0\0"),
}


@pytest.mark.asan
@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_good_gives_way_to_a_true_revocation(site, forge):
    one = site(responders.revoked())
    stored(one, forge(honest(one.leaf, response(one.leaf))))
    one.server.expect(DROPPED, SAID)
    one.server.start()
    one.wait_staple("revoked")
    assert len(one.server.ours("warn", "the stored response is dropped")) == 1
    assert not one.server.ours(pattern="superseded|newer response")


def test_a_revocation_stored_as_good_is_not_stapled_as_good(site):
    one = site(responders.hang())
    stored(one, honest(one.leaf, response(one.leaf, status=ocsp.OCSPCertStatus.REVOKED)).changed(verdict=GOOD))
    one.server.expect(DROPPED)
    one.server.start()
    one.server.wait_log("the stored response is dropped", "warn")
    assert one.handshake().status is None


def test_a_longer_usable_time_is_cut_to_the_response_s(site):
    """The response itself is valid: it stays until its own end."""
    one = site(responders.hang())
    good = honest(one.leaf, response(one.leaf))
    stored(one, good.changed(usable_until=good.next_update + YEARS, fetched_at=time.time() + YEARS))
    one.server.start()
    one.wait_staple()
    one.server.wait_log("the stored response is good", "debug")
    seen = one.server.certificates()[0]["response"]
    assert seen["usable_until"] == good.next_update and seen["fetched_at"] <= time.time()
    assert not one.server.ours("warn")


@pytest.mark.parametrize("changes", [
    {"fetched_at": YEARS}, {"this_update": YEARS}, {"fetched_at": YEARS, "usable_until": 2 * YEARS},
    {"fetched_at": YEARS, "order": 1 << 56 | 1}, {"verdict": UNKNOWN, "this_update": YEARS},
], ids=["obtained", "thisUpdate", "usable-for-ever", "order", "verdict"])
def test_a_forged_error_does_not_keep_the_real_one_out(site, changes):
    one = site(responders.unauthorized(), vhost={"directives": ERRORS_ON})
    ahead = {name: value if name in ("order", "verdict") else time.time() + value for name, value in changes.items()}
    stored(one, error_record(one.leaf, **ahead))
    one.server.expect(DROPPED, NOTHING_HELD)
    one.server.start()
    one.wait_staple("unauthorized")
    assert len(one.server.ours("warn", "the stored response is dropped")) == 1


def test_a_record_of_another_issuer_is_not_stapled(site, stranger):
    one = site(responders.good())
    stored(one, honest(one.leaf, response(one.leaf, signer=stranger)))
    one.server.expect(DROPPED)
    one.server.start()
    one.server.wait_log("the stored response is dropped", "warn")
    one.wait_staple()
    assert one.responder.asked, "what is stapled is the responder's"


# What a child writes into shared memory (`later`: years ahead): the order in the slot and in the block, record words.
IN_MEMORY = {
    "thisUpdate": lambda later: (2 << 56 | later, 2 << 56 | later, {1: later * 10**6}),
    "thisUpdate-alone": lambda later: (2 << 56 | later, None, {1: later * 10**6}),
    "order": lambda later: (3 << 56, 3 << 56, {}),
    "order-of-the-slot-alone": lambda later: (3 << 56, None, {}),
    "verdict": lambda later: (2 << 56 | later, 2 << 56 | later, {0: cache_file.word_of(REVOKED), 1: later * 10**6}),
}


@pytest.mark.parametrize("forged", IN_MEMORY.values(), ids=IN_MEMORY)
def test_a_record_forged_in_memory_never_supersedes_a_revocation(site, forged):
    one = site()
    one.server.start()
    one.wait_staple()
    order, block_order, numbers = forged(int(time.time()) + YEARS)
    memory = cache_file.Memory(one.server.children().pop(), one.server.cache_folder / "staples")
    memory.forge(one.leaf, order, block_order=block_order, words_of_data=numbers)
    one.responder.script = responders.revoked()
    one.server.allow(DROPPED)
    one.server.expect(SAID)
    assert ctl(one.server, "refresh", "--all").code == 0
    one.wait_staple("revoked")
    assert not one.server.ours(pattern="superseded|newer response")
    assert len(one.server.ours("warn", "the stored response is dropped")) == bool(block_order or numbers)
