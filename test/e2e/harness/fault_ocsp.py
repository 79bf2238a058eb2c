# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The rows of the fault table in which the response itself is at fault, and their correct counterparts."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from fault_kinds import Body
from ocsp_der import (BASIC, OID_OF_64_BITS, Answer, Pss, Single, enumerated, error, explicit, extension, moment,
                      octets,
                      oid, sequence, tlv)

NONCE = extension("1.3.6.1.5.5.7.48.1.2", octets(bytes(16)))
ARCHIVE_CUTOFF = extension("1.3.6.1.5.5.7.48.1.6", moment(-86400 * 365))
UNKNOWN_CRITICAL = extension("1.2.3.4.5", octets(b"?"), critical=True)
FALSE_WRITTEN_OUT = extension("1.2.3.4.5", octets(b"?"), critical=False)
UUID = extension("2.25.329800735698586629295641978511506172918", octets(b"?"))
SCT_LIST = "1.3.6.1.4.1.11129.2.4.5"
SCTS = extension(SCT_LIST, octets(b"\0\0"))
GOOD = Single()
OTHER = Single(serial=4711)


def _error(status: int, verdict: str) -> Body:
    return Body(f"status-{verdict}", verdict, raw=lambda der: error(status))


def _reasons() -> tuple[Body, ...]:
    names = ("unspecified", "key-compromise", "ca-compromise", "affiliation-changed", "superseded", "cessation", "hold",
             "unused-7", "remove-from-crl", "privilege-withdrawn", "aa-compromise")
    return (Body("revoked-without-reason", "revoked", answer=Answer((Single("revoked"),))),
            *(Body(f"revoked-{name}", "revoked", answer=Answer((Single("revoked", reason=number),)))
              for number, name in enumerate(names)))


def _in_pieces(der: bytes) -> bytes:
    """The BasicOCSPResponse in a constructed OCTET STRING, which BER allows."""
    basic = der[der.index(b"\x04\x82"):]
    return sequence(enumerated(0), explicit(0, sequence(oid(BASIC), tlv(0x24, basic))))


STATUS = (
    _error(1, "malformed-request"), _error(2, "internal-error"), _error(3, "try-later"),
    _error(5, "signature-required"), _error(6, "unauthorized"),
    replace(_error(4, "undefined-status"), name="status-4-not-used"),
    replace(_error(99, "undefined-status"), name="status-99-undefined"),
    Body("error-with-response-bytes", "not-basic", raw=lambda der: der.replace(b"\x0a\x01\x00", b"\x0a\x01\x03", 1)),
    Body("successful-without-bytes", "not-basic", raw=lambda der: error(0)),
    Body("type-not-basic", "not-basic", answer=Answer(type="1.3.6.1.5.5.7.48.1.99")),
    Body("version-v1-written-out", "good", answer=Answer(version=0)),
    Body("version-v2", "not-basic", answer=Answer(version=1)),
    Body("byte-behind-the-response", "not-der", raw=lambda der: der + b"\0"),
    Body("length-not-minimal", "not-der", raw=lambda der: b"\x30\x83\x00" + der[2:4] + der[4:]),
    Body("length-indefinite", "not-der", raw=lambda der: b"\x30\x80" + der[4:] + b"\0\0"),
    Body("octets-in-pieces", "not-der", raw=lambda der: _in_pieces(der)),
    Body("critical-false-written-out", "not-der", answer=Answer(extensions=(FALSE_WRITTEN_OUT,))),
    Body("oid-of-64-bits", "good", answer=Answer(extensions=(extension(OID_OF_64_BITS, octets(b"?")),))),
    Body("oid-of-a-uuid", "not-der", answer=Answer(extensions=(UUID,))),
    Body("cut-off", "not-der", raw=lambda der: der[:-1]),
    Body("one-byte-less-inside", "not-der", raw=lambda der: sequence(enumerated(0), explicit(0, der[11:-1]))),
)

SINGLES = (
    Body("no-single-response", "not-ours", answer=Answer(())),
    Body("ours-and-others", "good", answer=Answer((GOOD, OTHER, replace(OTHER, status="revoked")))),
    Body("ours-and-of-other-issuer", "not-ours", subject=lambda cast, leaf: Answer(
        (GOOD, Single(serial=4711, name=cast.stranger.cert.subject, key=cast.stranger.cert.public_key())))),
    Body("others-and-ours", "not-ours", answer=Answer((OTHER, GOOD))),
    Body("only-others", "not-ours", answer=Answer((OTHER, replace(OTHER, serial=4712)))),
    Body("wrong-serial", "not-ours", answer=Answer((OTHER,))),
    Body("wrong-issuer-name", "not-ours",
         subject=lambda cast, leaf: Answer((Single(name=cast.stranger.cert.subject),))),
    Body("wrong-issuer-key", "not-ours",
         subject=lambda cast, leaf: Answer((Single(key=cast.stranger.cert.public_key()),))),
    Body("certid-over-the-issuer-field", "good", respelt_issuer=True),
    Body("certid-over-the-subject-of-the-ca", "not-ours", respelt_issuer=True,
         subject=lambda cast, leaf: Answer((Single(name=cast.ca.cert.subject),))),
    Body("certid-sha256", "good", answer=Answer((Single(hash="sha256"),))),
    Body("certid-sha384", "good", answer=Answer((Single(hash="sha384"),))),
    Body("certid-sha512", "good", answer=Answer((Single(hash="sha512"),))),
    Body("certid-md5", "not-ours", answer=Answer((Single(hash="md5"),))),
    Body("certid-hash-without-parameters", "good", answer=Answer((Single(parameters=b""),))),
    Body("certid-hash-with-parameters", "not-ours", answer=Answer((Single(parameters=sequence()),))),
    Body("ours-and-by-an-unknown-hash", "not-ours", answer=Answer((GOOD, replace(OTHER, hash="md5")))),
    Body("good-by-sha1-revoked-by-sha256", "revoked", answer=Answer((GOOD, Single("revoked", hash="sha256")))),
    Body("nonce", "good", answer=Answer(extensions=(NONCE,))),
    Body("by-name", "good", answer=Answer(by="name")),
    Body("by-key", "good", answer=Answer(by="key")),
    Body("archive-cutoff", "good", answer=Answer((Single(extensions=(ARCHIVE_CUTOFF,)),))),
    Body("critical-extension", "critical-extension", answer=Answer(extensions=(UNKNOWN_CRITICAL,))),
    Body("critical-extension-of-single", "critical-extension",
         answer=Answer((Single(extensions=(UNKNOWN_CRITICAL,)),))),
    Body("extensions-empty", "not-der", answer=Answer(extensions=(b"",))),
    Body("extensions-of-single-empty", "not-der", answer=Answer((Single(extensions=(b"",)),))),
    Body("extension-twice", "not-der", answer=Answer(extensions=(NONCE, NONCE))),
    Body("scts", "good", answer=Answer((Single(extensions=(SCTS,)),))),
    Body("scts-empty", "not-der", answer=Answer((Single(extensions=(extension(SCT_LIST, b""),)),))),
    Body("scts-twice", "not-der", answer=Answer((Single(extensions=(SCTS, SCTS)),))),
    Body("scts-not-an-octet-string", "not-der",
         answer=Answer((Single(extensions=(extension(SCT_LIST, sequence()),)),))),
    Body("unknown", "unknown", answer=Answer((Single("unknown"),))),
    Body("unknown-by-stranger", "signer-refused", answer=Answer((Single("unknown"),), signer="of-other-ca")),
    *_reasons(),
    Body("revoked-by-stranger", "signer-refused", answer=Answer((Single("revoked"),), signer="of-other-ca")),
)


def _signed_by(signer: str, verdict: str) -> Body:
    return Body(f"signer-{signer}", verdict, answer=Answer(signer=signer))


def _signature(name: str, verdict: str, **options: object) -> Body:
    return Body(f"signature-{name}", verdict, answer=Answer(signer="rsa", **options))


SIGNERS = (
    _signed_by("issuer", "good"),
    _signed_by("issuer-along", "good"),
    _signed_by("not-along", "signer-missing"),
    Body("signer-by-name-in-another-string-type", "signer-missing", answer=Answer(by="respelt")),
    _signed_by("with-issuer-in-another-string-type", "signer-refused"),
    _signed_by("non-repudiation", "good"),
    _signed_by("without-nocheck", "good"),
    _signed_by("without-eku", "signer-refused"),
    _signed_by("chain-of-two", "signer-refused"),
    _signed_by("of-other-ca", "signer-refused"),
    _signed_by("of-root", "signer-refused"),
    _signed_by("self-signed", "signer-refused"),
    _signed_by("is-ca", "signer-refused"),
    _signed_by("expired", "signer-expired"),
    _signed_by("not-yet-valid", "signer-expired"),
    _signed_by("by-hand", "good"),
    _signed_by("critical-false", "not-der"),
    _signed_by("with-an-extension-twice", "signer-refused"),
    _signed_by("with-an-oid-of-64-bits", "signer-refused"),
)

SIGNATURES = (
    _signed_by("rsa", "good"),
    _signed_by("p384", "good"),
    _signed_by("p521", "good"),
    _signed_by("p224", "signature-weak"),
    _signed_by("brainpool", "signature-weak"),
    _signed_by("secp256k1", "signature-weak"),
    _signed_by("ed25519", "signature-weak"),
    _signed_by("rsa1024", "signature-weak"),
    _signature("sha1", "signature-weak", digest="sha1"),
    _signature("md5", "signature-weak", digest="md5"),
    _signature("sha3", "signature-weak", digest="sha3-256"),
    Body("signature-ecdsa-sha1", "signature-weak", answer=Answer(digest="sha1")),
    Body("signature-ecdsa-sha224", "signature-weak", answer=Answer(digest="sha224")),
    _signature("pss", "good", pss=Pss()),
    _signature("pss-salt-of-20", "signature-bad", pss=Pss(salt=20)),
    _signature("pss-salt-as-long-as-fits", "signature-bad", pss=Pss(salt=222)),
    _signature("pss-sha384", "signature-bad", pss=Pss("sha384", 48)),
    _signature("pss-sha512", "signature-bad", pss=Pss("sha512", 64)),
    _signature("pss-without-null", "signature-bad", pss=Pss(null=False)),
    _signature("pss-without-parameters", "signature-bad", pss=Pss(written=False)),
    Body("signature-ml-dsa", "signature-bad", answer=Answer(algorithm="2.16.840.1.101.3.4.3.17")),
    Body("signature-spoiled", "signature-bad", answer=Answer(spoiled=True)),
)


def _with(extra: str, signer: str) -> Body:
    return Body(f"with-{extra}", "good", answer=Answer(signer=signer), is_trimmed=True)


CERTIFICATES = (
    _with("another-ca", "another-along"),
    _with("an-unknown-critical-extension", "critical-along"),
    _with("a-malformed-name", "malformed-name-along"),
    _with("a-malformed-time", "malformed-time-along"),
    _with("the-key-id-of-the-signer", "key-id-along"),
    _with("one-where-the-issuer-signed", "issuer-and-critical-along"),
)


def _times(name: str, verdict: str, warm: Optional[str] = None, **times: object) -> Body:
    return Body(name, verdict, warm, answer=Answer((Single(**times),)))


TIMES = (
    _times("this-update-ahead-within-skew", "good", this=200),
    _times("this-update-ahead", "not-yet-valid", this=900),
    _times("this-update-with-fraction", "times-invalid", fraction=".5"),
    Body("produced-ahead", "not-yet-valid", answer=Answer(produced=900)),
    Body("produced-long-ago", "times-invalid", answer=Answer(produced=-86400 * 100)),
    _times("next-before-this", "times-invalid", this=-60, next=-61),
    _times("expired", "expired", this=-7200, next=-3600),
    _times("expired-within-skew", "expired", this=-7200, next=-30),
    _times("without-next", "good", next=None),
    _times("without-next-20-days-old", "too-old", next=None, this=-86400 * 20),
    _times("next-in-9999", "good", next=1e12),
    _times("older-than-the-one-held", "good", "superseded", this=-7200),
)
