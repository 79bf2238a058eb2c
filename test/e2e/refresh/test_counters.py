# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Counters that outlive a graceful restart, and the ledger for tools."""

import dataclasses
import os
import signal
import struct

import pytest
from cryptography.hazmat.primitives import hashes

import observe
import responders
import status_page
from byte_order import ORDER
from conftest import NOTHING_HELD, QUICK
from wait import holds, poll

FNV_BASIS, FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3
TRY_LATER = 13  # oc_verdict.h
GOOD = 1


def ledger(server) -> dict[bytes, tuple[int, int, int]]:
    """id -> verdict, failures, time of the last attempt (microseconds); include/state/ledger.h describes the file."""
    data = (server.cache_folder / "staples.ledger").read_bytes()
    magic, layout, order, count = struct.unpack_from(f"{ORDER}8sIII", data)
    assert (magic, layout, order) == (b"OCSPLDGR", 1, 0x01020304) and len(data) == 64 * (1 + count)
    found = {}
    for at in range(64, len(data), 64):
        line = data[at:at + 64]
        ident, note, last, checksum = struct.unpack(f"{ORDER}20s4xQq16xQ", line)
        if line == bytes(64):
            continue
        total = FNV_BASIS
        for byte in line[:56]:
            total = (total ^ byte) * FNV_PRIME % 2**64
        assert total == checksum
        found[ident] = note >> 40 & 127, note >> 47, last
    return found


def handshakes(server) -> tuple[int, int, int]:
    page = observe.status(server)
    return tuple(int(page[f"OCSPCache{key}"]) for key in ("Stapled", "StapledErrors", "NotStapled"))


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_counters_outlive_restarts(site, mpm):
    one = site(mpm=mpm)
    one.server.start()
    one.wait_staple()
    stapled, errors, nothing = handshakes(one.server)
    assert stapled >= 1 and errors == 0
    for reload in (one.server.graceful, one.server.graceful, one.server.hang_up):
        reload()
        one.wait_staple()
        assert handshakes(one.server) == (stapled + 1, errors, nothing)
        stapled += 1
    with_module = one.server.config
    one.server.graceful(dataclasses.replace(with_module, module=False, cache=None))
    one.server.expect("mod_ssl-staple still uses the ocsp_cache of an earlier configuration, which is gone")
    one.server.graceful(with_module)
    one.wait_staple()
    assert handshakes(one.server) == (stapled + 1, errors, nothing), "the module was away, its numbers were not"


def test_two_generations_count_in_the_same_place(site):
    """The old generation still serves a client when the new one has begun."""
    one = site()
    one.server.start()
    one.wait_staple()
    before = handshakes(one.server)[0]
    one.server.graceful(settle=False)
    for _ in range(5):
        assert one.handshake().ok
    assert sum(handshakes(one.server)) >= before + 5


def test_nothing_and_errors_are_counted_apart(site):
    one = site(responders.try_later(), directives=("SSLStaplingReturnResponderErrors On",))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.wait_staple("trylater")
    assert handshakes(one.server)[0] == 0 and handshakes(one.server)[1] >= 1


def test_ledger_notes_each_attempt_and_begins_anew(site):
    one = site(directives=QUICK)
    one.server.start()
    one.wait_staple()
    path = one.server.cache_folder / "staples.ledger"
    poll(lambda: ledger(one.server), "an entry")
    [(ident, (verdict, failures, last))] = ledger(one.server).items()
    assert ident == one.leaf.cert.fingerprint(hashes.SHA1()) and (verdict, failures) == (GOOD, 0) and last > 0
    status = path.stat()
    assert status.st_mode & 0o7777 == 0o600 and status.st_uid == os.geteuid()

    one.responder.script = responders.try_later()
    poll(lambda: ledger(one.server)[ident][:2] >= (TRY_LATER, 2), "failures in the ledger")
    one.server.graceful()
    assert path.stat().st_ino != status.st_ino
    poll(lambda: ledger(one.server).get(ident, (0, 0))[:2] >= (TRY_LATER, 2), "what the last generation knew")
    assert not (one.server.cache_folder / "staples.ledger.new").exists()


def test_trouble_with_the_ledger_is_a_warning(site):
    one = site()
    (one.server.cache_folder / "staples.ledger").mkdir()
    one.server.expect(r"\[ocsp_cache:warn\] .*staples\.ledger is not a regular file")
    one.server.start()
    one.wait_staple()
    assert len(one.server.ours("warn")) == 1


# ---- a refresh that any child requests ----

def query_again(one) -> int:
    """Press the status page's button for the one certificate. @return the HTTP status"""
    [certificate] = one.server.certificates()
    token = status_page.token_of(status_page.ask(one.server).body)
    return status_page.ask(one.server, form={"token": token, "id": certificate["sha1"]}).status


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_a_requested_refresh_in_each_generation(site, mpm):
    """A response that is good for a day is refreshed at once, by the current generation, once for each request."""
    one = site(mpm=mpm, directives=("OCSPCacheStatusRefresh on",))
    one.server.start()
    one.wait_staple()
    for generation in range(1, 4):
        known = len(one.responder.asked)
        assert known == generation, "no request in between"
        assert query_again(one) == 303
        one.responder.wait_asked(known + 1)
        poll(lambda: one.responder.asked[-1].answered, "it is answered")
        assert query_again(one) == 429
        one.server.graceful()
        one.wait_staple()


def test_a_requested_refresh_while_the_responder_is_being_queried(site):
    """The answer in flight may be older than the request: the responder is queried again afterwards."""
    def slow(exchange: responders.Exchange) -> None:
        exchange.responder.wait_for_change(slow)
        responders.good()(exchange)
    one = site(slow, directives=("OCSPCacheStatusRefresh on", "SSLStaplingResponderTimeout 60"))
    one.server.start()
    one.responder.wait_asked(1)
    assert query_again(one) == 303
    holds(lambda: len(one.responder.asked) == 1, "one thread queries for one certificate", 0.5)
    one.responder.script = responders.good()
    one.wait_staple()
    one.responder.wait_asked(2)


def test_a_requested_refresh_outlives_the_child_that_refreshes(site):
    """The child that refreshes is killed; the next one carries out the earlier request."""
    one = site(directives=("OCSPCacheStatusRefresh on",))
    one.server.start()
    one.wait_staple()
    leader = observe.wait_leader(one.server)
    os.kill(leader, signal.SIGSTOP)
    poll(lambda: observe.state_of(leader) == "T", "the child is stopped, and accepts no connection")
    try:
        assert query_again(one) == 303
    finally:
        os.kill(leader, signal.SIGKILL)
    one.responder.wait_asked(2)
