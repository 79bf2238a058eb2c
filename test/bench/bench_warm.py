# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The responder answers: what a handshake costs, and how long it takes. Slices alternate, in a different order each
round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Sequence

import bench_instructions
from bench_contenders import ALL, MD, NONE, OURS, SHMCB_DEFAULT, SHMCB_GUIDES
from bench_responder import HANG, Manner
from bench_stage import Stage, slice_of, warm

HTTPD = tuple(contender for contender in ALL if contender.family == "httpd")


@dataclass(frozen=True)
class Variant:
    """One table of the warm scenario."""

    name: str
    key: str                 # of the server's certificate
    options: tuple[str, ...]
    contenders: tuple = HTTPD
    direct: bool = False     # responses signed by the CA itself


VARIANTS = (
    Variant("ecdsa-tls13", "ec", ("--tls", "1.3"), ALL),
    Variant("rsa-tls13", "rsa", ("--tls", "1.3")),
    Variant("ecdsa-tls12", "ec", ("--tls", "1.2")),
    Variant("ecdsa-tls13-direct", "ec", ("--tls", "1.3"), direct=True),
    Variant("ecdsa-tls13-resumed", "ec", ("--tls", "1.3", "--resume")),
)
CONCURRENT = 8


def _prepare(stage: Stage, variant: Variant) -> None:
    """The same certificate for all of them."""
    leaves = stage.issue(1, variant.name, variant.key)
    for contender in variant.contenders:
        stage.add(contender, f"{variant.name}-{contender.name}", leaves=leaves)


def in_turns(names: Sequence[str], rounds: int, measure: Callable[[str], dict]) -> dict[str, list[dict]]:
    """name -> one result per round; each round begins with another, and every other one runs backwards."""
    results: dict[str, list[dict]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        order = [*names[turn:], *names[:turn]]
        for name in order if number % 2 == 0 else reversed(order):
            results[name].append(measure(name))
    return results


def warm_handshakes(rounds: int, seconds: float) -> dict:
    """variant -> contender -> slices."""
    found = {}
    with Stage() as stage:
        for variant in VARIANTS:
            _prepare(stage, variant)
        stage.start_responder()
        for variant in VARIANTS:
            stage.responder.set(variant.name, Manner(direct=variant.direct))
        stage.start()
        for variant in VARIANTS:
            for contender in variant.contenders:
                warm(stage.running[f"{variant.name}-{contender.name}"])
            names = [contender.name for contender in variant.contenders]
            found[variant.name] = in_turns(names, rounds if variant is VARIANTS[0] else max(rounds * 2 // 3, 2),
                                           lambda name: slice_of(
                                               stage.running[f"{variant.name}-{name}"], "--closed", CONCURRENT,
                                               "--seconds", seconds,
                                               *variant.options))
    return {"rounds": rounds, "seconds": seconds, "concurrent": CONCURRENT, "variants": found}


# Requested every few seconds, so that requests to the responder happen while the handshakes are timed.
OFTEN = ("SSLStaplingStandardCacheTimeout 3", "SSLStaplingErrorCacheTimeout 3")


def latency(rounds: int, seconds: float, rate: float) -> dict:
    """Times of handshakes at a fixed rate with an answering responder and with one that hangs, everything stapled
    before."""
    kinds = {"none": (NONE, ()), "shmcb": (SHMCB_DEFAULT, ()), "shmcb-guides": (SHMCB_GUIDES, ()),
             "md": (MD, ()), "ours": (OURS, OFTEN)}
    with Stage() as stage:
        for name, (contender, directives) in kinds.items():
            stage.add(contender, f"{name}-healthy", directives=directives)
        stage.add(OURS, "ours-hung", directives=OFTEN)
        stage.start_responder()
        stage.start()
        for one in stage.running.values():
            warm(one)
        stage.responder.set("ours-hung", HANG)
        found = in_turns(list(stage.running), rounds, lambda name: slice_of(
            stage.running[name], "--rate", rate, "--seconds", seconds, "--timeout", 20))
        asked = stage.responder.asked()
    return {"rounds": rounds, "seconds": seconds, "rate": rate, "directives": {"ours": list(OFTEN)}, "slices": found,
            "asked": asked}


def instructions(few: int, many: int) -> dict:
    """contender -> instructions of one connection (from httpd's first look at it to its last), in all and by library.
    What the first connections of a process pay for once is left out: it is in both of two runs, and the difference is
    what counts."""
    found = {}
    with Stage() as stage:
        for contender in (NONE, SHMCB_DEFAULT, MD, OURS):
            stage.add(contender)
        stage.start_responder()
        for name, one in stage.running.items():
            one.server.start()
            warm(one)
            one.server.stop()
            runs = [bench_instructions.run(one.server.httpd, "ap_run_process_connection",
                                             bench_instructions.handshake(one.server.httpd, one.hosts[0]), n)
                    for n in (few, many)]
            by_object = {where: (runs[1].objects[where] - runs[0].objects[where]) / (many - few)
                         for where in runs[1].objects}
            found[name] = {"instructions": (runs[1].total - runs[0].total) / (many - few),
                           "objects": {where: n for where, n in sorted(by_object.items()) if n > 0}}
    return {"few": few, "many": many, "servers": found}
