# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Who signs the responses of the fault table: each by name, made when first asked for."""

from __future__ import annotations

import datetime
import functools

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import pki
from ocsp_der import Key, Signer


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(subject: str, key: Key, issuer: x509.Name, issuer_key: Key, *, begin: float = -1, end: float = 30,
                 eku: bool = True, nocheck: bool = True, ca: bool = False, non_repudiation: bool = False) -> x509.Certificate:
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


class Cast:
    """`cast["delegated"]` signs for certificates of `ca`; `stranger` is a CA that nobody trusts."""

    def __init__(self, ca: pki.Authority, stranger: pki.Authority) -> None:
        self.ca, self.stranger = ca, stranger

    @functools.lru_cache(maxsize=None)
    def __getitem__(self, name: str) -> Signer:
        make = getattr(self, "_" + name.replace("-", "_"))
        return make()

    def _one(self, key: Key, **options: object) -> Signer:
        cert = _certificate("OCSP signer", key, self.ca.cert.subject, self.ca.key, **options)
        return Signer(cert, key, (cert,))

    def _delegated(self) -> Signer:
        return self._one(pki.new_key("ec"))

    def _issuer(self) -> Signer:
        return Signer(self.ca.cert, self.ca.key, ())

    def _issuer_along(self) -> Signer:
        return Signer(self.ca.cert, self.ca.key, (self.ca.cert,))

    def _not_along(self) -> Signer:
        one = self["delegated"]
        return Signer(one.cert, one.key, ())

    def _another_along(self) -> Signer:
        one = self["delegated"]
        return Signer(one.cert, one.key, (one.cert, self.stranger.cert))

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
        return Signer(cert, key, (cert, self.stranger.cert))

    def _of_root(self) -> Signer:
        """Of the same tree, but not of the issuer itself."""
        key, root = pki.new_key("ec"), self.ca.top
        cert = _certificate("OCSP signer", key, root.cert.subject, root.key)
        return Signer(cert, key, (cert,))

    def _self_signed(self) -> Signer:
        key = pki.new_key("ec")
        cert = _certificate("OCSP signer", key, _name("OCSP signer"), key)
        return Signer(cert, key, (cert,))

    def _chain_of_two(self) -> Signer:
        between_key, key = pki.new_key("ec"), pki.new_key("ec")
        between = _certificate("Between", between_key, self.ca.cert.subject, self.ca.key, ca=True)
        cert = _certificate("OCSP signer", key, between.subject, between_key)
        return Signer(cert, key, (cert, between))

    def _rsa(self) -> Signer:
        return self._one(pki.new_key("rsa"))

    def _rsa1024(self) -> Signer:
        return self._one(rsa.generate_private_key(public_exponent=65537, key_size=1024))

    def _ed25519(self) -> Signer:
        return self._one(ed25519.Ed25519PrivateKey.generate())

    def _p384(self) -> Signer:
        return self._one(ec.generate_private_key(ec.SECP384R1()))
