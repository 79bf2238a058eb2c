# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The rows of the fault table, in the sections of docs/faults.md."""

from __future__ import annotations

from fault_http import HTTP, METHODS, NETWORK, URLS
from fault_kinds import Row
from fault_ocsp import CERTIFICATES, SIGNATURES, SIGNERS, SINGLES, STATUS, TIMES

SECTIONS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    ("The network", NETWORK), ("HTTP", HTTP), ("GET and POST", METHODS), ("The URL in the certificate", URLS),
    ("Status and encoding", STATUS), ("The certificates that it is about", SINGLES), ("The signer", SIGNERS),
    ("The signature", SIGNATURES), ("Certificates in the response", CERTIFICATES), ("Times", TIMES))
ROWS: tuple[Row, ...] = tuple(row for _, rows in SECTIONS for row in rows)
assert len({row.name for row in ROWS}) == len(ROWS)
