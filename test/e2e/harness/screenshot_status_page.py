# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The picture of the status page in docs/: `make screenshot`. Not a test; it uses what the tests use."""

import sys
import tempfile
from pathlib import Path

import pki
from browser import Browser
from status_page import PATH, cast


def main(path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="ocsp-cache-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        root = pki.Authority.root(folder / "pki", "Test Root")
        stage = cast(folder / "server", root, root.intermediate("Test Intermediate"), n_good=12,
                     directives=("OCSPCacheStatusRefresh On",))
        browser = Browser()
        try:
            for _ in range(7):
                stage.server.handshake("good0.example.test")
            browser.size(1040, 900)
            browser.open(f"http://127.0.0.1:{stage.server.http_port}{PATH}")
            browser.screenshot(path)
        finally:
            browser.close()
            stage.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
