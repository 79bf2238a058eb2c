# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The responder fails. All servers of a scene are under the same light load at the same time, from the
moment they listen; their clients arrive by a timetable, so that the whole wait of a client is counted."""

from __future__ import annotations

import threading
import time
from typing import Callable

from bench_contenders import BY_NAME
from bench_responder import FAIL, HANG, Manner, TRY_LATER
from bench_stage import Running, Stage, start, together, warm

HTTPD = ("none", "shmcb", "shmcb-guides", "md", "ours")
BROKEN = {"hang": HANG, "500": FAIL, "tryLater": TRY_LATER}

# A response of 300 s, and servers that query again after some seconds instead of an hour or a day.
VALIDITY = 300
SHORT = {"shmcb": ("SSLStaplingStandardCacheTimeout 4",), "shmcb-guides": ("SSLStaplingStandardCacheTimeout 4",),
         "ours": ("SSLStaplingStandardCacheTimeout 4",), "md": ("MDStaplingRenewWindow 296s",)}


def _loaded(one: Running, rate: float, seconds: float, timeout: float) -> Callable[[], dict]:
    return lambda: one.load("--rate", rate, "--seconds", seconds, "--timeout", timeout).result()


def _play(stage: Stage, rate: float, seconds: float, events: list[tuple[float, Callable[[], object]]],
          timeout: float = 15) -> dict:
    """Loads all servers at once and lets the events happen at their seconds; name -> what its clients saw."""
    names = list(stage.running)
    begin = time.monotonic()

    def happen() -> None:
        for at, event in events:
            threading.Event().wait(max(0.0, begin + at - time.monotonic()))  # the moment itself is what is wanted
            event()
    results = together(happen, *(_loaded(stage.running[name], rate, seconds, timeout) for name in names))
    asked = stage.responder.asked()
    return {name: {**got, "asked": asked.get(name, 0)} for name, got in zip(names, results[1:])}


def cold(rate: float, down: float, seconds: float) -> dict:
    """Nothing is cached and the responder hangs; it works again after `down` seconds."""
    with Stage() as stage:
        for name in (*HTTPD, "nginx-none", "nginx"):
            stage.add(BY_NAME[name])
        stage.start_responder()
        for name in stage.running:
            stage.responder.set(name, HANG)
        stage.start()
        found = _play(stage, rate, seconds, [(down, lambda: [stage.responder.set(name, Manner())
                                                             for name in stage.running])])
    return {"rate": rate, "seconds": seconds, "down": down, "servers": found}


def outage(rate: float, seconds: float) -> dict:
    """Everything is stapled, the responder breaks in one of three ways, and what is cached grows old."""
    with Stage() as stage:
        for kind in BROKEN:
            for name in HTTPD if kind == "hang" else HTTPD[1:]:
                stage.add(BY_NAME[name], f"{name}-{kind}", directives=SHORT.get(name, ()))
        stage.start_responder()
        for name in stage.running:
            stage.responder.set(name, Manner(validity=VALIDITY))
        stage.start()
        for one in stage.running.values():
            warm(one)
        for name in stage.running:
            stage.responder.set(name, BROKEN[name.rsplit("-", 1)[1]])
        found = _play(stage, rate, seconds, [])
    return {"rate": rate, "seconds": seconds, "validity": VALIDITY, "directives": SHORT, "servers": found}


def restart(rate: float, seconds: float) -> dict:
    """Everything is stapled, the responder hangs, and the server is reloaded, or stopped and started."""
    acts = {"graceful": lambda one: one.server.graceful(), "full": _restarted}
    with Stage() as stage:
        for act in acts:
            for name in (*HTTPD, "nginx"):
                stage.add(BY_NAME[name], f"{name}-{act}")
        stage.start_responder()
        stage.start()
        for one in stage.running.values():
            warm(one)
        for name in stage.running:
            stage.responder.set(name, HANG)
        events = [(2.0, lambda: together(*(lambda one=one: acts[one.name.rsplit("-", 1)[1]](one)
                                           for one in stage.running.values())))]
        found = _play(stage, rate, seconds, events)
    return {"rate": rate, "seconds": seconds, "servers": found}


def _restarted(one: Running) -> None:
    one.server.stop()
    start(one)


def short(rate: float, seconds: float, validity: int) -> dict:
    """Responses that are valid for some seconds alone, and a responder that answers."""
    with Stage() as stage:
        for name in (*HTTPD, "nginx"):
            stage.add(BY_NAME[name])
        stage.start_responder()
        for name in stage.running:
            stage.responder.set(name, Manner(validity=validity))
        stage.start()
        found = _play(stage, rate, seconds, [])
    return {"rate": rate, "seconds": seconds, "validity": validity, "servers": found}
