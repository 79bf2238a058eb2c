# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Which lines of the error log an injected fault explains."""

from __future__ import annotations

import re
from dataclasses import dataclass

from error_log import CRASH, SANITIZER, LogLine
from faults import DAMAGE, Journal

ERRORS = ("error", "crit", "alert", "emerg")


@dataclass(frozen=True)
class Explained:
    """A line like this belongs to these faults, up to so many seconds after their end. `damaged`: to a file that was
    damaged since the last full start, too."""

    pattern: str
    faults: tuple[str, ...]
    after: float = 5.0
    damaged: bool = False


TABLE = (
    # httpd's own: children that do not end in time, because they are stopped or the disk is slow
    Explained(r"^\[(core|mpm_\w+):(warn|error)\] .*AH0004[56]: child process \d+ still did not exit",
              ("stop-", "disk-slow", "restart", "kill-", "short-lived"), 30),
    Explained(r"^\[mpm_\w+:error\] .*AH(0309[23]|03490|10159|00485|00288): ", ("graceful", "short-lived", "stop-"), 60),
    # its places are full, for children that are stopped or drain
    Explained(r"^\[mpm_\w+:error\] .*AH00(161|286|287|484|485): server (reached|is within|is)", ("",), 3600),
    Explained(r"^\[socache_redis:(warn|error)\] ", ("store-",), 15),
    Explained(r"^\[ocsp_cache:error\] .*(staples|SSLStaplingCache|the cache )", DAMAGE, 15, damaged=True),
)
KILLED = re.compile(r"AH0005[12]: .* exit signal Killed")


def is_explained(line: LogLine, journal: Journal) -> bool:
    """A line below error needs no explanation, unless it reports a crash."""
    text = str(line)
    if SANITIZER.search(text):
        return False
    if CRASH.search(text):
        return KILLED.search(text) is not None and journal.near(
            ("kill-", "stop-", "restart", "disk-slow", "short-lived"), 30)
    if line.level and line.level not in ERRORS:
        return True
    return any(re.search(row.pattern, text) and (journal.near(row.faults, row.after) or row.damaged
                                                 and journal.is_damaged)
               for row in TABLE)
