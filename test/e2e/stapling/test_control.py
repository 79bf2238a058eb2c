# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Controls: the harness detects what it claims to detect, and mod_ssl alone behaves as the other tests assume.

Nothing here loads mod_ocsp_cache. If one of these fails, the others prove nothing.
"""

import errno
import re
import socket
import time

import pytest

import processes
import responders
from conftest import HOST, QUICK, SHMCB
from httpd import Config, Vhost
from wait import poll

PLAIN = {"module": False, "cache": SHMCB}


def test_shmcb_staples_what_the_real_responder_says(httpd, ca, openssl_responder):
    leaf = ca.leaf(HOST, url=openssl_responder.url)
    openssl_responder.restart()
    server = httpd(Config(vhosts=(Vhost(HOST, (leaf,)),), **PLAIN)).start()
    seen = server.handshake(HOST)
    assert seen.ok and seen.status == "good", seen
    assert seen.serial == leaf.serial_hex
    openssl_responder.restart(revoked=frozenset([leaf.serial]))
    server.stop()
    server.expect(r"AH02969: .*certificate status revoked")
    server.start()
    assert server.handshake(HOST).status == "revoked"


def test_a_port_stays_its_servers_while_it_is_down(openssl_responder):
    """Otherwise another process could take the port before the server is started again."""
    openssl_responder.stop()
    with socket.socket() as other, pytest.raises(OSError) as refused:
        other.bind(("127.0.0.1", openssl_responder.port))
    assert refused.value.errno == errno.EADDRINUSE
    openssl_responder.start()
    with socket.create_connection(("127.0.0.1", openssl_responder.port), timeout=5):
        pass


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_clients_see_the_staple_of_shmcb(site, tls):
    one = site(**PLAIN)
    one.server.start()
    openssl = one.handshake(tls=tls)
    assert openssl.ok and openssl.status == "good" and openssl.protocol == f"TLSv{tls}", openssl
    gnutls = one.server.gnutls(HOST, tls=tls)
    assert gnutls.ok and gnutls.status == "good" and gnutls.protocol == f"TLS{tls}", gnutls
    silent = one.handshake(ask=False, tls=tls)
    assert silent.ok and silent.status is None
    assert len(one.responder.asked) == 1, "mod_ssl keeps the response for an hour"


def test_no_staple_is_seen_as_none(site):
    one = site(vhost={"stapling": False}, **PLAIN)
    one.server.start()
    assert one.handshake().ok and one.handshake().status is None
    seen = one.server.gnutls(HOST)
    assert seen.ok and seen.status is None, seen


@pytest.mark.parametrize("mpm", ["prefork", "worker", "event"])
def test_every_mpm_runs(site, mpm):
    one = site(mpm=mpm, **PLAIN)
    one.server.start()
    assert one.handshake().status == "good"
    parent = one.server.parent
    one.server.graceful()
    one.server.hang_up()
    assert one.server.parent == parent
    assert one.handshake().ok


def test_shmcb_makes_the_handshake_wait_for_a_hanging_responder(site):
    one = site(responders.hang(), directives=("SSLStaplingResponderTimeout 5",), **PLAIN)
    one.server.expect(r"AH01980|AH01984|AH01985|AH01941|AH01978")
    one.server.allow(r"\[ssl:error\]")
    one.server.start()
    seen = one.handshake()
    assert seen.seconds > 2, seen


def test_shmcb_forgets_at_a_restart(site):
    one = site(**PLAIN)
    one.server.start()
    assert one.handshake().status == "good"
    one.responder.refuse()
    one.server.expect(r"AH01941: stapling_renew_response: responder error")
    one.server.allow(r"\[ssl:error\]")
    one.server.stop()
    one.server.start()
    assert one.handshake().status == "trylater"


@pytest.mark.parametrize("script, status", [
    (responders.good(), "good"), (responders.revoked(), "revoked"), (responders.unknown(), "unknown"),
    (responders.try_later(), "trylater"), (responders.unauthorized(), "unauthorized"),
    (responders.nothing(), "trylater"),
    (responders.http_status(500), "trylater"), (responders.garbage(), "trylater"), (responders.chunked(), "trylater"),
    (responders.good(next_update=None), "good"),
], ids=["good", "revoked", "unknown", "trylater", "unauthorized", "nothing", "500", "garbage", "chunked", "no-end"])
def test_scripts_are_what_their_names_say(site, script, status):
    one = site(script, **PLAIN)
    one.server.allow(r"\[ssl:error\]")
    one.server.start()
    seen = one.handshake()
    assert seen.ok and seen.status == status, seen


def test_shmcb_staples_a_strangers_signature(site, stranger):
    """So the responses of this script are not rejected for another fault."""
    one = site(responders.good(signer=stranger), **PLAIN)
    one.server.start()
    assert one.handshake().status == "good"
    seen = one.server.gnutls(HOST)
    assert not seen.ok, "gnutls-cli must refuse it"


def test_a_loud_line_fails_the_test(site):
    one = site(leaf={"url": None}, **PLAIN)
    one.server.start()
    one.server.stop()
    with pytest.raises(AssertionError, match="AH02218"):
        one.server.judge_log()
    one.server.expect(r"AH02218", r"AH02604")
    one.server.judge_log()
    one.server.expect(r"never seen anywhere")
    with pytest.raises(AssertionError, match="never logged"):
        one.server.judge_log()
    del one.server.announced.must[-1]


def test_a_crashed_child_fails_the_test(site):
    import os
    import signal
    one = site(**PLAIN)
    one.server.start()
    os.kill(min(one.server.children()), signal.SIGSEGV)
    poll(lambda: re.search("AH0005[12]", one.server.raw_log()), "the parent notices")
    one.server.stop()
    with pytest.raises(AssertionError, match="AH0005"):
        one.server.judge_log()
    one.server.error_log.write_text("")


def test_refuse_and_accept(site):
    one = site(**PLAIN)
    one.responder.refuse()
    one.server.allow(r"\[ssl:error\]")
    one.server.config = one.changed(directives=QUICK)
    one.server.start()
    assert one.handshake().status == "trylater"
    one.responder.accept()
    one.wait_staple("good")


def test_the_configuration_check_reports(site):
    one = site(directives=("SSLStaplingErrorCacheTimeout -3",), **PLAIN)
    checked = one.server.check()
    assert checked.code != 0 and "invalid argument" in checked.output
    one.server.config = one.changed(directives=())
    checked = one.server.check()
    assert checked.code == 0 and "Syntax OK" in checked.output, checked.output


def test_kill_leaves_nothing_and_it_starts_again(site):
    one = site(**PLAIN)
    one.server.start()
    one.server.kill()
    one.server.expect(r"AH00098: pid file .* overwritten")
    one.server.start()
    assert one.handshake().ok


@pytest.mark.parametrize("mpm", ("event", "worker", "prefork"))
def test_children_are_seen_to_have_begun(site, mpm):
    """stop() waits for it, but not for ever."""
    one = site(mpm=mpm, **PLAIN)
    one.server.start()
    poll(lambda: all(processes.has_begun(pid, mpm) for pid in one.server.children()), "every child has begun", 10)


def test_the_status_page_is_read(site):
    one = site(**PLAIN)
    one.server.start()
    assert "Apache Server Status" in one.server.status_page()
    assert "ServerUptimeSeconds" in one.server.status_page("?auto")


def test_timing_of_handshakes_is_small(site):
    one = site(vhost={"stapling": False}, **PLAIN)
    one.server.start()
    begin = time.monotonic()
    assert one.handshake().ok
    assert time.monotonic() - begin < 1
