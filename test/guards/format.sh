#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Every C file is as clang-format with .clang-format writes it, and no line of it, comments included, is longer than
# 120 columns.
# `test/guards/format.sh FILE...` checks those alone; to fix a file: clang-format -i FILE.
set -u
cd "$(dirname "$0")/../.." || exit 1

[ $# -gt 0 ] || {
    # shellcheck disable=SC2046
    set -- $(find mod_ocsp_cache.c src include tools test -name '*.[ch]' 2>/dev/null)
}
# clang-format leaves comments as they are.
long=$(awk 'length > 120 { print FILENAME ":" FNR ": " length " columns, more than 120" }' "$@")
[ -z "$long" ] || echo "$long"
if clang-format --dry-run --Werror "$@" 2>/dev/null; then
    [ -z "$long" ] || exit 1
    echo "$# files"
    exit 0
fi
for file; do
    wrong=$(clang-format --dry-run "$file" 2>&1 | sed -n 's/^[^:]*:\([0-9]*\):.*code should be.*/\1/p' | sort -un | tr '\n' ' ')
    [ -z "$wrong" ] || echo "$file: not as clang-format writes it; lines $wrong"
done
exit 1
