# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What a responder, a crowd of clients, a forger and a kill can do to a server that checks clients."""

import dataclasses
import json
import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest
from cryptography.x509 import ocsp

import clients
import responders
from observe import stamped
from wait import poll

LEADS = "this child obtains the status of client certificates"
UNKNOWN = r"^\[ocsp_client:warn\] .* is of unknown status: handshake refused"
FAILS = r"^\[ocsp_cache:warn\] .*OCSPCacheClient: responder "


def at_once(count, work):
    """`work(i)` in so many threads -> their results."""
    results = [None] * count

    def run(i):
        results[i] = work(i)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def drip(exchange):
    """A byte in a while: each read succeeds, and the answer never ends."""
    try:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: 900\r\n\r\n" + bytes(900):
            exchange.raw(bytes((byte,)))
            time.sleep(0.2)
    except OSError:
        pass


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_responders_that_hang_drip_lie_and_fail(mtls, stranger, mpm):
    """Each costs the first contact half a second at most, and known clients nothing; what is not verified lets no
    one in. Hung last: the child that leads then sends one query at a time."""
    one = mtls(mpm=mpm)
    known = one.client("known")
    one.server.start()
    assert one.get(known).status == 200
    for name, script in (("liar", responders.good(signer=stranger)), ("garbage", responders.garbage()),
                         ("error", responders.error(ocsp.OCSPResponseStatus.INTERNAL_ERROR)),
                         ("unknown", responders.unknown()), ("500", responders.http_status(500)), ("drip", drip),
                         ("hang", responders.hang())):
        one.responder.script = script
        reply = one.get(one.client(name))
        assert reply.status == 0 and "unknown" in reply.error and reply.seconds < 2, (name, reply)
        reply = one.get(known)
        assert reply.status == 200 and reply.seconds < 0.4, (name, reply)
    one.server.expect(UNKNOWN)
    one.server.allow(FAILS)


def test_crowds(mtls):
    """Many handshakes of one client cause one request. With a hung responder, more first contacts than threads leave
    room for known clients, and a plain http client."""
    one = mtls(responders.delayed(responders.good(), 0.2), client=("OCSPCacheClient soft", "OCSPCacheClientWait 3s"))
    known = one.client("known")
    one.server.start()
    assert {reply.status for reply in at_once(40, lambda _: one.get(known))} == {200}
    assert len(one.responder.asked_for(known)) == 1
    one.responder.script = responders.hang()
    crowd = [one.client(f"crowd-{i}") for i in range(40)]
    waiting = threading.Thread(target=lambda: at_once(len(crowd), lambda i: one.get(crowd[i])))
    waiting.start()
    one.responder.wait_asked(2)
    assert one.get(known).status == 200
    assert waiting.is_alive(), "others still wait"
    waiting.join()
    one.server.allow(FAILS)


def test_forged_certificates_cause_no_request(mtls, stranger):
    """Of a CA that is not the server's; where mod_ssl accepts those, their status stays unknown."""
    one = mtls()
    forged = stranger.client("forged", url=one.responder.url)
    one.server.start()
    assert one.get(forged).status == 0
    one.reload(("OCSPCacheClient soft",), verify="optional_no_ca")
    assert one.get(forged).status == 200
    one.reload(("OCSPCacheClient hard",), verify="optional_no_ca")
    assert one.get(forged).status == 0
    assert one.get(one.client()).status == 200
    assert [asked.serial for asked in one.responder.asked].count(forged.serial) == 0
    one.server.expect(UNKNOWN)
    one.server.allow(r"AH02039: Certificate Verification: Error")


def test_flood_of_valid_certificates(mtls):
    """More clients than there is room for: the server serves, and those that are revoked stay so."""
    one = mtls(client=("OCSPCacheClient soft", "OCSPCacheClientWait 0"), directives=("OCSPCacheClientSize 100",))
    revoked, flood = one.client("revoked"), [one.client(f"flood-{i}") for i in range(300)]
    one.responder.script = lambda exchange: (
        responders.revoked() if exchange.leaf is revoked else responders.good())(exchange)
    one.server.start()
    poll(lambda: one.get(revoked).status == 0, "the revoked client is known")
    assert all(one.get(leaf).status == 200 for leaf in flood)
    assert one.get(revoked).status == 0
    one.server.expect(r"^\[ocsp_client:warn\] .* is revoked: handshake refused")
    one.server.allow(r"^\[ocsp_client:warn\] .* is revoked: request refused")  # known between handshake and request


def test_leader_is_killed_while_a_client_waits(mtls):
    """With prefork, each client that waits is in a child of its own, so that all but one survive."""
    one = mtls(responders.hang(), client=("OCSPCacheClient hard", "OCSPCacheClientWait 20s"), mpm="prefork")
    leaf = one.client()
    one.server.start()
    leader = poll(lambda: {pid for _, pid, _ in stamped(one.server, LEADS)} & one.server.children(), "a child leads").pop()
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(one.get(leaf))) for _ in range(6)]
    for thread in threads:
        thread.start()
    one.responder.wait_asked(1, leaf)
    one.responder.script = responders.good()
    os.kill(leader, signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert 200 in {reply.status for reply in replies}, replies
    assert one.get(leaf).status == 200
    one.server.allow(r"AH00052", FAILS, UNKNOWN)


def test_grace(mtls):
    """After its nextUpdate a good client stays good while the responder fails, and is told to the application; without
    a grace it does not."""
    one = mtls(responders.good(next_update=2), host=('Header always set X-State "%{OCSP_CLIENT}e %{OCSP_CLIENT_SOURCE}e"',),
               modules=("headers",))
    leaf, other = one.client(), one.client("other")
    one.server.start()
    assert one.get(leaf).status == 200
    one.responder.refuse()
    connection = one.connect(leaf)
    poll(lambda: "good grace" in connection.head("x-state"), "the usable time is over")
    assert connection.get().status == 200
    one.responder.accept()
    one.reload(("OCSPCacheClient hard", "OCSPCacheClientGrace 0"))
    assert one.get(other).status == 200
    one.responder.refuse()
    poll(lambda: one.get(other).status == 0, "the usable time is over")
    one.server.expect(UNKNOWN)
    one.server.allow(FAILS, r"^\[ocsp_client:warn\] .* is of unknown status: request refused")


def test_grace_does_not_wait_for_the_query_that_tries_a_failing_responder(mtls):
    """The responder hangs and is known to. The next client whose usable time is over has a query of its own, which
    will hang too."""
    one = mtls(responders.good(next_update=2), client=("OCSPCacheClient hard", "OCSPCacheClientWait 8s"),
               directives=("SSLStaplingResponderTimeout 2",))
    first, second = one.client("first"), one.client("second")
    one.server.start()
    assert one.get(first).status == one.get(second).status == 200
    one.responder.script = responders.hang()
    ends = time.monotonic() + 2
    poll(lambda: one.get(first).status == 200 and one.server.log("ocsp_cache", "warn", "did not answer in time"),
         "the responder is known to fail", 30)
    assert time.monotonic() > ends
    known = len(one.responder.asked_for(second))
    reply = one.get(second)
    assert reply.status == 200 and reply.seconds < 1, reply
    one.responder.wait_asked(known + 1, second)
    one.server.allow(FAILS)


def fnv1a(name):
    """oc_client_host_id()"""
    number = 0xcbf29ce484222325
    for byte in name.encode():
        number = (number ^ byte) * 0x100000001b3 % 2**64
    return number


def counters(server):
    page = clients.http_get(f"http://127.0.0.1:{server.http_port}/ocsp-cache-status?format=json")
    return json.loads(page)["totals"]["clients"]["counters"]


def test_an_outage_concerns_the_clients_of_that_responder_alone(mtls, responder):
    """One responder fails, then hangs with the query that tries it. Its clients are given up meanwhile, which is no query
    and no news; those of another are not, although the names of both share a group of workers."""
    one, healthy = mtls(responders.http_status(503)), responder(responders.good())
    dead = "dead.example.test"
    other = next(name for name in (f"ocsp{n}.example.test" for n in range(9999)) if (fnv1a(name) - fnv1a(dead)) % 64 == 0)
    one.server.config = dataclasses.replace(one.server.config, directives=(
        "SSLStaplingResponderTimeout 60", f"OCSPCacheResponder http://{dead}/ {one.responder.url}",
        f"OCSPCacheResponder http://{other}/ {healthy.url}"))
    first, tries, given_up, last = (one.client(name, url=f"http://{dead}/") for name in ("first", "tries", "given-up", "last"))
    one.server.start()
    assert one.get(first).status == 0
    one.server.wait_log(FAILS[FAILS.index("OCSP"):])
    one.responder.script = responders.hang()
    waiting = threading.Thread(target=lambda: one.get(tries))
    waiting.start()
    one.responder.wait_asked(1, tries)
    unaffected = one.client("unaffected", url=f"http://{other}/")
    assert one.get(unaffected).status == 200
    one.server.wait_log(f"serial {unaffected.serial_hex}: .*good")
    assert one.get(given_up).status == 0
    one.server.wait_log(f"serial {given_up.serial_hex}: responder {one.responder.url}: .*one query at a time is sent")
    assert not one.responder.asked_for(given_up)
    counted = counters(one.server)
    assert (counted["ended"], counted["failed"]) == (2, 1), counted
    assert not one.server.ours(pattern="answers again")
    one.responder.script = responders.good()
    waiting.join()
    one.server.wait_log(f"serial {tries.serial_hex}: .*connection-lost")
    assert one.get(last).status == 200
    one.server.wait_log("answers again")
    assert len(one.server.ours(pattern="answers again")) == len(one.server.ours(pattern="until it answers")) == 1
    one.server.expect(UNKNOWN, FAILS)


def test_an_error_about_one_client_is_no_outage(mtls):
    """A responder that has a file for each certificate answers 404 where it has none."""
    one = mtls(directives=("SSLStaplingResponderTimeout 60",))
    missing, slow, other = (one.client(name) for name in ("missing", "slow", "other"))
    one.responder.script = lambda exchange: (
        responders.http_status(404) if exchange.leaf is missing else responders.hang() if exchange.leaf is slow
        else responders.good())(exchange)
    one.server.start()
    assert one.get(missing).status == 0
    one.server.wait_log("OCSPCacheClient: responder .*HTTP error.* until it answers")
    waiting = threading.Thread(target=lambda: one.get(slow))
    waiting.start()
    one.responder.wait_asked(1, slow)
    assert one.get(other).status == 200
    one.server.wait_log("OCSPCacheClient: responder .* answers again")
    one.responder.script = responders.good()
    waiting.join()
    one.server.expect(UNKNOWN, FAILS)


def on_slow_disk(mtls, delays, **options):
    """A site whose file of clients is on a slow disk."""
    one = mtls(directives=('OCSPCacheClientFile "cache/clients"', *options.pop("directives", ())), **options)
    delays.slow_folder = one.server.cache_folder
    one.server.environment = delays.environment
    return one


@pytest.mark.parametrize("mechanism", ["default", "fcntl:run", "flock:run", "pthread", "sysvsem"])
def test_first_contact_while_another_process_has_the_mutex(mtls, delays, mechanism):
    """After a reload `ocsp-cache-disk` has it, for as long as the disk needs. Without a wait no one waits; with one, a
    client waits that long at most; and who comes while it is held is known afterwards."""
    one = on_slow_disk(mtls, delays, client=("OCSPCacheClient soft", "OCSPCacheClientWait 0"),
                       directives=(f"Mutex {mechanism} ocsp-cache",))
    known, soft, hard = one.client("known"), one.client("soft"), one.client("hard")
    one.server.start()
    poll(lambda: one.get(known).status == 200 and one.responder.asked_for(known), "the responder is asked")
    for client, wait, leaf, status in ((("OCSPCacheClient soft", "OCSPCacheClientWait 0"), 0, soft, 200),
                                       (("OCSPCacheClient hard", "OCSPCacheClientWait 400ms"), 0.4, hard, 0)):
        delays.set(write=4)
        one.reload(client, settle=False)
        assert one.server.writing(), "control: the disk is slow"
        reply = one.get(leaf)
        assert reply.status == status and wait <= reply.seconds < wait + 2, reply
        assert one.get(known).status == 200
        assert one.server.writing(), "control: it is still"
        delays.set()
        poll(lambda: not one.server.writing(), "the file is written", 30)
        poll(lambda: one.get(leaf).status == 200 and one.responder.asked_for(leaf), "it is known")
    one.server.expect(UNKNOWN)


def test_first_contact_does_not_write_to_the_disk(mtls, delays):
    """The child that leads does, in a thread of its own; a first contact meanwhile waits for neither."""
    one = on_slow_disk(mtls, delays, client=("OCSPCacheClient soft", "OCSPCacheClientWait 0"))
    leaves = [one.client(f"client-{i}") for i in range(3)]
    one.server.start()
    delays.set(write=3)
    assert max(one.get(leaf).seconds for leaf in leaves) < 2
    delays.set()
    poll(lambda: all(one.get(leaf).status == 200 and one.responder.asked_for(leaf) for leaf in leaves), "all are asked for")


def test_leader_is_killed_while_it_writes(mtls, delays):
    """The first contact that follows repairs the memory, and the next answer the file: it restores both clients, with
    what refreshes them."""
    one = on_slow_disk(mtls, delays, client=("OCSPCacheClient hard", "OCSPCacheClientWait 5s"),
                       directives=("Mutex fcntl:run ocsp-cache",))
    first, second = one.client("first"), one.client("second")
    one.server.start()
    leader = poll(lambda: {pid for _, pid, _ in stamped(one.server, LEADS)} & one.server.children(), "a child leads").pop()
    delays.set(write=60)
    waiting = threading.Thread(target=lambda: one.get(first))
    waiting.start()
    one.responder.wait_asked(1, first)
    holds_mutex = re.compile(rf"POSIX +ADVISORY +WRITE +{leader} ")
    poll(lambda: holds_mutex.search(Path("/proc/locks").read_text()), "the leader writes", interval=0.2)
    os.kill(leader, signal.SIGKILL)
    delays.set()
    waiting.join()
    assert one.get(second).status == 200 and one.get(first).status == 200
    assert one.server.ours("notice", "a process died while it wrote to the cache")
    one.server.stop()
    one.responder.refuse()
    one.server.start()
    assert one.get(first).status == 200 and one.get(second).status == 200
    one.server.allow(r"AH00052", UNKNOWN)


def test_file_restores_what_is_known(mtls):
    one = mtls(directives=('OCSPCacheClientFile "cache/clients"',))
    leaf, file = one.client(), one.server.cache_folder / "clients"
    one.server.start()
    assert one.get(leaf).status == 200
    one.server.stop()
    assert file.stat().st_mode & 0o777 == 0o600
    one.responder.refuse()
    one.server.start()
    assert one.get(leaf).status == 200
    assert len(one.responder.asked_for(leaf)) == 1
