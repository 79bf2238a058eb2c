# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Seconds until each certificate was stapled to a client, and memory, by the number of certificates."""

from __future__ import annotations

import time

from bench_contenders import BY_NAME
from bench_responder import Manner
from bench_stage import Stage, memory, start

SERVERS = ("none", "shmcb", "md", "ours", "nginx-none", "nginx")
ANSWER_TIME = 0.02  # of the responder: about what one in the same country takes


def many(counts: list[int], rounds: int) -> dict:
    """count -> contender -> rounds; only the smallest count more than once."""
    found: dict[str, dict[str, list[dict]]] = {}
    for n in counts:
        found[str(n)] = {name: [] for name in SERVERS}
        for number in range(rounds if n == min(counts) else 1):
            names = SERVERS if number % 2 == 0 else SERVERS[::-1]
            for name in names:
                found[str(n)][name].append(_one(name, n))
    return {"counts": counts, "answer_time": ANSWER_TIME, "servers": found}


def _one(name: str, n: int) -> dict:
    contender = BY_NAME[name]
    with Stage() as stage:
        one = stage.add(contender, name, n, leaves=_leaves(stage, name, n))
        stage.start_responder()
        stage.responder.set(name, Manner(delay=ANSWER_TIME))
        begin = time.monotonic()
        start(one)
        row = {"start_s": time.monotonic() - begin}
        if contender.staples:
            # Sixteen at a time at most, and 400 a second: clients that leave the processors room for the fetching.
            got = one.load("--closed", 16, "--rate", 400, "--seconds", 120, "--timeout", 60, "--until-good").result()
            row.update({key: got[key] for key in ("all_good_s", "first_good_s", "hosts_good", "wrong", "error",
                                                  "failed", "none", "max_ms", "p50_ms")})
        else:
            # as many pages touched as the others' handshakes do
            one.load("--closed", 16, "--seconds", max(0.2, n / 400)).result()
        row.update(memory(one.server.pids()))
        row["asked"] = stage.responder.asked().get(name, 0)
    return row


def _leaves(stage: Stage, name: str, n: int) -> list:
    return stage.issue(n, name)
