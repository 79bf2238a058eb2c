#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`make bench-cache`: how fast the cache is read, compared with mod_socache_shmcb and with a plain memcpy, in one run
of one httpd.

Compiles mod_cache_bench.c, starts a private httpd with it and with both modules, and turns its figures into a table
on stdout and into JSON. The exit status shows whether the run was valid; missed aims are reported and are no failure.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import pwd
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
SOURCES = ("mod_cache_bench.c", "bench_store.c")
SIDES = ("ours", "shmcb", "floor")
PACED = 1000  # stores a second, as in mod_cache_bench.c


@dataclass(frozen=True)
class Cell:
    """One row of the table: what is read, by which reader, with which writer."""

    size: int
    entries: int
    readers: int
    mode: str
    writer: str

    def __str__(self) -> str:
        return f"{self.size} B, {self.entries} entries, {self.readers} {self.mode}, writer {self.writer}"


@dataclass(frozen=True)
class Slice:
    """What one side did in one round."""

    seconds: float
    reads: int
    misses: int
    cpu_ns: int
    stores: int
    longest: int
    # how many of the timed reads took less than 2 ** (i / 2) ns, and not less than a step before
    times: tuple[int, ...]

    @property
    def rate(self) -> float:
        return self.reads / self.seconds


FULL = [Cell(*c) for c in itertools.product((500, 2048, 6144), (1, 100, 10000), (1, 2, 4, 8), ("processes", "threads"),
                                            ("none", "paced", "busy"))]
QUICK = [Cell(*c) for c in itertools.product((500, 2048), (100,), (1, 2), ("processes", "threads"), ("none", "paced"))]

# What is asked of the cache: for each cell that it concerns, a figure and its limit.
AIMS = (
    # figure, limit, cells
    ("one reader: at least 3 x shmcb", "shmcb", ">=", 3.0, lambda c: c.readers == 1 and c.writer == "none"),
    ("two or more readers: at least 10 x shmcb", "shmcb", ">=", 10.0, lambda c: c.readers > 1 and c.writer == "none"),
    ("2 kB: at most 3 x the floor", "floor", "<=", 3.0, lambda c: c.size == 2048 and c.writer == "none"),
    (f"{PACED} stores/s: reads take at most 1.2 x as long", "harm", "<=", 1.2, lambda c: c.writer == "paced"),
)


# ---- running it ----------------------------------------------------------------------------------------------------

def apxs(variable: str) -> str:
    command = os.environ.get("APXS") or shutil.which("apxs") or shutil.which("apxs2") or "apxs"
    return subprocess.run([command, "-q", variable], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def compile_bench(folder: Path) -> Path:
    module = folder / "mod_cache_bench.so"
    apr = subprocess.run([apxs("APR_CONFIG") or "apr-1-config", "--includes"], check=True, stdout=subprocess.PIPE,
                         text=True).stdout.split()
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O2", "-pthread", "-std=gnu11", "-Wall", "-Wextra",
                    "-Werror", *apxs("EXTRA_CPPFLAGS").split(), "-isystem", apxs("INCLUDEDIR"), *apr, "-o", str(module),
                    *(str(HERE / source) for source in SOURCES)], check=True)
    return module


def free_port() -> int:
    """httpd wants one, and nobody ever connects."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_configuration(folder: Path, bench: Path, module: Path, cells: Iterable[Cell], slice_ms: int,
                        rounds: int) -> Path:
    libexec = apxs("LIBEXECDIR")
    identity = []
    if os.geteuid() == 0:
        names = {entry.pw_name: entry.pw_gid for entry in pwd.getpwall()}
        user = next(name for name in ("www-data", "apache", "http", "daemon", "nobody") if name in names)
        identity = [f"User {user}", f"Group #{names[user]}"]
    lines = [f'ServerRoot "{folder}"', "ServerName localhost", f'DefaultRuntimeDir "{folder}"', 'PidFile "httpd.pid"',
             'ErrorLog "error.log"', "LogLevel warn", f'LoadModule mpm_prefork_module "{libexec}/mod_mpm_prefork.so"',
             f'LoadModule socache_shmcb_module "{libexec}/mod_socache_shmcb.so"',
             f'LoadModule ocsp_cache_module "{module}"', f'LoadModule cache_bench_module "{bench}"', *identity,
             f"Listen 127.0.0.1:{free_port()}", "StartServers 10", "ServerLimit 10", "MaxRequestWorkers 10",
             "MinSpareServers 1",
             "MaxSpareServers 10", f'CacheBench "{folder}/raw" {slice_ms} {rounds}']
    lines += [f"CacheBenchCell {c.size} {c.entries} {c.readers} {c.mode} {c.writer}" for c in cells]
    path = folder / "httpd.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(folder: Path, configuration: Path, deadline: float) -> list[str]:
    """The lines that the module wrote, once the last is there."""
    raw, log = folder / "raw", folder / "error.log"
    server = subprocess.Popen([f"{apxs('SBINDIR')}/{apxs('PROGNAME')}", "-f", str(configuration), "-DFOREGROUND"],
                              stdin=subprocess.DEVNULL, cwd="/", start_new_session=True)  # it ends its whole group
    end = time.monotonic() + deadline
    try:
        while not (raw.exists() and raw.read_text().endswith("end\n")):
            if server.poll() is not None or time.monotonic() > end:
                raise SystemExit("bench: httpd " + ("ended" if server.returncode is not None else "took too long")
                                 + ":\n" + (log.read_text() if log.exists() else ""))
            time.sleep(0.2)
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait(timeout=30)
    return raw.read_text().splitlines()


def parse(lines: list[str], cells: list[Cell]) -> dict[Cell, dict[str, list[Slice]]]:
    found: dict[Cell, dict[str, list[Slice]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        fields = line.split()
        if len(fields) < 12:
            continue
        cell, side = cells[int(fields[0])], fields[2]
        ns, reads, misses, wrong, cpu_ns, stores, failed, longest = map(int, fields[3:11])
        if wrong or failed or not reads:
            raise SystemExit(f"bench: {cell}, {side}: {reads} reads, {wrong} of them wrong; {failed} stores failed")
        if side == "ours" and misses:
            raise SystemExit(f"bench: {cell}: {misses} reads of ours found nothing")
        found[cell][side].append(Slice(ns / 1e9, reads, misses, cpu_ns, stores, longest,
                                       tuple(map(int, fields[11:]))))
    return found


# ---- figures -------------------------------------------------------------------------------------------------------

def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def percentile(slices: list[Slice], part: float) -> float:
    """Of the time of a single read, in nanoseconds, to a step of a power of the square root of two."""
    steps = [sum(counts) for counts in zip(*(s.times for s in slices))]
    limit, seen = part * sum(steps), 0
    for i, count in enumerate(steps):
        seen += count
        if seen >= limit:
            return 2 ** (i / 2)
    return float("inf")


def evaluate(cell: Cell, found: dict[Cell, dict[str, list[Slice]]]) -> dict:
    """Of each side: nanoseconds a read takes (all readers together), and CPU time. Ratios are taken round by round."""
    sides = found[cell]
    result: dict = {"size": cell.size, "entries": cell.entries, "readers": cell.readers, "mode": cell.mode,
                    "writer": cell.writer, "sides": {}}
    for side in SIDES:
        slices = sides[side]
        result["sides"][side] = {"ns": spread([1e9 / s.rate for s in slices]),
                                 "cpu_ns": spread([s.cpu_ns / s.reads for s in slices]),
                                 "one_read_ns": {"p50": percentile(slices, 0.5), "p99": percentile(slices, 0.99),
                                                 "p999": percentile(slices, 0.999),
                                                 "longest": max(s.longest for s in slices)},
                                 "misses": sum(s.misses for s in slices) / sum(s.reads for s in slices),
                                 "stores_per_second": spread([s.stores / s.seconds for s in slices])}
    ours = sides["ours"]
    result["shmcb"] = spread([o.rate / s.rate for o, s in zip(ours, sides["shmcb"])])
    result["floor"] = spread([f.rate / o.rate for o, f in zip(ours, sides["floor"])])
    alone = Cell(cell.size, cell.entries, cell.readers, cell.mode, "none")
    if cell.writer != "none" and alone in found:
        result["harm"] = spread([a.rate / o.rate for a, o in zip(found[alone]["ours"], ours)])
        # A writer takes processor time from the readers whatever it writes: the floor's readers show how much.
        result["harm_floor"] = spread([a.rate / o.rate for a, o in zip(found[alone]["floor"], sides["floor"])])
    return result


def judge(cells: list[Cell], results: list[dict]) -> list[dict]:
    judged = []
    for name, key, relation, limit, concerns in AIMS:
        rows = [(r[key]["median"], str(c)) for c, r in zip(cells, results) if concerns(c) and key in r]
        if not rows:
            continue
        good = [v for v, _ in rows if (v >= limit if relation == ">=" else v <= limit)]
        worst = min(rows) if relation == ">=" else max(rows)
        judged.append({"aim": name, "reached": len(good), "of": len(rows),
                       "median": statistics.median(v for v, _ in rows), "worst": worst[0], "worst_cell": worst[1]})
    return judged


def show(cells: list[Cell], results: list[dict], judged: list[dict]) -> None:
    print("ns: time per read, all readers together, median over the rounds. x shmcb: how many times faster than "
          "shmcb; x floor: how")
    print("many times slower than memcpy; harm: how many times slower than without a writer. [least, most] of the "
          "rounds.")
    print("p99.9: one read in a thousand takes longer than this, its wait for the mutex included.\n")
    print(
        f"{'bytes':>5} {'entries':>7} {'readers':>11} {'writer':>6} | {'ours ns':>8} {'shmcb ns':>9} {'floor ns':>8} | "
        f"{'x shmcb':>22} | {'x floor':>18} | {'harm':>18} | {'p99.9 ours':>10} {'shmcb ns':>9}")

    def ratio(row: dict, key: str, width: int) -> str:
        if key not in row:
            return " " * width
        r = row[key]
        bounds = f"[{r['min']:.2f}, {r['max']:.2f}]"
        return f"{r['median']:.2f} {bounds:>{width - 6}}".rjust(width)
    for cell, row in zip(cells, results):
        ns = {side: row["sides"][side]["ns"]["median"] for side in SIDES}
        print(f"{cell.size:5} {cell.entries:7} {cell.readers:2} "
              f"{cell.mode[:-2] if cell.mode == 'processes' else 'thread':>8} "
              f"{cell.writer:>6} | {ns['ours']:8.0f} {ns['shmcb']:9.0f} {ns['floor']:8.0f} | "
              f"{ratio(row, 'shmcb', 22)} | {ratio(row, 'floor', 18)} | {ratio(row, 'harm', 18)} | "
              f"{row['sides']['ours']['one_read_ns']['p999']:10.0f} "
              f"{row['sides']['shmcb']['one_read_ns']['p999']:9.0f}")
    print()
    for aim in judged:
        print(f"{aim['aim']}: {aim['reached']} of {aim['of']} cells; median {aim['median']:.2f}, worst "
              f"{aim['worst']:.2f} ({aim['worst_cell']})")


def machine(lines: list[str]) -> dict:
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return {"processors": os.cpu_count(), "model": model, "kernel": platform.release(),
            "httpd": apxs("HTTPD_VERSION"), "mutex": next((line.split()[1] for line in lines
                                                           if line.startswith("mutex ")), "")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few cells, some seconds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slice", type=int, default=40, metavar="MS", help="how long one side reads at a time")
    parser.add_argument("--cells", metavar="EXPRESSION", help="only cells c for which this Python expression is true")
    parser.add_argument("--output", type=Path, help="the JSON file (default out/bench-cache.json)")
    arguments = parser.parse_args()
    out = REPOSITORY / os.environ.get("OUT", "out")
    module = Path(os.environ.get("OCSP_CACHE_MODULE", str(out / "mod_ocsp_cache.so"))).resolve()
    if not module.exists():
        raise SystemExit(f"bench: {module} is not there: run make, or set OCSP_CACHE_MODULE")
    cells = [c for c in (QUICK if arguments.quick else FULL)
             if not arguments.cells or eval(arguments.cells, {"c": c})]  # pylint: disable=eval-used
    folder = Path(tempfile.mkdtemp(prefix="ocsp-cache-bench-"))
    folder.chmod(0o755)
    begin = time.monotonic()
    try:
        configuration = write_configuration(folder, compile_bench(folder), module, cells, arguments.slice,
                                            arguments.rounds)
        expected = len(cells) * len(SIDES) * arguments.rounds * (arguments.slice + 5) / 1000
        lines = run(folder, configuration, 120 + 3 * expected)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = parse(lines, cells)
    results = [evaluate(cell, found) for cell in cells]
    judged = judge(cells, results)
    show(cells, results, judged)
    output = arguments.output or out / "bench-cache.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps({"machine": machine(lines), "rounds": arguments.rounds, "slice_ms": arguments.slice,
                                  "paced_stores_per_second": PACED, "seconds": round(time.monotonic() - begin, 1),
                                  "aims": judged, "cells": results}, indent=1) + "\n")
    print(f"\n{time.monotonic() - begin:.0f} s; {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
