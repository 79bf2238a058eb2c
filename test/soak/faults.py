# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Injects what plan.py wants, and keeps a journal of it, which explains what is seen."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import shutil
import signal
import threading
import time
from dataclasses import dataclass
from typing import Callable, Iterator

from plan import Fault
from stage import Stage
from wait import poll

DAMAGE = ("disk-", "file-")            # what the file misses is not there after a full start
FULL_START = ("restart", "kill-all")
HEAD = 4096                            # bytes of the cache's file: its description


@dataclass
class Event:
    """A fault that was injected; `end` is None while it lasts. Times are time.monotonic()."""

    fault: Fault
    begin: float
    end: float | None = None

    def touches(self, at: float, before: float) -> bool:
        """Whether it lasted at `at`, or ended less than `before` seconds earlier."""
        return self.begin <= at and (self.end is None or at - self.end <= before)


class Journal:
    """All faults of a run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.events: list[Event] = []
        self.is_damaged = False        # the cache's file may miss something
        self.forget: Callable[[], None] = lambda: None

    @contextlib.contextmanager
    def entry(self, fault: Fault) -> Iterator[None]:
        event = Event(fault, time.monotonic())
        with self._lock:
            self.events.append(event)
        self._note_damage(fault, event.begin)
        try:
            yield
        finally:
            event.end = time.monotonic()
            if fault.name in FULL_START:
                self._note_damage(fault, event.end)
                self.is_damaged = self.near(DAMAGE, event.end - event.begin)

    def _note_damage(self, fault: Fault, at: float) -> None:
        if fault.name.startswith(DAMAGE):
            self.is_damaged = True
        elif fault.name in FULL_START and self.is_damaged:
            self.forget()

    def near(self, names: tuple[str, ...], before: float, at: float | None = None) -> bool:
        """Whether a fault whose name begins with one of these lasts, or ended less than `before` seconds ago."""
        at = time.monotonic() if at is None else at
        with self._lock:
            return any(event.touches(at, before) and event.fault.name.startswith(names)
                       for event in reversed(self.events))

    def begun_since(self, at: float) -> int:
        with self._lock:
            return sum(event.begin >= at for event in self.events)

    def recent(self, seconds: float = 20) -> list[str]:
        """For a report: what lasted during the last seconds, and how long ago it began."""
        now = time.monotonic()
        with self._lock:
            return [f"{event.fault} ({now - event.begin:.1f} s ago)" for event in self.events
                    if event.touches(now, seconds)]


class Injector:
    """Runs sequences of faults. `leader` names the child that leads, if it is known."""

    def __init__(self, stage: Stage, journal: Journal, leader: Callable[[], int | None], seed: str) -> None:
        self.stage, self.journal, self.leader = stage, journal, leader
        self._over = threading.Event()
        self._dice = random.Random(f"{seed}/bytes")
        self._threads: list[threading.Thread] = []
        self.failures: list[str] = []

    def begin(self, sequence: Iterator[Fault], start: float, seconds: float) -> None:
        """In a thread of its own: each fault at its time after `start`, none that is due after `seconds`."""
        thread = threading.Thread(target=self._run, args=(sequence, start, seconds), daemon=True)
        self._threads.append(thread)
        thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, sequence: Iterator[Fault], start: float, seconds: float) -> None:
        for fault in sequence:
            if fault.at > seconds or self._over.wait(max(0.0, start + fault.at - time.monotonic())):
                return
            if time.monotonic() - start - fault.at > 10:
                continue  # the ones before took long, and the calm is near
            try:
                with self.journal.entry(fault):
                    getattr(self, "_" + fault.name.replace("-", "_"))(fault)
            except Exception as failure:  # pylint: disable=broad-except
                self.failures.append(f"{fault}: {failure!r}"[:2000])
                return

    def _wait(self, fault: Fault) -> None:
        self._over.wait(fault.values["seconds"])

    # ---- the environment ----

    def _disk_slow(self, fault: Fault) -> None:
        self.stage.disk.set(late_ms=fault.values["late_ms"])
        self._wait(fault)
        self.stage.disk.set()

    def _disk_full(self, fault: Fault) -> None:
        self.stage.disk.set(is_full=True)
        self._wait(fault)
        self.stage.disk.set()

    def _clock(self, fault: Fault) -> None:
        self.stage.clock.set(int(fault.values["offset"]))
        self._wait(fault)
        self.stage.clock.set(0)

    def _file_truncated(self, fault: Fault) -> None:
        """Its head stays: a file that is not a cache is not touched, and a server with such a file does not start."""
        with contextlib.suppress(FileNotFoundError):
            size = self.stage.cache_file.stat().st_size
            os.truncate(self.stage.cache_file, HEAD + int(max(0, size - HEAD) * fault.values["share"]))

    def _file_replaced(self, _fault: Fault) -> None:
        """By one with the same head, and garbage after it."""
        new = self.stage.folder / "garbage"
        with contextlib.suppress(FileNotFoundError):
            old = self.stage.cache_file.read_bytes()
            new.write_bytes(old[:HEAD] + self._dice.randbytes(max(0, len(old) - HEAD)))
            shutil.copystat(self.stage.cache_file, new)
            new.rename(self.stage.cache_file)

    def _file_removed(self, _fault: Fault) -> None:
        self.stage.cache_file.unlink(missing_ok=True)

    def _store_killed(self, fault: Fault) -> None:
        self.stage.store.kill()
        self._wait(fault)
        self.stage.store.start()

    def _store_paused(self, fault: Fault) -> None:
        self.stage.store.pause()
        self._wait(fault)
        self.stage.store.resume()

    def _store_poisoned(self, _fault: Fault) -> None:
        """Garbage, and entries under each other's names."""
        names = self.stage.store.responses()
        entries = [self.stage.store.get(name) or b"" for name in names]
        self._dice.shuffle(entries)
        for name, entry in zip(names, entries):
            self.stage.store.put(name, self._dice.randbytes(600) if self._dice.random() < 0.5 else entry)

    def _responder_refuses(self, fault: Fault) -> None:
        self.stage.responder.refuse()
        self._wait(fault)
        self.stage.responder.accept()

    # ---- the processes ----

    def _child(self, fault: Fault) -> int | None:
        children = sorted(self.stage.server.children())
        return children[int(fault.values["which"]) % len(children)] if children else None

    @staticmethod
    def _signal(pid: int | None, number: signal.Signals) -> None:
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _kill_child(self, fault: Fault) -> None:
        self._signal(self._child(fault), signal.SIGKILL)

    def _kill_leader(self, _fault: Fault) -> None:
        self._signal(self.leader(), signal.SIGKILL)

    def _stop(self, pid: int | None, fault: Fault) -> None:
        self._signal(pid, signal.SIGSTOP)
        self._wait(fault)
        self._signal(pid, signal.SIGCONT)

    def _stop_child(self, fault: Fault) -> None:
        self._stop(self._child(fault), fault)

    def _stop_leader(self, fault: Fault) -> None:
        self._stop(self.leader(), fault)

    def _start(self) -> None:
        self.stage.server.forget_log()
        self.stage.server.start()

    def _kill_all(self, _fault: Fault) -> None:
        self.stage.server.kill()
        self._start()

    def _restart(self, _fault: Fault) -> None:
        self.stage.server.stop(60)
        self._start()

    def _graceful(self, _fault: Fault) -> None:
        self.stage.server.forget_log()
        self.stage.server.graceful(settle=False, deadline=60)

    def _graceful_twice(self, fault: Fault) -> None:
        self._graceful(fault)
        self._graceful(fault)

    def _short_lived(self, fault: Fault) -> None:
        """Children that end after so many connections, from here on; 0 is for ever."""
        server = self.stage.server
        others = tuple(line for line in server.config.directives if not line.startswith("MaxConnectionsPerChild"))
        server.config = dataclasses.replace(
            server.config, directives=(*others, f"MaxConnectionsPerChild {fault.values['connections']:g}"))
        self._graceful(fault)
        poll(server.children, "children", 30)
