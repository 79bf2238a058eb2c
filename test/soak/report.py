# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What a run found, as values and as text."""

from __future__ import annotations

import collections
import time

import resources
from invariants import Invariants


def of_run(watch: Invariants, seed: str) -> dict:
    faults = collections.Counter(event.fault.name for event in watch.journal.events)
    return {
        "mpm": watch.stage.server.config.mpm,
        "seed": seed,
        "minutes": round((time.monotonic() - watch.start) / 60, 1),
        "faults": dict(sorted(faults.items())),
        "handshakes": watch.handshakes.total,
        "seconds_compared": watch.handshakes.n_compared,
        "slowest_ms": watch.handshakes.slowest,
        "excess_ms": watch.handshakes.excess,
        "requests": watch.requests.total,
        "most_attempts": watch.requests.most,
        "companions": watch.requests.n_companions,
        "latest_wake_ms": round(1000 * watch.lateness.worst),
        "leaders": watch.leaders.changes,
        "loud_lines": dict(watch.loud),
        "samples": len(watch.samples),
        "growth": resources.growth(watch.samples),
        "counts": {kind: count for kind, count in watch.kinds.items() if count > 1},
        "problems": [str(problem) for problem in watch.problems] + resources.problems(watch.samples),
    }


def as_text(run: dict) -> str:
    if "faults" not in run:
        return f"{run['mpm']}: " + "\n".join(run["problems"])
    lines = [f"{run['mpm']}, {run['minutes']} min: {sum(run['faults'].values())} faults, "
             + ", ".join(f"{count} {name}" for name, count in run["handshakes"].items() if count)
             + f"; {run['requests']} requests to the responder, at most {run['most_attempts']} attempts for a "
             "certificate in 30 s; "
             f"{run['leaders']} times a child took the lead",
             f"    the machine woke a sleeping thread up to {run['latest_wake_ms']} ms late",
             f"    slowest handshake in {run['seconds_compared']} undisturbed seconds: "
             f"{run['slowest_ms']['stapled']:.0f} ms, "
             f"without stapling {run['slowest_ms']['plain']:.0f} ms",
             "    faults: " + ", ".join(f"{name} {count}" for name, count in run["faults"].items())]
    if run["growth"]:
        lines.append("    first and last third: " + ", ".join(
            f"{name} {early:g} -> {late:g}" for name, (early, late) in run["growth"].items()))
    lines += [f"    PROBLEM {problem.rstrip()}" for problem in run["problems"]]
    lines += [f"    {count} times: {kind}" for kind, count in run["counts"].items()]
    lines.append(f"    {len(run['problems'])} problems" + (f"; error log: {run['log']}" if "log" in run else ""))
    return "\n".join(lines)
