# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A clock for one server alone, which a test can set (fakeclock.c)."""

import os
import struct
import subprocess
from pathlib import Path

import pytest

from byte_order import ORDER
from httpd import HARNESS

DAY = 86400


class Clock:
    """How far the server's clock is off."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "clock"
        self.library = folder / "fakeclock.so"
        self.set(0)
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
                        str(self.library), str(HARNESS / "fakeclock.c")], check=True)

    def set(self, seconds: int) -> None:
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack(f"{ORDER}q", seconds))

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "OC_TEST_CLOCK": str(self.file)}


@pytest.fixture
def clock(folder: Path) -> Clock:
    return Clock(folder)
