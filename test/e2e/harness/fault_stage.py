# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The stage of the fault table: one httpd, for every row two certificates and three vhosts, and responders for all.

`cold.ROW.test` has a responder that is at fault from the beginning; `on.ROW.test` serves the same certificate with
SSLStaplingReturnResponderErrors On; `warm.ROW.test` has one that answers correctly until `Stage.break_all()`.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import select
import socket
import subprocess
import threading
import urllib.parse
from collections import Counter
from pathlib import Path

import pki
import responders
from fault_cast import Cast
from fault_http import reset
from fault_kinds import Body, Hosts, Port, Row, Talk, Url, Urls
from httpd import Config, Httpd, Vhost, sanitizer_environment
from ocsp_der import Answer

COLD, WARM = "cold", "warm"
SHIM_SOURCE = Path(__file__).with_name("fakedns.c")
RESPONDER_TIMEOUT = 3
DIRECTIVES = ("OCSPCacheWorkers 64", "OCSPCacheRefreshInterval 2 4", "SSLStaplingErrorCacheTimeout 3",
              f"SSLStaplingResponderTimeout {RESPONDER_TIMEOUT}")


def _subject_of(path: str) -> tuple[str, str]:
    name, who = urllib.parse.urlsplit(path).path.strip("/").split("/")[:2]
    return name, who


class Switchboard(responders.ScriptedResponder):
    """The path of a URL names the row and the certificate: /ROW/cold/ or /ROW/warm/, and then the request."""

    base = "/"

    def __init__(self, stage: "Stage") -> None:
        self.stage = stage
        self.played: Counter[tuple[str, str]] = Counter()  # exchanges that ended, faulty ones only
        super().__init__(stage.cast.ca, self._play)

    def _play(self, exchange: responders.Exchange) -> None:
        name, who = _subject_of(exchange.handler.path)
        stage, row = self.stage, self.stage.rows[name]
        leaf = stage.leaves[name, who]
        right = Answer().der(leaf, stage.cast["delegated"])
        if who == WARM and not stage.broken:
            exchange.reply(right)
            return
        try:
            if isinstance(row, Talk):
                row.script(exchange, right)
            else:
                exchange.reply(row.der(stage.cast, leaf) if isinstance(row, Body) else right)
        finally:
            self.played[name, who] += 1


class Switchboard6(Switchboard):
    """The same on [::1]."""

    family, address = socket.AF_INET6, "::1"


class DeadPort(Switchboard):
    """A responder on its own port, which fails from break_() on."""

    def __init__(self, stage: "Stage", row: Port) -> None:
        super().__init__(stage)
        self._mode = row.mode
        self._filling: list[socket.socket] = []

    def break_(self) -> None:
        self.refuse()
        assert self._closed_port is not None
        if self._mode == "reset":
            self._closed_port.listen(64)
            threading.Thread(target=self._reset_all, args=(self._closed_port,), daemon=True).start()
        elif self._mode == "no-accept":
            self._closed_port.listen(64)
        elif self._mode == "no-syn":
            fill(self._closed_port, self._filling)

    @staticmethod
    def _reset_all(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
                select.select([connection], [], [], 5)  # the client is connected, and has sent its request
                reset(connection)
            except OSError:
                return  # stopped

    def stop(self) -> None:
        for one in self._filling:
            one.close()
        if self._closed_port is not None and self._mode == "reset":
            self._closed_port.shutdown(socket.SHUT_RDWR)  # wakes the thread
        super().stop()


def fill(listening: socket.socket, filling: list[socket.socket]) -> None:
    """Fill the queue of connections, so that the next SYN gets no answer."""
    listening.listen(0)
    for _ in range(3):
        one = socket.socket(listening.family)
        one.setblocking(False)
        one.connect_ex(listening.getsockname())
        filling.append(one)


class Names:
    """What the names of `Hosts` rows resolve to (fakedns.c), and ports that are dead or silent on one protocol."""

    def __init__(self, stage: "Stage", folder: Path) -> None:
        self._file = folder / "hosts"
        self._file.write_text("")
        library = folder / "fakedns.so"
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", str(library), str(SHIM_SOURCE),
                        "-ldl"], check=True)
        preload = " ".join(filter(None, [sanitizer_environment().get("LD_PRELOAD"), str(library)]))
        self.environment = {**sanitizer_environment(), "LD_PRELOAD": preload, "OC_TEST_HOSTS": str(self._file)}
        self._stage = stage
        self._responders: dict[tuple[str, str], Switchboard] = {}
        self._sockets: list[socket.socket] = []

    def url(self, row: Hosts, who: str) -> str:
        """Each has its own port: what is dead on one protocol must not be alive through another row."""
        responder, other = self._pair("alive6" in row.addresses)
        self._responders[row.name, who] = responder
        self._sockets.append(other)
        if "silent6" in row.addresses:
            fill(other, self._sockets)
        return f"http://{who}.{row.name}.invalid:{responder.port}/{row.name}/{who}/"

    def _pair(self, is_6: bool) -> tuple[Switchboard, socket.socket]:
        """A responder, and its port on the other protocol, which may be taken: tried until one is free on both."""
        while True:
            responder = (Switchboard6 if is_6 else Switchboard)(self._stage)
            other = socket.socket(socket.AF_INET if is_6 else socket.AF_INET6)
            try:
                other.bind(("127.0.0.1" if is_6 else "::1", responder.port))
                return responder, other
            except OSError as error:
                other.close()
                responder.stop()
                if error.errno != errno.EADDRINUSE:
                    raise

    def write(self) -> None:
        lines = []
        for row in self._stage.rows.values():
            if not isinstance(row, Hosts):
                continue
            alive = "::1" if "alive6" in row.addresses else "127.0.0.1"
            for who in (COLD, WARM):
                faulty = who == COLD or self._stage.broken
                words = [{"4": "127.0.0.1", "6": "::1"}.get(word[-1], word) for word in row.addresses]
                lines.append(f"{who}.{row.name}.invalid {' '.join(words) if faulty else alive}\n")
        fresh = self._file.with_suffix(".new")
        fresh.write_text("".join(lines))
        fresh.rename(self._file)

    def break_(self, whose: str) -> None:
        self.write()
        for (name, who), responder in self._responders.items():
            row = self._stage.rows[name]
            if who == whose and isinstance(row, Hosts) and not any(word.startswith("alive") for word in row.addresses):
                responder.refuse()

    def responders(self) -> tuple[Switchboard, ...]:
        return tuple(self._responders.values())

    def stop(self) -> None:
        for one in (*self._responders.values(), *self._sockets):
            one.stop() if isinstance(one, Switchboard) else one.close()


class Stage:
    """`rows`, with everything that they need, not started yet."""

    def __init__(self, rows: tuple[Row, ...], folder: Path, root: pki.Authority, ca: pki.Authority,
                 stranger: pki.Authority) -> None:
        self.rows = {row.name: row for row in rows}
        self.cast = Cast(ca, stranger)
        self.leaves: dict[tuple[str, str], pki.Leaf] = {}
        self.broken = False
        self.main = Switchboard(self)
        self._ports = {(row.name, who): DeadPort(self, row) for row in rows if isinstance(row, Port)
                       for who in (COLD, WARM)}
        self._alone = {(row.name, who): Switchboard(self) for row in rows if isinstance(row, Talk) and row.is_alone
                       for who in (COLD, WARM)}
        self.names = Names(self, folder)
        respelt = pki.respelt(ca.cert.subject)
        for row in rows:
            name = respelt if isinstance(row, Body) and row.respelt_issuer else None
            for who in (COLD, WARM):
                self.leaves[row.name, who] = ca.leaf(f"*.{row.name}.test", url=self._url(row, who), issuer_name=name)
        self.plain = ca.leaf("plain.example.test")
        self.server = Httpd(folder / "server", self._config(), root, environment=self.names.environment)

    def _url(self, row: Row, who: str) -> Urls:
        if isinstance(row, Hosts):
            return self.names.url(row, who)
        responder = self._ports.get((row.name, who)) or self._alone.get((row.name, who)) or self.main
        url = f"{responder.url}{row.name}/{who}/"
        return row.written(url) if isinstance(row, Url) else url

    def _switchboards(self) -> tuple[Switchboard, ...]:
        return (self.main, *self._alone.values(), *self.names.responders())

    def _config(self) -> Config:
        vhosts = [Vhost("plain.example.test", (self.plain,), stapling=False)]
        for name in self.rows:
            cold, warm = self.leaves[name, COLD], self.leaves[name, WARM]
            vhosts += [Vhost(f"cold.{name}.test", (cold,)), Vhost(f"warm.{name}.test", (warm,)),
                       Vhost(f"on.{name}.test", (cold,), directives=("SSLStaplingReturnResponderErrors on",))]
        return Config(vhosts=tuple(vhosts), cache="ocsp_cache:cache/staples(8000000)", directives=DIRECTIVES)

    def start(self) -> None:
        self.names.break_(COLD)
        for (_, who), port in self._ports.items():
            if who == COLD:
                port.break_()
        self.server.start()

    def break_all(self) -> None:
        """From here on the responders of the warm certificates are at fault too."""
        self.broken = True
        for one in self._switchboards():
            one.played.clear()
        self.names.break_(WARM)
        for (_, who), port in self._ports.items():
            if who == WARM:
                port.break_()

    def stop(self) -> None:
        """Responders last: the server must stop while some of them hang."""
        try:
            self.server.close()
        finally:
            for one in (self.main, *self._ports.values(), *self._alone.values(), self.names):
                one.stop()

    def times_played(self, name: str, who: str) -> int:
        """How often the row was played, since break_all()."""
        return sum(one.played[name, who] for one in self._switchboards())

    def methods(self, name: str, who: str) -> list[str]:
        """GET or POST, of each request."""
        return [asked.method for one in self._switchboards() for asked in list(one.asked)
                if _subject_of(asked.path) == (name, who)]

    def states(self) -> dict[str, "State"]:
        """The status page, by serial."""
        return {one["serial"]: State(one["state"], one["last_verdict"] if one["failures"] else "-", one["failures"])
                for one in self.server.certificates()}


@dataclasses.dataclass(frozen=True)
class State:
    stapled: str
    last_error: str
    failures: int

    @property
    def verdict(self) -> str:
        return self.stapled if self.last_error == "-" else self.last_error
