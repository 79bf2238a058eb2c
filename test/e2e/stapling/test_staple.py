# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The main case: a server with a usual configuration, a responder that answers, clients that check the staple."""

import os
from pathlib import Path

import pytest

import responders
from conftest import CACHE, HOST
from httpd import Config, Vhost
from observe import stamped
from wait import poll

EC = "ECDSA+SHA256"
RSA = "RSA-PSS+SHA256:RSA+SHA256"


@pytest.mark.asan
def test_first_staple_within_a_second_of_accepting_and_unasked(site):
    one = site()
    one.server.start()
    poll(lambda: one.responder.asked and one.responder.asked[0].answered, "the responder was asked, without a client")
    one.server.wait_log("reports good", "info")
    seen = one.handshake()
    assert seen.ok and seen.status == "good", seen
    [(accepting, _, _)], [(stapled, _, _)] = (stamped(one.server, text) for text in ("resuming normal", "reports good"))
    [asked] = one.responder.asked
    assert stapled - accepting < 1.0 + (asked.answered - asked.at), "the first staple came late"
    assert one.leaf.serial_hex in seen.staple
    assert len(one.responder.asked) == 1


@pytest.mark.asan
def test_real_responder_good_then_revoked(httpd, ca, openssl_responder):
    leaf = ca.leaf(HOST, url=openssl_responder.url)
    openssl_responder.restart()
    server = httpd(Config(vhosts=(Vhost(HOST, (leaf,)),), cache=CACHE)).start()
    assert leaf.serial_hex in server.wait_staple(HOST).staple


@pytest.mark.asan
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_openssl_and_gnutls_get_a_good_staple(site, tls):
    one = site()
    one.server.start()
    one.wait_staple()
    openssl = one.handshake(tls=tls)
    assert openssl.ok and openssl.status == "good" and openssl.protocol == f"TLSv{tls}", openssl
    gnutls = one.server.gnutls(HOST, tls=tls)
    assert gnutls.ok and gnutls.status == "good" and gnutls.protocol == f"TLS{tls}", gnutls


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_who_does_not_ask_gets_nothing(site, tls):
    one = site()
    one.server.start()
    one.wait_staple()
    seen = one.handshake(ask=False, tls=tls)
    assert seen.ok and seen.status is None and "OCSP" not in seen.output, seen


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("issuer", ["file", "chain", "ca"])
def test_issuer_is_found_where_mod_ssl_finds_it(site, issuer, tls):
    one = site(vhost={"issuer": issuer})
    one.server.start()
    assert one.wait_staple(tls=tls).status == "good"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_ecdsa_and_rsa_on_one_vhost_each_with_its_own_staple(httpd, ca, responder, tls):
    answering = responder()
    leaves = ca.leaf(HOST, url=answering.url, key="ec"), ca.leaf(HOST, url=answering.url, key="rsa")
    server = httpd(Config(vhosts=(Vhost(HOST, leaves),), cache=CACHE)).start()
    for leaf, sigalgs in zip(leaves, (EC, RSA)):
        seen = server.wait_staple(HOST, tls=tls, sigalgs=sigalgs)
        assert seen.serial == leaf.serial_hex, "the client was to choose the certificate"
        assert leaf.serial_hex in seen.staple


def test_sni_vhosts_with_different_issuers_get_their_own_staples(httpd, ca, root_ca, responder):
    other_ca = root_ca.intermediate("Other Intermediate")
    first, second = responder(), responder(authority=other_ca)
    vhosts = tuple(Vhost(host, (authority.leaf(host, url=answering.url),)) for host, authority, answering in [
        ("a.example.test", ca, first), ("b.example.test", other_ca, second), ("c.example.test", ca, first)])
    server = httpd(Config(vhosts=vhosts, cache=CACHE)).start()
    for vhost in vhosts:
        seen = server.wait_staple(vhost.host)
        assert seen.serial == vhost.leaves[0].serial_hex
        assert vhost.leaves[0].serial_hex in seen.staple
    assert len(second.asked) == 1 and len(first.asked) == 2


def test_one_vhost_switched_off_gets_nothing_and_is_not_asked_for(httpd, ca, responder):
    answering = responder()
    on, off = ca.leaf("on.example.test", url=answering.url), ca.leaf("off.example.test", url=answering.url)
    server = httpd(Config(vhosts=(Vhost("on.example.test", (on,)), Vhost("off.example.test", (off,), stapling=False)),
                          cache=CACHE)).start()
    server.wait_staple("on.example.test")
    seen = server.handshake("off.example.test")
    assert seen.ok and seen.status is None and seen.serial == off.serial_hex
    assert answering.asked_for(off) == []


def test_one_certificate_in_two_vhosts_of_which_one_is_off(httpd, ca, responder):
    answering = responder()
    leaf = ca.leaf("*.example.test", url=answering.url)
    server = httpd(Config(vhosts=(Vhost("a.example.test", (leaf,)), Vhost("b.example.test", (leaf,), stapling=False)),
                          cache=CACHE)).start()
    server.wait_staple("a.example.test")
    seen = server.handshake("b.example.test")
    assert seen.ok and seen.status is None
    assert len(answering.asked) == 1, "one certificate is one job"


def test_switch_at_server_level_is_inherited(site):
    one = site(vhost={"stapling": None}, directives=("SSLUseStapling on",))
    one.server.start()
    one.wait_staple()


@pytest.mark.asan
def test_certificate_without_a_responder_url_is_one_info_line(site):
    one = site(leaf={"url": None})
    one.server.start()
    for _ in range(3):
        seen = one.handshake()
        assert seen.ok and seen.status is None
    lines = one.server.ours(("info", "notice"), one.leaf.serial_hex)
    assert len(lines) == 1 and lines[0].level == "info", lines
    assert HOST in lines[0].text and "SSLStaplingForceURL" in lines[0].text, "it says what would help"


def test_certificate_without_a_known_issuer(httpd, root_ca, responder):
    answering = responder(authority=root_ca)
    leaf = root_ca.leaf(HOST, url=answering.url)
    server = httpd(Config(vhosts=(Vhost(HOST, (leaf,), issuer="none"),), cache=CACHE))
    server.expect(r"\[ssl:error\] .*AH02217", r"\[ssl:error\] .*AH02604",  # mod_ssl's own, before it calls any module
                  rf"\[ocsp_cache:warn\] .*nothing is stapled for {HOST}:.*{leaf.serial_hex}.* does not find .* issuer")
    server.start()
    seen = server.handshake(HOST)
    assert seen.ok and seen.status is None
    assert answering.asked == []
    lines = server.ours(("info", "notice"), "issuer")
    assert len(lines) == 1 and lines[0].level == "info" and HOST in lines[0].text, lines


@pytest.mark.parametrize("mpm", ["prefork", "worker", "event"])
def test_every_mpm(site, mpm):
    one = site(mpm=mpm)
    one.server.start()
    one.wait_staple()
    one.responder.refuse()
    one.server.graceful()
    assert one.handshake().status == "good"
    one.server.stop()
    one.server.start()
    assert one.handshake().status == "good"
    assert one.server.gnutls(HOST).status == "good"


def test_forced_url_is_asked_instead_of_the_certificates(httpd, ca, responder):
    named, forced = responder(), responder()
    leaf = ca.leaf(HOST, url=named.url)
    server = httpd(Config(vhosts=(Vhost(HOST, (leaf,), directives=(f"SSLStaplingForceURL {forced.url}",)),),
                          cache=CACHE)).start()
    server.wait_staple(HOST)
    assert named.asked == [] and len(forced.asked) == 1


def test_forced_url_serves_a_certificate_without_one(site, responder):
    forced = responder()
    one = site(leaf={"url": None}, directives=(f"SSLStaplingForceURL {forced.url}",))
    one.server.start()
    one.wait_staple()
    assert len(forced.asked) == 1


def test_vhosts_that_disagree_about_one_certificate_are_told_in_one_line(httpd, ca, responder):
    first, second = responder(), responder()
    leaf = ca.leaf("*.example.test")
    server = httpd(Config(vhosts=(
        Vhost("a.example.test", (leaf,), directives=(f"SSLStaplingForceURL {first.url}",)),
        Vhost("b.example.test", (leaf,), directives=(f"SSLStaplingForceURL {second.url}",))), cache=CACHE))
    server.allow(r"\[ocsp_cache:warn\] .*\.example\.test")
    server.start()
    server.wait_staple("a.example.test")
    server.wait_staple("b.example.test")
    lines = server.ours(("info", "notice", "warn"), "SSLStaplingForceURL")
    assert len(lines) == 1 and leaf.serial_hex in lines[0].text, lines
    assert len(first.asked) + len(second.asked) == 1


def test_proxy(httpd, ca, responder):
    proxy = responder()
    leaf = ca.leaf(HOST, url="http://ocsp.no-such-host.invalid/ocsp/")
    server = httpd(Config(vhosts=(Vhost(HOST, (leaf,)),), cache=CACHE,
                          directives=(f"SSLOCSPProxyURL http://127.0.0.1:{proxy.port}",))).start()
    server.wait_staple(HOST)
    assert proxy.asked[0].path.startswith("http://ocsp.no-such-host.invalid"), proxy.asked[0]


def test_proxy_of_the_environment_is_not_taken(site):
    one = site(environment={"http_proxy": "http://127.0.0.1:1/", "HTTP_PROXY": "http://127.0.0.1:1/"})
    one.server.start()
    one.wait_staple()


def test_request_is_a_cacheable_get_with_a_host_header(site):
    one = site()
    one.server.start()
    asked = one.responder.wait_asked(1, one.leaf)[0]
    assert asked.method == "GET"
    assert asked.headers["host"] == f"127.0.0.1:{one.responder.port}"


def test_post_is_tried_where_get_is_not_understood(site):
    one = site(responders.by_method(responders.http_status(405), responders.good()))
    one.server.start()
    one.wait_staple()
    assert [asked.method for asked in one.responder.asked] == ["GET", "POST"]
    assert one.responder.asked[1].headers["content-type"] == "application/ocsp-request"


def test_chunked_response(site):
    one = site(responders.chunked())
    one.server.start()
    one.wait_staple()
    assert one.server.gnutls(HOST).status == "good"


def test_response_without_next_update(site):
    one = site(responders.good(next_update=None))
    one.server.start()
    one.wait_staple()


SEED = ("SSLUseStapling on", "SSLStaplingResponderTimeout 5", "SSLStaplingReturnResponderErrors off")


@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_seed_configuration_with_nothing_changed_but_the_providers_name(site, absolute):
    one = site(vhost={"stapling": None}, directives=SEED)
    folder = f"{one.server.root}/run" if absolute else "run"
    one.server.config = one.changed(cache=f"ocsp_cache:{folder}/ocsp(128000)")
    assert one.server.check().output.strip().splitlines()[-1] == "Syntax OK"
    one.server.start()
    one.wait_staple()
    one.responder.refuse()
    one.server.stop()
    one.server.start()
    assert one.handshake().status == "good"


def test_seed_configuration_literally(site):
    path = Path("/var/run/ocsp")
    lock = Path("/var/run/ocsp.lock")
    if os.geteuid() != 0:
        pytest.skip("only root can write /var/run/ocsp; the same configuration under another path runs above")
    if path.exists() or lock.exists():
        pytest.skip(f"{path} is in use on this machine; the same configuration under another path runs above")
    try:
        one = site(vhost={"stapling": None}, directives=SEED, cache="ocsp_cache:/var/run/ocsp(128000)")
        one.server.start()
        one.wait_staple()
        one.responder.refuse()
        one.server.graceful()
        assert one.handshake().status == "good"
        one.server.stop()
    finally:
        path.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)


def test_must_staple_certificate_has_its_staple_in_the_first_handshake(site):
    one = site(responders.delayed(responders.good(), 0.7), leaf={"must_staple": True},
               directives=("SSLStaplingResponderTimeout 5",))
    one.server.start()
    seen = one.handshake()
    assert seen.ok and seen.status == "good", seen
