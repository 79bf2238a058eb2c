# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Issuers with two encodings of one name, different issuers of one name, and the URLs of responders in certificates."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

import pki
from apxs import apxs
from cachectl import ctl, run
from clients import gnutls, s_client
from conftest import HOST
from httpd import Config, Vhost
from wait import poll

CACHE = "ocsp_cache:cache/staples"


def probe(*arguments):
    return run("probe", *arguments)


# ---- the issuer's name ----

def over_the_subject_of_the_ca(exchange):
    """As `openssl ocsp` answers: the CertID hashes the CA's subject, not the certificate's issuer field."""
    leaf = exchange.leaf
    twin = leaf.issuer.leaf(HOST, serial=leaf.serial)
    leaf.issuer.leaves[leaf.serial] = leaf
    cert, key = leaf.issuer.signer()
    exchange.reply(ocsp.OCSPResponseBuilder().add_response(
        cert=twin.cert, issuer=leaf.issuer.cert, algorithm=hashes.SHA1(), cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=pki.now(), next_update=pki.now() + pki.datetime.timedelta(days=1), revocation_time=None,
        revocation_reason=None).responder_id(ocsp.OCSPResponderEncoding.HASH, cert).certificates([cert]).sign(
            key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


@pytest.fixture
def respelt(site, ca):
    """The CA writes its name as UTF8String, its certificate as PrintableString."""
    name = pki.respelt(ca.cert.subject)
    assert name.public_bytes() != ca.cert.subject.public_bytes() and name == ca.cert.subject
    return site(leaf={"issuer_name": name})


def test_answer_over_the_certificates_own_issuer_field_is_stapled(respelt, root_ca):
    respelt.server.start()
    respelt.wait_staple()
    seen = gnutls(respelt.server.https_port, HOST, root_ca)
    assert seen.ok and seen.status == "good", seen
    assert ctl(respelt.server, "verify").code == 0
    assert ctl(respelt.server, "export", HOST).raw.hex() == seen.staple
    assert probe(respelt.leaf.cert_file, "--chain", respelt.leaf.issuer.cert_file).code == 0


def test_answer_over_the_cas_subject_is_not_stapled(respelt, root_ca):
    respelt.responder.script = over_the_subject_of_the_ca
    respelt.server.allow(r"\[ocsp_cache:warn\] .*for another issuer")
    respelt.server.start()
    respelt.server.wait_log("for another issuer")
    assert respelt.handshake().status is None
    seen = gnutls(respelt.server.https_port, HOST, root_ca)
    assert seen.ok, seen


# ---- issuers of one name ----

@pytest.fixture
def namesakes(root_ca):
    return root_ca.intermediate("Renewed CA"), root_ca.intermediate("Renewed CA")


# A CA's own file, as administrators copy it: its key is in it, encrypted.
ENCRYPTED_KEY = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.BestAvailableEncryption(b"secret")).decode()


def put(folder, directive, certificates):
    """The directive's file or folder, which holds these certificates."""
    if directive != "SSLCACertificatePath":
        place = folder / "chain.pem"
        place.write_text(ENCRYPTED_KEY + "".join(one.cert_file.read_text() for one in certificates))
        return place
    place = folder / "cas"
    place.mkdir()
    for number, one in enumerate(certificates):
        (place / f"{number}.pem").write_text(one.cert_file.read_text() + ENCRYPTED_KEY)
    subprocess.run(["openssl", "rehash", str(place)], check=True)
    return place


def chained(httpd, folder, responder, issuer, others, directive="SSLCertificateChainFile"):
    """A certificate without key identifiers; the directive names what holds `others`."""
    answering = responder(authority=issuer)
    leaf = issuer.leaf(HOST, url=answering.url, key_ids=False)
    vhost = Vhost(HOST, (leaf,), issuer="none", directives=(f'{directive} "{put(folder, directive, others)}"',))
    return httpd(Config(vhosts=(vhost,), cache=CACHE)), leaf, answering


def check_with_terminal(server):
    """What `httpd -t` prints on a terminal, where a passphrase can be entered."""
    command = [f"{apxs('SBINDIR')}/{apxs('PROGNAME')}", "-d", str(server.root), "-f", str(server.conf_file), "-t"]
    return subprocess.run(["script", "-qec", shlex.join(command), "/dev/null"], stdin=subprocess.DEVNULL, timeout=60,
                          stdout=subprocess.PIPE, text=True, check=True).stdout


@pytest.mark.parametrize("directive, order", [
    ("SSLCertificateChainFile", 1), ("SSLCertificateChainFile", -1), ("SSLCACertificateFile", 1),
    ("SSLCACertificatePath", 1)], ids=["chain-wrong-first", "chain-right-first", "file-of-cas", "folder-of-cas"])
def test_right_issuer_among_two_of_one_name(httpd, folder, responder, namesakes, directive, order):
    old, new = namesakes
    server, leaf, answering = chained(httpd, folder, responder, old, (new, old)[::order], directive)
    assert server.check().lines == ["Syntax OK"]
    assert check_with_terminal(server).split() == ["Syntax", "OK"]
    if directive != "SSLCACertificatePath":
        assert probe(leaf.cert_file, "--chain", folder / "chain.pem").code == 0
    answering.asked.clear()
    server.start()
    answering.wait_asked(leaf=leaf)
    poll(lambda: server.certificates()[0]["state"] == "good", "a good response")


# OpenSSL would decrypt this one to read it.
ENCRYPTED_CERTIFICATE = """-----BEGIN CERTIFICATE-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF

AAAAAAAAAAAAAAAAAAAAAA==
-----END CERTIFICATE-----
"""


@pytest.mark.parametrize("directive", ["SSLCertificateChainFile", "SSLCACertificateFile", "SSLCACertificatePath"])
def test_encrypted_certificate_causes_no_prompt(httpd, folder, responder, namesakes, directive):
    old, new = namesakes
    server, _leaf, _answering = chained(httpd, folder, responder, old, (new, old), directive)
    server.check()
    for file in (*folder.glob("chain.pem"), *folder.glob("cas/?.pem")):
        file.write_text(ENCRYPTED_CERTIFICATE + file.read_text())
    shown = check_with_terminal(server)
    assert "phrase" not in shown and "Syntax OK" in shown, shown


def test_only_the_wrong_one_of_two_is_there(httpd, folder, responder, namesakes):
    old, new = namesakes
    server, leaf, answering = chained(httpd, folder, responder, old, (new,))
    checked = server.check()
    assert "CN=Renewed CA,O=Test is needed; " in checked.output, checked.output
    assert f"{folder / 'chain.pem'} holds CN=Renewed CA,O=Test (another key)" in checked.output, checked.output
    server.allow(r"\[ocsp_cache:warn\] .*nothing is stapled")
    server.start()
    assert "is needed; " in server.wait_log("did not issue", "warn").text
    assert not answering.asked


@pytest.mark.parametrize("first", [HOST, "bare.example.test"])
def test_chain_in_one_of_two_hosts_with_the_same_certificate(httpd, responder, ca, first):
    answering = responder()
    leaf, other = ca.leaf(HOST, url=answering.url), ca.leaf("other.example.test", url=answering.url)
    vhosts = (Vhost(HOST, (leaf,)), Vhost("bare.example.test", (leaf,), issuer="none"))
    server = httpd(Config(vhosts=(*(vhosts if first == HOST else reversed(vhosts)), Vhost("other.example.test", (other,))),
                          cache=CACHE))
    server.allow("AH01909", "AH02217", "AH02604")
    checked = server.check().output
    assert "bare.example.test" in checked and "that of another host with the same certificate is used" in checked
    assert "ocsp_cache:warn" not in checked, checked
    server.start()
    server.wait_staple(HOST)
    bare = s_client(server.https_port, "bare.example.test", ca, extra=("-partial_chain", "-verify_hostname", HOST))
    assert bare.status == "good", bare
    served_by = [[host.split(":")[0] for host in one["hosts"]] for one in server.certificates()]
    assert served_by == [[vhost.host for vhost in server.config.vhosts[:2]], ["other.example.test"]]
    assert not server.log("ocsp_cache", pattern="nothing is stapled")


# ---- URLs ----

@pytest.mark.parametrize("before, behind", [("", "\n"), (" ", " \t"), ("\r\n", "")])
def test_blanks_around_the_url(site, responder, before, behind):
    answering = responder()
    one = site(leaf={"url": before + answering.url + behind})
    assert one.server.check().lines == ["Syntax OK"]
    one.server.start()
    answering.wait_asked(leaf=one.leaf)
    one.wait_staple()


def test_other_schemes_are_skipped_and_all_urls_shown(site, responder):
    answering = responder()
    second = "http://ocsp.example.test/a b"
    one = site(leaf={"url": ("ldap://l.example.test/", "https://s.example.test/", answering.url, second)})
    assert f" {answering.url} http://ocsp.example.test/a%20b  " in one.server.dump("DUMP_OCSP_CACHE").stdout
    one.server.start()
    answering.wait_asked(leaf=one.leaf)
    one.wait_staple()
    shown = one.server.certificates()[0]
    assert shown["responder"] == answering.url
    assert shown["responders"] == [answering.url, "http://ocsp.example.test/a%20b"]


UNUSABLE = {"ldap": ("ldap://ldap.example.test/cn=x", "ldap://ldap.example.test/cn=x"),
            "directory-name": (x509.DirectoryName(pki.respelt(x509.Name([
                x509.NameAttribute(NameOID.COMMON_NAME, "OCSP")]))), "DirName:CN=OCSP"),
            "line-end-inside": ("http://ocsp.exam\nple.test/", "x0Aple.test/")}


def test_a_url_that_cannot_be_queried_is_logged_with_the_url(httpd, ca):
    vhosts = tuple(Vhost(f"{name}.example.test", (ca.leaf(f"{name}.example.test", url=(url,)),))
                   for name, (url, _) in UNUSABLE.items())
    server = httpd(Config(vhosts=vhosts, cache=CACHE))
    server.allow(r"\[ocsp_cache:warn\] .*the responder cannot be queried")
    checked = server.check().output
    server.start()
    for name, (_, shown) in UNUSABLE.items():
        line = server.wait_log(f"{name}.example.test.*the responder cannot be queried", "warn").text
        assert shown in line and "SSLStaplingForceURL" in line, line
        assert shown in checked, checked
        assert server.handshake(f"{name}.example.test").ok


def test_a_directory_name_before_the_url_is_skipped(site, responder):
    answering = responder()
    one = site(leaf={"url": (UNUSABLE["directory-name"][0], answering.url)})
    one.server.start()
    one.wait_staple()
    assert one.server.certificates()[0]["responders"] == [answering.url]


# ---- messages ----

def test_an_expired_certificate_has_no_next_request(site):
    one = site(leaf={"days": 1 / 48})
    one.server.allow(r"\[ssl:warn\]", r"\[ocsp_cache:warn\] .*expired")
    one.server.start()
    line = one.server.wait_log("the certificate itself has expired", "warn").text
    assert "next request" not in line and not one.responder.asked, line
    [page], [tool] = one.server.certificates(), ctl(one.server, "list", "--json").json["certificates"]
    assert page["next_request"] is None and tool["next_request"] is None
