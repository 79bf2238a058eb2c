# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What must hold, checked all the time: for each handshake as it happens, for everything else once a second."""

from __future__ import annotations

import collections
import re
import threading
import time
from dataclasses import dataclass

from error_log import LogLine, parse
from explained import is_explained
from faults import Journal
from observe import LEADS
from resources import Sample
from stage import INTERVAL, N_HOSTS, TIMEOUT, Stage, connections_to, host, returns_errors, sockets_of

ERRORS_WANTED = {host(number) for number in range(N_HOSTS) if returns_errors(number)}
BREAKS_CONNECTIONS = ("kill-", "restart", "stop-", "short-lived")
SLOWS_HANDSHAKES = ("stop-", "restart", "kill-", "graceful", "short-lived")
# What belongs in the cache's folder. A fault removes the first one, which the next start or reload creates again.
FILES = {"staples", "staples.lock", "staples.ledger", "staples.manifest", "staples.command"}
MARGIN_MS = 100
WINDOW = 30        # seconds in which requests are counted
TWO_LEADERS = 6    # seconds after which two children that talk to the responder are one too many
OVERDUE = 5        # seconds, in the calm
TAKE_OVER = 4      # seconds without a leader, in the calm
LIKE_IT = 5        # problems that differ in numbers alone are listed; all are counted
TEMPORARY = 15     # seconds after which a file that does not belong in the cache's folder is one that was left
# The last four are for an idle machine. Invariants.slack() adds what this one is late by at the moment.


@dataclass
class Problem:
    at: float
    what: str
    recent: list[str]

    def __str__(self) -> str:
        return f"at {self.at:.1f} s: {self.what}\n" + "".join(f"        during or after {one}\n" for one in self.recent)


class Handshakes:
    """What the clients report: never wrong, good while valid, failed only with a reason, not slower than without
    stapling."""

    def __init__(self, journal: Journal, report: "Invariants") -> None:
        self._journal, self._report = journal, report
        self.outcome: dict[str, str] = {}
        self.total: collections.Counter[str] = collections.Counter()
        self._until: dict[str, float] = {}
        self._seconds: dict[str, dict[int, tuple[int, float]]] = {name: {} for name in ("stapled", "a", "b")}
        self._compared = int(time.monotonic())
        self.n_compared = 0
        self.slowest = {"stapled": 0.0, "plain": 0.0}
        # Milliseconds beyond twice the slowest of the other kind around it and what the machine's lateness explains.
        self.excess = {"stapled": 0.0, "plain": 0.0}

    def forget(self) -> None:
        """Nothing can be expected to be held."""
        self._until.clear()

    def take(self, name: str, line: dict) -> None:
        if "second" in line:
            self._seconds[name][line["second"]] = line["n"], line["longest_ms"]
            self.total["stapled" if name == "stapled" else "plain"] += line["n"]
        elif line["outcome"] == "failed":
            self.total["failed"] += 1
            if not self._journal.near(BREAKS_CONNECTIONS, 3):
                self._report.problem(f"{line['host']}: the handshake failed: {line['why']}")
        elif name == "stapled":
            self._judge(line)

    def _judge(self, line: dict) -> None:
        who, outcome, now = line["host"], line["outcome"], time.time()
        if line["why"] == "unknown" and who in ERRORS_WANTED:
            outcome = "error"
        self.outcome[who] = outcome
        is_clock_off = self._journal.near(("clock",), 3)
        if outcome == "good":
            self._until[who] = line["until"]
        elif outcome == "wrong":
            self._judge_wrong(who, line["why"], line["ms"] / 1000 + 1)
        elif self._until.get(who, 0) > now + 1 and not is_clock_off:
            self._report.problem(
                f"{who}: {outcome}, though a good response was held for {self._until.pop(who) - now:.0f} s more")

    def _judge_wrong(self, who: str, why: str, slack: float) -> None:
        """By the right clock, which is the client's, a staple may be from the future or expired while the server's
        clock is off, and no longer than a handshake takes afterwards. One from the future has replaced the good one."""
        if not _is_by_time(why) or not (self._journal.near(("clock",), slack) or _seconds_of(why) <= slack):
            self._report.problem(f"{who}: a wrong staple: {why}")
        elif "thisUpdate" in why:
            self._until.pop(who, None)

    def compare(self) -> None:
        """The seconds that are complete: the slowest handshake of each kind against the slowest of the other around
        it. A handshake takes several steps, each of which a busy machine makes late."""
        last = int(time.monotonic()) - 4
        late = 3000 * self._report.lateness.now()
        for second in range(max(self._compared, last - 60), last):
            if self._journal.near(SLOWS_HANDSHAKES, 3, second):
                continue
            self.n_compared += 1
            for kind, other in (("stapled", "plain"), ("plain", "stapled")):
                slowest = self._slowest(kind, second)
                around = max(self._slowest(other, second + by) for by in (-2, -1, 0, 1, 2))
                self.slowest[kind] = max(self.slowest[kind], slowest)
                self.excess[kind] = max(self.excess[kind], slowest - 2 * around - late)
        self._compared = last
        for seconds in self._seconds.values():
            for second in [second for second in seconds if second < last - 5]:
                del seconds[second]

    def _slowest(self, kind: str, second: int) -> float:
        names = ("stapled",) if kind == "stapled" else ("a", "b")
        return max(self._seconds[name].get(second, (0, 0.0))[1] for name in names)

    def slowest_plain(self) -> float:
        """Seconds, of the last handshakes without stapling."""
        return max((longest for name in ("a", "b") for _, longest in list(self._seconds[name].values())),
                   default=0.0) / 1000

    def check_speed(self) -> None:
        """At the end: stapled handshakes may stand out no more than those without stapling do."""
        bound = MARGIN_MS + 2 * self.excess["plain"]
        if self.excess["stapled"] > bound:
            self._report.problem(
                f"a stapled handshake took {self.excess['stapled']:.0f} ms longer than twice the slowest without "
                f"stapling around it; the other way round it is {self.excess['plain']:.0f} ms")


def _is_by_time(why: str) -> bool:
    return "nextUpdate" in why or "thisUpdate" in why


def _seconds_of(why: str) -> int:
    """"3 s past its nextUpdate": it may have been right when the handshake began."""
    return int(why.split()[0])


class Requests:
    """No more requests to the responder than the schedule allows."""

    def __init__(self, stage: Stage, journal: Journal, report: "Invariants") -> None:
        self._stage, self._journal, self._report = stage, journal, report
        self._attempts: dict[int, collections.deque] = {}
        self._companions: dict[int, float] = {}  # the attempt that was accompanied last
        self.total = self.n_companions = 0
        self.most = 0                  # attempts for one certificate within WINDOW

    def check(self) -> None:
        self._stage.responder.asked.clear()
        seen = self._stage.responder.seen
        while seen:
            number, method, at = seen.popleft()
            self.total += 1
            attempts = self._attempts.setdefault(number, collections.deque())
            if method == "POST" and attempts and at - attempts[-1] < 3:
                continue               # the second half of an attempt that began with GET
            if self._is_companion(number, attempts, at):
                continue
            attempts.append(at)
            while attempts[0] < at - WINDOW:
                attempts.popleft()
            bound = WINDOW / INTERVAL[0] + 2 * self._journal.begun_since(at - WINDOW - 5) + 3
            self.most = max(self.most, len(attempts))
            if len(attempts) > bound:
                self._report.problem(
                    f"{host(number)}: {len(attempts)} attempts within {WINDOW} s, more than {bound:.0f}")
                attempts.clear()


    def _is_companion(self, number: int, attempts: "collections.deque", at: float) -> bool:
        """Without a good staple, each request that hangs is accompanied by one other (docs/schedule.md)."""
        before = self._companions.get(number)
        if not attempts or at - attempts[-1] >= TIMEOUT + 0.5 or before == attempts[-1] \
                or self._report.handshakes.outcome.get(host(number)) == "good":
            return False
        self._companions[number] = attempts[-1]
        self.n_companions += 1
        return True


class Leaders:
    """Exactly one child refreshes: what the log tells, and who talks to the responder."""

    def __init__(self, stage: Stage, report: "Invariants") -> None:
        self._stage, self._report = stage, report
        self._claims: list[int] = []   # pids, of the generation that serves, in the order of their claims
        self._two_since: dict[frozenset[int], float] = {}
        self.changes = 0
        self.led_at = time.monotonic()

    def note(self, line: LogLine) -> None:
        if "resuming normal operations" in line.text:
            self._claims.clear()
        elif LEADS in line.text:
            self._claims.append(line.pid)
            self.changes += 1
            self.led_at = time.monotonic()

    def now(self) -> int | None:
        alive = self._stage.server.processes()
        return next((pid for pid in reversed(self._claims) if pid in alive), None)

    def talkers(self) -> set[int]:
        inodes = set(connections_to(self._stage.responder.port))
        return {pid for pid in self._stage.server.processes() if sockets_of(pid) & inodes}

    def check(self) -> None:
        talking = self.talkers()
        now = time.monotonic()
        if self.now() is not None:
            self.led_at = now
        if len(talking) < 2:
            self._two_since.clear()
            return
        since = self._two_since.setdefault(frozenset(talking), now)
        if now - since > TWO_LEADERS + self._report.slack():
            self._report.problem(
                f"{len(talking)} processes talk to the responder for {now - since:.0f} s: {sorted(talking)}, "
                f"children that took the lead: {self._claims}, alive: "
                f"{sorted(self._stage.server.processes())}")
            self._two_since.clear()


class Lateness:
    """By how much a thread that sleeps is woken late: what the machine does to every process at the moment."""

    STEP, MEMORY = 0.1, 20.0

    def __init__(self) -> None:
        self._seen: collections.deque[tuple[float, float]] = collections.deque()
        self.worst = 0.0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        tick = threading.Event()
        while True:
            begin = time.monotonic()
            tick.wait(self.STEP)
            now = time.monotonic()
            late = max(0.0, now - begin - self.STEP)
            self.worst = max(self.worst, late)
            self._seen.append((now, late))
            while self._seen[0][0] < now - self.MEMORY:
                self._seen.popleft()

    def now(self) -> float:
        return max((late for _, late in list(self._seen)), default=0.0)


class Invariants:
    """All of them, and the problems found."""

    def __init__(self, stage: Stage, journal: Journal) -> None:
        self.stage, self.journal = stage, journal
        self.start = time.monotonic()
        self.problems: list[Problem] = []
        self.kinds: collections.Counter[str] = collections.Counter()
        self._lock = threading.Lock()
        self.handshakes = Handshakes(journal, self)
        self.requests = Requests(stage, journal, self)
        self.leaders = Leaders(stage, self)
        self.samples: list[Sample] = []
        self.loud: collections.Counter[str] = collections.Counter()
        self._log_at = 0
        self._temporary: dict[str, float] = {}
        self.lateness = Lateness()
        journal.forget = self.handshakes.forget

    def problem(self, what: str) -> None:
        with self._lock:
            kind = re.sub(r"[\d.]+", "#", what)
            self.kinds[kind] += 1
            if self.kinds[kind] > LIKE_IT:
                return
            self.problems.append(Problem(time.monotonic() - self.start, what, self.journal.recent()))
            print(f"{self.stage.server.config.mpm}: PROBLEM {self.problems[-1]}", end="", flush=True)

    def check(self) -> None:
        """Once a second."""
        self._read_log()
        self.handshakes.compare()
        self.requests.check()
        self.leaders.check()
        self._check_folder()

    def slack(self) -> float:
        """Seconds, measured at this moment: what a busy machine adds to anything that takes several steps."""
        return 3 * max(self.lateness.now(), self.handshakes.slowest_plain())

    def _read_log(self) -> None:
        try:
            with open(self.stage.server.error_log, "rb") as file:
                file.seek(self._log_at)
                data = file.read()
        except FileNotFoundError:
            return
        whole = data[:data.rfind(b"\n") + 1]
        self._log_at += len(whole)
        for line in parse(whole.decode(errors="replace")):
            self.leaders.note(line)
            if line.level not in ("info", "notice", "debug"):
                self.loud[f"{line.module}:{line.level}"] += 1
            if not is_explained(line, self.journal):
                self.problem(f"unexplained line in the error log: {line}")

    def _check_folder(self) -> None:
        now = time.monotonic()
        there = {path.name for path in self.stage.server.cache_folder.iterdir()} - FILES
        self._temporary = {name: self._temporary.get(name, now) for name in there}
        for name, since in self._temporary.items():
            if now - since > TEMPORARY + self.slack() and not self.journal.near(
                ("disk-", "restart", "graceful", "kill-"), 5):
                self.problem(f"a file was left in the cache's folder: {name}")
                self._temporary[name] = now + 3600

    def check_calm(self) -> None:
        """Once in each calm, near its end: nothing has gone wrong for a while."""
        for number in range(N_HOSTS):
            seen = self.handshakes.outcome.get(host(number))
            if seen != "good":
                self.problem(f"{host(number)}: {seen} in the calm, though the responder answers")
        slack = self.slack()
        if time.monotonic() - self.leaders.led_at > TAKE_OVER + slack:
            self.problem(f"no child leads for {time.monotonic() - self.leaders.led_at:.0f} s; children: "
                         f"{sorted(self.stage.server.children())}")
        now = time.time()
        try:
            for one in self.stage.server.certificates():
                if one["next_request"] is not None and one["next_request"] < now - OVERDUE - slack:
                    self.problem(
                        f"{one['host']}: no child refreshes: the request was due {now - one['next_request']:.0f} s "
                        f"ago; the child that leads: {self.leaders.now()}, its slack: {slack:.1f} s")
        except (OSError, ValueError) as failure:
            self.problem(f"the status page cannot be read: {failure}")
        self.samples.append(Sample.of(self.stage.server))
