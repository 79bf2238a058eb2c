# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""OCSP responses with faults: a BasicOCSPResponse written field by field, and signed.

python-cryptography builds only responses that are right; these are wrong on purpose, in exactly one place each.
"""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from typing import Optional, Union

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

import pki

Key = Union[ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey]

# ---- DER -------------------------------------------------------------------------------------------------------------


def tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 + size]) + len(body).to_bytes(size, "big") + body


def sequence(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def explicit(number: int, body: bytes) -> bytes:
    return tlv(0xA0 + number, body)


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def enumerated(value: int) -> bytes:
    return tlv(0x0A, bytes([value]))


def octets(value: bytes) -> bytes:
    return tlv(0x04, value)


def oid(dotted: str) -> bytes:
    arcs = [int(arc) for arc in dotted.split(".")]
    body = b""
    for arc in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        septets = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7
            septets.append(arc & 0x7F | 0x80)
        body += bytes(reversed(septets))
    return tlv(0x06, body)


def moment(seconds: float, fraction: str = "") -> bytes:
    """GeneralizedTime, seconds from now; never beyond the year 9999."""
    last = datetime.datetime(9999, 12, 31, 23, 59, 59)
    left = (last - pki.now()).total_seconds()
    when = last if seconds >= left else pki.now() + datetime.timedelta(seconds=seconds)
    return tlv(0x18, f"{when:%Y%m%d%H%M%S}{fraction}Z".encode())


def extension(dotted: str, value: bytes, critical: bool = False) -> bytes:
    return sequence(oid(dotted), tlv(0x01, b"\xff") if critical else b"", octets(value))


# ---- the parts of a response -----------------------------------------------------------------------------------------

_HASH_OIDS = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "md5": "1.2.840.113549.2.5"}


def _key_bits(key) -> bytes:
    """What stands in the BIT STRING of a SubjectPublicKeyInfo."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


@dataclass(frozen=True)
class Single:
    """One SingleResponse; by default about the certificate asked for. Times are seconds from now."""

    status: str = "good"                   # good, revoked, unknown
    this: float = -60
    next: Optional[float] = 86400
    reason: Optional[int] = None           # of a revocation
    hash: str = "sha1"
    serial: Optional[int] = None           # another certificate's
    name: Optional[x509.Name] = None       # another issuer's
    key: object = None                     # another issuer's
    extensions: tuple[bytes, ...] = ()
    fraction: str = ""                     # of the seconds of thisUpdate

    def der(self, leaf: pki.Leaf) -> bytes:
        def digest(data: bytes) -> bytes:
            return hashlib.new(self.hash, data).digest()
        issuer = leaf.issuer.cert
        cert_id = sequence(sequence(oid(_HASH_OIDS[self.hash]), tlv(0x05)),
                           octets(digest((self.name or issuer.subject).public_bytes())),
                           octets(digest(_key_bits(self.key or issuer.public_key()))),
                           integer(leaf.serial if self.serial is None else self.serial))
        return sequence(cert_id, self._status(), moment(self.this, self.fraction),
                        b"" if self.next is None else explicit(0, moment(self.next)),
                        explicit(1, sequence(*self.extensions)) if self.extensions else b"")

    def _status(self) -> bytes:
        if self.status == "revoked":
            return tlv(0xA1, moment(-3600), b"" if self.reason is None else explicit(0, enumerated(self.reason)))
        return tlv(0x80) if self.status == "good" else tlv(0x82)


@dataclass(frozen=True)
class Signer:
    """Who signs, and what certificates are sent along."""

    cert: x509.Certificate
    key: Key
    along: tuple[x509.Certificate, ...]


_SIGNATURES = {
    ("ec", "sha256"): "1.2.840.10045.4.3.2", ("ec", "sha1"): "1.2.840.10045.4.1",
    ("ec", "sha224"): "1.2.840.10045.4.3.1",
    ("rsa", "sha256"): "1.2.840.113549.1.1.11", ("rsa", "sha1"): "1.2.840.113549.1.1.5",
    ("rsa", "md5"): "1.2.840.113549.1.1.4", ("ed25519", "sha256"): "1.3.101.112",
}
_DIGESTS = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256}


def _signed(key: Key, digest: str, data: bytes) -> tuple[bytes, bytes]:
    """AlgorithmIdentifier and signature."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        kind, null, signature = "ec", b"", key.sign(data, ec.ECDSA(_DIGESTS[digest]()))
    elif isinstance(key, rsa.RSAPrivateKey):
        kind, null, signature = "rsa", tlv(0x05), key.sign(data, padding.PKCS1v15(), _DIGESTS[digest]())
    else:
        kind, null, signature = "ed25519", b"", key.sign(data)
    return sequence(oid(_SIGNATURES[kind, digest]), null), signature


@dataclass(frozen=True)
class Answer:
    """One BasicOCSPResponse, right unless told otherwise."""

    singles: tuple[Single, ...] = (Single(),)
    signer: str = "delegated"              # one of fault_cast.Cast's
    by: str = "key"                        # or "name": how the responder id names the signer
    digest: str = "sha256"                 # of the signature
    produced: float = -30
    extensions: tuple[bytes, ...] = ()
    version: Optional[int] = None          # written out
    algorithm: Optional[str] = None        # this OID in place of the true one
    spoiled: bool = False                  # one bit of the signature is wrong
    type: str = "1.3.6.1.5.5.7.48.1.1"     # id-pkix-ocsp-basic

    def der(self, leaf: pki.Leaf, signer: Signer) -> bytes:
        key_hash = x509.SubjectKeyIdentifier.from_public_key(signer.cert.public_key()).digest
        data = sequence(
            b"" if self.version is None else explicit(0, integer(self.version)),
            explicit(1, signer.cert.subject.public_bytes()) if self.by == "name" else explicit(2, octets(key_hash)),
            moment(self.produced), sequence(*(single.der(leaf) for single in self.singles)),
            explicit(1, sequence(*self.extensions)) if self.extensions else b"")
        algorithm, signature = _signed(signer.key, self.digest, data)
        if self.algorithm:
            algorithm = sequence(oid(self.algorithm))
        if self.spoiled:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        along = [cert.public_bytes(serialization.Encoding.DER) for cert in signer.along]
        basic = sequence(data, algorithm, tlv(0x03, b"\0", signature),
                         explicit(0, sequence(*along)) if along else b"")
        return sequence(enumerated(0), explicit(0, sequence(oid(self.type), octets(basic))))


def error(status: int) -> bytes:
    """An OCSPResponse without responseBytes."""
    return sequence(enumerated(status))
