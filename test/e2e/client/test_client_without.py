# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What the guide says about client certificates without mod_ocsp_client: mod_ssl's own directives."""

import datetime
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

import pki
import responders

QUERIES = ("SSLOCSPEnable leaf", "SSLOCSPUseRequestNonce off")


@pytest.fixture
def mod_ssl_alone(mtls, ca, root_ca, folder):
    """Factory of servers. mod_ssl verifies responses with the CAs of this file alone: the intermediate is in it too."""
    authorities = folder / "authorities.pem"
    authorities.write_text(ca.cert_file.read_text() + root_ca.cert_file.read_text())

    def make(script, cache="none", host=()):
        one = mtls(script, client=(*QUERIES, f'SSLCACertificateFile "{authorities}"'), module=False,
                   session_cache=cache, host=host)
        one.server.allow(r"AH01873: Init: Session Cache is not configured")
        return one
    return make


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_no_session_is_resumed_without_tickets_and_cache(mod_ssl_alone, tls):
    """A revoked client is refused when it comes back. Its open connection stays."""
    one = mod_ssl_alone(responders.good(), host=("SSLSessionTickets off",))
    leaf = one.client()
    one.server.start()
    first = one.connect(leaf, tls=tls)
    assert first.get().status == 200
    again = one.connect(leaf, context=first.context, session=first.session)
    assert again.get().status == 200 and not again.resumed
    assert len(one.responder.asked_for(leaf)) == 2
    one.responder.script = responders.revoked()
    again = one.connect(leaf, context=first.context, session=first.session)
    assert again.get().status == 0 and not again.resumed
    assert first.get().status == 200
    one.server.expect(r"AH03239: OCSP validation completed, certificate status: revoked",
                      r"AH02039: Certificate Verification: Error")


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("cache, tickets", [("none", "on"), ("shmcb:run/sessions(512000)", "off")])
def test_either_alone_lets_a_revoked_client_resume(mod_ssl_alone, tls, cache, tickets):
    one = mod_ssl_alone(responders.good(), cache=cache, host=(f"SSLSessionTickets {tickets}",))
    leaf = one.client()
    one.server.start()
    first = one.connect(leaf, tls=tls)
    assert first.get().status == 200
    one.responder.script = responders.revoked()
    again = one.connect(leaf, context=first.context, session=first.session)
    assert again.resumed and again.get().status == 200
    assert len(one.responder.asked_for(leaf)) == 1


def by_the_ca(exchange: responders.Exchange) -> None:
    """A response that the CA signs itself, without a certificate in it."""
    leaf, begin = exchange.leaf, pki.now()
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf.cert, issuer=leaf.issuer.cert, algorithm=hashes.SHA1(), cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=begin, next_update=begin + datetime.timedelta(days=1), revocation_time=None, revocation_reason=None)
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, leaf.issuer.cert)
    exchange.reply(builder.sign(leaf.issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


@pytest.mark.parametrize("has_file", [False, True])
def test_mod_ssl_needs_the_ca_in_a_file_for_what_the_ca_signs_itself(mod_ssl_alone, ca, has_file):
    lines = (f'SSLOCSPResponderCertificateFile "{ca.cert_file}"',) if has_file else ()
    one = mod_ssl_alone(by_the_ca, host=lines)
    one.server.start()
    assert one.get(one.client()).status == (200 if has_file else 0)
    if not has_file:
        one.server.expect(r"AH01925: failed to verify the OCSP response", r"AH02039: Certificate Verification: Error",
                          r"SSL Library Error: .*signer certificate not found")


def test_this_module_needs_no_file_for_it(mtls):
    one = mtls(by_the_ca)
    one.server.start()
    assert one.get(one.client()).status == 200


def test_mod_ssl_needs_the_intermediate_in_its_file(mtls):
    """Clients send it, and mod_ssl accepts them without SSLOCSPEnable; but it does not verify the response."""
    one = mtls(responders.good(), client=QUERIES, module=False)
    leaf = one.client()
    one.server.start()
    assert one.get(leaf).status == 0
    one.server.expect(r"AH01925: failed to verify the OCSP response", r"AH02039: Certificate Verification: Error",
                      r"SSL Library Error: .*unable to get local issuer certificate")
    one.reload(())
    assert one.get(leaf).status == 200


def test_mod_ssl_trusts_every_certificate_of_that_file(mod_ssl_alone, folder):
    stranger = pki.Authority.root(folder / "stranger", "Stranger")
    stranger.signer()  # writes its files
    one = mod_ssl_alone(responders.good(signer=stranger),
                        host=(f'SSLOCSPResponderCertificateFile "{stranger.signer_files()[0]}"',))
    one.server.start()
    assert one.get(one.client()).status == 200


class Dripping(responders.Exchange):
    """Its body comes in twelve pieces: each is in time, and the whole takes more than two seconds."""

    def raw(self, data: bytes) -> None:
        for i in range(12):
            time.sleep(0.2)
            super().raw(data[i * len(data) // 12:(i + 1) * len(data) // 12])


def drip(exchange: responders.Exchange) -> None:
    responders.good()(Dripping(exchange.handler, exchange.responder, exchange.request))


def test_mod_ssl_alone_waits_for_a_dripping_responder(mod_ssl_alone, stranger):
    """The controls of the dripping and of the lying responder in test_client_faults.py. mod_ssl's timeout is one of each
    read: with 1 s, the client is let in after more than 2 s. What a stranger has signed lets no one in here either."""
    one = mod_ssl_alone(drip, host=("SSLOCSPResponderTimeout 1",))
    one.server.start()
    reply = one.get(one.client("dripping"))
    assert reply.status == 200 and reply.seconds > 2, reply
    one.responder.script = responders.good(signer=stranger)
    assert one.get(one.client("lying")).status == 0
    one.server.expect(r"AH01925: failed to verify the OCSP response", r"AH02039: Certificate Verification: Error",
                      r"SSL Library Error: .*OCSP")
