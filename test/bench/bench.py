#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`make bench`: stapling against no stapling, mod_ssl with shmcb, mod_md, nginx and haproxy, on this machine in one
run.

Writes out/bench/results.json (every round's raw figures) and prints the tables; `make bench-docs` draws charts from
that file and puts the tables into docs/benchmarks.md. test/bench/README.md describes the procedure.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e" / "harness")]

import bench_many  # noqa: E402
import bench_outage  # noqa: E402
import bench_tables  # noqa: E402
import bench_warm  # noqa: E402
from bench_contenders import HAPROXY, NGINX, NONE, version  # noqa: E402
from bench_stage import CLIENTS, LOAD, REPOSITORY, SERVERS, adopt_orphans, on  # noqa: E402
from httpd import module_path  # noqa: E402

FULL = {
    "warm": lambda: bench_warm.warm_handshakes(rounds=12, seconds=0.5),
    "instructions": lambda: bench_warm.instructions(few=5, many=35),
    "latency": lambda: bench_warm.latency(rounds=6, seconds=1.5, rate=300),
    "cold": lambda: bench_outage.cold(rate=20, down=15, seconds=40),
    "outage": lambda: bench_outage.outage(rate=20, seconds=25),
    "restart": lambda: bench_outage.restart(rate=20, seconds=20),
    "short": lambda: bench_outage.short(rate=20, seconds=60, validity=10),
    "many": lambda: bench_many.many([1, 100, 1000], rounds=5),
}
QUICK = {
    "warm": lambda: bench_warm.warm_handshakes(rounds=3, seconds=0.2),
    "instructions": lambda: bench_warm.instructions(few=3, many=13),
    "latency": lambda: bench_warm.latency(rounds=2, seconds=0.5, rate=200),
    "cold": lambda: bench_outage.cold(rate=10, down=4, seconds=15),
    "outage": lambda: bench_outage.outage(rate=10, seconds=18),
    "restart": lambda: bench_outage.restart(rate=10, seconds=10),
    "short": lambda: bench_outage.short(rate=10, seconds=15, validity=5),
    "many": lambda: bench_many.many([1, 20, 200], rounds=1),
}


def machine() -> dict:
    """In general terms."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    values = {line.split(":")[0].strip(): line.split(":", 1)[1].strip() for line in info if ":" in line}
    release = dict(line.rstrip().split("=", 1)
                   for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines() if "=" in line)
    return {"processor": values.get("model name", platform.machine()), "processors": os.cpu_count(),
            "virtual": "hypervisor" in values.get("flags", ""), "system": release.get("PRETTY_NAME", "").strip('"'),
            "kernel": ".".join(platform.release().split(".")[:2]),
            "programs": [version(one) for one in (NONE, NGINX, HAPROXY)],
            "openssl": os.popen("openssl version").read().strip(), "load_before": os.getloadavg()[0]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", default=os.environ.get("BENCH") == "quick",
                        help="a minute or two instead of ten, and rough (BENCH=quick)")
    parser.add_argument("--only", action="append", choices=list(FULL),
                        help="these scenarios alone; the others' figures stay")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "out" / "bench" / "results.json")
    arguments = parser.parse_args()
    for needed in (module_path(), LOAD):
        if not needed.exists():
            raise SystemExit(f"bench: {needed} is not there: run this by `make bench`")
    adopt_orphans()
    output = arguments.output
    output.parent.mkdir(parents=True, exist_ok=True)
    found = json.loads(output.read_text()) if arguments.only and output.exists() else {}
    begin = time.monotonic()
    alone = arguments.only if "machine" in found else None  # of a run that was whole before
    if not alone:
        found["machine"], found["quick"] = machine(), arguments.quick
    found["quick"] = found["quick"] or arguments.quick
    found["alone"] = sorted({*found.get("alone", []), *alone}) if alone else []
    with on(CLIENTS):
        for name, scenario in (QUICK if arguments.quick else FULL).items():
            if arguments.only and name not in arguments.only:
                continue
            since = time.monotonic()
            print(f"bench: {name} ...", end="", file=sys.stderr, flush=True)
            found[name] = scenario()
            print(f" {time.monotonic() - since:.0f} s", file=sys.stderr, flush=True)
            output.write_text(json.dumps(found, indent=1) + "\n")
    seconds = time.monotonic() - begin
    if not alone:
        found["seconds"] = round(seconds, 1)
    found["processors_used"] = {"servers": len(SERVERS), "clients": len(CLIENTS), "apart": not SERVERS & CLIENTS}
    output.write_text(json.dumps(found, indent=1) + "\n")
    print(bench_tables.text(found))
    print(f"{seconds:.0f} s; {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
