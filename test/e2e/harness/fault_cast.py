# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The signers of the fault table's responses: each by name, made at its first use."""

from __future__ import annotations

import datetime
import functools
from typing import Optional

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import pki
from ocsp_der import (NULL, OID_OF_64_BITS, Key, Signer, explicit, extension, integer, key_hash, octets, oid, sequence,
                      signed, tlv)

BY_HAND = "By hand"
OCSP_SIGNING = "2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.9"))
SUBJECT_KEY_ID, SUBJECT_ALT_NAME = "2.5.29.14", "2.5.29.17"


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(subject: str, key: Key, issuer: x509.Name, issuer_key: Key, *, begin: float = -1, end: float = 30,
                 eku: bool = True, nocheck: bool = True, ca: bool = False,
                 non_repudiation: bool = False) -> x509.Certificate:
    """`begin` and `end` are days from now."""
    builder = (x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(issuer).public_key(key.public_key())
               .serial_number(x509.random_serial_number())
               .not_valid_before(pki.now() + datetime.timedelta(days=begin))
               .not_valid_after(pki.now() + datetime.timedelta(days=end))
               .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
                              critical=False))
    if eku:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
    if non_repudiation:
        builder = builder.add_extension(x509.KeyUsage(False, True, *[False] * 7), critical=True)
    if nocheck and eku:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _der(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.DER)


def _utc_time(days: float) -> bytes:
    return tlv(0x17, f"{pki.now() + datetime.timedelta(days=days):%y%m%d%H%M%SZ}".encode())


def _by_hand(key: Key, issuer: x509.Name, issuer_key: Key, *extensions: bytes, ends: Optional[bytes] = None) -> bytes:
    """A certificate that python-cryptography would not make."""
    algorithm, _ = signed(issuer_key, "sha256", b"")
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    data = sequence(explicit(0, integer(2)), integer(x509.random_serial_number()), algorithm, issuer.public_bytes(),
                    sequence(_utc_time(-1), ends or _utc_time(30)), _name(BY_HAND).public_bytes(), spki,
                    explicit(3, sequence(*extensions)))
    algorithm, signature = signed(issuer_key, "sha256", data)
    return sequence(data, algorithm, tlv(0x03, b"\0", signature))


def _signer(key: Key, *along: x509.Certificate) -> Signer:
    """The first of the certificates is the signer's."""
    return Signer(along[0].subject, key, tuple(_der(cert) for cert in along))


class Cast:
    """`cast["delegated"]` signs for certificates of `ca`; no client trusts the CA `stranger`."""

    def __init__(self, ca: pki.Authority, stranger: pki.Authority) -> None:
        self.ca, self.stranger = ca, stranger

    @functools.lru_cache(maxsize=None)
    def __getitem__(self, name: str) -> Signer:
        make = getattr(self, "_" + name.replace("-", "_"))
        return make()

    def _one(self, key: Key, **options: object) -> Signer:
        return _signer(key, _certificate("OCSP signer", key, self.ca.cert.subject, self.ca.key, **options))

    def _delegated(self) -> Signer:
        return self._one(pki.new_key("ec"))

    def _issuer(self) -> Signer:
        return Signer(self.ca.cert.subject, self.ca.key, ())

    def _issuer_along(self) -> Signer:
        return _signer(self.ca.key, self.ca.cert)

    def _not_along(self) -> Signer:
        one = self["delegated"]
        return Signer(one.subject, one.key, ())

    def _another_along(self) -> Signer:
        one = self["delegated"]
        return Signer(one.subject, one.key, (*one.along, _der(self.stranger.cert)))

    def _non_repudiation(self) -> Signer:
        return self._one(pki.new_key("ec"), non_repudiation=True)

    def _without_eku(self) -> Signer:
        return self._one(pki.new_key("ec"), eku=False)

    def _without_nocheck(self) -> Signer:
        return self._one(pki.new_key("ec"), nocheck=False)

    def _expired(self) -> Signer:
        return self._one(pki.new_key("ec"), begin=-30, end=-1)

    def _not_yet_valid(self) -> Signer:
        return self._one(pki.new_key("ec"), begin=1)

    def _is_ca(self) -> Signer:
        return self._one(pki.new_key("ec"), ca=True)

    def _of_other_ca(self) -> Signer:
        key = pki.new_key("ec")
        cert = _certificate("OCSP signer", key, self.stranger.cert.subject, self.stranger.key)
        return _signer(key, cert, self.stranger.cert)

    def _of_root(self) -> Signer:
        """Of the same tree, but not of the issuer itself."""
        key, root = pki.new_key("ec"), self.ca.top
        cert = _certificate("OCSP signer", key, root.cert.subject, root.key)
        return _signer(key, cert)

    def _self_signed(self) -> Signer:
        key = pki.new_key("ec")
        cert = _certificate("OCSP signer", key, _name("OCSP signer"), key)
        return _signer(key, cert)

    def _chain_of_two(self) -> Signer:
        between_key, key = pki.new_key("ec"), pki.new_key("ec")
        between = _certificate("Between", between_key, self.ca.cert.subject, self.ca.key, ca=True)
        cert = _certificate("OCSP signer", key, between.subject, between_key)
        return _signer(key, cert, between)

    def _rsa(self) -> Signer:
        return self._one(pki.new_key("rsa"))

    def _rsa1024(self) -> Signer:
        return self._one(rsa.generate_private_key(public_exponent=65537, key_size=1024))

    def _ed25519(self) -> Signer:
        return self._one(ed25519.Ed25519PrivateKey.generate())

    def _p384(self) -> Signer:
        return self._one(ec.generate_private_key(ec.SECP384R1()))

    def _p521(self) -> Signer:
        return self._one(ec.generate_private_key(ec.SECP521R1()))

    def _p224(self) -> Signer:
        return self._one(ec.generate_private_key(ec.SECP224R1()))

    def _brainpool(self) -> Signer:
        return self._one(ec.generate_private_key(ec.BrainpoolP256R1()))

    def _secp256k1(self) -> Signer:
        return self._one(ec.generate_private_key(ec.SECP256K1()))

    # -- encodings ---------------------------------------------------------------------------------------------------

    def _with_issuer_in_another_string_type(self) -> Signer:
        key = pki.new_key("ec")
        name = pki.respelt(self.ca.cert.subject)
        cert = _certificate("OCSP signer", key, name, self.ca.key)
        return _signer(key, cert)

    def _made_by_hand(self, *extensions: bytes) -> Signer:
        key = pki.new_key("ec")
        return Signer(_name(BY_HAND), key, (_by_hand(key, self.ca.cert.subject, self.ca.key, *extensions),))

    def _by_hand(self) -> Signer:
        """The control of those below."""
        return self._made_by_hand(extension(*OCSP_SIGNING))

    def _critical_false(self) -> Signer:
        """The default of `critical` written out."""
        return self._made_by_hand(extension(*OCSP_SIGNING, critical=False))

    def _with_an_extension_twice(self) -> Signer:
        return self._made_by_hand(extension(*OCSP_SIGNING), extension("1.2.3.4.5", NULL), extension("1.2.3.4.5", NULL))

    def _with_an_oid_of_64_bits(self) -> Signer:
        return self._made_by_hand(extension(*OCSP_SIGNING), extension(OID_OF_64_BITS, NULL))

    # -- certificates that anyone on the way can add, as the field is not signed --------------------------------------

    def _extra(self, *extensions: bytes, ends: Optional[bytes] = None) -> bytes:
        return _by_hand(pki.new_key("ec"), self.stranger.cert.subject, self.stranger.key, *extensions, ends=ends)

    def _along(self, extra: bytes, signer: str = "delegated") -> Signer:
        one = self[signer]
        return Signer(one.subject, one.key, (extra, *one.along))

    def _critical_along(self) -> Signer:
        return self._along(self._extra(extension("1.2.3.4.5", b"?", critical=True)))

    def _malformed_name_along(self) -> Signer:
        return self._along(self._extra(extension(SUBJECT_ALT_NAME, b"\x30\x05junk")))

    def _malformed_time_along(self) -> Signer:
        return self._along(self._extra(extension(SUBJECT_KEY_ID, octets(b"?")), ends=tlv(0x17, b"991399999999Z")))

    def _key_id_along(self) -> Signer:
        """GnuTLS looks for the signer by this identifier, and finds this certificate first."""
        return self._along(self._extra(extension(SUBJECT_KEY_ID, octets(key_hash(self["delegated"].key)))))

    def _issuer_and_critical_along(self) -> Signer:
        return self._along(self._extra(extension("1.2.3.4.5", b"?", critical=True)), "issuer")
