# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A disk that needs seconds for a flush: no client waits for it, and nothing is lost."""

import threading
import time

import pytest

import responders
from cachectl import ctl
from conftest import CACHE, HOST
from httpd import Config, Httpd, Vhost
from wait import poll

FLUSH = 3.0  # seconds; the gap of a reload without a flush in it is 50 ms, more on a busy machine


class Clock:
    """Clients that connect one after the other, and the longest wait."""

    def __init__(self, server: Httpd) -> None:
        self.longest, self.count = 0.0, 0
        self.bad: list[object] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(server,), daemon=True)
        self._thread.start()

    def _run(self, server: Httpd) -> None:
        while not self._over.is_set():
            begin = time.monotonic()
            seen = server.handshake(HOST)
            self.longest = max(self.longest, time.monotonic() - begin)
            self.count += 1
            if not seen.ok or seen.status != "good":
                self.bad.append(seen)

    def end(self) -> None:
        self._over.set()
        self._thread.join()


def settled(site, delays, mpm="event"):
    """A site that has its staple, whose responder is down and whose disk is slow."""
    one = site(environment=delays.environment, mpm=mpm)
    delays.slow_folder = one.server.cache_folder
    one.server.environment = delays.environment
    one.server.start()
    one.wait_staple()
    one.responder.refuse()
    delays.set(sync=FLUSH, write=0.05)
    return one


def expect_the_file_alone(one, delays) -> None:
    """No temporary file is left, and a server that starts with the file, on a disk that is not slow, staples at once."""
    assert not list(one.server.cache_folder.glob("*.new"))
    delays.set()
    one.server.stop()
    one.server.start()
    assert one.handshake().status == "good"


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_a_reload_keeps_no_client_waiting(site, delays, mpm):
    one = settled(site, delays, mpm)
    before = (one.server.cache_folder / "staples").stat().st_ino
    clients = Clock(one.server)
    try:
        one.server.graceful(settle=False)
        assert one.server.writing(), "control: the disk is slow"
        known = clients.count
        poll(lambda: clients.count > known + 1, "clients are served while the files are written")
        assert one.server.writing()
        poll(lambda: not one.server.writing(), "the files are written", 30)
    finally:
        clients.end()
    print(f"the longest of {clients.count} handshakes: {1000 * clients.longest:.0f} ms")
    assert not clients.bad, clients.bad[0]
    assert clients.longest < FLUSH
    assert (one.server.cache_folder / "staples").stat().st_ino != before
    expect_the_file_alone(one, delays)


def test_killed_in_the_middle_the_old_file_is_there(site, delays):
    one = settled(site, delays)
    one.server.graceful(settle=False)
    assert one.server.writing()
    one.server.kill()
    one.server.expect(r"AH00098: pid file .* overwritten")
    delays.set()
    one.server.start()
    assert one.handshake().status == "good"


def test_reloads_faster_than_the_disk(site, delays):
    one = settled(site, delays)
    for _ in range(3):
        one.server.graceful(settle=False)
        assert one.handshake().status == "good"
    poll(lambda: not one.server.writing(), "the files are written", 30)
    expect_the_file_alone(one, delays)


def test_a_reload_does_not_lose_its_new_file_to_the_process_of_the_last_one(site, delays):
    """Both give the name `staples.new` to a file, and then the name `staples` to what has that name."""
    one = settled(site, delays)
    delays.set(overtaken=2.0)
    for _ in range(3):
        one.server.graceful(settle=False)
        assert one.server.writing()
    poll(lambda: not one.server.writing(), "the files are written", 30)
    expect_the_file_alone(one, delays)


def test_the_stop_of_the_server_waits_for_the_file(site, delays):
    one = settled(site, delays)
    before = (one.server.cache_folder / "staples").stat().st_ino
    one.server.graceful(settle=False)
    assert one.server.writing()
    one.server.stop(40)
    assert (one.server.cache_folder / "staples").stat().st_ino != before


@pytest.mark.parametrize("full", [("write", "truncate", "sync", "rename"), ("write",), ("sync",), ("rename",)],
                         ids=["all", "write", "sync", "rename"])
def test_a_full_disk_at_a_reload_leaves_no_temporary_file(site, delays, full):
    """A leftover would keep the disk full. The files of the last generation stay, and the next reload writes again."""
    one = site(environment=delays.environment)
    delays.slow_folder = one.server.cache_folder
    one.server.environment = delays.environment
    one.server.expect(r"\[ocsp_cache:error\] .*SSLStaplingCache: .*kept in memory only")
    one.server.allow(r"\[ocsp_cache:warn\] .*No space left on device")
    one.server.start()
    one.wait_staple()
    one.responder.refuse()
    files = {path.name for path in one.server.cache_folder.iterdir()}
    before = (one.server.cache_folder / "staples").stat().st_ino
    delays.set(full=full)
    one.server.graceful(settle=False)
    assert "No space left on device" in one.server.wait_log("kept in memory only", "error").text
    poll(lambda: not one.server.writing(), "it is given up", 30)
    assert {path.name for path in one.server.cache_folder.iterdir()} == files
    assert (one.server.cache_folder / "staples").stat().st_ino == before
    assert one.handshake().status == "good"
    delays.set()
    one.server.graceful()
    poll(lambda: (one.server.cache_folder / "staples").stat().st_ino != before, "the file is written again", 30)
    one.server.stop()
    one.server.start()
    assert one.handshake().status == "good", "from the file, as the responder is down"


def test_a_file_that_cannot_be_made_costs_persistence_alone(site, delays):
    one = settled(site, delays)
    one.server.expect(r"\[ocsp_cache:error\] .*SSLStaplingCache: cannot .*/cache\b.* kept in memory only")
    one.server.allow(r"\[ocsp_cache:warn\] ")
    one.server.graceful(settle=False)
    assert one.server.writing()
    one.server.cache_folder.rename(one.server.root / "away")
    poll(lambda: not one.server.writing(), "it is given up", 30)
    assert one.handshake().status == "good"
    one.server.graceful()
    assert one.handshake().status == "good"


@pytest.mark.parametrize("is_full", [True, False], ids=["full", "control"])
def test_a_disk_that_was_full_for_a_moment_loses_no_record(httpd, ca, responder, delays, is_full):
    """What could not be written was replaced in memory, and its place in the file then by another record."""
    answering = responder(responders.good(this_update=-7200))
    hosts = ("a.example.test", "b.example.test")
    server = httpd(Config(vhosts=tuple(Vhost(host, (ca.leaf(host, url=answering.url),)) for host in hosts), cache=CACHE),
                   environment=delays.environment)
    delays.slow_folder = server.cache_folder
    server.environment = delays.environment
    server.allow("AH00098: pid file .* overwritten", "No space left", "cannot write the cache file")
    server.start()
    for host in hosts:
        server.wait_staple(host)
    answering.script = responders.good(this_update=-60)
    if is_full:
        delays.set(full=("write",))
    for n, host in enumerate(hosts):
        ctl(server, "refresh", host)
        answering.wait_asked(3 + n)
        if is_full and n == 0:
            server.wait_log("cannot write the cache file", "error")
            delays.set()
    if is_full:
        server.wait_log("can be written again", "notice")
    poll(lambda: server.certificates()[1]["last_attempt"] is not None, "the second one is stored")
    answering.refuse()
    server.kill()
    server.start()
    assert [server.handshake(host).status for host in hosts] == ["good", "good"], "from the file"
