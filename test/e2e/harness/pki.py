# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A throw-away PKI: roots, intermediates, delegated OCSP signers, server certificates, as objects and as files."""

from __future__ import annotations

import datetime
import functools
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional, Sequence, Union

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

Key = Union[ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey]

_serials = itertools.count(1)


CA_AGE = -365  # days


def now() -> datetime.datetime:
    """Naive UTC in whole seconds, as python-cryptography requires."""
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)


@functools.lru_cache(maxsize=None)
def _rsa_key(number: int) -> rsa.RSAPrivateKey:
    """RSA keys are slow to make, and no test needs a particular one."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def new_key(kind: str) -> Key:
    return _rsa_key(0) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())


def _pem(cert: x509.Certificate) -> str:
    return cert.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: Key) -> str:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                             serialization.NoEncryption()).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"),
                      x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def respelt(name: x509.Name) -> x509.Name:
    """The same name by RFC 5280 section 7.1, as PrintableString in place of UTF8String."""
    return x509.Name([x509.NameAttribute(one.oid, one.value, _type=_ASN1Type.PrintableString) for one in name])


def _key_usage(*wanted: str) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in wanted for name in names})


@dataclass
class Leaf:
    """A server certificate and its files."""

    cert: x509.Certificate
    key: Key
    issuer: "Authority"
    cert_file: Path       # the certificate alone
    key_file: Path
    fullchain_file: Path  # the certificate, then the intermediates

    @property
    def serial(self) -> int:
        return self.cert.serial_number

    @property
    def sha1(self) -> str:
        """The fingerprint, as `openssl x509 -fingerprint -sha1` prints it, without colons."""
        return self.cert.fingerprint(hashes.SHA1()).hex().upper()

    @property
    def serial_hex(self) -> str:
        """As `openssl x509 -serial` prints it: whole bytes, upper case."""
        digits = f"{self.serial:X}"
        return digits if len(digits) % 2 == 0 else "0" + digits


@dataclass
class Authority:
    """A CA, and the factory of everything below it. `parent` is None for a root."""

    folder: Path
    cert: x509.Certificate
    key: Key
    parent: Optional["Authority"]
    leaves: dict[int, Leaf] = field(default_factory=dict)
    _signers: dict[str, tuple[x509.Certificate, Key]] = field(default_factory=dict)

    @classmethod
    def root(cls, folder: Path, common_name: str) -> "Authority":
        folder.mkdir(parents=True, exist_ok=True)
        key = new_key("ec")
        cert = _certificate(_name(common_name), key.public_key(), _name(common_name), key, days=3650, delay=CA_AGE, ca=True)
        return cls(folder, cert, key, None)._written()

    def intermediate(self, common_name: str) -> "Authority":
        key = new_key("ec")
        cert = _certificate(_name(common_name), key.public_key(), self.cert.subject, self.key, days=1800, delay=CA_AGE,
                            ca=True, issuer_key=self.cert.public_key())
        return Authority(self.folder, cert, key, self)._written()

    def _written(self) -> "Authority":
        self.cert_file.write_text(_pem(self.cert))
        return self

    @property
    def cert_file(self) -> Path:
        return self.folder / f"ca-{self.cert.serial_number:x}.pem"

    @property
    def top(self) -> "Authority":
        return self.parent.top if self.parent else self

    def leaf(self, host: str, *, url: Union[None, str, Sequence[Union[str, x509.GeneralName]]] = None, key: str = "ec",
             must_staple: bool = False, days: float = 60, delay: float = 0, common_name: Optional[str] = None,
             serial: Optional[int] = None, issuer_name: Optional[x509.Name] = None, key_ids: bool = True,
             usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH) -> Leaf:
        """A server certificate for `host`, naming the responder or responders at `url` (None: none). Valid for so many
        days, since an hour ago or, with a delay, so many days later. `common_name`: not the host's; "": it has no
        subject. `issuer_name`: how it writes the issuer's name."""
        private = new_key(key)
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.SubjectAlternativeName([x509.DNSName(host)]), False),
            (_key_usage("digital_signature"), True),
            (x509.ExtendedKeyUsage([usage]), False),
        ]
        if url is not None:
            extensions.append((x509.AuthorityInformationAccess([
                x509.AccessDescription(AuthorityInformationAccessOID.OCSP,
                                       x509.UniformResourceIdentifier(one) if isinstance(one, str) else one)
                for one in ([url] if isinstance(url, str) else url)]), False))
        if must_staple:
            extensions.append((x509.TLSFeature([x509.TLSFeatureType.status_request]), False))
        subject = x509.Name([]) if common_name == "" else _name(common_name or host)
        cert = _certificate(subject, private.public_key(), issuer_name or self.cert.subject,
                            self.key, days=days, delay=delay, issuer_key=self.cert.public_key(), extensions=extensions,
                            serial=serial,
                            key_ids=key_ids)
        stem = self.folder / f"leaf-{next(_serials)}"
        leaf = Leaf(cert, private, self, stem.with_suffix(".cert.pem"), stem.with_suffix(".key.pem"),
                    stem.with_suffix(".fullchain.pem"))
        leaf.cert_file.write_text(_pem(cert))
        leaf.key_file.write_text(_key_pem(private))
        leaf.fullchain_file.write_text(_pem(cert) + self.chain_pem())
        self.leaves[leaf.serial] = leaf
        return leaf

    def client(self, name: str, **options) -> Leaf:
        """A client certificate."""
        return self.leaf(name, usage=ExtendedKeyUsageOID.CLIENT_AUTH, **options)

    def chain_pem(self) -> str:
        """This CA and those above it, without the root."""
        return "" if self.parent is None else _pem(self.cert) + self.parent.chain_pem()

    def signer(self, key: str = "ec") -> tuple[x509.Certificate, Key]:
        """The delegated OCSP signer: issued by this CA, with id-kp-OCSPSigning. One for each kind of key."""
        if key not in self._signers:
            private = new_key(key)
            cert = _certificate(_name("OCSP signer"), private.public_key(), self.cert.subject, self.key, days=60,
                                issuer_key=self.cert.public_key(),
                                extensions=[(_key_usage("digital_signature"), True),
                                            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
                                            (x509.OCSPNoCheck(), False)])
            self._signers[key] = (cert, private)
            for path, text in zip(self.signer_files(key), (_pem(cert), _key_pem(private))):
                path.write_text(text)
        return self._signers[key]

    def signer_files(self, key: str = "ec") -> tuple[Path, Path]:
        stem = f"signer-{key}-{self.cert.serial_number:x}"
        return self.folder / f"{stem}.cert.pem", self.folder / f"{stem}.key.pem"

    def write_index(self, path: Path, revoked: frozenset[int] = frozenset()) -> None:
        """The database of `openssl ocsp -index`: every certificate issued so far."""
        lines = []
        for leaf in self.leaves.values():
            end = leaf.cert.not_valid_after.strftime("%y%m%d%H%M%SZ")
            since = now().strftime("%y%m%d%H%M%SZ") if leaf.serial in revoked else ""
            state = "R" if leaf.serial in revoked else "V"
            lines.append(f"{state}\t{end}\t{since}\t{leaf.serial_hex}\tunknown\t/CN={leaf.serial_hex}\n")
        path.write_text("".join(lines))


def _certificate(subject: x509.Name, public_key, issuer: x509.Name, signing_key: Key, *, days: float,
                 delay: float = 0, ca: bool = False, issuer_key=None,
                 extensions: list[tuple[x509.ExtensionType, bool]] = [],
                 serial: Optional[int] = None, key_ids: bool = True) -> x509.Certificate:
    begin = now() + datetime.timedelta(hours=-1, days=delay)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
               .serial_number(serial or x509.random_serial_number()).not_valid_before(begin)
               .not_valid_after(begin + datetime.timedelta(days=days))
               .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
    if key_ids:
        builder = (builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key or public_key),
                                  critical=False))
    if ca:
        builder = builder.add_extension(_key_usage("digital_signature", "key_cert_sign", "crl_sign"), critical=True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signing_key, hashes.SHA256())


def response(leaf: Leaf, *, begins: float = -60, ends: float = 86400, signer: Optional[Authority] = None,
             status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
             extra: tuple[x509.Certificate, ...] = ()) -> bytes:
    """A response as the responder of `leaf` sends it, or as `signer` forges it, with `extra` certificates that it does
    not need. Times are seconds from now."""
    begin, end = (now() + datetime.timedelta(seconds=seconds) for seconds in (begins, ends))
    cert, key = (signer or leaf.issuer).signer()
    is_revoked = status is ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf.cert, issuer=leaf.issuer.cert, algorithm=hashes.SHA1(), cert_status=status, this_update=begin,
        next_update=end, revocation_time=begin if is_revoked else None,
        revocation_reason=x509.ReasonFlags.key_compromise if is_revoked else None)
    return builder.responder_id(ocsp.OCSPResponderEncoding.HASH, cert).certificates([cert, *extra]).sign(
        key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _seconds(when: datetime.datetime) -> float:
    return when.replace(tzinfo=datetime.timezone.utc).timestamp()


def this_update_of(der: bytes) -> float:
    return _seconds(ocsp.load_der_ocsp_response(der).this_update)


def next_update_of(der: bytes) -> float:
    return _seconds(ocsp.load_der_ocsp_response(der).next_update)
