# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The fault table itself: what a responder does wrong, and the verdict that the module must come to.

What clients get follows from the verdict by one rule, outcome(), which is the table "what is stapled" of
ARCHITECTURE.md. A row is one of four kinds: `Body` (bytes of a response, also shown to OpenSSL and GnuTLS), `Talk`
(what is said over HTTP), `Port` (what the port does), `Hosts` (what the name of the responder leads to).
"""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass, replace
from typing import Callable, Optional

import pki
from fault_cast import Cast
from ocsp_der import Answer, Single, enumerated, error, explicit, extension, moment, octets, sequence
from responders import Exchange

# ---- what a verdict means for clients --------------------------------------------------------------------------------

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


# ---- kinds of rows ---------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Row:
    name: str
    verdict: str
    warm_verdict: Optional[str] = None          # where it differs: a good response is held


@dataclass(frozen=True)
class Body(Row):
    """The bytes of a response, sent as they should be."""

    answer: Answer = Answer()
    raw: Optional[Callable[[bytes], bytes]] = None  # from the answer's bytes to what is sent
    subject: Optional[Callable[[Cast, pki.Leaf], Answer]] = None

    def der(self, cast: Cast, leaf: pki.Leaf) -> bytes:
        answer = self.subject(cast, leaf) if self.subject else self.answer
        der = answer.der(leaf, cast[answer.signer])
        return self.raw(der) if self.raw else der


@dataclass(frozen=True)
class Talk(Row):
    """Gets a right response's bytes and the connection."""

    script: Callable[[Exchange, bytes], None] = lambda exchange, body: None


@dataclass(frozen=True)
class Port(Row):
    """refused, reset: at once; no-accept: nobody takes the connection; no-syn: nobody even acknowledges it."""

    mode: str = "refused"


@dataclass(frozen=True)
class Hosts(Row):
    """`addresses`: what the responder's name leads to: dead4, alive4, dead6, alive6, silent6, fail, hang."""

    addresses: tuple[str, ...] = ()


# ---- HTTP ------------------------------------------------------------------------------------------------------------

def reset(connection: socket.socket) -> None:
    """RST instead of FIN, at once."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


def then_reset(exchange: Exchange) -> None:
    reset(exchange.handler.connection)


def wait_for_the_other_side(exchange: Exchange) -> None:
    """Until the client has closed, or the handler's own time-out."""
    exchange.handler.connection.settimeout(30)
    while exchange.handler.connection.recv(1024):
        pass


def head(length: object = None, *headers: str, status: str = "200 OK",
         kind: str = "application/ocsp-response") -> bytes:
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {kind}"] if kind else []),
             *([f"Content-Length: {length}"] if length is not None else []), *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def say(*parts: Callable[[bytes], bytes], then: Callable[[Exchange], None] = lambda exchange: None):
    """Write each part, made of the body; then do `then`."""
    def script(exchange: Exchange, body: bytes) -> None:
        for part in parts:
            exchange.raw(part(body))
        then(exchange)
    return script


def whole(*headers: str, **options: str):
    """The body with a right length, under these headers."""
    return say(lambda body: head(len(body), *headers, **options) + body)


def page(status: str, *headers: str):
    return say(lambda body: head(4, *headers, status=status, kind="text/html") + b"no.\n")


def chunks(body: bytes, last: bytes = b"0\r\n\r\n") -> bytes:
    parts = [body[at:at + 100] for at in range(0, len(body), 100)]
    return head(None, "Transfer-Encoding: chunked") + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + last


def drip(exchange: Exchange, body: bytes) -> None:
    """One byte a second, for as long as anybody listens."""
    for byte in head(len(body)) + body:
        exchange.raw(bytes([byte]))
        exchange.handler.connection.settimeout(1)
        try:
            if not exchange.handler.connection.recv(1):
                return
        except socket.timeout:
            pass


def endless(exchange: Exchange, body: bytes) -> None:
    exchange.raw(head() + b"\x30\x84\x7f\xff\xff\xff")
    while True:
        exchange.raw(bytes(4096))


def looped(exchange: Exchange, body: bytes) -> None:
    page("301 Moved Permanently", f"Location: {exchange.handler.path}")(exchange, body)


def keep_alive(exchange: Exchange, body: bytes) -> None:
    """The connection stays open, and the next request on it, whoever's it is, is answered too."""
    exchange.raw(head(len(body), "Connection: keep-alive") + body)
    exchange.handler.close_connection = False


NETWORK = (
    Port("port-refused", "connect-failed", mode="refused"),
    Port("port-reset", "connection-lost", mode="reset"),
    Port("port-no-accept", "timed-out", mode="no-accept"),
    Port("port-no-syn", "timed-out", mode="no-syn"),
    Talk("close-after-request", "connection-lost"),
    Talk("close-in-head", "connection-lost", script=say(lambda body: head(len(body))[:30])),
    Talk("close-in-body", "connection-lost", script=say(lambda body: head(len(body)) + body[:-100])),
    Talk("reset-after-request", "connection-lost", script=say(then=then_reset)),
    Talk("reset-in-head", "connection-lost", script=say(lambda body: head(len(body))[:30], then=then_reset)),
    Talk("reset-in-body", "connection-lost", script=say(lambda body: head(len(body)) + body[:-100], then=then_reset)),
    Talk("hang-after-request", "timed-out", script=say(then=wait_for_the_other_side)),
    Talk("hang-in-head", "timed-out", script=say(lambda body: head(len(body))[:30], then=wait_for_the_other_side)),
    Talk("hang-in-body", "timed-out",
         script=say(lambda body: head(len(body)) + body[:-100], then=wait_for_the_other_side)),
    Talk("one-byte-a-second", "timed-out", script=drip),
    Hosts("name-fails", "name-lookup-failed", addresses=("fail",)),
    Hosts("name-hangs", "name-lookup-failed", addresses=("hang",)),
    Hosts("ipv6-refuses-ipv4-answers", "good", addresses=("dead6", "alive4")),
    Hosts("ipv4-refuses-ipv6-answers", "good", addresses=("dead4", "alive6")),
    Hosts("ipv6-silent-ipv4-answers", "good", addresses=("silent6", "alive4")),
    Hosts("all-addresses-refuse", "connect-failed", addresses=("dead6", "dead4")),
)

HTTP = (
    Talk("redirect-301-loop", "http-redirect", script=looped),
    Talk("redirect-302-other-host", "http-redirect", script=page("302 Found", "Location: http://192.0.2.1/ocsp")),
    Talk("redirect-307-https", "http-redirect", script=page("307 Temporary", "Location: https://127.0.0.1/ocsp")),
    Talk("redirect-308-file", "http-redirect", script=page("308 Permanent", "Location: file:///etc/passwd")),
    Talk("redirect-to-nowhere", "http-status", script=page("302 Found")),
    Talk("status-400", "http-status", script=page("400 Bad Request")),
    Talk("status-403", "http-status", script=page("403 Forbidden")),
    Talk("status-404", "http-status", script=page("404 Not Found")),
    Talk("status-429-retry-after", "http-status", script=page("429 Too Many Requests", "Retry-After: 1")),
    Talk("status-500", "http-status", script=page("500 Internal Server Error")),
    Talk("status-503-retry-after", "http-status", script=page("503 Service Unavailable", "Retry-After: 86400")),
    Talk("status-500-with-a-response", "http-status", script=whole(status="500 Internal Server Error")),
    Talk("type-html", "content-type", script=whole(kind="text/html")),
    Talk("type-octet-stream", "content-type", script=whole(kind="application/octet-stream")),
    Talk("type-with-parameters", "good", script=whole(kind="Application/OCSP-Response; charset=binary")),
    Talk("type-missing", "good", script=whole(kind="")),
    Talk("length-missing", "good", script=say(lambda body: head() + body)),
    Talk("length-too-short", "not-der", script=say(lambda body: head(len(body) - 10) + body)),
    Talk("length-too-long", "not-der", script=say(lambda body: head(len(body) + 10) + body)),
    Talk("length-no-number", "http-malformed", script=say(lambda body: head("many") + body)),
    Talk("length-twice", "http-malformed",
         script=say(lambda body: head(len(body), f"Content-Length: {len(body) - 1}") + body)),
    Talk("chunked", "good", script=say(chunks)),
    Talk("chunked-cut", "connection-lost", script=say(lambda body: chunks(body, b""))),
    Talk("chunked-and-length", "http-malformed",
         script=say(lambda body: head(len(body), "Transfer-Encoding: chunked") + body)),
    Talk("kept-alive", "good", script=keep_alive),
    Talk("kept-alive-without-length", "good", script=say(lambda body: head() + body, then=wait_for_the_other_side)),
    Talk("gzip", "content-type", script=whole("Content-Encoding: gzip")),
    Talk("body-empty", "not-der", script=say(lambda body: head(0))),
    Talk("body-one-byte", "not-der", script=say(lambda body: head(1) + b"\x30")),
    Talk("body-1-mb", "too-large",
         script=say(lambda body: head(1 << 20) + b"\x30\x83\x0f\xff\xfb" + bytes((1 << 20) - 5))),
    Talk("body-endless", "too-large", script=endless),
    Talk("html-as-a-response", "not-der", script=say(lambda body: head(29) + b"<html><body>Log in</body></h>")),
    Talk("not-http", "http-malformed", script=say(lambda body: b"SSH-2.0-OpenSSH_9.2\r\n")),
    Talk("no-head", "http-malformed", script=say(lambda body: body)),
)

# ---- OCSP ------------------------------------------------------------------------------------------------------------

NONCE = extension("1.3.6.1.5.5.7.48.1.2", octets(bytes(16)))
ARCHIVE_CUTOFF = extension("1.3.6.1.5.5.7.48.1.6", moment(-86400 * 365))
UNKNOWN_CRITICAL = extension("1.2.3.4.5", octets(b"?"), critical=True)
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


def _signed_by(signer: str, verdict: str) -> Body:
    return Body(f"signer-{signer}", verdict, answer=Answer(signer=signer))


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
    Body("certid-sha256", "good", answer=Answer((Single(hash="sha256"),))),
    Body("certid-md5", "not-ours", answer=Answer((Single(hash="md5"),))),
    Body("good-by-sha1-revoked-by-sha256", "revoked", answer=Answer((GOOD, Single("revoked", hash="sha256")))),
    Body("nonce", "good", answer=Answer(extensions=(NONCE,))),
    Body("by-name", "good", answer=Answer(by="name")),
    Body("by-key", "good", answer=Answer(by="key")),
    Body("archive-cutoff", "good", answer=Answer((Single(extensions=(ARCHIVE_CUTOFF,)),))),
    Body("critical-extension", "critical-extension", answer=Answer(extensions=(UNKNOWN_CRITICAL,))),
    Body("critical-extension-of-single", "critical-extension",
         answer=Answer((Single(extensions=(UNKNOWN_CRITICAL,)),))),
    Body("unknown", "unknown", answer=Answer((Single("unknown"),))),
    Body("unknown-by-stranger", "signer-refused", answer=Answer((Single("unknown"),), signer="of-other-ca")),
    *_reasons(),
    Body("revoked-by-stranger", "signer-refused", answer=Answer((Single("revoked"),), signer="of-other-ca")),
)

SIGNERS = (
    _signed_by("issuer", "good"),
    _signed_by("issuer-along", "good"),
    _signed_by("not-along", "signer-missing"),
    _signed_by("another-along", "good"),
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
    _signed_by("rsa", "good"),
    _signed_by("p384", "good"),
    _signed_by("ed25519", "signature-weak"),
    _signed_by("rsa1024", "signature-weak"),
    Body("signature-sha1", "signature-weak", answer=Answer(signer="rsa", digest="sha1")),
    Body("signature-ecdsa-sha224", "signature-weak", answer=Answer(digest="sha224")),
    Body("signature-md5", "signature-weak", answer=Answer(signer="rsa", digest="md5")),
    Body("signature-ecdsa-sha1", "signature-weak", answer=Answer(digest="sha1")),
    Body("signature-ml-dsa", "signature-bad", answer=Answer(algorithm="2.16.840.1.101.3.4.3.17")),
    Body("signature-spoiled", "signature-bad", answer=Answer(spoiled=True)),
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

OCSP = (*STATUS, *SINGLES, *SIGNERS, *TIMES)
ROWS: tuple[Row, ...] = (*NETWORK, *HTTP, *OCSP)
assert len({row.name for row in ROWS}) == len(ROWS)
