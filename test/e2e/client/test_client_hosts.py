# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Which host a client came to first, by which way its certificate came, and what a reload interrupts: none of it may decide
whether the client is let in."""

import ctypes
import dataclasses
import datetime
import socket
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import pki
import responders
from httpd import Vhost
from mtls import FAILURES, HOST, make_context, make_vhost
from ports import free_port
from wait import poll

OTHER = "other.example.test"
TICKET_KEY = 'SSLSessionTicketKeyFile "ticket.key"'


def ask(one, leaf, name=HOST, host="", port=0):
    """The status of a request for `host` over a connection for `name`; 0: the handshake failed."""
    context = make_context(one.server.root_ca, leaf, "1.3")
    context.check_hostname = False
    with socket.create_connection(("127.0.0.1", port or one.server.https_port), 20) as raw:
        try:
            with context.wrap_socket(raw, server_hostname=name) as tls:
                tls.sendall(f"GET /index.html HTTP/1.1\r\nHost: {host or name}\r\nConnection: close\r\n\r\n".encode())
                return int(tls.recv(4096).split()[1])
        except FAILURES:
            return 0


def add_host(one, client, verify="require", first=False):
    """Another host, with the same certificate."""
    one.server.allow("AH01909")
    here = one.server.config.vhosts[0]
    other = dataclasses.replace(make_vhost(one.server.root_ca, here.leaves[0], client, verify), host=OTHER)
    one.server.config = dataclasses.replace(one.server.config, vhosts=(other, here) if first else (here, other))


# ---- certificates that no CA of the server issued --------------------------------------------------------------------

def empty_crl(ca, path):
    now = pki.now()
    crl = x509.CertificateRevocationListBuilder().issuer_name(ca.cert.subject).last_update(now).next_update(
        now + datetime.timedelta(days=30)).sign(ca.key, hashes.SHA256())
    path.write_bytes(crl.public_bytes(serialization.Encoding.PEM))
    return f'SSLCARevocationFile "{path}"', "SSLCARevocationCheck leaf no_crl_for_cert_ok"


@pytest.mark.parametrize("way", ["plain", "no CRL", "a host without checks", "another callback"])
def test_forged_certificate_is_unknown_and_causes_no_request(mtls, stranger, responder, folder, root_ca, takes_verify,
                                                             way):
    """With optional_no_ca, whatever its own responder says. mod_ssl resets the error where it finds no CRL."""
    evil = stranger.intermediate("Evil")
    answering = responder(None, evil)
    forged = evil.client("forged", url=answering.url)
    one = mtls(client=("OCSPCacheClient hard", *(empty_crl(root_ca, folder / "crl.pem") if way == "no CRL" else ())),
               verify="optional_no_ca", directives=(takes_verify,) if way == "another callback" else ())
    add_host(one, ("OCSPCacheClient off",), "optional_no_ca")
    one.server.allow("OCSPCacheClient: the client certificate .* of unknown status", "AH02039", "has replaced the callback")
    one.server.start()
    good = one.client("good")
    name = OTHER if way == "a host without checks" else HOST
    assert ask(one, good, name, HOST) == 200
    for _ in range(2):
        assert ask(one, forged, name, HOST) == (403 if way in ("a host without checks", "another callback") else 0)
    assert not answering.asked


def test_trusted_certificate_without_an_issuer_is_good(mtls, folder):
    """Self-signed, and in SSLCACertificateFile: nobody reports its status. mod_ssl's own checks let it in, too."""
    own = pki.Authority.root(folder / "own", "Self-signed client")
    now = pki.now()
    cert = (x509.CertificateBuilder().subject_name(own.cert.subject).issuer_name(own.cert.subject).serial_number(5)
            .public_key(own.key.public_key()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=9)).sign(own.key, hashes.SHA256()))
    own.cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    key_file = folder / "own.key"
    key_file.write_text(pki._key_pem(own.key))
    leaf = pki.Leaf(cert, own.key, own, own.cert_file, key_file, own.cert_file)
    one = mtls(client=("OCSPCacheClient hard", f'SSLCACertificateFile "{own.cert_file}"'))
    one.server.start()
    first = one.connect(leaf)
    assert first.get().status == 200
    again = one.connect(leaf, context=first.context, session=first.session)
    assert again.resumed and again.get().status == 200


# ---- sessions of clients that the table does not have ----------------------------------------------------------------

@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_ticket_of_a_client_that_is_not_in_the_table(mtls, mode):
    """After a restart. The client alone has its issuer's certificate, which it shows in a full handshake only."""
    one = mtls(client=(f"OCSPCacheClient {mode}",), host=(TICKET_KEY,))
    (one.server.root / "ticket.key").write_bytes(bytes(range(48)))
    one.server.allow("OCSPCacheClient: the client certificate .* is revoked", "AH02039")
    leaf = one.client()
    one.server.start()
    first = one.connect(leaf)
    assert first.get().status == 200
    one.server.stop()
    is_revoked = mode == "soft"
    if is_revoked:
        one.responder.script = responders.revoked()
    one.server.start()
    again = one.connect(leaf, context=first.context, session=first.session)
    assert not again.resumed and again.get().status == (0 if is_revoked else 200)
    if not is_revoked:
        third = one.connect(leaf, context=again.context, session=again.session)
        assert third.resumed and third.get().status == 200, "the table has it now"


def test_ticket_from_before_clients_were_checked(mtls):
    one = mtls(client=(), host=(TICKET_KEY,))
    (one.server.root / "ticket.key").write_bytes(bytes(range(48)))
    leaf = one.client()
    one.server.start()
    first = one.connect(leaf)
    assert first.get().status == 200
    one.reload(("OCSPCacheClient hard",), host=(TICKET_KEY,))
    again = one.connect(leaf, context=first.context, session=first.session)
    assert not again.resumed and again.get().status == 200


# ---- hosts that query in different ways ------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_each_host_queries_by_its_own_responder(mtls, mode):
    """A client visits first a host that cannot query."""
    script = responders.good() if mode == "hard" else responders.revoked()
    one = mtls(script, client=("OCSPCacheClient soft",))
    add_host(one, (f"OCSPCacheClient {mode}", f"OCSPCacheClientResponder {one.responder.url}"))
    one.server.allow("names no responder", "is revoked", "AH02039")
    leaf = one.client(url=None)
    one.server.start()
    assert ask(one, leaf, HOST) == 200
    assert ask(one, leaf, OTHER) == (200 if mode == "hard" else 0)
    assert len(one.responder.asked_for(leaf)) == 1


def test_each_host_has_its_own_maximum_age(mtls):
    one = mtls(responders.good(this_update=-3600), client=("OCSPCacheClient soft",))
    add_host(one, ("OCSPCacheClient hard", "SSLStaplingResponseMaxAge 60"))
    one.server.allow("of unknown status", "AH02039", "is older than", "SSLStaplingResponseMaxAge")
    leaf = one.client()
    one.server.start()
    assert ask(one, leaf, HOST) == 200
    assert ask(one, leaf, OTHER) == 0


@pytest.mark.parametrize("is_first", [False, True])
def test_two_hosts_of_one_name_on_two_ports(mtls, is_first):
    port = free_port()

    class OnOtherPort(Vhost):
        def render(self, address):
            return super().render(f"127.0.0.1:{port}")
    one = mtls(client=("OCSPCacheClient hard",), directives=(f"Listen 127.0.0.1:{port} https",))
    here = one.server.config.vhosts[0]
    there = make_vhost(one.server.root_ca, here.leaves[0],
                       ("OCSPCacheClient hard", f"OCSPCacheClientResponder {one.responder.url}"), "require")
    there = OnOtherPort(**{field.name: getattr(there, field.name) for field in dataclasses.fields(there)})
    one.server.config = dataclasses.replace(one.server.config, vhosts=(there, here) if is_first else (here, there))
    one.server.start()
    assert ask(one, one.client(url=None), port=port) == 200
    assert len(one.responder.asked) == 1


def test_hosts_that_query_alike_share_what_they_know(mtls):
    one = mtls(client=("OCSPCacheClient hard",))
    add_host(one, ("OCSPCacheClient soft", "OCSPCacheClientWait 1s", "OCSPCacheClientGrace 2h"))
    leaf = one.client()
    one.server.start()
    assert ask(one, leaf, HOST) == 200 and ask(one, leaf, OTHER) == 200
    assert len(one.responder.asked) == 1


# ---- a certificate in the place of another ---------------------------------------------------------------------------

def present(connection, leaf):
    """From now on, the client's side of this connection has another certificate."""
    tls = ctypes.c_void_p.from_address(id(connection.socket._sslobj) + 2 * ctypes.sizeof(ctypes.c_void_p) + 8)
    library = ctypes.CDLL("libssl.so.3")
    library.SSL_use_certificate_chain_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.SSL_use_PrivateKey_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    assert library.SSL_use_certificate_chain_file(tls.value, str(leaf.fullchain_file).encode()) == 1
    assert library.SSL_use_PrivateKey_file(tls.value, str(leaf.key_file).encode(), 1) == 1


def test_variables_are_those_of_the_certificate_of_a_renegotiation(mtls):
    one = mtls(verify="optional", client=("OCSPCacheClient soft",), modules=("authz_user", "headers"),
               host=('<Location "/private">', "SSLVerifyClient require",
                     "SSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256", "SSLOptions +StdEnvVars",
                     "Require expr \"reqenv('OCSP_CLIENT') == 'good'\"",
                     'Header always set X-Who "%{OCSP_CLIENT}e %{OCSP_CLIENT_AGE}e %{SSL_CLIENT_S_DN_CN}s"', "</Location>"))
    (one.server.root / "htdocs" / "private").mkdir()
    (one.server.root / "htdocs" / "private" / "index.html").write_text("private\n")
    good, unknown = one.client("good"), one.client("unknown", url=None)
    one.server.allow("names no responder")
    one.server.expect("AH01630: client denied")
    one.server.start()
    path = "/private/index.html"
    assert one.connect(good, tls="1.2").get(path).status == 200
    assert one.connect(unknown, tls="1.2").get(path).status == 403
    connection = one.connect(good, tls="1.2")
    present(connection, unknown)
    assert connection.head("X-Who", path) == "unknown (null) unknown"


# ---- a reload while clients wait -------------------------------------------------------------------------------------

def test_a_reload_leaves_those_who_wait_their_answer(mtls):
    one = mtls(responders.delayed(responders.good(), 1.0), client=("OCSPCacheClient hard", "OCSPCacheClientWait 10s"))
    leaves = [one.client("one"), one.client("two")]
    one.server.start()
    replies = []
    threads = [threading.Thread(target=lambda leaf=leaf: replies.append(one.get(leaf))) for leaf in leaves]
    for thread in threads:
        thread.start()
    poll(lambda: len(one.responder.asked) == 2, "both queries are in flight")
    one.server.graceful(settle=False)
    for thread in threads:
        thread.join()
    assert [reply.status for reply in replies] == [200, 200], replies
    assert max(reply.seconds for reply in replies) < 5, replies


# ---- what apachectl -t reports ---------------------------------------------------------------------------------------

def test_ocsp_of_mod_ssl_that_a_host_switches_off(mtls):
    one = mtls(client=("OCSPCacheClient hard", "SSLOCSPEnable off"), directives=("SSLOCSPEnable on",))
    assert one.server.check().lines == ["Syntax OK"]
    control = mtls(client=("OCSPCacheClient hard",), directives=("SSLOCSPEnable on",))
    assert "SSLOCSPEnable is on too" in control.server.check().output


def test_global_settings_are_not_reported_for_each_host_without_checks(mtls):
    one = mtls(client=("OCSPCacheClient hard",), directives=("OCSPCacheClientWait 1s",))
    here = one.server.config.vhosts[0]
    plain = tuple(Vhost(f"plain{n}.example.test", here.leaves, stapling=False) for n in range(3))
    one.server.config = dataclasses.replace(one.server.config, vhosts=(here, *plain))
    assert one.server.check().lines == ["Syntax OK"]


def test_the_host_is_named(mtls):
    one = mtls(client=("OCSPCacheClient hard",), verify="none")
    assert f"{HOST}:{one.server.https_port}: OCSPCacheClient has no effect" in one.server.check().output
