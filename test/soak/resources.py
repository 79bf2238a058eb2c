# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What the whole tree of processes holds, and whether that is flat."""

from __future__ import annotations

import dataclasses
import statistics
from dataclasses import dataclass
from pathlib import Path

from httpd import Httpd
from observe import Holdings

LEAST = 6             # samples, before they tell anything
# How much the median of the last third may exceed that of the first: a share, and an absolute amount.
ALLOWED = {"parent_rss_kb": (0.05, 1024), "parent_descriptors": (0, 0), "parent_threads": (0, 0), "parent_maps": (0, 2),
           "child_rss_kb": (0.10, 2048), "child_descriptors": (0, 8), "child_threads": (0, 4), "child_maps": (0, 12),
           "processes": (0, 4), "sysv_shm": (0, 0), "sysv_sem": (0, 0), "files": (0, 1)}  # a fault removes a file now and then


@dataclass(frozen=True)
class Sample:
    """Of the parent; of the child that has most; of the machine, as this run sees it; of the cache's folder."""

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
    files: int

    @classmethod
    def of(cls, server: Httpd) -> "Sample":
        parent = Holdings.of(server.parent)
        children = []
        for pid in server.children():
            try:
                children.append((Holdings.of(pid), _maps(pid)))
            except (OSError, AttributeError):
                pass  # it has ended

        def most(name: str) -> int:
            return max((getattr(held, name) for held, _ in children), default=0)
        return cls(parent.rss_kb, parent.descriptors, parent.threads, _maps(server.parent), most("rss_kb"), most("descriptors"),
                   most("threads"), max((maps for _, maps in children), default=0), len(children) + 1, parent.sysv["shm"],
                   parent.sysv["sem"], len(list(server.cache_folder.iterdir())))


def _maps(pid: int) -> int:
    return len(Path(f"/proc/{pid}/maps").read_text().splitlines())


def growth(samples: list[Sample]) -> dict[str, tuple[float, float]]:
    """name -> median of the first third and of the last; empty with too few samples."""
    if len(samples) < LEAST:
        return {}
    third = len(samples) // 3
    rows = [dataclasses.asdict(sample) for sample in samples]
    return {name: (statistics.median(row[name] for row in rows[:third]), statistics.median(row[name] for row in rows[-third:]))
            for name in rows[0]}


def problems(samples: list[Sample]) -> list[str]:
    found = []
    for name, (early, late) in growth(samples).items():
        share, amount = ALLOWED[name]
        if late > early + max(share * early, amount):
            found.append(f"{name} grows: {early:g} in the first third of the run, {late:g} in the last")
    return found
