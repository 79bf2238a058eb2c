# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The httpd under test, as its apxs describes it: folders, names, and the modules to load."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from typing import Iterable

# What Debian's httpd has built in, and others load.
BASIC = ("unixd", "log_config", "version")


@functools.lru_cache(maxsize=None)
def apxs(variable: str) -> str:
    """The folders and names of this machine's httpd, from apxs."""
    command = os.environ.get("APXS") or shutil.which("apxs") or shutil.which("apxs2") or "apxs"
    return subprocess.run([command, "-q", variable], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


@functools.lru_cache(maxsize=None)
def _built_in() -> frozenset[str]:
    binary = f'{apxs("sbindir")}/{apxs("progname")}'
    listed = subprocess.run([binary, "-l"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return frozenset(re.findall(r"^ *(?:mod_)?(\w+)\.c$", listed, re.MULTILINE))


def load_lines(names: Iterable[str]) -> list[str]:
    """LoadModule lines for these modules and the basic ones, without those that are built in."""
    return [f'LoadModule {name}_module "{apxs("LIBEXECDIR")}/mod_{name}.so"'
            for name in (*BASIC, *names) if name not in _built_in()]
