# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The figures of out/bench/scale.json as tables: for the terminal and for docs/benchmarks.md."""

from __future__ import annotations

from bench_tables import Aim, Table, median

SHAPES = {"own": "a certificate for each host, with its chain", "shared": "one certificate for 50 hosts",
          "chain": "the issuer in SSLCertificateChainFile", "pairs": "half as many hosts, ECDSA and RSA"}


def check(found: dict) -> Table:
    part = found["check"]
    table = Table("scale-check", f"Processor time of `httpd -t` with {part['hosts']:,} hosts, in seconds",
                  ["", "mod_ssl, no stapling", "mod_ocsp_cache", "×"])
    for name, label in SHAPES.items():
        one = part["shapes"][name]
        table.rows.append([label, f"{median(one['theirs']):.3f}", f"{median(one['ours']):.3f}", f"{one['ratio']:.2f}"])
    return table


def per_certificate_kb(part: dict) -> float:
    return (part["private_kb"]["ours"] - part["private_kb"]["theirs"]) / part["hosts"]


def server(found: dict) -> Table:
    part, cost = found["start"], found["refresh"]
    table = Table("scale-server", f"A server with {part['hosts']:,} certificates",
                  ["", "mod_ssl, no stapling", "mod_ocsp_cache"])
    table.rows = [
        ["Cold start: until it listens", f"{part['plain_listen_s']:.1f} s", f"{part['listen_s']:.1f} s"],
        ["From then until all responses are held", "-", f"{part['held_s']:.1f} s"],
        ["Graceful restart: processor time of the parent", f"{median(part['reload']['theirs']):.2f} s",
         f"{median(part['reload']['ours']):.2f} s"],
        ["Memory that the child which refreshes has for itself; left: any child", f"{part['private_kb']['theirs'] / 1024:.1f} MB",
         f"{part['private_kb']['ours'] / 1024:.1f} MB"],
        ["Status page", "-", f"{median(part['page_s']) * 1000:.0f} ms"],
        ["Processor time of the idle server", "-", f"{part['idle_percent']:.2f} %"],
        ["Processor time for a refreshed certificate; left: OpenSSL's functions alone",
         f"{median(cost['theirs']):.0f} µs", f"{median(cost['ours']):.0f} µs"],
    ]
    return table


def aims(found: dict) -> list[Aim]:
    part, cost = found["start"], found["refresh"]
    checked = found["check"]["shapes"]
    memory = per_certificate_kb(part)
    worst = max(one["ratio"] for one in checked.values())
    page = median(part["page_s"]) * 1000
    return [
        Aim("Processor time of `httpd -t`, to mod_ssl", "at most 1.5 ×",
            "; ".join(f"{SHAPES[name]}: {one['ratio']:.2f}" for name, one in checked.items()), worst <= 1.5),
        Aim("Cold start until all responses are held", "at most 30 s", f"{part['held_s']:.1f} s", part["held_s"] <= 30),
        Aim("Memory for a certificate in the child that refreshes, more than without stapling", "below 2 kB", f"{memory:.2f} kB",
            memory < 2),
        Aim("Graceful restart, to mod_ssl", "at most 1.2 ×", f"{part['reload']['ratio']:.2f}",
            part["reload"]["ratio"] <= 1.2),
        Aim("Status page", "at most 150 ms", f"{page:.0f} ms", page <= 150),
        Aim("Processor time for a refreshed certificate, to OpenSSL's functions", "at most 1.3 ×",
            f"{cost['ratio']:.2f}", cost["ratio"] <= 1.3),
    ]


def aims_table(found: dict) -> Table:
    table = Table("scale-aims", "Aims", ["aim", "wanted", "measured", ""])
    table.rows = [[aim.text, aim.wanted, aim.got, "met" if aim.met else "missed"] for aim in aims(found)]
    return table


def machine(found: dict) -> str:
    busy = f" The machine had other work (load {found['load_before']:.1f} before the run)."
    return "Medians; ratios are the medians of the rounds' ratios." + (busy if found["load_before"] > 0.7 else "")


def is_whole(found: dict) -> bool:
    return all(part in found for part in ("check", "start", "refresh"))


def tables(found: dict) -> list[Table]:
    return [check(found), server(found), aims_table(found)] if is_whole(found) else []


def text(found: dict) -> str:
    return "\n".join(table.text() for table in tables(found))
