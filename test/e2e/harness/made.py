# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""OCSP responses made without a responder."""

from __future__ import annotations

import datetime
from typing import Optional

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

import pki

GOOD, REVOKED = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED


def response(leaf: pki.Leaf, signer: Optional[pki.Authority] = None, this_update: float = -60,
             next_update: float = 86400, status: ocsp.OCSPCertStatus = GOOD) -> bytes:
    """A response as the responder of `leaf` sends it, or as `signer` forges it. Times are seconds from now."""
    now = pki.now()
    begin = now + datetime.timedelta(seconds=this_update)
    cert, key = (signer or leaf.issuer).signer()
    is_revoked = status is REVOKED
    return (ocsp.OCSPResponseBuilder()
            .add_response(cert=leaf.cert, issuer=leaf.issuer.cert, algorithm=hashes.SHA1(), cert_status=status,
                          this_update=begin, next_update=now + datetime.timedelta(seconds=next_update),
                          revocation_time=begin if is_revoked else None,
                          revocation_reason=x509.ReasonFlags.key_compromise if is_revoked else None)
            .responder_id(ocsp.OCSPResponderEncoding.HASH, cert).certificates([cert])
            .sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


def _seconds(when: datetime.datetime) -> float:
    return when.replace(tzinfo=datetime.timezone.utc).timestamp()


def this_update_of(der: bytes) -> float:
    return _seconds(ocsp.load_der_ocsp_response(der).this_update)


def next_update_of(der: bytes) -> float:
    return _seconds(ocsp.load_der_ocsp_response(der).next_update)
