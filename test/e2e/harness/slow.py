# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A slow machine for one server alone: delays.c, and a module that is slow in child_init."""

import os
import struct
import subprocess
from pathlib import Path
from typing import Iterable

import pytest

from apxs import apxs
from byte_order import ORDER
from httpd import HARNESS

KINDS = ("fork", "lock", "write", "sync", "look", "overtaken")
FULL = {"write": 1, "truncate": 2, "sync": 4, "rename": 8}  # delays.c has the same


class Delays:
    """How many seconds the steps of a server take, and which fail because its disk is full. `slow_folder` alone is on
    that disk; it may be set later."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "delays"
        self.library = folder / "delays.so"
        self.slow_folder = folder
        self.set()
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
                        str(self.library), str(HARNESS / "delays.c")], check=True)

    def set(self, full: Iterable[str] = (), **seconds: float) -> None:
        with open(self.file, "r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack(f"{ORDER}{len(KINDS) + 1}i", *(int(1000 * seconds.get(kind, 0)) for kind in KINDS),
                                   sum(FULL[kind] for kind in full)))

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "OC_TEST_DELAYS": str(self.file),
                "OC_TEST_DELAYS_FOLDER": str(self.slow_folder)}


@pytest.fixture
def delays(folder: Path) -> Delays:
    return Delays(folder)


@pytest.fixture(scope="session")
def slow_child(workplace: Path) -> str:
    """The line that loads mod_slow_child.so."""
    return f'LoadModule slow_child_module "{build_module("slow_child", workplace)}"'


def build_module(name: str, workplace: Path) -> Path:
    """mod_NAME.c of this folder, compiled."""
    built = workplace / f"mod_{name}.so"
    apr = subprocess.run([apxs("APR_CONFIG") or "apr-1-config", "--includes"], check=True, stdout=subprocess.PIPE,
                         text=True).stdout.split()
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-pthread", "-std=gnu11", "-Wall", "-Wextra",
                    "-Werror", *apxs("EXTRA_CPPFLAGS").split(), "-isystem", apxs("INCLUDEDIR"), *apr, "-o", str(built),
                    str(HARNESS / f"mod_{name}.c")], check=True)
    return built
