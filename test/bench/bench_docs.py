#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`make bench-docs`: out/bench/results.json -> the charts, the tables of docs/benchmarks.md and
docs/comparison.md, the three lines of README.md; out/bench/client.json -> the tables about client certificates;
out/bench/scale.json -> those about thousands of certificates. Any file may be missing; what depends on it stays as it
is.

The text between `<!-- bench: NAME -->` and `<!-- end -->` is replaced; all else in the documents is written by hand.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e" / "harness")]

import bench_charts  # noqa: E402
import bench_client_tables  # noqa: E402
import bench_scale_tables  # noqa: E402
import bench_tables  # noqa: E402
from bench_stage import REPOSITORY  # noqa: E402

DOCUMENTS = (REPOSITORY / "README.md", REPOSITORY / "docs" / "benchmarks.md", REPOSITORY / "docs" / "comparison.md")
CHARTS = REPOSITORY / "docs" / "img"


def machine(found: dict) -> str:
    info, used = found["machine"], found["processors_used"]
    kind = "a virtual machine" if info["virtual"] else "a machine"
    apart = (f"servers on {used['servers']} of them, clients and responder on {used['clients']}" if used["apart"]
             else "servers and clients on the same")
    programs = [re.sub(r"^Server version: ", "", program).split(" 20")[0] for program in info["programs"]]
    lines = [
        f"{kind.capitalize()} with {info['processors']} processors ({info['processor']}), {apart}; {info['system']},",
        f"kernel {info['kernel']}; {'; '.join(programs)}; {info['openssl'].split(' (')[0]}.",
        f"The whole run took {found['seconds']:.0f} seconds" + (", in quick mode." if found["quick"] else ".")
        + (f" Measured again, alone: {', '.join(found['alone'])}." if found.get("alone") else "")
        + (f" The machine had other work (load {info['load_before']:.1f} before the run)."
           if info["load_before"] > 0.7 else "")]
    return "\n".join(lines)


def better(found: dict) -> str:
    return "\n".join(f"* {line}" for line in bench_tables.better(found)) or "* In none, in this run."


def headline(found: dict) -> str:
    """What README quotes, each with the command that shows it."""
    hung, counted = bench_tables.scenes(found)["outage-hang"], found["instructions"]["servers"]
    who = ("shmcb", "md", "ours")
    good = [f"{hung[name]['good'] / hung[name]['started'] * 100:.0f} %" for name in who]
    wait = [f"{hung[name]['p99_ms'] / 1000:.3f} s" for name in who]
    cost = [f"{counted[name]['instructions'] / counted['none']['instructions']:.3f} ×" for name in who]
    rows = (("the responder hangs: clients that get a good staple", good, "outage"),
            ("the responder hangs: one client in a hundred waits for longer than", wait, "outage"),
            ("instructions of a connection, compared with one without stapling", cost, "instructions"))
    return "\n".join(("| | mod_ssl with shmcb | mod_md | this module | command |", "|---|--:|--:|--:|---|",
                      *(f"| {what} | {' | '.join(values)} | `make bench BENCH_ARGS='--only {scenario}'` |"
                        for what, values, scenario in rows)))


def _tables(tables: list[bench_tables.Table]) -> dict[str, str]:
    return {table.name: f"{table.title}:\n\n{table.markdown()}" for table in tables}


def contents(found: dict) -> dict[str, str]:
    return {**_tables(bench_tables.tables(found)), "machine": machine(found), "better": better(found),
            "headline": headline(found)}


def fill(text: str, blocks: dict[str, str], used: set[str]) -> str:
    def block(match: re.Match[str]) -> str:
        if match[1] not in blocks:
            return match[0]
        used.add(match[1])
        return f"<!-- bench: {match[1]} -->\n{blocks[match[1]]}\n<!-- end -->"
    return re.sub(r"<!-- bench: ([\w-]+) -->\n.*?<!-- end -->", block, text, flags=re.S)


def _read(path: Path, is_whole: Callable[[dict], bool], target: str) -> dict:
    """{}: it was not measured."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    if not is_whole(found):
        raise SystemExit(f"bench-docs: {path} does not hold every scenario: run `make {target}`")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=REPOSITORY / "out" / "bench" / "results.json")
    parser.add_argument("--client", type=Path, default=REPOSITORY / "out" / "bench" / "client.json")
    parser.add_argument("--scale", type=Path, default=REPOSITORY / "out" / "bench" / "scale.json")
    arguments = parser.parse_args()
    found = _read(arguments.results, bench_tables.is_whole, "bench")
    client = _read(arguments.client, bench_client_tables.is_whole, "bench-client")
    scale = _read(arguments.scale, bench_scale_tables.is_whole, "bench-scale")
    if not found and not client and not scale:
        raise SystemExit("bench-docs: nothing is measured: run `make bench`, `make bench-client` or `make bench-scale`")
    blocks: dict[str, str] = contents(found) if found else {}
    if client:
        blocks |= _tables(bench_client_tables.tables(client))
        blocks["client-machine"] = bench_client_tables.machine(client)
    if scale:
        blocks |= _tables(bench_scale_tables.tables(scale))
        blocks["scale-machine"] = bench_scale_tables.machine(scale)
    used: set[str] = set()
    for document in DOCUMENTS:
        document.write_text(fill(document.read_text(encoding="utf-8"), blocks, used), encoding="utf-8")
    for chart in bench_charts.draw(found, CHARTS) if found else ():
        print(chart.relative_to(REPOSITORY))
    if missing := sorted(set(blocks) - used):
        raise SystemExit(f"bench-docs: no place in the documents for: {', '.join(missing)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
