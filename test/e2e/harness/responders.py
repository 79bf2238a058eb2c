# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Two OCSP responders: the real one of OpenSSL, and one that follows a script, however wrong.

A script is a function that gets one `Exchange` and writes any bytes to the wire. Scripts can be changed while
the responder runs (`responder.script = revoked()`), and every request is recorded in `responder.asked`.
"""

from __future__ import annotations

import base64
import datetime
import re
import socket
import subprocess
import threading
import time
import urllib.parse
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Callable, Optional

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

import pki
from ports import free_port
from wait import poll


@dataclass
class Asked:
    """One request as received."""

    method: str
    path: str
    headers: dict[str, str]
    serial: Optional[int]             # None: not an OCSP request
    at: float                         # time.monotonic()
    answered: Optional[float] = None  # when the script had written its answer


@dataclass
class Exchange:
    """What a script works with."""

    handler: BaseHTTPRequestHandler
    responder: "ScriptedResponder"
    request: Optional[ocsp.OCSPRequest]

    @property
    def leaf(self) -> Optional[pki.Leaf]:
        return self.responder.authority.leaves.get(self.request.serial_number) if self.request else None

    def raw(self, data: bytes) -> None:
        self.handler.wfile.write(data)
        self.handler.wfile.flush()

    def reply(self, body: bytes, *, status: int = 200, content_type: str = "application/ocsp-response",
              headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", content_type)
        self.handler.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.raw(body)


Script = Callable[[Exchange], None]
OcspBytes = Callable[[Exchange], bytes]

_HASHES = {"sha1": hashes.SHA1, "sha256": hashes.SHA256}


def _single(exchange: Exchange, status: ocsp.OCSPCertStatus, *, this_update: float, next_update: Optional[float],
            signer: Optional[pki.Authority]) -> bytes:
    """A signed basic response. Times are seconds from now; `signer` signs instead of the correct one."""
    leaf = exchange.leaf
    if leaf is None:
        return ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED).public_bytes(
            serialization.Encoding.DER)
    begin = pki.now() + datetime.timedelta(seconds=this_update)
    end = None if next_update is None else pki.now() + datetime.timedelta(seconds=next_update)
    is_revoked = status is ocsp.OCSPCertStatus.REVOKED
    cert, key = (signer or leaf.issuer).signer()
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf.cert, issuer=leaf.issuer.cert, algorithm=_HASHES[exchange.request.hash_algorithm.name](),
        cert_status=status, this_update=begin, next_update=end,
        revocation_time=begin if is_revoked else None,
        revocation_reason=x509.ReasonFlags.key_compromise if is_revoked else None)
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, cert).certificates([cert])
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _signed(status: ocsp.OCSPCertStatus, this_update: float, next_update: Optional[float],
            signer: Optional[pki.Authority]) -> Script:
    return lambda exchange: exchange.reply(
        _single(exchange, status, this_update=this_update, next_update=next_update, signer=signer))


def good(this_update: float = -60, next_update: Optional[float] = 86400,
         signer: Optional[pki.Authority] = None) -> Script:
    return _signed(ocsp.OCSPCertStatus.GOOD, this_update, next_update, signer)


def revoked(this_update: float = 0, next_update: Optional[float] = 86400,
            signer: Optional[pki.Authority] = None) -> Script:
    return _signed(ocsp.OCSPCertStatus.REVOKED, this_update, next_update, signer)


def unknown(this_update: float = 0, next_update: Optional[float] = 86400) -> Script:
    return _signed(ocsp.OCSPCertStatus.UNKNOWN, this_update, next_update, None)


def error(status: ocsp.OCSPResponseStatus) -> Script:
    body = ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(serialization.Encoding.DER)
    return lambda exchange: exchange.reply(body)


def try_later() -> Script:
    return error(ocsp.OCSPResponseStatus.TRY_LATER)


def unauthorized() -> Script:
    return error(ocsp.OCSPResponseStatus.UNAUTHORIZED)


def garbage() -> Script:
    return lambda exchange: exchange.reply(b"\x30\x82 this is not what you requested" * 7)


def http_status(code: int) -> Script:
    return lambda exchange: exchange.reply(b"<html>no</html>", status=code, content_type="text/html")


def nothing() -> Script:
    """Takes the request and closes the connection."""
    return lambda exchange: None


def hang() -> Script:
    """Takes the request and sends nothing, until the responder is stopped or its script is replaced."""
    return lambda exchange: exchange.responder.wait_for_change(exchange.responder.script)


def delayed(script: Script, seconds: float) -> Script:
    """Like `script`, but slowly: the test measures whether others wait."""
    def slow(exchange: Exchange) -> None:
        time.sleep(seconds)
        script(exchange)
    return slow


def by_method(get: Script, post: Script) -> Script:
    """Answers the two methods differently."""
    return lambda exchange: (get if exchange.handler.command == "GET" else post)(exchange)


def chunked(script_body: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD) -> Script:
    """A good response as a chunked HTTP/1.1 body, in small chunks."""
    def script(exchange: Exchange) -> None:
        body = _single(exchange, script_body, this_update=-60, next_update=86400, signer=None)
        exchange.handler.protocol_version = "HTTP/1.1"
        exchange.handler.send_response(200)
        exchange.handler.send_header("Content-Type", "application/ocsp-response")
        exchange.handler.send_header("Transfer-Encoding", "chunked")
        exchange.handler.end_headers()
        for start in range(0, len(body), 100):
            chunk = body[start:start + 100]
            exchange.raw(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        exchange.raw(b"0\r\n\r\n")
    return script


class Counting:
    """A script around another one that counts how many run at the same time, of it and of all that share its board."""

    def __init__(self, board=None, seconds=0.15):
        self._seconds = seconds
        self._board = board if board is not None else {"now": 0, "most": 0, "lock": threading.Lock()}
        self._own = {"now": 0, "most": 0}

    @property
    def most(self):
        return self._own["most"]

    def _step(self, by):
        with self._board["lock"]:
            for count in (self._board, self._own):
                count["now"] += by
                count["most"] = max(count["most"], count["now"])

    def __call__(self, exchange):
        self._step(1)
        time.sleep(self._seconds)
        self._step(-1)  # before the answer, after which the client's thread continues
        good()(exchange)


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    timeout = 30

    def do_GET(self) -> None:
        path = urllib.parse.urlsplit(self.path).path  # a proxy receives the whole URL
        encoded = urllib.parse.unquote(path.removeprefix(self.server.responder.base))
        self._exchange(encoded.removeprefix("/"), None)

    def do_POST(self) -> None:
        self._exchange(None, self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _exchange(self, encoded: Optional[str], body: Optional[bytes]) -> None:
        arrival = time.monotonic()
        try:
            der = base64.b64decode(encoded, validate=True) if encoded is not None else body
            request = ocsp.load_der_ocsp_request(der)
        except ValueError:
            request = None
        self.server.responder.serve(self, request, arrival)

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, responder: "ScriptedResponder") -> None:
        self.responder = responder
        self.address_family = responder.family
        super().__init__((responder.address, responder.port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that close the connection are part of the tests."""


class ScriptedResponder:
    """Answers on its own port of the loopback as `script` does. Usable from its creation on."""

    base = "/ocsp/"
    family, address = socket.AF_INET, "127.0.0.1"

    def __init__(self, authority: pki.Authority, script: Optional[Script] = None) -> None:
        self.authority = authority
        self.asked: list[Asked] = []
        self._script = script or good()
        self._changed = threading.Condition()
        self._stopped = False
        self._closed_port: Optional[socket.socket] = None
        self.port = free_port(self.family)
        self._listen()

    def _listen(self) -> None:
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.base}"

    @property
    def script(self) -> Script:
        return self._script

    @script.setter
    def script(self, script: Script) -> None:
        with self._changed:
            self._script = script
            self._changed.notify_all()

    def wait_for_change(self, script: Script) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._script is not script)

    def serve(self, handler: BaseHTTPRequestHandler, request: Optional[ocsp.OCSPRequest], arrival: float) -> None:
        asked = Asked(handler.command, handler.path, {k.lower(): v for k, v in handler.headers.items()},
                      request.serial_number if request else None, arrival)
        # a test that changes the script after it has seen the request in `asked` means the next one
        script = self._script
        self.asked.append(asked)
        handler.close_connection = True
        script(Exchange(handler, self, request))
        asked.answered = time.monotonic()

    def asked_for(self, leaf: pki.Leaf) -> list[Asked]:
        return [asked for asked in list(self.asked) if asked.serial == leaf.serial]

    def wait_asked(self, count: int = 1, leaf: Optional[pki.Leaf] = None, deadline: float = 15.0) -> list[Asked]:
        """Until `count` requests (for `leaf`) have come in all."""
        def enough() -> list[Asked]:
            seen = self.asked_for(leaf) if leaf else list(self.asked)
            return seen if len(seen) >= count else []
        return poll(enough, f"{count} request(s) at {self.url}", deadline)

    def wait_asked_again(self, deadline: float = 20.0) -> None:
        """Until another request has been answered."""
        known = len(self.asked)
        poll(lambda: any(asked.answered for asked in self.asked[known:]), f"another request at {self.url}", deadline)

    def refuse(self) -> None:
        """Connections are refused from here on; the port stays bound, but does not listen."""
        self._close()
        self._closed_port = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._closed_port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._closed_port.bind(("127.0.0.1", self.port))

    def accept(self) -> None:
        """Connections are accepted again, on the same port, after refuse()."""
        assert self._closed_port is not None
        self._closed_port.close()
        self._closed_port = None
        self._listen()

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._closed_port is None:
            self._close()
        else:
            self._closed_port.close()


class OpensslResponder:
    """`openssl ocsp` as a process, with the delegated signer of `authority`."""

    def __init__(self, authority: pki.Authority, folder: Path, validity: tuple[str, ...] = ("-ndays", "7")) -> None:
        self._authority = authority
        self._index = folder / "index.txt"
        self._validity = validity
        self._process: Optional[subprocess.Popen[str]] = None
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self, revoked: frozenset[int] = frozenset()) -> None:
        """With the certificates issued so far."""
        self._authority.signer()
        self._authority.write_index(self._index, revoked)
        cert_file, key_file = self._authority.signer_files()
        self._process = subprocess.Popen(
            ["openssl", "ocsp", "-index", str(self._index), "-port", str(self.port), "-ignore_err",
             "-CA", str(self._authority.cert_file), "-rsigner", str(cert_file), "-rkey", str(key_file),
             *self._validity],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert re.search(rf"^ACCEPT .*:{self.port} PID=\d+", line), f"openssl ocsp did not start: {line!r}"

    def restart(self, revoked: frozenset[int] = frozenset()) -> None:
        self.stop()
        self.start(revoked)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None
