# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What will happen in a run, and when: a function of the seed alone, so that a run can be replayed.

The first 40 seconds of each minute are a storm, the rest is calm. Three independent sequences: the moods of the
responder, one per certificate; faults of the environment; and faults of the processes. A sequence never ends, and a
longer run with the same seed begins like a shorter one.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from typing import Callable, Iterator

from fault_kinds import Body, Row, Talk
from fault_rows import ROWS

# The load client, like every client that uses OpenSSL's OCSP_resp_find_status(), knows a certificate by a SHA-1 CertID
# alone, and it allows no skew. A revoked certificate is a different story: tests in test/e2e hold it.
LEFT_OUT = ("certid-sha256", "certid-sha384", "certid-sha512", "this-update-ahead-within-skew")


def _is_mood(row: Row) -> bool:
    """All certificates are alike here, and share one responder."""
    return (isinstance(row, Body) and not row.respelt_issuer or isinstance(row, Talk) and not row.is_alone) \
        and row.verdict != "revoked" and row.name not in LEFT_OUT


MOODS: tuple[Row, ...] = tuple(row for row in ROWS if _is_mood(row))
ROUND, STORM = 60.0, 40.0  # each minute ends in a calm, in which the state must become what it should be
VALIDITIES = (12, 20, 40, 300)  # seconds, of the responses of a responder in order


def is_calm(elapsed: float) -> bool:
    return elapsed % ROUND >= STORM


@dataclass(frozen=True)
class Mood:
    """How the responder of one certificate behaves from `at` on (seconds from the start). Without a row it answers
    correctly."""

    at: float
    row: Row | None
    validity: int

    @property
    def is_good(self) -> bool:
        return self.row is None or self.row.verdict == "good"


@dataclass(frozen=True)
class Fault:
    """One fault, at this time or as soon as the one before it in its sequence is over."""

    at: float
    name: str
    values: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{name}={value:g}" for name, value in self.values.items())])


def moods(seed: str, certificate: int) -> Iterator[Mood]:
    """Correct at first, so that every certificate is stapled before anything goes wrong; then half of the time."""
    dice = random.Random(f"{seed}/mood/{certificate}")
    yield Mood(0, None, 40)
    at = 8.0
    for turn in itertools.count():
        row = None if turn % 2 else dice.choice(MOODS)
        yield Mood(at, row, dice.choice(VALIDITIES))
        at += dice.uniform(4, 25)


def revoked_at(seed: str, client: int) -> float:
    """When the certificate of a client is revoked: never for the first, in one storm after the other for the others."""
    in_storm = random.Random(f"{seed}/client/{client}").uniform(8, STORM)
    return in_storm + (client - 1) * ROUND if client else float("inf")


Values = Callable[[random.Random], dict[str, float]]


def _nothing(dice: random.Random) -> dict[str, float]:
    return {}


def _seconds(least: float, most: float) -> Values:
    return lambda dice: {"seconds": round(dice.uniform(least, most), 1)}


def _clock(dice: random.Random) -> dict[str, float]:
    offset = dice.choice((1, -1)) * dice.choice((30, 200, 3600, 86400, 20 * 86400))
    return {"offset": offset, "seconds": round(dice.uniform(2, 8), 1)}


def _disk(dice: random.Random) -> dict[str, float]:
    return {"late_ms": dice.choice((50, 300, 2000)), "seconds": round(dice.uniform(2, 10), 1)}


# How often, relative to the others; and with what values.
ENVIRONMENT: dict[str, tuple[int, Values]] = {
    "disk-slow": (3, _disk),
    "disk-full": (3, _seconds(2, 10)),
    "clock": (3, _clock),
    "file-truncated": (2, lambda dice: {"share": round(dice.random(), 2)}),
    "file-replaced": (2, _nothing),
    "file-removed": (1, _nothing),
    "store-killed": (2, _seconds(2, 10)),
    "store-paused": (2, _seconds(1, 6)),
    "store-poisoned": (2, _nothing),
    "responder-refuses": (2, _seconds(1, 8)),
}

PROCESSES: dict[str, tuple[int, Values]] = {
    "kill-child": (4, lambda dice: {"which": dice.randrange(100)}),
    "kill-leader": (4, _nothing),
    "kill-all": (1, _nothing),
    "stop-child": (2, lambda dice: {"which": dice.randrange(100), "seconds": round(dice.uniform(1, 4), 1)}),
    "stop-leader": (2, _seconds(1, 4)),
    "graceful": (5, _nothing),
    "graceful-twice": (1, _nothing),
    "restart": (2, _nothing),
    "short-lived": (2, lambda dice: {"connections": dice.choice((0, 20, 100, 400))}),
}


def _faults(kinds: dict[str, tuple[int, Values]], dice: random.Random, least: float, most: float) -> Iterator[Fault]:
    names = list(kinds)
    weights = [kinds[name][0] for name in names]
    at = 10.0
    while True:
        at = round(at + dice.uniform(least, most), 1)
        if is_calm(at):
            at += ROUND - at % ROUND
        name = dice.choices(names, weights)[0]
        yield Fault(at, name, kinds[name][1](dice))


def environment(seed: str) -> Iterator[Fault]:
    return _faults(ENVIRONMENT, random.Random(f"{seed}/environment"), 4, 14)


def processes(seed: str) -> Iterator[Fault]:
    return _faults(PROCESSES, random.Random(f"{seed}/processes"), 3, 12)
