# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Clients with certificates: one over Python's ssl that keeps a connection open and resumes sessions, curl, gnutls-cli; and
a server that verifies them."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Optional

import pytest

import pki
import responders
from httpd import Config, Httpd, Vhost
from slow import build_module
from wait import NotReached, poll

HOST = "www.example.test"
H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_TABLE = b"\0\1\0\0\0\0"  # SETTINGS_HEADER_TABLE_SIZE 0: no header refers to an earlier one
FAILURES = (ssl.SSLError, ConnectionError, TimeoutError)


@dataclass(frozen=True)
class Reply:
    """The answer to one request. `status` 0: the handshake failed or the connection was closed, `error` says how."""

    status: int
    error: str = ""
    body: str = ""
    seconds: float = 0
    closes: bool = False


class Connection:
    """A TLS connection with a client certificate, used for any number of requests."""

    def __init__(self, port: int, root: pki.Authority, leaf: Optional[pki.Leaf], *, tls: str = "1.3",
                 context: Optional[ssl.SSLContext] = None, session: Optional[ssl.SSLSession] = None, alpn: str = "http/1.1",
                 deadline: float = 40) -> None:
        self.context = context or make_context(root, leaf, tls, alpn)
        self.began = time.monotonic()
        self._error = ""
        self._left = b""
        raw = socket.create_connection(("127.0.0.1", port), deadline)
        try:
            self.socket: Optional[ssl.SSLSocket] = self.context.wrap_socket(raw, server_hostname=HOST, session=session)
        except FAILURES as failure:
            raw.close()
            self.socket, self._error = None, str(failure)
        
    @property
    def resumed(self) -> bool:
        return bool(self.socket and self.socket.session_reused)

    @property
    def session(self) -> ssl.SSLSession:
        assert self.socket is not None and self.socket.session is not None
        return self.socket.session

    def get(self, path: str = "/index.html") -> Reply:
        """Over HTTP/1.1."""
        began = time.monotonic()
        if self.socket is None:
            return Reply(0, self._error)
        try:
            self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            head, body = self._read()
        except FAILURES as failure:
            return Reply(0, str(failure) or type(failure).__name__, seconds=time.monotonic() - began)
        status = int(head.split(" ", 2)[1]) if head else 0
        return Reply(status, "" if head else "closed", body, time.monotonic() - began,
                     "connection: close" in head.lower())

    def head(self, name: str, path: str = "/index.html") -> str:
        """One header field of an answer; "" where there is none."""
        assert self.socket is not None
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        found = re.search(rf"^{name}: (.*?)\r?$", self._read()[0], re.I | re.M)
        return found.group(1) if found else ""

    def _read(self) -> tuple[str, str]:
        assert self.socket is not None
        data, self._left = self._left, b""
        while b"\r\n\r\n" not in data:
            more = self.socket.recv(65536)
            if not more:
                return "", ""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.I)
        while length and len(body) < int(length.group(1)):
            more = self.socket.recv(65536)
            if not more:
                break
            body += more
        return head.decode("latin-1"), body.decode("utf-8", "replace")

    def is_closed(self) -> bool:
        """Does the server close it, within a few seconds?"""
        if self.socket is None:
            return True
        self.socket.settimeout(8)
        try:
            return self.socket.recv(1) == b""
        except TimeoutError:
            return False
        except FAILURES:
            return True

    def close(self) -> None:
        if self.socket is not None:
            with contextlib.suppress(*FAILURES, OSError):
                self.socket.close()


class Http2(Connection):
    """The same over HTTP/2: one request after the other, each in a stream of its own."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, alpn="h2", **options)
        self._stream = -1
        self._frames = b""
        if self.socket is not None:
            assert self.socket.selected_alpn_protocol() == "h2"
            self.socket.sendall(H2_PREFACE + _frame(4, 0, 0, NO_TABLE))

    def get(self, path: str = "/index.html") -> Reply:
        began = time.monotonic()
        if self.socket is None:
            return Reply(0, self._error)
        self._stream += 2
        head = b"\x82\x87" + _literal(4, path) + _literal(1, HOST)
        status = 0
        try:
            self.socket.sendall(_frame(1, 0x5, self._stream, head))
            for kind, flags, stream, payload in self._read_frames():
                if kind == 4 and not flags & 1:
                    self.socket.sendall(_frame(4, 1, 0, b""))
                if kind == 1 and stream == self._stream:
                    status = _status_of(payload)
                if stream == self._stream and (flags & 1 or kind == 3):
                    return Reply(status, seconds=time.monotonic() - began)
        except FAILURES as failure:
            return Reply(status, str(failure), seconds=time.monotonic() - began)
        return Reply(status, "closed", seconds=time.monotonic() - began)

    def _read_frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        assert self.socket is not None
        while True:
            while len(self._frames) >= 9 and len(self._frames) >= 9 + int.from_bytes(self._frames[:3], "big"):
                size = int.from_bytes(self._frames[:3], "big")
                frame, self._frames = self._frames[:9 + size], self._frames[9 + size:]
                yield frame[3], frame[4], int.from_bytes(frame[5:9], "big"), frame[9:]
            more = self.socket.recv(65536)
            if not more:
                return
            self._frames += more

    def is_closed(self) -> bool:
        """Does the server end it within a few seconds, while requests follow each other and are refused?"""
        def has_ended() -> bool:
            reply = self.get()
            assert reply.status in (0, 403), reply
            return reply.status == 0 and reply.error != ""
        with contextlib.suppress(NotReached):
            return poll(has_ended, "the connection has ended", 8)
        return False


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _literal(index: int, value: str) -> bytes:
    """An HPACK header field with an indexed name, never indexed itself."""
    return bytes((0x10 | index, len(value))) + value.encode()


def _status_of(block: bytes) -> int:
    """RFC 7541: an indexed status, or 403 as Huffman code or text; behind the size of the table."""
    block = block[1:] if block[0] == 0x20 else block
    if block[0] & 0x80:
        return {0x88: 200, 0x8d: 404, 0x8e: 500}.get(block[0], -1)
    return 403 if b"\x68\x0c\xff" in block[:8] or b"403" in block[:8] else -1


def make_context(root: pki.Authority, leaf: Optional[pki.Leaf], tls: str, alpn: str = "http/1.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(root.cert_file)
    context.minimum_version = context.maximum_version = {"1.2": ssl.TLSVersion.TLSv1_2,
                                                         "1.3": ssl.TLSVersion.TLSv1_3}[tls]
    context.set_alpn_protocols([alpn])
    context.post_handshake_auth = True
    if leaf:
        context.load_cert_chain(leaf.fullchain_file, leaf.key_file)
    return context


def make_vhost(root: pki.Authority, leaf: pki.Leaf, client: tuple[str, ...], verify: str = "require",
               host: tuple[str, ...] = ()) -> Vhost:
    lines = (f'SSLCACertificateFile "{root.cert_file}"', "SSLVerifyDepth 3", f"SSLVerifyClient {verify}", *client, *host)
    return Vhost(HOST, (leaf,), stapling=None, directives=lines)


@dataclass
class MtlsSite:
    """A server that verifies clients, and the responder that their certificates name. Not yet started."""

    server: Httpd
    responder: responders.ScriptedResponder
    ca: pki.Authority

    def client(self, name: str = "client", **options: object) -> pki.Leaf:
        return self.ca.client(name, **{"url": self.responder.url, **options})

    def connect(self, leaf: Optional[pki.Leaf], kind: type[Connection] = Connection, **options: object) -> Connection:
        return kind(self.server.https_port, self.server.root_ca, leaf, **options)

    def get(self, leaf: Optional[pki.Leaf], path: str = "/index.html", **options: object) -> Reply:
        """One request over a connection of its own. `seconds` includes the handshake, which a client of TLS 1.3 ends before the
        server has looked at its certificate."""
        connection = self.connect(leaf, **options)
        try:
            reply = connection.get(path)
            return dataclasses.replace(reply, seconds=time.monotonic() - connection.began)
        finally:
            connection.close()

    def reload(self, client: tuple[str, ...], settle: bool = True, **options: object) -> None:
        """With other lines for the host in place of `OCSPCacheClient hard`."""
        vhost = make_vhost(self.server.root_ca, self.server.config.vhosts[0].leaves[0], client, **options)
        self.server.graceful(dataclasses.replace(self.server.config, vhosts=(vhost,)), settle)


def curl(server: Httpd, leaf: pki.Leaf, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["curl", "--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code}",
                           "--cacert", str(server.root_ca.cert_file), "--cert", str(leaf.fullchain_file), "--key",
                           str(leaf.key_file), "--connect-to", f"{HOST}:443:127.0.0.1:{server.https_port}", *options,
                           f"https://{HOST}/index.html"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def gnutls_get(server: Httpd, leaf: pki.Leaf) -> str:
    """What gnutls-cli prints."""
    return subprocess.run(["gnutls-cli", "--port", str(server.https_port), "--x509cafile",
                           str(server.root_ca.cert_file), "--x509certfile", str(leaf.fullchain_file), "--x509keyfile",
                           str(leaf.key_file), "--sni-hostname", HOST, "--verify-hostname", HOST, "127.0.0.1"],
                          input=f"GET /index.html HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False, text=True, errors="replace").stdout


def s_client_get(server: Httpd, leaf: pki.Leaf) -> str:
    """What `openssl s_client` prints."""
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.https_port}", "-servername", HOST,
                           "-CAfile", str(server.root_ca.cert_file), "-cert", str(leaf.cert_file), "-cert_chain",
                           str(leaf.fullchain_file), "-key", str(leaf.key_file), "-ign_eof"],
                          input=f"GET /index.html HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False, text=True, errors="replace").stdout


@pytest.fixture(scope="session")
def takes_verify(workplace: Path) -> str:
    """The line that loads mod_takes_verify.so."""
    return f'LoadModule takes_verify_module "{build_module("takes_verify", workplace)}"'


@pytest.fixture
def mtls(httpd: Callable[..., Httpd], responder: Callable[..., responders.ScriptedResponder], ca: pki.Authority,
         root_ca: pki.Authority) -> Callable[..., MtlsSite]:
    """Factory of sites. `client`: lines for the host that replace `OCSPCacheClient hard`; `verify`: of SSLVerifyClient."""
    def make(script: Optional[responders.Script] = None, *, client: tuple[str, ...] = ("OCSPCacheClient hard",),
             verify: str = "require", host: tuple[str, ...] = (), **config: object) -> MtlsSite:
        answering = responder(script)
        vhost = make_vhost(root_ca, ca.leaf(HOST), client, verify, host)
        full = Config(vhosts=(vhost,), **{"client": config.get("module", True), **config})
        return MtlsSite(httpd(full), answering, ca)
    return make
