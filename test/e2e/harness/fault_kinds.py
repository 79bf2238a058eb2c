# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The kinds of rows of the fault table, and what clients get (outcome(), the table of what is sent in ARCHITECTURE.md).

A row is what is wrong, and the verdict that the module must reach. `Body`: bytes of a response, which OpenSSL and
GnuTLS judge too. `Talk`: how they are sent over HTTP. `Port`: what the port does. `Hosts`: the addresses of the
responder's name. `Url`: how the certificate writes the responder's URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional, Sequence, Union

from cryptography import x509

import pki
from fault_cast import Cast
from ocsp_der import Answer
from responders import Exchange

Urls = Union[str, Sequence[Union[str, x509.GeneralName]]]

ERRORS = {"malformed-request": "malformedrequest", "internal-error": "internalerror", "try-later": "trylater",
          "signature-required": "sigrequired", "unauthorized": "unauthorized", "undefined-status": "undefined",
          "unknown": "unknown"}
SILENT = ("url-unusable", "name-lookup-failed", "connect-failed", "timed-out", "connection-lost", "http-status",
          "http-redirect", "http-malformed")


@dataclass(frozen=True)
class Outcome:
    """What a client gets: with nothing cached and SSLStaplingReturnResponderErrors at its default; with nothing cached
    and that On; with a good response cached."""

    cold: Optional[str]
    cold_on: Optional[str]
    warm: Optional[str]


def outcome(verdict: str) -> Outcome:
    if verdict in ("good", "revoked"):
        return Outcome(verdict, verdict, verdict)
    if verdict in ERRORS:
        return Outcome(None, ERRORS[verdict], "good")
    return Outcome(None, "trylater" if verdict in SILENT else None, "good")


@dataclass(frozen=True)
class Row:
    name: str
    verdict: str
    warm_verdict: Optional[str] = None          # where it differs: a good response is stored


@dataclass(frozen=True)
class Body(Row):
    """The bytes of a response, sent correctly."""

    answer: Answer = Answer()
    raw: Optional[Callable[[bytes], bytes]] = None  # from the answer's bytes to what is sent
    subject: Optional[Callable[[Cast, pki.Leaf], Answer]] = None
    respelt_issuer: bool = False                # the certificate writes its issuer's name in another string type
    is_trimmed: bool = False                    # what is stapled is not what is sent

    def der(self, cast: Cast, leaf: pki.Leaf) -> bytes:
        answer = self.subject(cast, leaf) if self.subject else self.answer
        der = answer.der(leaf, cast[answer.signer])
        return self.raw(der) if self.raw else der


@dataclass(frozen=True)
class Talk(Row):
    """Gets the bytes of a correct response and the connection."""

    script: Callable[[Exchange, bytes], None] = lambda exchange, body: None
    is_alone: bool = False                      # with its own responder: the module remembers what worked with one


@dataclass(frozen=True)
class Port(Row):
    """refused, reset: immediately; no-accept: the connection is never accepted; no-syn: its SYN is never answered."""

    mode: str = "refused"


@dataclass(frozen=True)
class Hosts(Row):
    """`addresses`: what the responder's name resolves to: dead4, alive4, dead6, alive6, silent6, fail, hang."""

    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Url(Row):
    """A correct response. `written`: from the responder's URL to what the certificate names."""

    written: Callable[[str], Urls] = lambda url: url
