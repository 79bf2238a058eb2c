#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# No Python file imports or assigns what it does not use, nor uses what is not there.
set -u
cd "$(dirname "$0")/../.." || exit 1

# shellcheck disable=SC2046
set -- $(git ls-files -co --exclude-standard -- '*.py')
"${PYTHON:-/usr/bin/python3}" -m pyflakes "$@" || exit 1
echo "$# Python files"
