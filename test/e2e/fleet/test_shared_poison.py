# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Nothing from a shared store is trusted: garbage, foreign, old, forged or replayed responses."""

import time
from typing import Callable

import pytest
from cryptography.x509 import ocsp

import pki
import responders
import stores
from conftest import HOST, NOTHING_HELD
from fleet import TOOK, Fleet
from pki import response, this_update_of
from stores import der_of, entry
from test_shared import PACE
from wait import poll

IGNORED = r"^\[ocsp_cache:warn\] .*the entry ocsp:1:[0-9A-F]{64} in the shared store \S+ is ignored: "


def fresh(name: str, der: bytes, **changes: object) -> bytes:
    """An entry with everything right around `der`."""
    return entry(name, der, **{"this_update": this_update_of(der), "fetched_at": time.time(), **changes})


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


# An entry: (what the log reports, how it is made from the name, the certificate, another one, a valid entry, a CA).
Poison = Callable[[str, pki.Leaf, pki.Leaf, bytes, pki.Authority], bytes]
POISONS: dict[str, tuple[str, Poison]] = {
    "garbage": ("not stored by this module", lambda name, leaf, other, honest, stranger: b"what is this" * 40),
    "nothing": ("not stored by this module", lambda name, leaf, other, honest, stranger: b""),
    "bare": ("not stored by this module", lambda name, leaf, other, honest, stranger: der_of(honest)),
    "truncated": ("cut off", lambda name, leaf, other, honest, stranger: honest[:-1]),
    "head-alone": ("cut off", lambda name, leaf, other, honest, stranger: honest[:96]),
    "longer": ("cut off", lambda name, leaf, other, honest, stranger: honest + b"\0"),
    "flipped-head": ("damaged", lambda name, leaf, other, honest, stranger: flipped(honest, 12)),
    "flipped-der": ("damaged", lambda name, leaf, other, honest, stranger: flipped(honest, 300)),
    "layout": ("another version", lambda name, leaf, other, honest, stranger: honest[:5] + b"\2" + honest[6:]),
    "oversized": ("larger than any response", lambda name, leaf, other, honest, stranger: bytes(50000)),
    "other-name": ("another certificate", lambda name, leaf, other, honest, stranger:
                   fresh(name, response(other), key="ab" * 32)),
    "other-response": ("is not for this certificate|not.*this certificate",
                       lambda name, leaf, other, honest, stranger: fresh(name, response(other))),
    "other-revoked": ("not.*this certificate", lambda name, leaf, other, honest, stranger:
                      fresh(name, response(other, status=ocsp.OCSPCertStatus.REVOKED))),
    "expired": ("expired", lambda name, leaf, other, honest, stranger:
                fresh(name, response(leaf, begins=-9000, ends=-1000))),
    "future": ("", lambda name, leaf, other, honest, stranger:
               fresh(name, response(leaf, begins=9000, ends=90000))),
    "stranger": ("", lambda name, leaf, other, honest, stranger: fresh(name, response(leaf, signer=stranger))),
    "broken-signature": ("", lambda name, leaf, other, honest, stranger:
                         entry(name, flipped(der_of(honest), 260), this_update_of(der_of(honest)), time.time())),
    "false-head": ("thisUpdate differs from that", lambda name, leaf, other, honest, stranger:
                   fresh(name, der_of(honest), this_update=time.time() + 10**6)),
    "fetched-tomorrow": ("in the future", lambda name, leaf, other, honest, stranger:
                         fresh(name, der_of(honest), fetched_at=time.time() + 90000)),
    "fetched-too-early": ("before its response", lambda name, leaf, other, honest, stranger:
                          fresh(name, der_of(honest), fetched_at=this_update_of(der_of(honest)) - 90000)),
    "fetched-before-time": ("out of range", lambda name, leaf, other, honest, stranger:
                            fresh(name, der_of(honest), fetched_at=-2**63 / 10**6)),
    "fetched-after-time": ("out of range", lambda name, leaf, other, honest, stranger:
                           fresh(name, der_of(honest), fetched_at=2**62 / 10**6)),
    "made-before-time": ("out of range", lambda name, leaf, other, honest, stranger:
                         fresh(name, der_of(honest), this_update=-2**62 // 10**6)),
}


def fill(one: Fleet) -> dict[str, str]:
    """A server fills the store, and ends. -> host: name of its entry"""
    server = one.server("SSLStaplingResponderTimeout 1").start()  # its claims end soon
    for host in one.hosts:
        server.wait_staple(host)
    poll(lambda: len(one.store.responses()) == len(one.hosts), "an entry for each certificate")
    server.stop()
    serials = {leaf.serial: host for host, leaf in zip(one.hosts, one.leaves)}
    return {serials[ocsp.load_der_ocsp_response(der_of(one.store.get(name))).serial_number]: name
            for name in one.store.responses()}


@pytest.mark.asan
@pytest.mark.parametrize("kind", [stores.Redis, stores.Memcached])
def test_poison_is_logged_once_and_never_stapled(fleet, kind, stranger, ca):
    """Each kind for its own certificate, at a server without responses. Its responder is down, then it comes back."""
    hosts = tuple(f"{kind_of}.example.test" for kind_of in POISONS) + ("honest.example.test",)
    one = fleet(kind=kind, hosts=hosts)
    names = fill(one)
    other = ca.leaf("other.example.test")
    for host, leaf, (_, make) in zip(hosts, one.leaves, POISONS.values()):
        one.store.put(names[host], make(names[host], leaf, other, one.store.get(names[host]), stranger))
    one.responder.refuse()

    server = one.server("SSLStaplingErrorCacheTimeout 1")
    server.expect(IGNORED, NOTHING_HELD)
    server.start()
    for host, (said, _) in zip(hosts, POISONS.values()):
        server.wait_log(rf"{host}:\d+: .* is ignored: .*({said})", "warn", deadline=30)
        seen = server.handshake(host)
        assert seen.ok and seen.status is None, f"{host}\n{seen}"
    server.wait_log(rf"{hosts[-1]}.*{TOOK}")
    assert server.handshake(hosts[-1]).status == "good", "the one that is true"

    server.wait_log("There is no valid response", "warn", deadline=30)
    one.responder.accept()
    for host in hosts:
        server.wait_staple(host, deadline=30)
        poll(lambda: (one.store.get(names[host]) or b"")[:4] == b"ocsp"
             and ocsp.load_der_ocsp_response(der_of(one.store.get(names[host]))).certificate_status
             is ocsp.OCSPCertStatus.GOOD, f"{host}: its entry is replaced", 20)
        assert len(server.ours("warn", rf"{host}:\d+: .* is ignored")) == (host != hosts[-1]), "logged once"


def test_an_older_response_replaces_nothing(fleet):
    """A good one from before the revocation, still valid: clients still get revoked, and nothing is logged."""
    one = fleet(responders.revoked())
    server = one.server(*PACE)
    server.expect(r"^\[ocsp_cache:crit\] .*REVOKED")
    server.start()
    server.wait_staple(HOST, "revoked")
    name = one.store.wait_response()
    one.responder.refuse()
    one.store.put(name, fresh(name, response(one.leaf, begins=-7000)))
    poll(lambda: one.store.get(name) and b"ocsp" == one.store.get(name)[:4]
         and ocsp.load_der_ocsp_response(der_of(one.store.get(name))).certificate_status
         is ocsp.OCSPCertStatus.REVOKED, "what is held replaces it, too", 20)
    assert server.handshake(HOST).status == "revoked"


def test_what_cannot_be_verified_replaces_nothing(fleet, stranger):
    """It claims to be newer."""
    one = fleet()
    server = one.server(*PACE)
    server.expect(IGNORED)
    server.start()
    before = server.wait_staple(HOST)
    name = one.store.wait_response()
    one.responder.refuse()
    one.store.put(name, fresh(name, response(one.leaf, signer=stranger, begins=0)))
    server.wait_log("is ignored", "warn", deadline=30)
    assert server.handshake(HOST).staple == before.staple


def test_an_old_but_true_response_is_stapled_until_the_responder_answers(fleet):
    """Its refresh is overdue and the responder fails: it is stapled until the responder answers."""
    one = fleet()
    name = fill(one)[HOST]
    one.responder.refuse()
    old = response(one.leaf, begins=-80000, ends=6400)
    one.store.put(name, fresh(name, old, fetched_at=time.time() - 79000))
    server = one.server("SSLStaplingErrorCacheTimeout 1")
    server.allow(r"\[ocsp_cache:warn\] .*Connection refused")  # depends on when the responder answers again
    server.start()
    server.wait_staple(HOST)
    server.wait_log("is stapled while the responder is queried", "info")
    one.responder.accept()
    server.wait_log("the responder .* reports good")


def test_an_old_revocation_is_reported_before_the_responder_answers(fleet, folder):
    """Once, to the log and to the program of OCSPCacheNotify, and not again after a reload."""
    one = fleet()
    name = fill(one)[HOST]
    one.responder.refuse()
    old = response(one.leaf, begins=-80000, ends=6400, status=ocsp.OCSPCertStatus.REVOKED)
    one.store.put(name, fresh(name, old, fetched_at=time.time() - 79000))
    events, program = folder / "events", folder / "record.sh"
    events.touch()
    events.chmod(0o666)
    program.write_text(f'#!/bin/sh\necho "$OCSP_CACHE_EVENT $OCSP_CACHE_STATUS" >> {events}\n')
    program.chmod(0o755)
    server = one.server("SSLStaplingErrorCacheTimeout 1", f'OCSPCacheNotify "{program}"')
    server.allow(r"\[ocsp_cache:warn\] .*Connection refused")  # the response ends soon
    server.expect(r"^\[ocsp_cache:crit\] .*the shared store \S+ reports the certificate as REVOKED")
    server.start()
    server.wait_staple(HOST, "revoked")
    server.wait_log("is revoked until .* is stapled while the responder is queried", "info")
    poll(lambda: "revoked revoked\n" in events.read_text(), "the program is told")

    server.graceful()
    one.responder.script = responders.revoked()
    one.responder.accept()
    server.wait_log("the responder .* reports revoked")
    assert len(server.ours("crit")) == 1
    assert set(events.read_text().split()) <= {"revoked", "expiring"}, "no event says that it is good"


def test_a_replay_does_not_keep_the_fleet_from_querying(fleet):
    """An entry claims repeatedly that the response was just fetched. Late in its validity, the responder is queried."""
    one = fleet(responders.good(this_update=-80000, next_update=6400))
    server = one.server(*PACE).start()
    server.wait_staple(HOST)
    name = one.store.wait_response()
    der = der_of(one.store.get(name))
    known = one.asked()

    def replayed_and_queried() -> bool:
        one.store.put(name, fresh(name, der))
        return one.asked() >= known + 3
    poll(replayed_and_queried, "the responder is queried", 30)


def test_control_early_in_its_validity_the_same_claim_is_accepted(fleet):
    """A response is fresh for half of its validity, so a claim of a new fetch saves a query."""
    one = fleet()
    server = one.server(*PACE).start()
    server.wait_staple(HOST)
    name = one.store.wait_response()
    der = der_of(one.store.get(name))

    def replayed_and_taken() -> bool:
        one.store.put(name, fresh(name, der))
        return len(server.ours(pattern=TOOK)) >= 3
    poll(replayed_and_taken, "taken", 30)
