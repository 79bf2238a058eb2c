# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Other TLS servers that staple what they find in a file: the real nginx, haproxy and Hitch, each with its own folder,
configuration and port."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Optional

import clients
import pki
from clients import Handshake
from ports import free_port
from wait import poll


class Peer:
    """`lines` of configuration may hold {port}, {folder} and {backend}, a port where nothing listens."""

    program = ""

    def __init__(self, folder: Path, lines: str, root: pki.Authority) -> None:
        self.folder, self.root, self._lines = folder, root, lines
        self.log = folder / "console.log"
        self.port = free_port()
        self.process: Optional[subprocess.Popen[bytes]] = None

    @property
    def conf_file(self) -> Path:
        return self.folder / f"{self.program}.conf"

    def command(self) -> list[str]:
        raise NotImplementedError

    def start(self) -> "Peer":
        self.conf_file.write_text(self._lines.replace("{port}", str(self.port)).replace("{folder}", str(self.folder))
                                  .replace("{backend}", str(free_port())))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        poll(lambda: self.process.poll() is not None or self._answers(), f"{self.program} to answer, or to end")
        assert self.process.poll() is None, f"{self.program} does not start:\n{self.log.read_text()}"
        return self

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def handshake(self, host: str, **options: object) -> Handshake:
        return clients.s_client(self.port, host, self.root, **options)

    def gnutls(self, host: str) -> Handshake:
        return clients.gnutls(self.port, host, self.root)

    def wait_staple(self, host: str, status: Optional[str]) -> Handshake:
        def stapled() -> Optional[Handshake]:
            seen = self.handshake(host)
            return seen if seen.status == status else None
        return poll(stapled, f"{self.program} staples {status}")

    def wait_refused(self, host: str) -> None:
        """Until its new worker alone serves: the old one may take a connection after the new one has."""
        poll(lambda: not self.gnutls(host).ok, f"GnuTLS refuses what {self.program} staples")

    def stop(self) -> None:
        """End it and its workers, which Hitch leaves to the subreaper (conftest.orphans: the test)."""
        if self.process is None or self.process.poll() is not None:
            return
        workers = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.process.terminate()
        self.process.wait(timeout=20)
        poll(lambda: all(_is_gone(int(pid)) for pid in workers), f"the workers of {self.program} to end")


def _is_gone(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return not Path(f"/proc/{pid}").exists()


class Nginx(Peer):
    program = "nginx"

    def command(self) -> list[str]:
        return ["nginx", "-p", str(self.folder), "-c", str(self.conf_file), "-e", str(self.folder / "error.log"),
                "-g", "daemon off;"]


class Haproxy(Peer):
    program = "haproxy"

    def command(self) -> list[str]:
        return ["haproxy", "-db", "-f", str(self.conf_file)]


class Hitch(Peer):
    program = "hitch"

    def command(self) -> list[str]:
        return ["hitch", f"--config={self.conf_file}"]
