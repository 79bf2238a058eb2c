# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The life of the refresher: killed, replaced, restarted, reconfigured, stopped, under load."""

import ctypes
import dataclasses
import os
import queue
import signal
import socket
import threading
import time
from typing import Callable

import pytest

import responders
from conftest import CACHE, HOST, NOTHING_HELD, QUICK
from httpd import Config, Httpd, Vhost
from observe import LEADS, Holdings, certificate, connected, stamped, wait_leader
from wait import holds, poll

TAKE_OVER = 2.0  # seconds, for work that is due
RESTARTS = int(os.environ.get("OCSP_CACHE_E2E_RESTARTS", "20"))


def hosts(ca, url: str, count: int) -> tuple[Vhost, ...]:
    return tuple(Vhost(name, (ca.leaf(name, url=url),)) for name in (f"h{n}.example.test" for n in range(count)))


# ---- the child that refreshes ends -----------------------------------------------------------------------------------

@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_killed_another_one_takes_over_what_is_due(site, mpm):
    one = site(responders.hang(), mpm=mpm,
               directives=("SSLStaplingResponderTimeout 60", "SSLStaplingErrorCacheTimeout 1"))
    one.server.allow(NOTHING_HELD)
    one.server.start()
    one.responder.wait_asked()
    for _ in range(2):
        leader = wait_leader(one.server)
        poll(lambda: len(one.server.children()) >= 2, "a child that can take over")
        known = len(one.responder.asked)
        os.kill(leader, signal.SIGKILL)
        killed = time.monotonic()
        one.responder.wait_asked(known + 1, deadline=10)
        assert one.responder.asked[-1].at - killed < TAKE_OVER
        assert wait_leader(one.server, other_than=leader) != leader
    one.responder.script = responders.good()
    one.wait_staple()


def test_killed_while_nothing_is_due_the_schedule_goes_on(site):
    one = site(directives=QUICK)
    one.server.start()
    one.responder.wait_asked(2)
    for _ in range(2):
        leader = wait_leader(one.server)
        poll(lambda: len(one.server.children()) >= 2, "a child that can take over")
        os.kill(leader, signal.SIGKILL)
        wait_leader(one.server, other_than=leader, deadline=10)
        assert one.handshake().status == "good"
        one.responder.wait_asked_again()
    gaps = [later.at - earlier.at for earlier, later in zip(one.responder.asked, one.responder.asked[1:])]
    assert max(gaps) < 1.0 + TAKE_OVER + 1.0, gaps  # due after at most a second, plus a margin of one


def test_children_that_serve_one_connection_each(site):
    """event and prefork side by side. Each handshake ends its child."""
    sites = [site(mpm=mpm, directives=(*QUICK, "MaxConnectionsPerChild 1")) for mpm in ("event", "prefork")]
    for one in sites:
        # A child of event that begins while the server is stopped may miss it: httpd kills it, after a warning.
        one.server.allow(r"\[core:(warn|error)\] .*AH0004[56]: child process \d+ still did not exit")
        one.server.start()
        one.wait_staple()
    known = [len(one.responder.asked) for one in sites]
    end = time.monotonic() + 25
    while any(len(one.responder.asked) < count + 3 for one, count in zip(sites, known)):
        assert time.monotonic() < end, "refreshing does not continue"
        for one in sites:
            seen = one.handshake()
            assert seen.ok and seen.status == "good", seen
    for one in sites:
        assert len({pid for _, pid, _ in stamped(one.server, LEADS)}) >= 2, "the task went from child to child"
        one.server.kill()  # with this directive a child of event sometimes misses the stop, with or without the module


# ---- graceful restarts -----------------------------------------------------------------------------------------------

class HeldUp:
    """Clients that begin a request and do not end it: they keep their children alive."""

    def __init__(self, server: Httpd, pid: int) -> None:
        """At least one of them in this child."""
        self._sockets = []
        while connected(pid, local=server.http_port) == 0:
            assert len(self._sockets) < 30, "none went to that child"
            one = socket.create_connection(("127.0.0.1", server.http_port))
            one.sendall(b"GET / HTTP/1.1\r\n")
            self._sockets.append(one)
            poll(lambda: any(connected(child, local=server.http_port) for child in server.children()), "accepted")

    def let_go(self) -> None:
        for one in self._sockets:
            one.close()


def test_a_leaving_generation_steps_down_at_once_and_nothing_is_queried_twice(httpd, ca, responder):
    answering = responder(responders.delayed(responders.good(), 1.0))
    server = httpd(Config(vhosts=hosts(ca, answering.url, 16), cache=CACHE,
                          directives=("OCSPCacheWorkers 4", "RequestReadTimeout header=0"), modules=("reqtimeout",)))
    server.start()
    old = wait_leader(server)
    answering.wait_asked(6)  # in the middle of it
    clients = HeldUp(server, old)
    server.graceful(settle=False)
    new = wait_leader(server, other_than=old)
    poll(lambda: connected(old, remote=answering.port) == 0, "the old one has hung up", 2.0)
    assert old in server.processes(), "control: it is still there"
    holds(lambda: connected(old, remote=answering.port) == 0, "the old one sends no queries", 1.5)
    assert old in server.processes()
    for vhost in server.config.vhosts:
        assert server.wait_staple(vhost.host, deadline=30).ok
    twice = [vhost.host for vhost in server.config.vhosts if len(answering.asked_for(vhost.leaves[0])) > 1]
    assert len(twice) <= 4, f"only exchanges in flight are repeated: {twice}"
    assert {pid for _, pid, _ in stamped(server, "reports good")} <= {old, new}
    clients.let_go()


def test_many_restarts_while_the_responder_is_slow(site):
    one = site(responders.delayed(responders.good(), 1.0))
    one.server.start()
    for _ in range(4):
        one.server.graceful(settle=False)
    one.wait_staple()
    assert len(one.responder.asked) <= 6


# ---- what a reload changes -------------------------------------------------------------------------------------------

def test_a_renewed_certificate_never_gets_the_old_staple(site, ca):
    one = site(directives=("SSLStaplingErrorCacheTimeout 1",))
    one.server.allow(NOTHING_HELD)  # the hanging responder closes the connection at the end
    one.server.start()
    one.wait_staple()
    renewed = ca.leaf(HOST, url=one.responder.url)
    one.responder.script = responders.hang()  # so that there is nothing for the new one for a while
    for name in ("fullchain_file", "key_file"):
        getattr(one.leaf, name).write_bytes(getattr(renewed, name).read_bytes())
    over, seen = threading.Event(), []

    def client() -> None:
        while not over.is_set():
            seen.append(one.handshake())
    clients = [threading.Thread(target=client) for _ in range(2)]
    for each in clients:
        each.start()
    one.server.graceful()
    one.responder.wait_asked(1, renewed)
    poll(lambda: sum(each.serial == renewed.serial_hex for each in seen) >= 3, "handshakes with the new one", 20)
    one.responder.script = responders.good()
    poll(lambda: seen[-1].status == "good", "stapled again", 20)
    over.set()
    for each in clients:
        each.join()
    for each in seen:
        assert each.ok, each
        assert each.status is None or f"Serial Number: {each.serial}" in each.staple, each
    assert {each.status for each in seen if each.serial == renewed.serial_hex} == {None, "good"}


def test_vhosts_come_and_go(httpd, ca, responder):
    answering = responder()
    first, second, third = hosts(ca, answering.url, 3)
    server = httpd(Config(vhosts=(first, second), cache=CACHE, directives=QUICK)).start()
    for vhost in (first, second):
        server.wait_staple(vhost.host)
    server.graceful(dataclasses.replace(server.config, vhosts=(second, third)))
    server.wait_staple(third.host)
    assert server.wait_staple(second.host).staple
    gone, known = len(answering.asked_for(first.leaves[0])), len(answering.asked_for(second.leaves[0]))
    answering.wait_asked(known + 2, second.leaves[0])
    assert len(answering.asked_for(first.leaves[0])) == gone, "removed certificates are not queried"
    server.graceful(dataclasses.replace(server.config, vhosts=(first, third)))
    assert server.wait_staple(first.host).serial == first.leaves[0].serial_hex


def test_another_responder_by_a_reload(site, responder):
    """Two servers side by side, one for each way to name another."""
    sites = [site(directives=QUICK) for _ in range(2)]
    others = [responder() for _ in sites]
    lines = (f"OCSPCacheResponder {sites[0].responder.url} {others[0].url}", f"SSLStaplingForceURL {others[1].url}")
    for one in sites:
        one.server.start()
        one.wait_staple()
    for one, other, line in zip(sites, others, lines):
        one.server.graceful(one.changed(directives=(*QUICK, line)))
        other.wait_asked(1)
    known = [len(one.responder.asked) for one in sites]
    for one, other, count in zip(sites, others, known):
        other.wait_asked(2)
        assert len(one.responder.asked) == count, "the previous one is not queried"
        assert certificate(one.server, one.leaf)["responder"] == other.url
    for one, count in zip(sites, known):
        one.server.graceful(one.changed(directives=QUICK))
        one.responder.wait_asked(count + 1)


# ---- the end ---------------------------------------------------------------------------------------------------------

def test_stop_while_many_requests_hang(httpd, ca, responder):
    hanging = responder(responders.hang())
    server = httpd(Config(vhosts=hosts(ca, hanging.url, 100), cache="ocsp_cache:cache/staples(1048576)",
                          directives=("OCSPCacheWorkers 64 64", "SSLStaplingResponderTimeout 60")))
    server.start()
    hanging.wait_asked(64, deadline=30)
    begin = time.monotonic()
    server.stop()
    took = time.monotonic() - begin
    assert took < 2.0, f"{took:.2f} s"
    assert not server.ours(("notice", "warn", "error", "crit")), "and it is not reported as a failure"


def test_graceful_stop_while_many_requests_hang(httpd, ca, responder):
    hanging = responder(responders.hang())
    server = httpd(Config(vhosts=hosts(ca, hanging.url, 30), cache="ocsp_cache:cache/staples(1048576)",
                          directives=("OCSPCacheWorkers 30 30", "SSLStaplingResponderTimeout 60")))
    server.start()
    hanging.wait_asked(30, deadline=30)
    begin = time.monotonic()
    os.kill(server.parent, signal.SIGWINCH)
    poll(lambda: not server.processes(), "all processes have ended", 10)
    assert time.monotonic() - begin < 4.0


# ---- many restarts under load ----------------------------------------------------------------------------------------

class Load:
    """Clients that do one handshake after the other and look at each."""

    def __init__(self, server: Httpd, names: tuple[str, ...]) -> None:
        self.counts = dict.fromkeys(names, 0)
        self.bad = []
        self._over = threading.Event()
        self._server = server
        self._threads = [threading.Thread(target=self._run, args=(name,), daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    def _run(self, name: str) -> None:
        while not self._over.is_set():
            seen = self._server.handshake(name)
            self.counts[name] += 1
            if not seen.ok or seen.status != "good":
                self.bad.append(seen)

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def in_ipc_namespace(work: Callable[[], object]) -> object:
    """Run `work` in a thread with System V segments and semaphores of its own, so that those of the rest of the machine
    do not count; where that is not allowed, with those of the machine."""
    results: "queue.Queue[tuple[bool, object]]" = queue.Queue()

    def run() -> None:
        ctypes.CDLL(None, use_errno=True).unshare(0x08000000)  # CLONE_NEWIPC
        try:
            results.put((True, work()))
        except BaseException as failure:  # pylint: disable=broad-except
            results.put((False, failure))
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    is_done, result = results.get()
    if not is_done:
        raise result
    return result


@pytest.mark.slow
@pytest.mark.parametrize("mutex", ["default", "sysvsem"])
def test_restarts_under_load_lose_nothing_and_leave_nothing(httpd, ca, responder, mutex):
    """OCSP_CACHE_E2E_RESTARTS sets the number. The resources of the parent after a third of the restarts are compared
    with those at the end: the first ones fill its free lists. Half of the runs with each of two kinds of mutexes,
    which leave different things behind."""
    answering = responder()
    vhosts = hosts(ca, answering.url, 2)
    names = tuple(vhost.host for vhost in vhosts)
    chosen = () if mutex == "default" else (f"Mutex {mutex} ocsp-cache",)
    server = httpd(Config(vhosts=vhosts, cache=CACHE, log_level="info", directives=(*chosen, *QUICK)))
    count = max(RESTARTS // 2, 6)

    def run() -> tuple[Holdings, Holdings, Load]:
        server.start()
        for name in names:
            server.wait_staple(name)
        load = Load(server, names)
        try:
            for number in range(count):
                server.graceful(settle=False)
                poll(lambda: min(load.counts.values()) > number or load.bad, "a handshake at every host")
                if number == count // 3:
                    early = quiet(server)
            late = quiet(server)
        finally:
            load.end()
        return early, late, load

    def quiet(server: Httpd) -> Holdings:
        """When the previous generation has ended."""
        last = stamped(server, "resuming normal operations")[-1][0]
        poll(lambda: all(_started(pid) >= last - 1.0 for pid in server.children()), "the former children are gone", 20)
        return Holdings.of(server.parent)

    early, late, load = in_ipc_namespace(run)
    assert not load.bad, f"{len(load.bad)} of {sum(load.counts.values())} handshakes:\n{load.bad[0]}"
    assert late.descriptors <= early.descriptors and late.threads == early.threads == 1, (early, late)
    assert late.shared_maps <= early.shared_maps and late.sysv == early.sysv, (early, late)
    assert late.rss_kb - early.rss_kb < 1024 + 20 * count, (early, late)
    server.stop()
    print(f"{count} restarts, {sum(load.counts.values())} handshakes; {early} -> {late}")


def _started(pid: int) -> float:
    """When a process began, in seconds of time.time()."""
    try:
        fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    except OSError:
        return float("inf")
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return boot + int(fields[19]) / os.sysconf("SC_CLK_TCK")
