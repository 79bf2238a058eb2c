# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What the whole tree of processes holds, and whether it grows."""

from __future__ import annotations

import collections
import os
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from observe import Holdings
from stage import Server

LEAST = 6             # samples, before they tell anything
# How much the median of the last third may exceed that of the first: a share, and an absolute amount.
ALLOWED = {"parent_rss_kb": (0.05, 1024), "parent_descriptors": (0, 0), "parent_threads": (0, 0), "parent_maps": (0, 2),
           "child_rss_kb": (0.10, 2048), "child_descriptors": (0, 8), "child_threads": (0, 4), "child_maps": (0, 12),
           "processes": (0, 4), "sysv_shm": (0, 0), "sysv_sem": (0, 0)}


@dataclass(frozen=True)
class Sample:
    """Of the parent; of the child that has most; of the machine, as this run sees it. `names` has what the
    descriptors and maps are. `is_reloaded`: since its full start, so that the parent holds the generation before too."""

    parent_rss_kb: int
    parent_descriptors: int
    parent_threads: int
    parent_maps: int
    child_rss_kb: int
    child_descriptors: int
    child_threads: int
    child_maps: int
    processes: int
    sysv_shm: int
    sysv_sem: int
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    is_reloaded: bool = True

    @classmethod
    def of(cls, server: Server) -> "Sample":
        parent, names = Holdings.of(server.parent), _names(server.parent)
        children = []
        for pid in server.children():
            try:
                children.append((Holdings.of(pid), _names(pid)))
            except (OSError, AttributeError):
                pass  # it has ended

        def most(name: str) -> int:
            return max((getattr(held, name) for held, _ in children), default=0)

        def longest(kind: str) -> tuple[str, ...]:
            return max((of_child[kind] for _, of_child in children), key=len, default=())
        named = {f"parent_{kind}": found for kind, found in names.items()} \
            | {f"child_{kind}": longest(kind) for kind in names}
        return cls(parent.rss_kb, parent.descriptors, parent.threads, len(names["maps"]), most("rss_kb"),
                   most("descriptors"),
                   most("threads"), len(named["child_maps"]), len(children) + 1, parent.sysv["shm"],
                   parent.sysv["sem"], named, server.is_reloaded)


def _names(pid: int) -> dict[str, tuple[str, ...]]:
    maps = [line.split(maxsplit=5) for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    return {"descriptors": tuple(_target(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()),
            "maps": tuple(fields[5] if len(fields) > 5 else "anonymous" for fields in maps)}


def _target(entry: Path) -> str:
    """What a descriptor refers to. Sockets and pipes differ in a number, which tells nothing."""
    try:
        return os.readlink(entry).partition(":[")[0]
    except OSError:
        return "closed meanwhile"


def _alike(samples: list[Sample], name: str) -> list[Sample]:
    """What can be compared: of parents, those that were reloaded or those that were not, whichever are more."""
    if not name.startswith("parent_"):
        return samples
    return max(([one for one in samples if one.is_reloaded == value] for value in (True, False)), key=len)


def growth(samples: list[Sample]) -> dict[str, tuple[float, float]]:
    """name -> median of the first third and of the last; empty with too few samples."""
    if len(samples) < LEAST:
        return {}

    def medians(name: str) -> tuple[float, float]:
        values = [getattr(sample, name) for sample in _alike(samples, name)]
        third = len(values) // 3
        return statistics.median(values[:third]), statistics.median(values[-third:])
    return {name: medians(name) for name in ALLOWED}


def _more(samples: list[Sample], name: str) -> str:
    """What the last sample has more of than the first, by name."""
    alike = _alike(samples, name)
    first, last = (collections.Counter(sample.names.get(name, ())) for sample in (alike[0], alike[-1]))
    more = ", ".join(f"{count} {what}" for what, count in sorted((last - first).items()))
    return f"; the last sample has more of: {more}" if more else ""


def problems(samples: list[Sample]) -> list[str]:
    found = []
    for name, (early, late) in growth(samples).items():
        share, amount = ALLOWED[name]
        if late > early + max(share * early, amount):
            found.append(
                f"{name} grows: {early:g} in the first third of the run, {late:g} in the last{_more(samples, name)}")
    return found
