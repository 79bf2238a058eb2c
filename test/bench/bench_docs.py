#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`make bench-docs`: out/bench/results.json -> the charts, the tables of docs/benchmarks.md, the three ratios of
README.md.

The text between `<!-- bench: NAME -->` and `<!-- end -->` is replaced; all else in the documents is written by hand.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e" / "harness")]

import bench_charts  # noqa: E402
import bench_tables  # noqa: E402
from bench_stage import REPOSITORY  # noqa: E402

DOCUMENTS = (REPOSITORY / "docs" / "benchmarks.md", REPOSITORY / "README.md")
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
    variants, counted = found["warm"]["variants"], found["instructions"]["servers"]
    rate = bench_tables.median(bench_tables.ratios(variants["rsa-tls13"]["ours"], variants["rsa-tls13"]["shmcb"],
                                                   "per_second"))
    direct = variants["ecdsa-tls13-direct"]
    bare = bench_tables.median(bench_tables.ratios(direct["shmcb"], direct["ours"], "cpu_us_per_handshake"))
    none = counted["ours"]["instructions"] / counted["none"]["instructions"]
    hung = bench_tables.scenes(found)["outage-hang"]
    share = {name: got["good"] / got["started"] * 100 for name, got in hung.items()}
    slowest = {name: f"{got['p99_ms'] / 1000:.3f}" for name, got in hung.items()}
    return "\n".join((
        f"* Handshakes a second: **{rate:.2f} ×** those of mod_ssl with shmcb, where a response carries its signer's "
        "certificate; where the CA itself",
        f"  signs, shmcb takes {bare:.2f} × the processor time (`make bench BENCH_ARGS='--only warm'`).",
        f"* Instructions per connection: **{none:.3f} ×** those of no stapling at all (`make bench BENCH_ARGS='--only "
        "instructions'`).",
        f"* The responder hangs for longer than servers keep their responses: **{share['ours']:.0f} %** of the "
        f"clients get a good staple, {share['shmcb']:.0f} % with mod_ssl and",
        f"  shmcb; one client in a hundred waits for {slowest['ours']} s or longer, {slowest['shmcb']} s with shmcb "
        "(`make bench BENCH_ARGS='--only outage'`)."))


def contents(found: dict) -> dict[str, str]:
    made = {table.name: f"{table.title}:\n\n{table.markdown()}" for table in bench_tables.tables(found)}
    return {**made, "machine": machine(found), "better": better(found), "headline": headline(found)}


def fill(text: str, blocks: dict[str, str], used: set[str]) -> str:
    def block(match: re.Match[str]) -> str:
        used.add(match[1])
        return f"<!-- bench: {match[1]} -->\n{blocks[match[1]]}\n<!-- end -->"
    return re.sub(r"<!-- bench: ([\w-]+) -->\n.*?<!-- end -->", block, text, flags=re.S)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=REPOSITORY / "out" / "bench" / "results.json")
    arguments = parser.parse_args()
    found = json.loads(arguments.results.read_text(encoding="utf-8"))
    if not bench_tables.is_whole(found):
        raise SystemExit(f"bench-docs: {arguments.results} does not hold every scenario: run `make bench`")
    blocks, used = contents(found), set()
    for document in DOCUMENTS:
        document.write_text(fill(document.read_text(encoding="utf-8"), blocks, used), encoding="utf-8")
    for chart in bench_charts.draw(found, CHARTS):
        print(chart.relative_to(REPOSITORY))
    if missing := sorted(set(blocks) - used):
        raise SystemExit(f"bench-docs: no place in the documents for: {', '.join(missing)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
