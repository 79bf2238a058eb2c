# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""ORDER: the byte order of the httpd under test, as `struct` writes it. It may be another processor's than python's
(build/compat.sh s390x)."""

from apxs import apxs

with open(f'{apxs("sbindir")}/{apxs("progname")}', "rb") as _binary:
    ORDER = ">" if _binary.read(6)[5] == 2 else "<"  # of an ELF file
