# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The figures of out/bench/client.json as tables: for the terminal and for docs/benchmarks.md."""

from __future__ import annotations

from bench_client_stage import LABELS
from bench_tables import Aim, Table, median, ratio, ratios, spread

TITLES = {"healthy": "the responder answers, clients are known",
          "slow": "the responder takes 300 ms, no client is known",
          "hung": "the responder hangs, clients are known", "hung-unknown": "the responder hangs, no client is known"}
BASE = {"mod_ssl": "plain", "hard": "plain", "nginx": "nginx-plain"}
KNOWN = ("healthy", "hung")


def _ms(value: float) -> str:
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.1f} ms"


def _share(got: dict) -> str:
    return f"{got['good'] / got['started'] * 100:.1f} %"


def longest(got: dict) -> float:
    """Milliseconds, of all clients: those that were refused too, and those that gave up."""
    return max((second[-1] for second in got["timeline"]), default=0.0)


def cost(found: dict) -> Table:
    table = Table("client-cost", "Processor time of the server for a handshake with a client certificate and one "
                  "request, clients known, in microseconds; ×: to the same server without revocation, median of the "
                  "rounds' ratios (quartiles)",
                  ["", "median (least to most)", "×"])
    for name, rounds in found["cost"].items():
        against = ratio(ratios(rounds, found["cost"][BASE[name]], "cpu_us_per_handshake")) if name in BASE else "-"
        table.rows.append([LABELS[name], spread([one["cpu_us_per_handshake"] for one in rounds]), against])
    return table


def instructions(found: dict) -> Table:
    counted = found["instructions"]
    table = Table("client-instructions", "The same in instructions of httpd's process (callgrind)",
                  ["", "instructions", "×"])
    for name, n in counted.items():
        against = "-" if name == "plain" else f"{n / counted['plain']:.4f}"
        table.rows.append([LABELS[name], f"{n:,.0f}", against])
    return table


def _sizes(found: dict) -> list[int]:
    return sorted({scene["n"] for scene in found["scenes"].values()})


def scene(found: dict, name: str) -> Table:
    table = Table(f"client-{name}", f"{TITLES[name].capitalize()}",
                  ["", "clients", "let in rightly", "let in wrongly", "p50", "p90", "p99", "longest", "requests"])
    for n in _sizes(found):
        for server, got in found["scenes"][f"{name}-{n}"]["servers"].items():
            good = got["good"]
            times = [_ms(good[f"{share}_ms"]) if good["done"] else "-" for share in ("p50", "p90", "p99")]
            table.rows.append([LABELS[server], str(n), _share(good), _share(got["revoked"]), *times, _ms(longest(good)),
                               str(got["asked"])])
    return table


def revoked(found: dict) -> Table:
    table = Table("client-open", "Clients that are revoked while their connections are open: requests over these "
                  "connections after a new connection of the same client was refused",
                  ["", "clients refused", "requests served", "requests refused"])
    for name, count in found["open"].items():
        table.rows.append([LABELS[name], str(count["known"]), str(count["served_after_known"]),
                           str(count["refused_after_known"])])
    return table


def aims(found: dict) -> list[Aim]:
    counted = found["instructions"]["hard"] / found["instructions"]["plain"]
    values = ratios(found["cost"]["hard"], found["cost"]["plain"], "cpu_us_per_handshake")
    parts = [(name, n, found["scenes"][f"{name}-{n}"]["servers"]) for name in KNOWN for n in _sizes(found)]
    # A client that waits does so for 500 ms (OCSPCacheClientWait). The server without revocation shows the machine's
    # part.
    waits = [longest(servers["hard"]["good"]) - longest(servers["plain"]["good"]) for _, _, servers in parts]
    refused = sum(servers["hard"]["good"]["started"] - servers["hard"]["good"]["good"] for _, _, servers in parts)
    seen = sum(servers["hard"]["good"]["started"] for _, _, servers in parts)
    wrong = sum(scene["servers"]["hard"]["revoked"]["good"] for scene in found["scenes"].values())
    late = found["open"]["hard"]["served_after_known"]
    return [
        Aim("Processor time per handshake, to client certificates without revocation", "at most 1.02 ×", ratio(values),
            median(values) <= 1.02),
        Aim("The same in instructions", "at most 1.02 ×", f"{counted:.4f} ×", counted <= 1.02),
        Aim("Longest handshake of known clients, more than without revocation", "below 400 ms", _ms(max(max(waits), 0)),
            max(waits) < 400),
        Aim("Known clients that are refused", "0", f"{refused} of {seen}", refused == 0),
        Aim("Revoked clients that are let in (hard)", "0", str(wrong), wrong == 0),
        Aim("Requests served after the revocation is known", "0", str(late),
            late == 0 and found["open"]["hard"]["known"] > 0),
    ]


def aims_table(found: dict) -> Table:
    table = Table("client-aims", "Aims", ["aim", "wanted", "measured", ""])
    table.rows = [[aim.text, aim.wanted, aim.got, "met" if aim.met else "missed"] for aim in aims(found)]
    return table


def machine(found: dict) -> str:
    line = f"The run took {found['seconds']:.0f} seconds" + (", in quick mode." if found["quick"] else ".")
    if found["load_before"] > 0.7:
        line += f" The machine had other work (load {found['load_before']:.1f} before the run)."
    return line


def is_whole(found: dict) -> bool:
    return all(part in found for part in ("cost", "instructions", "scenes", "open", "seconds"))


def tables(found: dict) -> list[Table]:
    made = [cost(found)] if "cost" in found else []
    if "instructions" in found:
        made.append(instructions(found))
    if "scenes" in found:
        made += [scene(found, name) for name in TITLES]
    if "open" in found:
        made.append(revoked(found))
    return [*made, aims_table(found)] if is_whole(found) else made


def text(found: dict) -> str:
    return "\n".join(table.text() for table in tables(found))
