# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The rows of the fault table in which the network or HTTP is at fault."""

from __future__ import annotations

import os
import socket
import struct
from typing import Callable

from cryptography import x509
from cryptography.x509.oid import NameOID

import responders
from fault_kinds import Hosts, Port, Talk, Url
from ocsp_der import error
from responders import Exchange


def reset(connection: socket.socket) -> None:
    """RST instead of FIN, immediately."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


def then_reset(exchange: Exchange) -> None:
    reset(exchange.handler.connection)


def wait_for_the_client(exchange: Exchange) -> None:
    """Until it has closed the connection, or the handler's own time-out."""
    exchange.handler.connection.settimeout(30)
    while exchange.handler.connection.recv(1024):
        pass


def head(length: object = None, *headers: str, status: str = "200 OK",
         kind: str = "application/ocsp-response") -> bytes:
    lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {kind}"] if kind else []),
             *([f"Content-Length: {length}"] if length is not None else []), *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def send(*parts: Callable[[bytes], bytes], then: Callable[[Exchange], None] = lambda exchange: None):
    """Write each part, made from the body; then call `then`."""
    def script(exchange: Exchange, body: bytes) -> None:
        for part in parts:
            exchange.raw(part(body))
        then(exchange)
    return script


def whole(*headers: str, **options: str):
    """The body with its correct length, under these headers."""
    return send(lambda body: head(len(body), *headers, **options) + body)


def page(status: str, *headers: str):
    return send(lambda body: head(4, *headers, status=status, kind="text/html") + b"no.\n")


def chunks(body: bytes, last: bytes = b"0\r\n\r\n") -> bytes:
    parts = [body[at:at + 100] for at in range(0, len(body), 100)]
    return head(None, "Transfer-Encoding: chunked") + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + last


def drip(exchange: Exchange, body: bytes) -> None:
    """One byte a second, until the client closes the connection."""
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
    """The connection stays open; the next request on it, for any certificate, is answered too."""
    exchange.raw(head(len(body), "Connection: keep-alive") + body)
    exchange.handler.close_connection = False


NETWORK = (
    Port("port-refused", "connect-failed", mode="refused"),
    Port("port-reset", "connection-lost", mode="reset"),
    Port("port-no-accept", "timed-out", mode="no-accept"),
    Port("port-no-syn", "timed-out", mode="no-syn"),
    Talk("close-after-request", "connection-lost"),
    Talk("close-in-head", "connection-lost", script=send(lambda body: head(len(body))[:30])),
    Talk("close-in-body", "connection-lost", script=send(lambda body: head(len(body)) + body[:-100])),
    Talk("reset-after-request", "connection-lost", script=send(then=then_reset)),
    Talk("reset-in-head", "connection-lost", script=send(lambda body: head(len(body))[:30], then=then_reset)),
    Talk("reset-in-body", "connection-lost", script=send(lambda body: head(len(body)) + body[:-100], then=then_reset)),
    Talk("hang-after-request", "timed-out", script=send(then=wait_for_the_client)),
    Talk("hang-in-head", "timed-out", script=send(lambda body: head(len(body))[:30], then=wait_for_the_client)),
    Talk("hang-in-body", "timed-out",
         script=send(lambda body: head(len(body)) + body[:-100], then=wait_for_the_client)),
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
    Talk("length-missing", "good", script=send(lambda body: head() + body)),
    Talk("length-too-short", "not-der", script=send(lambda body: head(len(body) - 10) + body)),
    Talk("length-too-long", "not-der", script=send(lambda body: head(len(body) + 10) + body)),
    Talk("length-no-number", "http-malformed", script=send(lambda body: head("many") + body)),
    Talk("length-twice", "http-malformed",
         script=send(lambda body: head(len(body), f"Content-Length: {len(body) - 1}") + body)),
    Talk("chunked", "good", script=send(chunks)),
    Talk("chunked-cut", "connection-lost", script=send(lambda body: chunks(body, b""))),
    Talk("chunked-and-length", "http-malformed",
         script=send(lambda body: head(len(body), "Transfer-Encoding: chunked") + body)),
    Talk("kept-alive", "good", script=keep_alive),
    Talk("kept-alive-without-length", "good", script=send(lambda body: head() + body, then=wait_for_the_client)),
    Talk("gzip", "content-type", script=whole("Content-Encoding: gzip")),
    Talk("body-empty", "not-der", script=send(lambda body: head(0))),
    Talk("body-one-byte", "not-der", script=send(lambda body: head(1) + b"\x30")),
    Talk("body-1-mb", "too-large",
         script=send(lambda body: head(1 << 20) + b"\x30\x83\x0f\xff\xfb" + bytes((1 << 20) - 5))),
    Talk("body-endless", "too-large", script=endless),
    Talk("html-as-a-response", "not-der", script=send(lambda body: head(29) + b"<html><body>Log in</body></h>")),
    Talk("not-http", "http-malformed", script=send(lambda body: b"SSH-2.0-OpenSSH_9.2\r\n")),
    Talk("no-head", "http-malformed", script=send(lambda body: body)),
)


# ---- GET and POST ----------------------------------------------------------------------------------------------------

def by_get(script: Callable[[Exchange, bytes], None]):
    """`script` answers GET; POST obtains the correct response."""
    def either(exchange: Exchange, body: bytes) -> None:
        (script if exchange.handler.command == "GET" else whole())(exchange, body)
    return either


def _get(name: str, script: Callable[[Exchange, bytes], None]) -> Talk:
    return Talk(f"get-{name}-post-good", "good", script=by_get(script), is_alone=True)


def _get_error(name: str, status: int) -> Talk:
    return _get(name, lambda exchange, body: exchange.reply(error(status)))


METHODS = (
    _get_error("malformed-request", 1),
    _get_error("internal-error", 2),
    _get_error("try-later", 3),
    _get_error("unauthorized", 6),
    _get("unknown", lambda exchange, body: responders.unknown()(exchange)),
    _get("expired", lambda exchange, body: responders.good(-9000, -1000)(exchange)),
    _get("not-der", lambda exchange, body: exchange.reply(body[:-1])),
    _get("html", whole(kind="text/html")),
    _get("404", page("404 Not Found")),
    _get("405", page("405 Method Not Allowed")),
)

# ---- the URL in the certificate --------------------------------------------------------------------------------------

REFUSED = "http://127.0.0.1:1/"
DIRECTORY_NAME = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "OCSP")]))

URLS = (
    Url("url-with-blanks-around", "good", written=lambda url: f" {url}\r\n"),
    Url("url-with-a-space", "good", written=lambda url: f"{url}a b"),
    Url("url-after-ldap-and-https", "good",
        written=lambda url: ("ldap://ldap.example.test/", "https://ocsp.example.test/", url)),
    Url("url-after-a-directory-name", "good", written=lambda url: (DIRECTORY_NAME, url)),
    Url("url-after-one-that-refuses", "good", written=lambda url: (REFUSED, url)),
    Url("url-before-one-that-refuses", "good", written=lambda url: (url, REFUSED)),
)
