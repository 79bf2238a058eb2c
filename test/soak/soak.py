# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The soak: servers under load while everything around them fails, and what must hold all the time
(docs/reliability.md).

    make soak MINUTES=10 [SEED=text] [MPM="event worker prefork"]

Exit status 1: an invariant did not hold. The report names the seed; the same seed brings the same faults at the same
times.
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import json
import multiprocessing
import os
import secrets
import shutil
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "e2e" / "harness"))

# pylint: disable=wrong-import-position
import plan
import report
from faults import Injector, Journal
from invariants import Invariants
from mutual import Guests
from stage import INTERVAL, N_HOSTS, PLAIN, RATE, TIMEOUT, Clients, Stage
from wait import poll

MPMS = ("event", "worker", "prefork")
CALM_CHECK = plan.ROUND - 3  # when in each minute


def isolate() -> None:
    """Daemons become our children, so that they can be reaped; System V segments of others do not count, where that is
    allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(36, 1, 0, 0, 0)      # PR_SET_CHILD_SUBREAPER
    libc.unshare(0x08000000)        # CLONE_NEWIPC


def soak(stage: Stage, seed: str, seconds: float) -> dict:
    """One run on one server."""
    stage.server.start()
    journal = Journal()
    watch = Invariants(stage, journal)
    injector = Injector(stage, journal, watch.leaders.now, seed)
    handshakes = watch.handshakes
    clients = [Clients(stage.server, "h%d.example.test" if name == "stapled" else f"{name}.{PLAIN}",
                       N_HOSTS if name == "stapled" else 1, rate, seconds + 3600,
                       functools.partial(handshakes.take, name))
               for name, rate in RATE.items()]
    guests = Guests(watch, INTERVAL[1] + TIMEOUT)
    try:
        poll(guests.are_all_served, "all clients are served", 30)
        poll(lambda: len(handshakes.outcome) == N_HOSTS and set(handshakes.outcome.values()) == {"good"},
             "all are stapled", 30)
        watch.start = stage.mutual.start = start = time.monotonic()
        for sequence in (plan.environment(seed), plan.processes(seed)):
            injector.begin(sequence, start, seconds)
        next_calm = CALM_CHECK
        tick = threading.Event()
        while (elapsed := time.monotonic() - start) < seconds and not injector.failures:
            stage.responder.advance(elapsed)
            watch.check()
            if elapsed >= next_calm:
                if plan.is_calm(time.monotonic() - start):  # else this machine is so busy that the next storm has begun
                    watch.check_calm()
                    guests.check_calm()
                next_calm += plan.ROUND
            tick.wait(1.0)
    finally:
        injector.end()
        guests.stop()
        for one in clients:
            one.stop()
    handshakes.check_speed()
    for failure in injector.failures:
        watch.problem(f"a fault could not be injected or undone: {failure}")
    return report.of_run(watch, seed)


def run(mpm: str, seed: str, seconds: float, keep: bool, results: "multiprocessing.Queue[dict]") -> None:
    """In a process of its own."""
    isolate()
    folder = Path(tempfile.mkdtemp(prefix=f"ocsp-cache-soak-{mpm}-"))
    folder.chmod(0o755)
    try:
        stage = Stage(folder, mpm, f"{seed}/{mpm}")
        try:
            found = soak(stage, f"{seed}/{mpm}", seconds)
        finally:
            stage.stop()
    except Exception:  # pylint: disable=broad-except
        found = {"mpm": mpm, "problems": ["the run ended early:\n" + traceback.format_exc()[-4000:]]}
    if found["problems"]:
        found["log"] = str(Path(tempfile.gettempdir()) / f"ocsp-cache-soak-{mpm}.log")
        if (folder / "server" / "logs" / "error.log").exists():
            shutil.copy(folder / "server" / "logs" / "error.log", found["log"])
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
    results.put(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", default="", help="of an earlier run, to replay it; random by default")
    parser.add_argument("--mpm", default=" ".join(MPMS), help="one or several, separated by blanks")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--keep", action="store_true", help="leave the folders of the servers")
    options = parser.parse_args()
    seed = options.seed or secrets.token_hex(4)
    print(f"soak: {options.minutes:g} min of {options.mpm}; replay it with SEED={seed}", flush=True)
    results: "multiprocessing.Queue[dict]" = multiprocessing.Queue()
    runs = [multiprocessing.Process(target=run, args=(mpm, seed, options.minutes * 60, options.keep, results))
            for mpm in options.mpm.split()]
    for one in runs:
        one.start()
    found = [results.get() for _ in runs]
    for one in runs:
        one.join()
    for one in sorted(found, key=lambda row: MPMS.index(row["mpm"])):
        print(report.as_text(one), flush=True)
    if options.json:
        options.json.write_text(json.dumps({"seed": seed, "minutes": options.minutes, "runs": found}, indent=1) + "\n")
    return 1 if any(one["problems"] for one in found) else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
