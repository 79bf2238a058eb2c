# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Responses that clients disagree on: what gnutls-cli and openssl make of the bytes that a responder sends, and of what
the module staples. The rows and the bytes are those of the fault table (fault_ocsp.py)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

import clients
import fault_peers
import pki
from fault_cast import Cast
from fault_kinds import outcome
from fault_rows import ROWS
from fault_stage import COLD, Stage
from raw_server import RawServer, skip_if_selective
from wait import poll

BY_NAME = {row.name: row for row in ROWS}

# gnutls-cli completes the handshake with these bytes.
ACCEPTED = ("signature-pss", "signer-rsa", "signer-p521", "by-name", "certid-hash-without-parameters", "scts",
            "oid-of-64-bits", "signer-by-hand")
# gnutls-cli ends the connection, which it continues without a staple.
ENDS_CONNECTION = ("signature-pss-salt-of-20", "signature-pss-salt-as-long-as-fits", "signature-pss-sha384",
                   "signature-pss-sha512", "signer-brainpool", "signer-secp256k1",
                   "signer-by-name-in-another-string-type", "certid-over-the-subject-of-the-ca", "others-and-ours",
                   "oid-of-a-uuid", "signer-with-an-extension-twice", "signer-with-an-oid-of-64-bits")
# The same, because of a certificate that the module removes.
HARMFUL = ("with-a-malformed-name", "with-a-malformed-time", "with-the-key-id-of-the-signer")
# gnutls-cli accepts these; `openssl ocsp` does not.
OPENSSL_REFUSES = ("signature-pss-without-parameters", "ours-and-of-other-issuer")
# gnutls-cli and `openssl ocsp` accept these; Firefox does not.
FIREFOX_REFUSES = ("signature-pss-without-null", "certid-hash-with-parameters", "scts-empty")
TRIMMED = (*HARMFUL, "with-an-unknown-critical-extension", "with-one-where-the-issuer-signed")
ALL = (*ACCEPTED, *ENDS_CONNECTION, *OPENSSL_REFUSES, *FIREFOX_REFUSES, *TRIMMED)


@pytest.fixture(scope="module")
def cast(ca, stranger):
    return Cast(ca, stranger)


# ---- what the module staples -----------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def stage(workplace, root_ca, ca, stranger):
    """All rows on one server, each with its verdict."""
    folder = workplace / "clients"
    folder.mkdir()
    folder.chmod(0o755)
    one = Stage(tuple(BY_NAME[name] for name in ALL), folder, root_ca, ca, stranger)
    one.server.allow(r"^\[ocsp_cache:warn\] .*certificate .* \(serial ")
    one.start()
    try:
        wanted = {one.leaves[name, COLD].serial_hex: BY_NAME[name].verdict for name in ALL}

        def settled():
            states = one.states()
            return all(states[serial].verdict == verdict for serial, verdict in wanted.items())
        poll(settled, "every row has its verdict", 30)
        yield one
    finally:
        one.stop()


@pytest.mark.parametrize("name", ALL)
def test_s_client_gets_a_good_staple_or_none(stage, name):
    seen = stage.server.handshake(f"cold.{name}.test")
    assert seen.ok and seen.status == outcome(BY_NAME[name].verdict).cold, seen


@pytest.mark.parametrize("name", ALL)
def test_gnutls_accepts_what_is_served(stage, name):
    seen = stage.server.gnutls(f"cold.{name}.test")
    assert seen.ok and bool(seen.staple) == (BY_NAME[name].verdict == "good"), seen


@pytest.mark.parametrize("name", TRIMMED)
def test_the_staple_has_the_certificate_of_its_signer_alone(stage, name):
    staple = ocsp.load_der_ocsp_response(bytes.fromhex(stage.server.gnutls(f"cold.{name}.test").staple))
    signer = "issuer" if name == "with-one-where-the-issuer-signed" else "delegated"
    assert tuple(cert.public_bytes(Encoding.DER) for cert in staple.certificates) == stage.cast[signer].along


# ---- the control: what the bytes of the responder would do -----------------------------------------------------------

@pytest.fixture(scope="module")
def raw(workplace, root_ca, cast):
    """What gnutls-cli and `openssl ocsp` make of the bytes of each row: (handshake, word)."""
    folder = workplace / "raw"
    folder.mkdir()

    def judge(name):
        leaf = cast.ca.leaf("raw.example.test",
                            issuer_name=pki.respelt(cast.ca.cert.subject) if BY_NAME[name].respelt_issuer else None)
        path = folder / f"{name}.der"
        path.write_bytes(BY_NAME[name].der(cast, leaf))
        with RawServer(leaf, path.read_bytes()) as server:
            return clients.gnutls(server.port, "raw.example.test", root_ca), fault_peers.openssl(path, leaf)
    with ThreadPoolExecutor(3) as pool:
        return dict(zip(ALL, pool.map(judge, ALL)))


@pytest.mark.parametrize("name", [*ACCEPTED, *OPENSSL_REFUSES, *FIREFOX_REFUSES])
def test_gnutls_accepts_the_bytes(raw, name):
    seen, _ = raw[name]
    assert seen.ok and seen.staple, seen


@pytest.mark.parametrize("name", [*ENDS_CONNECTION, *HARMFUL])
def test_gnutls_would_end_the_connection(raw, name):
    seen, _ = raw[name]
    if name == "others-and-ours" and not fault_peers.is_documented("gnutls"):
        pytest.skip("GnuTLS 3.8 looks at all answers")
    if name == "certid-over-the-subject-of-the-ca":
        skip_if_selective()
    assert not seen.ok and "OCSP status response is invalid" in seen.output, seen


@pytest.mark.parametrize("name", OPENSSL_REFUSES)
def test_openssl_refuses_the_bytes(raw, name):
    assert raw[name][1].status == "refused"


@pytest.mark.parametrize("name", [*ACCEPTED, *FIREFOX_REFUSES, *HARMFUL])
def test_openssl_accepts_the_bytes(raw, name):
    assert str(raw[name][1]) == "good"
