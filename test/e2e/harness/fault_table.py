# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The fault table: everything that a responder can do wrong, what clients get then, and what other clients think of it.

    /usr/bin/python3 test/e2e/harness/fault_table.py              plays all rows on one httpd, prints the table (`make faults`)
    /usr/bin/python3 test/e2e/harness/fault_table.py --document   and writes it into docs/faults.md

Exit status 1: a row is not as fault_rows.py says, or a handshake was slow, or a difference is not in fault_peers.py.
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
from fault_rows import HTTP, NETWORK, ROWS, SIGNERS, SINGLES, STATUS, TIMES, Body, Row, outcome
from fault_stage import COLD, WARM, Stage, state_of
from httpd import REPOSITORY
from wait import NotReached, poll

DOCUMENT = REPOSITORY / "docs" / "faults.md"
SECTIONS = (("The network", NETWORK), ("HTTP", HTTP), ("Status and encoding", STATUS), ("What it speaks of", SINGLES),
            ("Who signs", SIGNERS), ("Times", TIMES))
SETTLE = 40.0  # the slowest row is a name that hangs for 6 s at each attempt
SLOW = 0.5     # a handshake that waited for a responder would take RESPONDER_TIMEOUT


@dataclass
class Seen:
    """What came of one row."""

    row: Row
    cold: str = ""        # verdict in server-status
    warm: str = ""
    clients: dict[str, Optional[str]] = field(default_factory=dict)  # "cold", "on", "warm": what was stapled
    slowest: float = 0.0  # of the median handshakes
    openssl: str = "-"
    gnutls: str = "-"
    loud: list[str] = field(default_factory=list)  # the lines of warn and above for the cold certificate

    def problems(self) -> list[str]:
        wanted, warm = outcome(self.row.verdict), outcome(self.row.warm_verdict or self.row.verdict)
        checks = [("verdict, nothing cached", self.cold, self.row.verdict),
                  ("verdict, good cached", self.warm, self.row.warm_verdict or self.row.verdict),
                  ("client, nothing cached", self.clients["cold"], wanted.cold),
                  ("client, nothing cached, errors On", self.clients["on"], wanted.cold_on),
                  ("client, good cached", self.clients["warm"], warm.warm)]
        wrong = [f"{self.row.name}: {what}: {seen!r}, not {want!r}" for what, seen, want in checks if seen != want]
        if self.row.verdict != "good" and not self.loud:
            wrong.append(f"{self.row.name}: nothing in the log")
        if self.row.verdict != "revoked":  # host: certificate: responder: reason: ...
            reasons = [line.split(": ")[3] for line in self.loud]
            wrong += [f"{self.row.name}: said twice: {reason}" for reason, before in zip(reasons[1:], reasons)
                      if reason == before]
        if self.slowest > SLOW:
            wrong.append(f"{self.row.name}: a handshake took {self.slowest:.2f} s")
        if isinstance(self.row, Body):
            wrong += self._differences()
        return wrong

    def _differences(self) -> list[str]:
        ours = fault_peers.usable(self.row.verdict)
        listed = fault_peers.DIFFERENCES.get(self.row.name, {})
        found = {tool for tool in ("openssl", "gnutls") if fault_peers.usable(getattr(self, tool)) != ours}
        if ours == "good":
            listed = {}  # to be laxer than either is no difference to be argued for
        wrong = [f"{self.row.name}: {tool} says {getattr(self, tool)!r}, the module {self.row.verdict!r}: not in "
                 "fault_peers.DIFFERENCES" for tool in sorted(found - set(listed))]
        return wrong + [f"{self.row.name}: {tool} agrees, though fault_peers.DIFFERENCES says otherwise"
                        for tool in sorted(set(listed) - found)]


def _ask_peers(stage: Stage, seen: Seen, folder: Path) -> None:
    leaf = stage.leaves[seen.row.name, COLD]
    response = folder / f"{seen.row.name}.der"
    response.write_bytes(seen.row.der(stage.cast, leaf))
    seen.openssl, seen.gnutls = (str(fault_peers.openssl(response, leaf).status),
                                 str(fault_peers.gnutls(response, leaf).status))


def _wait_for_verdicts(stage: Stage, whose: tuple[str, ...]) -> None:
    """Until every row has come to its verdict, or it is clear that some do not: problems() names those."""
    def wanted(row: Row, who: str) -> str:
        if who == WARM:
            return (row.warm_verdict or row.verdict) if stage.broken else "good"
        return row.verdict

    def settled() -> bool:
        states = stage.states()
        for row in stage.rows.values():
            for who in whose:
                state, want = state_of(states, stage.leaves[row.name, who]), wanted(row, who)
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
    """What was stapled about the certificate shown: where several answers speak of it, the worst."""
    if not handshake.ok:
        return f"handshake failed: {handshake.output[-300:]}"
    if re.search(r"OCSP Response Status: \(UNKNOWN\)", handshake.output):
        return "undefined"
    ours = {status for serial, status in re.findall(r"Serial Number: (\w+)\n\s+Cert Status: (\w+)", handshake.staple)
            if int(serial, 16) == int(handshake.serial, 16)}
    return "revoked" if "revoked" in ours else handshake.status


def _shake_hands(stage: Stage, seen: Seen) -> None:
    """A handshake with each of the row's vhosts; more where one was slow, for this machine may be busy, or where an error
    is wanted, for that is kept no longer than until the next attempt is due."""
    wanted = outcome(seen.row.verdict)
    for who in ("cold", "on", "warm"):
        host = f"{who}.{seen.row.name}.test"
        shaken = [stage.server.handshake(host)]
        while shaken[-1].seconds > SLOW and len(shaken) < 3:
            shaken.append(stage.server.handshake(host))
        while who == "on" and wanted.cold != wanted.cold_on != _stapled(shaken[-1]) and len(shaken) < 30:
            shaken.append(stage.server.handshake(host))
        seen.clients[who] = _stapled(shaken[-1])
        seen.slowest = max(seen.slowest, statistics.median(one.seconds for one in shaken))


def play(stage: Stage, folder: Path) -> list[Seen]:
    """Everything: nothing cached; a good response cached, then faults; the handshakes; the other clients."""
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
    loud = stage.server.ours(("warn", "error", "crit"))
    for seen in found:
        cold, warm = (stage.leaves[seen.row.name, who] for who in (COLD, WARM))
        seen.cold = getattr(state_of(states, cold), "verdict", "not in server-status")
        seen.warm = getattr(state_of(states, warm), "verdict", "not in server-status")
        seen.loud = [line.text for line in loud if cold.serial_hex in line.text]
    return found


def baseline(stage: Stage) -> float:
    """The median handshake of a vhost without stapling."""
    return statistics.median(stage.server.handshake("plain.example.test").seconds for _ in range(5))


# ---- the table -------------------------------------------------------------------------------------------------------

HEADINGS = ("what the responder does", "verdict", "nothing cached", "errors On", "good cached", "OpenSSL", "GnuTLS")


def cells(seen: Seen) -> tuple[str, ...]:
    verdict = seen.cold if seen.warm == seen.cold else f"{seen.cold}; {seen.warm} when one is held"
    stapled = (seen.clients[who] or "-" for who in ("cold", "on", "warm"))
    return (seen.row.name, verdict, *stapled, seen.openssl, seen.gnutls)


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
    names = {"openssl": "`openssl ocsp`", "gnutls": "`ocsptool`"}
    lines = [f"* {row}, {names[tool]}: {reason}.\n" for row, reasons in fault_peers.DIFFERENCES.items()
             for tool, reason in reasons.items()]
    return "\n".join(parts) + "\n### Where they differ, and why\n\n" + "".join(lines)


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
    print(f"\n{len(found)} rows in {time.monotonic() - began:.0f} s; slowest handshake {slowest:.3f} s, without stapling "
          f"{plain:.3f} s; {len(wrong)} problems", *wrong, sep="\n")
    if sys.argv[1:] == ["--document"]:
        document(found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
