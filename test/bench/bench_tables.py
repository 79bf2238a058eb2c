# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The figures of out/bench/results.json as tables: for the terminal and for docs/benchmarks.md."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from bench_contenders import BY_NAME

VARIANTS = {"ecdsa-tls13": "ECDSA, TLS 1.3", "rsa-tls13": "RSA, TLS 1.3", "ecdsa-tls12": "ECDSA, TLS 1.2",
            "ecdsa-tls13-direct": "ECDSA, TLS 1.3, CA signs", "ecdsa-tls13-resumed": "TLS 1.3, resumed"}
SCENES = {"cold": "cold start, responder hangs", "outage-hang": "outage: hangs", "outage-500": "outage: status 500",
          "outage-tryLater": "outage: tryLater", "restart-graceful": "graceful, responder hangs",
          "restart-full": "full restart, responder hangs", "short": "responses valid for seconds"}
BASELINE = {"httpd": "none", "nginx": "nginx-none", "haproxy": "haproxy-none"}
STAPLERS = ("shmcb", "shmcb-guides", "md", "ours")


@dataclass
class Table:
    """`name`: its place in the document."""

    name: str
    title: str
    head: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def markdown(self) -> str:
        lines = [self.head, ["---"] + ["--:"] * (len(self.head) - 1), *self.rows]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)

    def text(self) -> str:
        widths = [max(len(row[i]) for row in [self.head, *self.rows]) for i in range(len(self.head))]
        lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                           for i, (cell, width) in enumerate(zip(row, widths)))
                 for row in [self.head, *self.rows]]
        return "\n".join([f"\n{self.title}", *lines])


def label(name: str) -> str:
    return BY_NAME[name].label


def median(values: list[float]) -> float:
    return statistics.median(values)


def spread(values: list[float], digits: int = 0) -> str:
    """median (least to most)"""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def ratios(ours: list[dict], theirs: list[dict], key: str) -> list[float]:
    """Round by round."""
    return [a[key] / b[key] for a, b in zip(ours, theirs)]


def quartiles(values: list[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def ratio(values: list[float]) -> str:
    """median (quartiles)"""
    low, high = quartiles(values)
    return f"{median(values):.3f} ({low:.3f} to {high:.3f})"


def _base(name: str) -> str:
    return BASELINE[BY_NAME[name].family]


def cost(found: dict) -> Table:
    """Processor time of one handshake, and its ratio to the same server without stapling."""
    variants = found["warm"]["variants"]
    table = Table("cost",
                  "Processor time of the server per handshake in microseconds, median (least to most); ×: to the same "
                  "server "
                  "without stapling, median of the rounds' ratios", ["", *(VARIANTS[v] for v in variants)])
    for name in variants["ecdsa-tls13"]:
        row = [label(name)]
        for slices in variants.values():
            if name not in slices:
                row.append("-")
                continue
            cell = spread([one["cpu_us_per_handshake"] for one in slices[name]])
            if name != _base(name):
                cell += f" · {median(ratios(slices[name], slices[_base(name)], 'cpu_us_per_handshake')):.3f} ×"
            row.append(cell)
        table.rows.append(row)
    return table


def throughput(found: dict) -> Table:
    slices = found["warm"]["variants"]["rsa-tls13"]
    table = Table("throughput", "Handshakes a second (RSA 2048, TLS 1.3, the server on one processor)",
                  ["", "handshakes a second", "of that processor used", "to mod_ssl + shmcb"])
    for name, rounds in slices.items():
        busy = [one["server_cpu_s"] / one["seconds"] * 100 for one in rounds]
        table.rows.append([label(name), spread([one["per_second"] for one in rounds]), f"{median(busy):.0f} %",
                           "-" if name == "shmcb" else ratio(ratios(rounds, slices["shmcb"], "per_second"))])
    return table


_LIBRARIES = {"libcrypto": ("libcrypto",), "libssl": ("libssl",), "C library": ("libc.", "ld-linux"),
              "the stapling module": ("mod_ocsp_cache", "mod_md", "mod_socache_shmcb")}


def instructions(found: dict) -> Table:
    servers = found["instructions"]["servers"]
    table = Table("instructions",
                  "Thousands of instructions per connection (ECDSA, TLS 1.3), counted by callgrind, and where",
                  ["", "in all", "to no stapling", *_LIBRARIES, "mod_ssl, httpd, APR"])
    for name, got in servers.items():
        parts = [sum(n for where, n in got["objects"].items() if where.startswith(library))
                 for library in _LIBRARIES.values()]
        cells = [*parts, got["instructions"] - sum(parts)]
        table.rows.append([label(name), f"{got['instructions'] / 1000:.1f}",
                           f"{got['instructions'] / servers['none']['instructions']:.4f} ×",
                           *(f"{cell / 1000:.1f}" for cell in cells)])
    return table


def latency(found: dict) -> Table:
    slices = found["latency"]["slices"]
    table = Table("latency",
                  f"Milliseconds per handshake at {found['latency']['rate']:g} a second, over the rounds: median "
                  "(least to most)",
                  ["", "p50", "p99", "longest", "stapled good"])
    for name, rounds in slices.items():
        who, state = name.rsplit("-", 1)
        done = sum(one["done"] for one in rounds)
        good = "-" if who == "none" else f"{sum(one['good'] for one in rounds) / done * 100:.1f} %"
        table.rows.append([label(who) + (", responder hangs" if state == "hung" else ""),
                           spread([one["p50_ms"] for one in rounds], 2), spread([one["p99_ms"] for one in rounds], 2),
                           f"{max(one['max_ms'] for one in rounds):.1f}", good])
    return table


def scenes(found: dict) -> dict[str, dict[str, dict]]:
    """scene -> contender -> what its clients saw."""
    parts: dict[str, dict[str, dict]] = {}
    for scenario in ("cold", "outage", "restart", "short"):
        for key, got in found.get(scenario, {}).get("servers", {}).items():
            name, _, variant = key.rpartition("-") if scenario in ("outage", "restart") else (key, "", "")
            parts.setdefault(f"{scenario}-{variant}" if variant else scenario, {})[name] = got
    return parts


def _ms(value: float) -> str:
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.1f} ms"


def scene(name: str, servers: dict[str, dict]) -> Table:
    table = Table(name, f"{SCENES[name]}: of all clients, in per cent",
                  ["", "good", "none", "error", "wrong", "failed", "p50", "p99", "longest", "first good after",
                   "requests"])
    for who, got in servers.items():
        shares = [f"{got[kind] / got['started'] * 100:.1f}" for kind in ("good", "none", "error", "wrong", "failed")]
        good_after = f"{got['first_good_s']:.2f} s" if got["first_good_s"] >= 0 else "never"
        first = good_after if BY_NAME[who].staples else "-"
        table.rows.append([label(who), *shares, _ms(got["p50_ms"]), _ms(got["p99_ms"]), _ms(got["max_ms"]), first,
                           str(got["asked"])])
    return table


def many(found: dict) -> Table:
    counts, servers = found["many"]["counts"], found["many"]["servers"]
    table = Table("many",
                  "Seconds from the start of the server until every certificate was stapled to a client, and the "
                  "longest handshake on the way", ["", *(f"{n} certificate{'s' * (n > 1)}" for n in counts)])
    for name in servers[str(counts[0])]:
        if not BY_NAME[name].staples:
            continue
        row = [label(name)]
        for n in counts:
            rounds = servers[str(n)][name]
            total = [one["start_s"] + one["all_good_s"] if one["all_good_s"] >= 0 else float("inf") for one in rounds]
            row.append(f"{median(total):.2f} s (longest {_ms(max(one['max_ms'] for one in rounds))})")
        table.rows.append(row)
    return table


def per_certificate(found: dict, name: str, key: str) -> float:
    """kB per certificate and process: the slope between the least and the most certificates."""
    counts, servers = found["many"]["counts"], found["many"]["servers"]
    few, most = (median([one[key] / one["processes"] for one in servers[str(n)][name]])
                 for n in (counts[0], counts[-1]))
    return (most - few) / (counts[-1] - counts[0])


def memory(found: dict) -> Table:
    table = Table("memory", "kB per certificate and process", ["", "PSS", "more than without stapling", "private",
                                                               "more than without stapling"])
    for name in found["many"]["servers"][str(found["many"]["counts"][0])]:
        row = [label(name)]
        for key in ("pss_kb", "private_kb"):
            slope, base = per_certificate(found, name, key), per_certificate(found, _base(name), key)
            row += [f"{slope:.1f}", "-" if name == _base(name) else f"{slope - base:+.1f}"]
        table.rows.append(row)
    return table


@dataclass
class Aim:
    text: str
    wanted: str
    got: str
    met: bool


def aims(found: dict) -> list[Aim]:
    """Point by point, as they were set before anything was measured."""
    variants = found["warm"]["variants"]
    cpu = {name: ratios(variants[name]["ours"], variants[name]["none"], "cpu_us_per_handshake") for name in VARIANTS}
    servers = found["instructions"]["servers"]
    counted = servers["ours"]["instructions"] / servers["none"]["instructions"]
    rate = median(ratios(variants["rsa-tls13"]["ours"], variants["rsa-tls13"]["shmcb"], "per_second"))
    slices = found["latency"]["slices"]
    p99 = median(ratios(slices["ours-hung"], slices["ours-healthy"], "p99_ms"))
    parts = scenes(found)
    late = sum(servers["ours"]["not_good_after_good"] for servers in parts.values())
    wrong = sum(servers["ours"]["wrong"] for servers in parts.values()) + sum(
        one["wrong"] for slices in variants.values() for one in slices["ours"])
    seen = sum(servers["ours"]["done"] for servers in parts.values())
    return [
        Aim("Processor time per handshake, to no stapling", "at most 1.01 ×",
            "; ".join(f"{VARIANTS[name]}: {ratio(values)}" for name, values in cpu.items()),
            all(median(values) <= 1.01 for values in cpu.values())),
        Aim("The same in instructions (ECDSA, TLS 1.3)", "at most 1.01 ×", f"{counted:.4f} ×", counted <= 1.01),
        Aim("Handshakes a second, to mod_ssl + shmcb (RSA 2048, TLS 1.3)", "at least 1.15 ×", f"{rate:.2f} ×",
            rate >= 1.15),
        Aim("p99 with a responder that hangs, to one that answers", "at most 1.1 ×", f"{p99:.2f} ×", p99 <= 1.1),
        Aim("Handshakes without a good staple after the first good one, in all scenes", "0", f"{late} of {seen}",
            late == 0),
        Aim("Staples that a client has to reject", "0", str(wrong), wrong == 0),
    ]


def aims_table(found: dict) -> Table:
    table = Table("aims", "Aims", ["aim", "wanted", "measured", ""])
    table.rows = [[aim.text, aim.wanted, aim.got, "met" if aim.met else "missed"] for aim in aims(found)]
    return table


def better(found: dict) -> list[str]:
    """Where another way to staple on httpd did better than this module, by more than the rounds' quartiles."""
    said = []
    for variant, slices in found["warm"]["variants"].items():
        for name in STAPLERS[:-1]:
            values = ratios(slices[name], slices["ours"], "cpu_us_per_handshake")
            if quartiles(values)[1] < 1:
                said.append(f"Processor time per handshake, {VARIANTS[variant]}: {label(name)} takes "
                            f"{median(values):.3f} × what this module takes.")
    slices = found["latency"]["slices"]
    for name in STAPLERS[:-1]:
        for key in ("p50_ms", "p99_ms"):
            values = ratios(slices[f"{name}-healthy"], slices["ours-healthy"], key)
            if quartiles(values)[1] < 1:
                said.append(f"{key[:-3]} at a fixed rate, responder healthy: {label(name)}, {median(values):.2f} ×.")
    for part, servers in scenes(found).items():
        ours = servers["ours"]
        for name in (*STAPLERS[:-1], "nginx"):
            got = servers.get(name)
            # a client more or less is no difference
            if got and got["good"] / got["started"] > ours["good"] / ours["started"] + 0.005:
                said.append(f"{SCENES[part]}: {label(name)} stapled good to {got['good'] / got['started'] * 100:.1f} "
                            "% of the clients, "
                            f"this module to {ours['good'] / ours['started'] * 100:.1f} %; p99 {_ms(got['p99_ms'])} "
                            f"and {_ms(ours['p99_ms'])}.")
            if got and got["asked"] < ours["asked"] and got["good"] >= ours["good"]:
                said.append(f"{SCENES[part]}: {label(name)} queried the responder {got['asked']} times, this module "
                            f"{ours['asked']} times.")
    for n in found["many"]["counts"]:
        rows = found["many"]["servers"][str(n)]
        mine = median([one["start_s"] + one["all_good_s"] for one in rows["ours"]])
        for name in ("shmcb", "md", "nginx"):
            theirs = [one["start_s"] + one["all_good_s"] for one in rows[name] if one["all_good_s"] >= 0]
            if theirs and median(theirs) < mine:
                said.append(f"{n} certificate{'s' * (n > 1)} until all are stapled: {label(name)} "
                            f"{median(theirs):.2f} s, this module {mine:.2f} s.")
    for name in ("shmcb", "md"):
        for key, what in (("pss_kb", "PSS"), ("private_kb", "private")):
            theirs, mine = per_certificate(found, name, key), per_certificate(found, "ours", key)
            if theirs < mine:
                said.append(f"Memory per certificate and process ({what}): {label(name)} {theirs:.1f} kB, this module "
                            f"{mine:.1f} kB.")
    return said


def tables(found: dict) -> list[Table]:
    made = []
    if "warm" in found:
        made += [cost(found), throughput(found)]
    if "instructions" in found:
        made.append(instructions(found))
    if "latency" in found:
        made.append(latency(found))
    made += [scene(name, servers) for name, servers in scenes(found).items()]
    if "many" in found:
        made += [many(found), memory(found)]
    if is_whole(found):
        made.append(aims_table(found))
    return made


def is_whole(found: dict) -> bool:
    return all(part in found for part in ("warm", "instructions", "latency", "cold", "outage", "restart", "short",
                                          "many"))


def text(found: dict) -> str:
    lines = [table.text() for table in tables(found)]
    if is_whole(found):
        lines.append("\nWhere others do better:\n" + "\n".join(better(found)))
    return "\n".join(lines)
