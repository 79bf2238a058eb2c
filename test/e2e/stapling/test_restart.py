# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Restarts of every kind: no valid response is lost, and no reload ends the server."""

import dataclasses
import threading

import pytest

from conftest import CACHE, HOST, QUICK
from httpd import Config, Vhost
from wait import poll


def settled(site, **options):
    """A site that has its staple, and whose responder is down for good."""
    one = site(**options)
    one.server.start()
    one.wait_staple()
    one.handshake()
    one.responder.refuse()
    return one


@pytest.mark.asan
def test_graceful_restart_with_the_responder_gone(site):
    one = settled(site)
    parent = one.server.parent
    one.server.graceful(settle=False)
    assert one.handshake().status == "good", "the first handshake after it"
    one.server.graceful()
    assert one.handshake().status == "good", "and the first of the new children"
    assert one.server.parent == parent


@pytest.mark.asan
def test_full_restart_with_the_responder_gone(site):
    one = settled(site)
    one.server.stop()
    one.server.start()
    seen = one.handshake()
    assert seen.ok and seen.status == "good", seen


def test_hang_up_with_the_responder_gone(site):
    one = settled(site)
    one.server.hang_up()
    assert one.handshake().status == "good"


@pytest.mark.asan
def test_killed_and_started_with_the_responder_gone(site):
    one = settled(site)
    one.server.kill()
    one.server.expect(r"AH00098: pid file .* overwritten")
    one.server.start()
    assert one.handshake().status == "good"


def test_killed_children_cost_nothing(site):
    import os
    import signal
    one = settled(site)
    old = one.server.children()
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    poll(lambda: one.server.children() and not one.server.children() & old, "new children")
    assert one.handshake().status == "good"


def test_refreshing_goes_on_after_the_child_that_did_it_was_killed(site):
    import os
    import signal
    one = site(directives=QUICK)
    one.server.start()
    one.responder.wait_asked(2, deadline=20)
    for pid in one.server.children():
        os.kill(pid, signal.SIGKILL)
    one.responder.wait_asked_again(deadline=30)
    one.responder.wait_asked_again(deadline=30)
    assert one.handshake().status == "good"


def test_two_restarts_without_a_handshake_in_between(site):
    one = settled(site)
    for _ in range(2):
        one.server.stop()
        one.server.start()
    assert one.handshake().status == "good"


def test_a_valid_response_is_not_asked_for_again_at_a_restart(site):
    one = site()
    one.server.start()
    one.wait_staple()
    one.server.graceful()
    one.server.stop()
    one.server.start()
    assert one.handshake().status == "good"
    assert len(one.responder.asked) == 1


def test_a_renewed_certificate_does_not_get_the_old_ones_staple(site, ca):
    one = site()
    one.server.start()
    one.wait_staple()
    renewed = ca.leaf(HOST, url=one.responder.url)
    one.leaf.fullchain_file.write_bytes(renewed.fullchain_file.read_bytes())
    one.leaf.key_file.write_bytes(renewed.key_file.read_bytes())
    one.server.graceful()
    seen = one.wait_staple()
    assert seen.serial == renewed.serial_hex and renewed.serial_hex in seen.staple


def test_a_vhost_added_by_a_reload_is_stapled(site, ca):
    one = site()
    one.server.start()
    one.wait_staple()
    added = Vhost("new.example.test", (ca.leaf("new.example.test", url=one.responder.url),))
    one.server.graceful(one.changed(vhosts=(*one.server.config.vhosts, added)))
    one.server.wait_staple("new.example.test")
    assert one.handshake().status == "good"


# ---- reloads that remove what is in use ---------------------------------------------------------------------------

# mod_ssl keeps its pointer to a cache that is gone. This module logs that (without a module's name, when it is
# unloaded), and mod_ssl logs that it cannot store.
STALE = (r":warn\] .*mod_ssl-staple still uses the ocsp_cache of an earlier configuration",
         r"\[ssl:error\] .*AH019(29|45)")

REMOVALS = {"line": {"cache": None}, "line-and-module": {"cache": None, "module": False}}


@pytest.mark.asan
@pytest.mark.parametrize("stapling", [False, True], ids=["stapling-off", "stapling-on"])
@pytest.mark.parametrize("removed", REMOVALS)
def test_reload_that_removes_and_one_that_brings_back(site, removed, stapling):
    one = site()
    one.server.allow(*STALE)
    one.server.start()
    one.wait_staple()
    parent, full = one.server.parent, one.server.config
    without = dataclasses.replace(full, **REMOVALS[removed],
                                  vhosts=tuple(dataclasses.replace(v, stapling=stapling) for v in full.vhosts))
    for _ in range(2):
        one.server.graceful(without)
        for _ in range(2):
            seen = one.handshake()
            assert seen.ok, seen
            assert stapling or seen.status is None
        assert one.server.parent == parent
        one.server.graceful(full)
        one.wait_staple()
        assert one.server.parent == parent


def test_removed_line_removed_module_and_both_back_in_one_life(site):
    one = site()
    one.server.allow(*STALE)
    one.server.start()
    one.wait_staple()
    parent, full = one.server.parent, one.server.config
    for config in (one.changed(cache=None), one.changed(cache=None, module=False), full):
        one.server.graceful(config)
        assert one.handshake().ok and one.server.parent == parent
    one.wait_staple()
    one.responder.refuse()
    one.server.hang_up()
    assert one.handshake().status == "good"


def test_reload_to_another_path_takes_the_staples_along(site):
    """mod_ssl keeps its first provider context unless it gets a new one, as it does here."""
    one = settled(site)
    one.server.graceful(one.changed(cache="ocsp_cache:cache/elsewhere(256000)"))
    assert one.handshake().ok
    assert (one.server.cache_folder / "elsewhere").exists()


def test_reload_to_shmcb_and_back(site):
    one = site()
    one.server.start()
    one.wait_staple()
    parent = one.server.parent
    one.server.graceful(one.changed(cache="shmcb:run/shmcb(128000)"))
    assert one.handshake().status == "good", "mod_ssl queries on its own"
    one.server.graceful(one.changed(cache=CACHE))
    one.responder.refuse()
    assert one.handshake().status == "good", "from the file"
    assert one.server.parent == parent


# ---- under load ------------------------------------------------------------------------------------------------------

@pytest.mark.slow
def test_25_graceful_restarts_under_load_lose_no_handshake_and_no_staple(httpd, ca, responder):
    answering = responder()
    hosts = ("a.example.test", "b.example.test")
    vhosts = tuple(Vhost(host, (ca.leaf(host, url=answering.url),)) for host in hosts)
    server = httpd(Config(vhosts=vhosts, cache=CACHE)).start()
    for host in hosts:
        server.wait_staple(host)
    over = threading.Event()
    counts = dict.fromkeys(hosts, 0)
    bad = []

    def client(host: str) -> None:
        while not over.is_set():
            seen = server.handshake(host)
            counts[host] += 1
            if not seen.ok or seen.status != "good":
                bad.append(seen)
    clients = [threading.Thread(target=client, args=(host,)) for host in hosts]
    for one in clients:
        one.start()
    try:
        for i in range(25):
            server.graceful(settle=False)
            poll(lambda: min(counts.values()) > i or bad, "a handshake at either host")
    finally:
        over.set()
        for one in clients:
            one.join()
    assert not bad, f"{len(bad)} of {sum(counts.values())} handshakes:\n{bad[0]}"


@pytest.mark.asan
def test_ended_right_after_the_first_staple_again_and_again(site):
    """The fetching threads end with the process: a crash would be logged."""
    one = site()
    for _ in range(15):
        one.server.start()
        one.wait_staple()
        one.server.stop()
        (one.server.cache_folder / "staples").unlink()
