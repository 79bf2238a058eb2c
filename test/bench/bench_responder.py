# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""An OCSP responder for the benchmark: a process of its own, one port, as many names as there are servers to be
measured.

http://127.0.0.1:PORT/NAME/ is what a certificate names; how NAME behaves can be changed at any time. Answers are signed
beforehand where their validity allows it, so that Python's speed is not measured.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import multiprocessing
import os
import re
import socket
import time
import urllib.parse
from dataclasses import dataclass
from typing import Iterable, Optional

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

import pki


@dataclass(frozen=True)
class Manner:
    """How a name behaves: "good", "hang" (accepts the request, sends nothing), "500", "tryLater"."""

    kind: str = "good"
    validity: int = 86400  # seconds until nextUpdate
    delay: float = 0.005   # before each answer
    # signed by the CA itself, no certificate within; else by its delegate, whose certificate is within
    direct: bool = False
    keeps: bool = False    # the connection of a HTTP/1.0 client that wants it (Connection: keep-alive)


GOOD, HANG, FAIL, TRY_LATER = Manner(), Manner("hang"), Manner("500"), Manner("tryLater")
_HASHES = {"sha1": hashes.SHA1, "sha256": hashes.SHA256}
_TRY_LATER = bytes.fromhex("30030a0103")


class Responder:
    """`url(name)` may be put into certificates at once; start() comes when all of them are issued."""

    def __init__(self, authority: pki.Authority) -> None:
        self._authority = authority
        authority.signer()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(1024)
        self.port = self._socket.getsockname()[1]
        self._process: Optional[multiprocessing.Process] = None

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}/"

    def start(self, cpus: set[int]) -> "Responder":
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._authority, self._socket, theirs, cpus), daemon=True)
        self._process.start()
        return self

    def set(self, name: str, manner: Manner) -> None:
        """From here on. Connections that hang are dropped when the name behaves well again."""
        self._ask(("set", name, manner))

    def revoke(self, serials: Iterable[int]) -> None:
        """From here on, whatever name is queried."""
        self._ask(("revoke", frozenset(serials)))

    def asked(self) -> dict[str, int]:
        """How many requests each name has got."""
        return self._ask(("asked",))

    def _ask(self, question: tuple) -> object:
        self._pipe.send(question)
        return self._pipe.recv()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.join()
        self._socket.close()


class _Names:
    """What the responder's process knows."""

    def __init__(self, authority: pki.Authority) -> None:
        self._authority = authority
        self.manners: dict[str, Manner] = {}
        self.asked: dict[str, int] = {}
        self.changed: dict[str, asyncio.Event] = {}
        self.revoked: frozenset[int] = frozenset()
        self._signed: dict[tuple, tuple[float, bytes]] = {}

    def body(self, request: ocsp.OCSPRequest, manner: Manner) -> bytes:
        """A response for the requested certificate: at most a tenth of its validity old."""
        key = (request.serial_number, request.hash_algorithm.name, manner, request.serial_number in self.revoked)
        made, der = self._signed.get(key, (0.0, b""))
        if time.monotonic() - made > manner.validity / 10 or not der:
            der = self._sign(request, manner)
            self._signed[key] = (time.monotonic(), der)
        return der

    def _sign(self, request: ocsp.OCSPRequest, manner: Manner) -> bytes:
        leaf = self._authority.leaves[request.serial_number]
        signer, key = (self._authority.cert, self._authority.key) if manner.direct else self._authority.signer()
        begin, is_revoked = pki.now(), request.serial_number in self.revoked
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=leaf.cert, issuer=self._authority.cert, algorithm=_HASHES[request.hash_algorithm.name](),
            cert_status=ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD, this_update=begin,
            next_update=begin + datetime.timedelta(seconds=manner.validity),
            revocation_time=begin if is_revoked else None, revocation_reason=None)
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
        if not manner.direct:
            builder = builder.certificates([signer])
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    async def answer(self, name: str, encoded: bytes) -> tuple[int, bytes]:
        self.asked[name] = self.asked.get(name, 0) + 1
        while (manner := self.manners.get(name, GOOD)).kind == "hang":
            event = self.changed.setdefault(name, asyncio.Event())
            await event.wait()
            return 0, b""
        await asyncio.sleep(manner.delay)
        if manner.kind == "500":
            return 500, b""
        if manner.kind == "tryLater":
            return 200, _TRY_LATER
        try:
            return 200, self.body(ocsp.load_der_ocsp_request(encoded), manner)
        except (ValueError, KeyError):
            return 400, b""


async def _converse(names: _Names, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            method, path, version = head.split(b"\r\n", 1)[0].decode().split(" ")
            name, _, encoded = path.lstrip("/").partition("/")
            length = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
            if method == "GET":
                body = base64.b64decode(urllib.parse.unquote(encoded))
            status, answer = await names.answer(name, body)
            if not status:
                break
            keeps = (version == "HTTP/1.0" and names.manners.get(name, GOOD).keeps
                     and re.search(rb"(?i)\r\nconnection:\s*keep-alive", head) is not None)
            writer.write(b"HTTP/1.%d %d x\r\nContent-Type: application/ocsp-response\r\nContent-Length: %d\r\n%s\r\n%s"
                         % (not keeps, status, len(answer), b"Connection: keep-alive\r\n" if keeps else b"", answer))
            await writer.drain()
            if (version == "HTTP/1.0" and not keeps) or re.search(rb"(?i)\r\nconnection:\s*close", head):
                break
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        pass  # the other side went away, or speaks something else
    finally:
        writer.close()


def _serve(authority: pki.Authority, listening: socket.socket, pipe: multiprocessing.connection.Connection,
           cpus: set[int]) -> None:
    os.sched_setaffinity(0, cpus)
    names = _Names(authority)

    def told() -> None:
        try:
            question = pipe.recv()
        except EOFError:
            os._exit(0)
        if question[0] == "set":
            _, name, manner = question
            names.manners[name] = manner
            if manner.kind != "hang" and name in names.changed:
                names.changed.pop(name).set()
            pipe.send(None)
        elif question[0] == "revoke":
            names.revoked |= question[1]
            pipe.send(None)
        else:
            pipe.send(dict(names.asked))

    async def run() -> None:
        asyncio.get_running_loop().add_reader(pipe.fileno(), told)
        server = await asyncio.start_server(lambda r, w: _converse(names, r, w), sock=listening, backlog=1024)
        await server.serve_forever()
    asyncio.run(run())
