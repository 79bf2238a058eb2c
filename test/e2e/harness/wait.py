# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Waiting for a state: check until it is reached or the deadline has passed. No test sleeps for a state."""

import time
from typing import Callable, TypeVar

T = TypeVar("T")


class NotReached(AssertionError):
    """The state was not reached in time."""


def poll(condition: Callable[[], T], what: str, deadline: float = 15.0, interval: float = 0.02) -> T:
    """The first true value that `condition` returns. NotReached after `deadline` seconds."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise NotReached(f"not within {deadline:g} s: {what} (last seen: {value!r})")
        time.sleep(interval)


def holds(condition: Callable[[], object], what: str, duration: float, interval: float = 0.1) -> None:
    """`condition` is true now, and each time it is checked during `duration` seconds: for what must not happen."""
    end = time.monotonic() + duration
    while True:
        value = condition()
        assert value, f"no longer true: {what} (seen: {value!r})"
        if time.monotonic() >= end:
            return
        time.sleep(interval)
