# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The charts of docs/benchmarks.md. The same figures give the same bytes: no date, no random identifiers."""

from __future__ import annotations

import statistics
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "mod_ocsp_cache", "svg.fonttype": "none", "font.family": "sans-serif",
                            "font.size": 9,
                            "axes.spines.top": False, "axes.spines.right": False, "figure.facecolor": "white",
                            "savefig.facecolor": "white"})

from matplotlib import pyplot  # noqa: E402

import bench_tables  # noqa: E402
from bench_contenders import BY_NAME  # noqa: E402

# Okabe and Ito's colours: distinct for the colour-blind, too.
OUTCOMES = (("good", "#009E73"), ("none", "#BBBBBB"), ("error", "#E69F00"), ("wrong", "#D55E00"),
            ("resumed", "#56B4E9"), ("failed", "#000000"))
COLOURS = {"shmcb": "#E69F00", "shmcb-guides": "#CC79A7", "md": "#56B4E9", "ours": "#009E73", "nginx": "#0072B2",
           "haproxy": "#999999"}


def draw(found: dict, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, chart in (("cost", cost), ("timeline", timeline), ("waits", waits), ("many", many)):
        figure = chart(found)
        path = folder / f"bench-{name}.svg"
        figure.savefig(path, metadata={"Date": None, "Creator": "make bench-docs"}, bbox_inches="tight")
        pyplot.close(figure)
        made.append(path)
    return made


def _broken(text: str) -> str:
    """In two lines."""
    return text.replace(", ", ",\n").replace(": ", ":\n").replace("valid for", "valid\nfor")


def cost(found: dict):
    """What stapling adds to a handshake's processor time, compared with the same server without it."""
    variants = found["warm"]["variants"]
    figure, axes = pyplot.subplots(1, len(variants), figsize=(11, 2.6), sharex=True, sharey=True)
    for axis, (variant, slices) in zip(axes, variants.items()):
        names = [name for name in ("haproxy", "nginx", *reversed(bench_tables.STAPLERS))
                 if name in variants["ecdsa-tls13"]]
        for y, name in enumerate(names):
            if name not in slices:
                continue
            values = [(ratio - 1) * 100 for ratio in bench_tables.ratios(slices[name], slices[bench_tables._base(name)],
                                                                         "cpu_us_per_handshake")]
            low, high = bench_tables.quartiles(values)
            middle = statistics.median(values)
            axis.barh(y, middle, color=COLOURS[name])
            axis.errorbar(middle, y, xerr=[[middle - low], [high - middle]], color="black", linewidth=1, capsize=2)
        axis.set_yticks(range(len(names)), [bench_tables.label(name) for name in names])
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_title(bench_tables.VARIANTS[variant], fontsize=9)
        axis.set_xlabel("% more than without")
    figure.suptitle("Processor time that stapling adds to a handshake", y=1.07)
    return figure


def timeline(found: dict):
    """Second by second: what the clients of each got."""
    parts = bench_tables.scenes(found)
    names = [*bench_tables.STAPLERS]
    figure, axes = pyplot.subplots(len(names), len(parts), figsize=(2.1 * len(parts), 1.25 * len(names)), sharey=True,
                                   squeeze=False)
    for column, (part, servers) in enumerate(parts.items()):
        for row, name in enumerate(names):
            axis = axes[row][column]
            seconds = servers[name]["timeline"]
            totals = [sum(second[:6]) or 1 for second in seconds]
            kinds = [kind for kind in range(6) if any(second[kind] for second in seconds)]
            stacks = [[second[kind] / total * 100 for second, total in zip(seconds, totals)] for kind in kinds]
            axis.stackplot(range(len(seconds)), stacks, colors=[OUTCOMES[kind][1] for kind in kinds], step="post",
                           linewidth=0)
            axis.set_ylim(0, 100)
            axis.margins(x=0)
            if row == 0:
                axis.set_title(_broken(bench_tables.SCENES[part]), fontsize=8)
            if row == len(names) - 1:
                axis.set_xlabel("second of arrival", fontsize=8)
            else:
                axis.set_xticklabels([])
            if column == 0:
                axis.set_ylabel(BY_NAME[name].label.replace(" + shmcb, ", " + shmcb,\n") + "\n(%)", fontsize=8,
                                rotation=0,
                                horizontalalignment="right", verticalalignment="center")
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=colour) for kind, colour in OUTCOMES if kind != "resumed"]
    figure.legend(handles, ["good", "nothing stapled", "an error stapled", "expired or otherwise wrong",
                            "gave up or was refused"],
                  loc="lower center", ncol=5, bbox_to_anchor=(0.5, -0.06), frameon=False)
    figure.suptitle("What clients got, by the second in which they arrived", y=1.0)
    figure.subplots_adjust(hspace=0.18, wspace=0.12)
    return figure


def waits(found: dict):
    """How long the slowest hundredth of the clients waits in each scene."""
    parts = bench_tables.scenes(found)
    figure, axis = pyplot.subplots(figsize=(9, 3))
    names = ("none", *bench_tables.STAPLERS)
    width = 0.8 / len(names)
    for i, name in enumerate(names):
        places = [x + (i - (len(names) - 1) / 2) * width for x, servers in enumerate(parts.values()) if name in servers]
        values = [servers[name]["p99_ms"] for servers in parts.values() if name in servers]
        axis.bar(places, values, width, color=COLOURS.get(name, "#BBBBBB"), label=bench_tables.label(name))
    axis.set_yscale("log")
    axis.set_ylabel("99th percentile")
    axis.set_title("One handshake in a hundred takes longer than", pad=42)
    axis.set_xticks(range(len(parts)), [_broken(bench_tables.SCENES[part]) for part in parts], fontsize=7)
    axis.set_yticks([1, 10, 100, 1000, 10000], ["1 ms", "10 ms", "100 ms", "1 s", "10 s"])
    axis.legend(fontsize=8, frameon=False, ncol=3, loc="upper center", bbox_to_anchor=(0.5, 1.25))
    return figure


def many(found: dict):
    """Until all are stapled; and memory."""
    counts, servers = found["many"]["counts"], found["many"]["servers"]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 2.8))
    for name in servers[str(counts[0])]:
        if not BY_NAME[name].staples:
            continue
        rounds = [servers[str(n)][name] for n in counts]
        values = [statistics.median([one["start_s"] + one["all_good_s"] for one in rows]) for rows in rounds]
        left.plot(counts, values, marker="o", color=COLOURS[name], label=bench_tables.label(name))
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_xticks(counts, [f"{n:,}" for n in counts])
    left.set_yticks([0.1, 1, 10], ["0.1 s", "1 s", "10 s"])
    left.set_xlabel("certificates")
    left.set_title("Empty start: until all are stapled")
    left.legend(fontsize=8, frameon=False)
    names = [name for name in reversed(servers[str(counts[0])])]
    for y, name in enumerate(names):
        right.barh(y, bench_tables.per_certificate(found, name, "pss_kb"), color=COLOURS.get(name, "#BBBBBB"))
    right.set_yticks(range(len(names)), [bench_tables.label(name) for name in names], fontsize=8)
    right.set_xlabel("kB (PSS)")
    right.set_title("Memory per certificate and process")
    figure.subplots_adjust(wspace=0.75)
    return figure
