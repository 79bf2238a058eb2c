# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The fault table: what a responder can do wrong, what clients get then, and how two clients judge the response.

    /usr/bin/python3 test/e2e/harness/fault_table.py              plays all rows on one httpd, prints the table
    /usr/bin/python3 test/e2e/harness/fault_table.py --document   and writes it into docs/faults.md

`make faults` does the former.

Exit status 1: a row's verdict is another one, a handshake was slow, a query took more than two requests, or a client
differs and fault_peers.py has no reason.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import fault_peers
import pki
from clients import Handshake
from error_log import LOUD, LogLine
from fault_kinds import Body, Row, outcome
from fault_rows import ROWS, SECTIONS
from fault_stage import COLD, RESPONDER_TIMEOUT, WARM, Stage, State
from httpd import REPOSITORY
from wait import NotReached, poll

DOCUMENT = REPOSITORY / "docs" / "faults.md"
SETTLE = 40.0  # the slowest row is a name that hangs for 6 s at each attempt
SLOW = RESPONDER_TIMEOUT / 2  # a handshake that waited for a responder would take RESPONDER_TIMEOUT
NOTHING = "There is no valid response to staple"
REQUESTS = 2   # of one query at most: GET and POST


def _cause(line: str) -> str:
    """What a line about a failure has after "host: certificate: responder: ", without details."""
    return line.split(": ")[3].split(". ")[0] if line.count(": ") > 2 else line


@dataclass
class Seen:
    """What one row led to."""

    row: Row
    cold: str = ""        # verdict on the status page
    warm: str = ""
    methods: list[str] = field(default_factory=list)  # of the requests for the cold certificate
    queries: int = 0      # how many the log has for it
    clients: dict[str, Optional[str]] = field(default_factory=dict)  # "cold", "on", "warm": what was stapled
    slowest: float = 0.0  # of the vhosts' fastest handshakes
    openssl: str = "-"
    gnutls: str = "-"
    # Lines of warn and above for the cold certificate, and those of info for which another certificate of the
    # responder has a warning.
    logged: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        wanted, warm = outcome(self.row.verdict), outcome(self.row.warm_verdict or self.row.verdict)
        checks = [("verdict, nothing cached", self.cold, self.row.verdict),
                  ("verdict, good cached", self.warm, self.row.warm_verdict or self.row.verdict),
                  ("client, nothing cached", self.clients["cold"], wanted.cold),
                  ("client, nothing cached, errors On", self.clients["on"], wanted.cold_on),
                  ("client, good cached", self.clients["warm"], warm.warm),
                  ("gnutls-cli, nothing cached", self.clients.get("gnutls", "accepted"), "accepted")]
        wrong = [f"{self.row.name}: {what}: {seen!r}, not {want!r}" for what, seen, want in checks if seen != want]
        if self.row.verdict != "good" and not self.logged:
            wrong.append(f"{self.row.name}: nothing in the log")
        if self.row.verdict != "revoked":  # host: certificate: responder: reason: ...
            reasons = [_cause(line) for line in self.logged]
            wrong += [f"{self.row.name}: logged twice: {reason}" for reason, before in zip(reasons[1:], reasons)
                      if reason == before]
        if len(self.methods) > REQUESTS * (self.queries + 2):  # one, and one that accompanies it, may not have ended
            wrong.append(f"{self.row.name}: {len(self.methods)} requests for {self.queries} queries")
        if self.slowest > SLOW:
            wrong.append(f"{self.row.name}: a handshake took {self.slowest:.2f} s")
        if isinstance(self.row, Body):
            wrong += self._differences()
        return wrong

    @property
    def requests(self) -> int:
        """Of one query: GET, and POST where it follows."""
        return 2 if ("GET", "POST") in zip(self.methods, self.methods[1:]) else len(self.methods[:1])

    def _differences(self) -> list[str]:
        ours = fault_peers.usable(self.row.verdict)
        name = "LAXER" if ours == "good" else "STRICTER"
        listed = getattr(fault_peers, name).get(self.row.name, {})
        found = {tool for tool in ("openssl", "gnutls") if fault_peers.usable(getattr(self, tool)) != ours}
        wrong = [f"{self.row.name}: {tool}: {getattr(self, tool)!r}, the module: {self.row.verdict!r}, and "
                 f"fault_peers.{name} has no reason" for tool in sorted(found - set(listed))]
        return wrong + [f"{self.row.name}: {tool} agrees, though fault_peers.{name} has a reason"
                        for tool in sorted(set(listed) - found) if fault_peers.is_documented(tool)]


def _ask_peers(stage: Stage, seen: Seen, folder: Path) -> None:
    """What the tools make of the bytes that are sent, and gnutls-cli of those that are stapled."""
    leaf, ends = stage.leaves[seen.row.name, COLD], time.monotonic() + SETTLE
    response = folder / f"{seen.row.name}.der"
    response.write_bytes(seen.row.der(stage.cast, leaf))
    seen.openssl, seen.gnutls = (str(fault_peers.openssl(response, leaf).status),
                                 str(fault_peers.gnutls(response, leaf).status))
    if seen.row.verdict == "good":
        host = f"cold.{seen.row.name}.test"
        shaken = stage.server.gnutls(host)
        while shaken.ok and not shaken.staple and time.monotonic() < ends:  # between two short-lived responses
            shaken = stage.server.gnutls(host)
        seen.clients["gnutls"] = "accepted" if shaken.ok and shaken.staple else shaken.output[-300:]


def _wait_for_verdicts(stage: Stage, whose: tuple[str, ...]) -> None:
    """Until every row has its verdict, or it is clear that some never do: problems() names those."""
    def wanted(row: Row, who: str) -> str:
        if who == WARM:
            return (row.warm_verdict or row.verdict) if stage.broken else "good"
        return row.verdict

    def settled() -> bool:
        states = stage.states()
        for row in stage.rows.values():
            for who in whose:
                state, want = states.get(stage.leaves[row.name, who].serial_hex), wanted(row, who)
                if state is None or state.verdict != want:
                    return False
                if stage.broken and who == WARM and want == "good" and stage.times_played(row.name, who) < 2:
                    return False
        return True
    try:
        poll(settled, "every row has its verdict", SETTLE, 0.2)
    except NotReached:
        pass


def _stapled(handshake: Handshake) -> Optional[str]:
    """The status that was stapled for the certificate shown: the worst, where the response has several."""
    if not handshake.ok:
        return f"handshake failed: {handshake.output[-300:]}"
    if re.search(r"OCSP Response Status: \(UNKNOWN\)", handshake.output):
        return "undefined"
    ours = {status for serial, status in re.findall(r"Serial Number: (\w+)\n\s+Cert Status: (\w+)", handshake.staple)
            if int(serial, 16) == int(handshake.serial, 16)}
    return "revoked" if "revoked" in ours else handshake.status


def baseline(stage: Stage) -> float:
    """The median handshake of a vhost without stapling."""
    return statistics.median(stage.server.handshake("plain.example.test").seconds for _ in range(5))


def _shake_hands(stage: Stage, seen: Seen) -> None:
    """A handshake with each of the row's vhosts; several where one was slow, because this machine may be busy, or where
    an error is expected, because it is stored only until the next attempt is due."""
    wanted = outcome(seen.row.verdict)
    for who in ("cold", "on", "warm"):
        host = f"{who}.{seen.row.name}.test"
        shaken = [stage.server.handshake(host)]
        while shaken[-1].seconds > SLOW and len(shaken) < 3:
            shaken.append(stage.server.handshake(host))
        while who == "on" and wanted.cold != wanted.cold_on != _stapled(shaken[-1]) and len(shaken) < 30:
            shaken.append(stage.server.handshake(host))
        seen.clients[who] = _stapled(shaken[-1])
        seen.slowest = max(seen.slowest, min(one.seconds for one in shaken))


def _take_records(stage: Stage, seen: Seen, states: dict[str, State], log: list[LogLine]) -> None:
    """What the status page and the log have of the row."""
    cold, warm = (stage.leaves[seen.row.name, who] for who in (COLD, WARM))
    seen.cold = getattr(states.get(cold.serial_hex), "verdict", "not on the status page")
    seen.warm = getattr(states.get(warm.serial_hex), "verdict", "not on the status page")
    lines = [line for line in log if cold.serial_hex in line.text]
    seen.queries = sum("responder http" in line.text for line in lines)
    warned = {_cause(line.text) for line in log if line.level in LOUD}
    seen.logged = [line.text for line in lines if line.level in LOUD
                   or line.level == "info" and NOTHING in line.text and _cause(line.text) in warned]


def play(stage: Stage, folder: Path) -> list[Seen]:
    """All of it: nothing cached; a good response cached, then faults; the handshakes; the two clients."""
    found = [Seen(row) for row in stage.rows.values()]
    stage.start()
    _wait_for_verdicts(stage, (COLD, WARM))
    stage.break_all()
    _wait_for_verdicts(stage, (COLD, WARM))
    states = stage.states()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda seen: _shake_hands(stage, seen), found))
        bodies = [seen for seen in found if isinstance(seen.row, Body)]
        list(pool.map(lambda seen: _ask_peers(stage, seen, folder), bodies))
    for seen in found:
        seen.methods = stage.methods(seen.row.name, COLD)
    log = stage.server.ours()
    for seen in found:
        _take_records(stage, seen, states, log)
    return found


# ---- the table -------------------------------------------------------------------------------------------------------

HEADINGS = ("what the responder does", "verdict", "requests", "nothing cached", "errors On", "good cached", "OpenSSL",
            "GnuTLS")


def cells(seen: Seen) -> tuple[str, ...]:
    verdict = seen.cold if seen.warm == seen.cold else f"{seen.cold}; {seen.warm} when one is stored"
    stapled = (seen.clients[who] or "-" for who in ("cold", "on", "warm"))
    return (seen.row.name, verdict, str(seen.requests), *stapled, seen.openssl, seen.gnutls)


def as_text(found: list[Seen]) -> str:
    rows = [HEADINGS, *(cells(seen) for seen in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def as_markdown(found: list[Seen]) -> str:
    """The table in sections, and every difference with its reason."""
    by_name = {seen.row.name: seen for seen in found}
    parts = []
    for title, rows in SECTIONS:
        parts.append(f"### {title}\n\n| " + " | ".join(HEADINGS) + " |\n" + "|---" * len(HEADINGS) + "|\n"
                     + "".join("| " + " | ".join(cells(by_name[row.name])) + " |\n" for row in rows))
    return ("\n".join(parts) + "\n### What the module accepts and a client refuses\n\n" + reasons(fault_peers.LAXER)
            + "\n### What a client accepts and the module refuses\n\n" + reasons(fault_peers.STRICTER))


def reasons(listed: dict[str, dict[str, str]]) -> str:
    """One line for each reason, with its rows."""
    names, rows = {"openssl": "`openssl ocsp`", "gnutls": "`ocsptool`"}, {}
    for row, by_tool in listed.items():
        for tool, reason in by_tool.items():
            rows.setdefault((names[tool], reason), []).append(row)
    return "".join(f"* {tool} {reason}: {', '.join(found)}.\n" for (tool, reason), found in rows.items())


BEGIN, END = "<!-- written by test/e2e/harness/fault_table.py --document -->\n", "<!-- end -->\n"


def _split_document() -> tuple[str, str, str]:
    before, rest = DOCUMENT.read_text().split(BEGIN)
    table, after = rest.split(END)
    return before, table, after


def documented() -> str:
    return _split_document()[1]


def document(found: list[Seen]) -> None:
    before, _, after = _split_document()
    DOCUMENT.write_text(before + BEGIN + as_markdown(found) + END + after)


def main() -> int:
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER, as conftest.orphans()
    folder = Path(tempfile.mkdtemp(prefix="ocsp-cache-faults-"))
    folder.chmod(0o755)
    began = time.monotonic()
    try:
        root = pki.Authority.root(folder / "pki", "Test Root")
        stage = Stage(ROWS, folder, root, root.intermediate("Test Intermediate"),
                      pki.Authority.root(folder / "pki", "Stranger"))
        stage.server.allow(r"^\[ocsp_cache:(warn|crit)\]")
        try:
            found = play(stage, folder)
            plain = baseline(stage)
        finally:
            stage.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(as_text(found))
    wrong = [problem for seen in found for problem in seen.problems()]
    slowest = max(seen.slowest for seen in found)
    print(
        f"\n{len(found)} rows in {time.monotonic() - began:.0f} s; slowest handshake {slowest:.3f} s, without stapling "
        f"{plain:.3f} s; {len(wrong)} problems", *wrong, sep="\n")
    if sys.argv[1:] == ["--document"]:
        document(found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
