# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Stores that several servers share: a private redis-server and a private memcached, and their contents.

Both are talked to over their own sockets, so that a test can see and replace what the servers left there.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import struct
import subprocess
import urllib.parse
from pathlib import Path
from typing import Optional

from ports import free_port
from wait import NotReached, poll

KEY_TAG = b"ocsp-shared:"  # httpd's providers put the consumer's name before the key, and the key in hexadecimal


def entry(name: str, der: bytes, this_update: float, fetched_at: float, *, key: Optional[str] = None) -> bytes:
    """An entry as the module writes it (include/fleet/entry.h), with a correct checksum: any client of the store can
    make one."""
    head = (struct.pack(">4sHHqqII", b"ocsp", 1, 0, int(this_update) * 10**6, int(fetched_at * 10**6), len(der), 0)
            + bytes.fromhex(key or name.rsplit(":", 1)[1]))
    return head + hashlib.sha256(head + der).digest() + der


def der_of(data: bytes) -> bytes:
    return data[96:]


class Store:
    """A process on its own port of the loopback, with `folder` as its own."""

    provider = ""
    module = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._process: Optional[subprocess.Popen[bytes]] = None
        self.start()

    @property
    def argument(self) -> str:
        return f"{self.provider}:127.0.0.1:{self.port}"

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            return True  # start() detects it
        try:
            self.names()
            return True
        except OSError:
            return False

    def start(self) -> None:
        self._process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL, cwd=self.folder)
        poll(self._answers, f"{self.provider} answers on port {self.port}", 20)
        if self._process.poll() is not None:
            raise NotReached(f"{self.provider} does not start: {self._command()}")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """The kernel accepts connections, and nothing is sent on them."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    # -- what is in it: name (as oc_fleet_entry_name() makes it) -> bytes --

    def names(self) -> list[str]:
        raise NotImplementedError

    def get(self, name: str) -> Optional[bytes]:
        raise NotImplementedError

    def put(self, name: str, data: bytes) -> None:
        raise NotImplementedError

    def flush(self) -> None:
        raise NotImplementedError

    def responses(self) -> list[str]:
        return [name for name in self.names() if name.count(":") == 2]

    def wait_response(self, deadline: float = 15) -> str:
        """The name of the first response in the store."""
        return poll(self.responses, f"a response in {self.argument}", deadline)[0]

    @staticmethod
    def _key(name: str) -> bytes:
        return KEY_TAG + name.encode().hex().encode()

    @staticmethod
    def _name(key: bytes) -> str:
        return bytes.fromhex(key.removeprefix(KEY_TAG).decode()).decode()


class Redis(Store):
    provider, module = "redis", "socache_redis"

    def _command(self) -> list[str]:
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--dir", str(self.folder), "--daemonize", "no"]

    def command(self, *words: bytes) -> object:
        with self._connect() as connection, connection.makefile("rb") as answer:
            connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
            return self._read(answer)

    def _read(self, answer) -> object:
        line = answer.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            return None if rest == b"-1" else answer.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self._read(answer) for _ in range(int(rest))]
        if kind == b"-":
            raise OSError(rest.decode())
        return rest

    def names(self) -> list[str]:
        return sorted(self._name(key) for key in self.command(b"KEYS", KEY_TAG + b"*"))

    def get(self, name: str) -> Optional[bytes]:
        return self.command(b"GET", self._key(name))

    def put(self, name: str, data: bytes) -> None:
        self.command(b"SET", self._key(name), data)

    def flush(self) -> None:
        self.command(b"FLUSHALL")

    def put_list(self, name: str) -> None:
        """Something that GET answers with an error."""
        self.command(b"DEL", self._key(name))
        self.command(b"RPUSH", self._key(name), b"no string")

    def refuse_writes(self, refuse: bool) -> None:
        self.command(b"CONFIG", b"SET", b"maxmemory", b"1" if refuse else b"0")


class Memcached(Store):
    provider, module = "memcache", "socache_memcache"

    def _command(self) -> list[str]:
        account = ["-u", "nobody"] if os.geteuid() == 0 else []
        return ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "16", *account]

    def _ask(self, request: bytes, *ends: bytes) -> bytes:
        with self._connect() as connection:
            connection.sendall(request)
            answer = b""
            while not answer.endswith(ends):
                more = connection.recv(65536)
                if not more:
                    raise OSError("memcached closed the connection")
                answer += more
            return answer

    def names(self) -> list[str]:
        answer = self._ask(b"lru_crawler metadump all\r\n", b"END\r\n",
                           b"BUSY currently processing crawler request\r\n")
        if answer.startswith(b"BUSY"):
            raise OSError("busy")
        keys = [urllib.parse.unquote_to_bytes(word[4:]) for line in answer.splitlines() for word in line.split()[:1]
                if word.startswith(b"key=")]
        return sorted(self._name(key) for key in keys if key.startswith(KEY_TAG))

    def get(self, name: str) -> Optional[bytes]:
        answer = self._ask(b"get " + self._key(name) + b"\r\n", b"END\r\n")
        if answer == b"END\r\n":
            return None
        head, rest = answer.split(b"\r\n", 1)
        return rest[:int(head.split()[3])]

    def put(self, name: str, data: bytes) -> None:
        answer = self._ask(b"set %s 0 0 %d\r\n%s\r\n" % (self._key(name), len(data), data), b"\r\n")
        assert answer == b"STORED\r\n", answer

    def flush(self) -> None:
        self._ask(b"flush_all\r\n", b"OK\r\n")
