# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""OCSP responses with faults: a BasicOCSPResponse written field by field, and signed.

python-cryptography builds only correct responses; these are wrong on purpose, in exactly one place each.
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


def extension(dotted: str, value: bytes, critical: Optional[bool] = None) -> bytes:
    """`critical`: None leaves it out, as DER has it for FALSE."""
    flag = b"" if critical is None else tlv(0x01, b"\xff" if critical else b"\0")
    return sequence(oid(dotted), flag, octets(value))


# ---- the parts of a response -----------------------------------------------------------------------------------------

HASHES = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2",
          "sha512": "2.16.840.1.101.3.4.2.3", "md5": "1.2.840.113549.2.5"}
NULL = tlv(0x05)
OID_OF_64_BITS = f"1.3.6.1.4.1.{2 ** 64 - 1}"
BASIC = "1.3.6.1.5.5.7.48.1.1"             # id-pkix-ocsp-basic


def algorithm(digest: str, parameters: bytes = NULL) -> bytes:
    """AlgorithmIdentifier of a hash."""
    return sequence(oid(HASHES[digest]), parameters)


def _key_bits(key) -> bytes:
    """The content of the BIT STRING of a SubjectPublicKeyInfo."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def key_hash(key: Key) -> bytes:
    """SHA-1 of the public key, as in a responder id by key."""
    return hashlib.sha1(_key_bits(key.public_key())).digest()


@dataclass(frozen=True)
class Single:
    """One SingleResponse, by default about the certificate in the request. Times are seconds from now."""

    status: str = "good"                   # good, revoked, unknown
    this: float = -60
    next: Optional[float] = 86400
    reason: Optional[int] = None           # of a revocation
    hash: str = "sha1"
    parameters: bytes = NULL               # of the hash in the CertID
    serial: Optional[int] = None           # another certificate's
    name: Optional[x509.Name] = None       # another issuer's
    key: object = None                     # another issuer's
    extensions: tuple[bytes, ...] = ()
    fraction: str = ""                     # of the seconds of thisUpdate

    def der(self, leaf: pki.Leaf) -> bytes:
        def digest(data: bytes) -> bytes:
            return hashlib.new(self.hash, data).digest()
        cert_id = sequence(algorithm(self.hash, self.parameters),
                           octets(digest((self.name or leaf.cert.issuer).public_bytes())),
                           octets(digest(_key_bits(self.key or leaf.issuer.cert.public_key()))),
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
    """Who signs, and the certificates in the response, as DER."""

    subject: x509.Name
    key: Key
    along: tuple[bytes, ...]


@dataclass(frozen=True)
class Pss:
    """RSASSA-PSS, by default as all clients accept it."""

    hash: str = "sha256"
    salt: int = 32
    null: bool = True                      # parameters of both hashes written as NULL
    written: bool = True                   # any parameters at all

    def sign(self, key: rsa.RSAPrivateKey, data: bytes) -> tuple[bytes, bytes]:
        digest = _DIGESTS[self.hash]
        signature = key.sign(data, padding.PSS(padding.MGF1(digest()), self.salt), digest())
        one = algorithm(self.hash, NULL if self.null else b"")
        parameters = sequence(explicit(0, one), explicit(1, sequence(oid("1.2.840.113549.1.1.8"), one)),
                              explicit(2, integer(self.salt)))
        return sequence(oid("1.2.840.113549.1.1.10"), parameters if self.written else b""), signature


_SIGNATURES = {
    ("ec", "sha256"): "1.2.840.10045.4.3.2", ("ec", "sha1"): "1.2.840.10045.4.1",
    ("ec", "sha224"): "1.2.840.10045.4.3.1", ("rsa", "sha3-256"): "2.16.840.1.101.3.4.3.14",
    ("rsa", "sha256"): "1.2.840.113549.1.1.11", ("rsa", "sha1"): "1.2.840.113549.1.1.5",
    ("rsa", "md5"): "1.2.840.113549.1.1.4", ("ed25519", "sha256"): "1.3.101.112",
}
_DIGESTS = {"md5": hashes.MD5, "sha1": hashes.SHA1, "sha224": hashes.SHA224, "sha256": hashes.SHA256,
            "sha384": hashes.SHA384, "sha512": hashes.SHA512, "sha3-256": hashes.SHA3_256}


def signed(key: Key, digest: str, data: bytes) -> tuple[bytes, bytes]:
    """AlgorithmIdentifier and signature."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        kind, null, signature = "ec", b"", key.sign(data, ec.ECDSA(_DIGESTS[digest]()))
    elif isinstance(key, rsa.RSAPrivateKey):
        kind, null, signature = "rsa", NULL, key.sign(data, padding.PKCS1v15(), _DIGESTS[digest]())
    else:
        kind, null, signature = "ed25519", b"", key.sign(data)
    return sequence(oid(_SIGNATURES[kind, digest]), null), signature


@dataclass(frozen=True)
class Answer:
    """One BasicOCSPResponse, correct by default."""

    singles: tuple[Single, ...] = (Single(),)
    signer: str = "delegated"              # one of fault_cast.Cast's
    by: str = "key"                        # the responder id: key; name; respelt: the name in another string type
    digest: str = "sha256"                 # of the signature
    pss: Optional[Pss] = None
    produced: float = -30
    extensions: tuple[bytes, ...] = ()
    version: Optional[int] = None          # written out
    algorithm: Optional[str] = None        # this OID in place of the correct one
    spoiled: bool = False                  # one bit of the signature is wrong
    type: str = BASIC

    def der(self, leaf: pki.Leaf, signer: Signer) -> bytes:
        data = sequence(
            b"" if self.version is None else explicit(0, integer(self.version)), self._responder_id(signer),
            moment(self.produced), sequence(*(single.der(leaf) for single in self.singles)),
            explicit(1, sequence(*self.extensions)) if self.extensions else b"")
        identifier, signature = self.pss.sign(signer.key, data) if self.pss else signed(signer.key, self.digest, data)
        if self.algorithm:
            identifier = sequence(oid(self.algorithm))
        if self.spoiled:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        basic = sequence(data, identifier, tlv(0x03, b"\0", signature),
                         explicit(0, sequence(*signer.along)) if signer.along else b"")
        return sequence(enumerated(0), explicit(0, sequence(oid(self.type), octets(basic))))

    def _responder_id(self, signer: Signer) -> bytes:
        if self.by == "key":
            return explicit(2, octets(key_hash(signer.key)))
        name = pki.respelt(signer.subject) if self.by == "respelt" else signer.subject
        return explicit(1, name.public_bytes())


def error(status: int) -> bytes:
    """An OCSPResponse without responseBytes."""
    return sequence(enumerated(status))
