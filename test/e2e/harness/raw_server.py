# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A TLS server that staples the bytes it is given, as they are."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import Optional

import pytest
from OpenSSL import SSL

import pki

# Of a response that is about another certificate, libssl then sends nothing.
IS_SELECTIVE = SSL.OPENSSL_VERSION_NUMBER >= 0x30600000


def skip_if_selective() -> None:
    if IS_SELECTIVE:
        pytest.skip("OpenSSL 3.6 does not send what is about another certificate")



class RawServer(socketserver.ThreadingTCPServer):
    """Sends its certificate with the chain, or alone; without a staple it staples nothing. It does handshakes until
    stop(), on a port that the kernel chose."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, leaf: pki.Leaf, staple: Optional[bytes], address: str = "127.0.0.1", chain: bool = True) -> None:
        self.context = SSL.Context(SSL.TLS_METHOD)
        self.context.use_privatekey_file(str(leaf.key_file))
        if chain:
            self.context.use_certificate_chain_file(str(leaf.fullchain_file))
        else:
            self.context.use_certificate_file(str(leaf.cert_file))
        self.context.set_ocsp_server_callback(lambda _connection, _data: staple or b"")
        self._may_accept = threading.Event()
        self._may_accept.set()
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address.strip("[]"), 0), _Handler)
        self.port = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """The kernel accepts connections, and nothing is sent on them."""
        self._may_accept.clear()

    def resume(self) -> None:
        self._may_accept.set()

    def verify_request(self, request: object, client_address: object) -> bool:
        self._may_accept.wait()
        return True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that end the handshake are part of the tests."""

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.resume()
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Handler(socketserver.BaseRequestHandler):
    server: RawServer

    def handle(self) -> None:
        connection = SSL.Connection(self.server.context, self.request)
        connection.set_accept_state()
        with contextlib.suppress(SSL.Error):
            connection.do_handshake()
            while connection.recv(4096):
                pass  # until the client closes the connection
