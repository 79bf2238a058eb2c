# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""ocsp-cachectl as an administrator runs it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from error_log import SANITIZER
from httpd import REPOSITORY, Httpd


def program() -> Path:
    """The program under test: OCSP_CACHECTL, or what `make` leaves in OUT (default out)."""
    default = REPOSITORY / os.environ.get("OUT", "out") / "ocsp-cachectl"
    return Path(os.environ.get("OCSP_CACHECTL", str(default))).resolve()


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str
    raw: bytes  # of the standard output

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


def command(*arguments: object) -> list[str]:
    return [str(program()), *map(str, arguments)]


def run(*arguments: object, user: Optional[str] = None, stdin: bytes = b"", through: tuple[str, ...] = (),
        **environment: str) -> Done:
    """@param through  the words of a program that starts it"""
    done = subprocess.run([*through, *command(*arguments)], input=stdin, capture_output=True, timeout=120, check=False, user=user,
                          cwd="/", env={"PATH": os.environ["PATH"], "LANG": "C", **environment})
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    assert done.returncode >= 0 and not SANITIZER.search(err), f"{arguments}: exit {done.returncode}\n{err}"
    return Done(done.returncode, out, err, done.stdout)


def cache_file(server: Httpd) -> Path:
    """Of conftest.CACHE."""
    return server.cache_folder / "staples"


def command_file(server: Httpd) -> Path:
    """Where a command waits for the server."""
    return cache_file(server).with_suffix(".command")


def ctl(server: Httpd, verb: str, *arguments: object, **options: Any) -> Done:
    """A command about the cache of this server."""
    return run(verb, "--file", cache_file(server), *arguments, **options)
