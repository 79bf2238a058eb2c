# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`openssl s_server` that staples the response in a file, which is DER, as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Optional

import pki


class RawServer:
    """Sends its certificate with the chain, or alone; without a file it staples nothing."""

    def __init__(self, leaf: pki.Leaf, staple: Optional[Path], address: str = "127.0.0.1", chain: bool = True) -> None:
        command = ["openssl", "s_server", "-accept", f"{address}:0", "-cert", leaf.cert_file, "-key",
                   leaf.key_file, "-www"]
        if chain:
            command += ["-cert_chain", leaf.fullchain_file]
        if staple:
            command += ["-status_file", staple]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.DEVNULL,
                                         text=True)
        line = next((line for line in self._process.stdout if line.startswith("ACCEPT ")), "")
        assert line, "openssl s_server does not start"
        self.port = int(line.rsplit(":", 1)[1])

    def __enter__(self) -> "RawServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()
