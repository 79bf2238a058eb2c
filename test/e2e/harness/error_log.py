# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""httpd's error log as values, and what is wrong with it: every line of warn or above that a test did not announce."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LOUD = ("warn", "error", "crit", "alert", "emerg")
SANITIZER = re.compile(r"AddressSanitizer|UndefinedBehaviorSanitizer|ThreadSanitizer|runtime error:")
CRASH = re.compile(r"AH0005[12]:|exit signal|Segmentation fault|stack smashing|double free|corrupted|"
                   r"Assertion .* failed|file .* line \d+, assertion")
# A machine whose OpenSSL is older than the one its mod_ssl was built with: seen after httpd alone was installed or
# upgraded.
MACHINE = re.compile(r"AH01882:")
# The event MPM, when it is stopped while a connection becomes idle or lingers: it has closed the socket already.
STOPPING = re.compile(r"^\[mpm_event:error\] .*\(9\)Bad file descriptor: .*apr_pollset_add failure")
LINE = re.compile(r"^\[(?P<date>[^\]]+)\] \[(?P<module>[^:\]]*):(?P<level>\w+)\] "
                  r"\[pid (?P<pid>\d+)(?::tid (?P<tid>\d+))?\] (?P<text>.*)$")


@dataclass(frozen=True)
class LogLine:
    """One line of the error log. A line that is not httpd's (a sanitizer's, for example) has the level ''."""

    module: str
    level: str
    pid: int
    text: str

    def __str__(self) -> str:
        return f"[{self.module}:{self.level}] [pid {self.pid}] {self.text}"


def parse(text: str) -> list[LogLine]:
    lines = []
    for row in text.splitlines():
        match = LINE.match(row)
        if match:
            lines.append(LogLine(match["module"], match["level"], int(match["pid"]), match["text"]))
        elif row.strip():
            lines.append(LogLine("", "", 0, row))
    return lines


@dataclass
class Announced:
    """The lines of warn and above that a test expects: those that must appear, and those that may."""

    must: list[re.Pattern[str]] = field(default_factory=list)
    may: list[re.Pattern[str]] = field(default_factory=list)

    def missing(self, lines: list[LogLine]) -> list[str]:
        return [pattern.pattern for pattern in self.must if not any(pattern.search(str(line)) for line in lines)]

    def problems(self, lines: list[LogLine]) -> list[str]:
        known = [MACHINE, STOPPING, *self.must, *self.may]
        unexpected = [line for line in lines if (line.level in LOUD or not line.level)
                      and not any(pattern.search(str(line)) for pattern in known)]
        broken = [line for line in lines if SANITIZER.search(line.text) or CRASH.search(line.text)]
        return [f"unexpected: {line}" for line in dict.fromkeys(broken + unexpected)] + [
            f"never logged: {pattern}" for pattern in self.missing(lines)]
