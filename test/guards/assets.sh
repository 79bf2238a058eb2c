#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# src/status/assets.c matches page.css and page.js, and the script parses, if node is installed.
set -u
cd "$(dirname "$0")/../.." || exit 1

"${PYTHON:-/usr/bin/python3}" build/assets.py --check || exit 1
if command -v node >/dev/null; then
    node --check src/status/page.js || exit 1
fi
echo "assets.c is made from page.css and page.js"
