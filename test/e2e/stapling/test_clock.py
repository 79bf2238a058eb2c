# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The server's clock jumps, by days, to and fro: no crash, nothing expired by its own clock, and back to normal with the clock."""

import os
import struct
import subprocess
from pathlib import Path

import pytest

from conftest import NOTHING_HELD, QUICK
from httpd import HARNESS
from wait import poll

DAY = 86400


class Clock:
    """How far off the server's clock is."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "clock"
        self.library = folder / "fakeclock.so"
        self.set(0)
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
                        str(self.library), str(HARNESS / "fakeclock.c")], check=True)

    def set(self, seconds: int) -> None:
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "OC_TEST_CLOCK": str(self.file)}


@pytest.fixture
def clock(folder: Path) -> Clock:
    return Clock(folder)


def test_clock_that_jumps_to_and_fro(site, clock):
    one = site(environment=clock.environment, directives=QUICK)
    one.server.allow(NOTHING_HELD, r"\[ocsp_cache:warn\] .*Stapling goes on with the response held")
    one.server.start()
    one.wait_staple()

    clock.set(3 * DAY)  # by this clock the response, valid for a day, has ended, and so has each new one
    one.wait_staple(None)
    one.server.wait_log("Nothing valid is held to staple", "warn")

    clock.set(-3 * DAY)  # by this one new ones are from the future; the one held is good, as it is for clients
    one.wait_staple("good")

    for seconds in (0, DAY, -DAY, 20 * DAY, 0):
        clock.set(seconds)
        assert one.handshake().ok
    asked = len(one.responder.asked)
    one.wait_staple("good", deadline=20)
    poll(lambda: len(one.responder.asked) >= asked + 2, "the responder is asked again", 30)
    assert one.handshake().status == "good"
