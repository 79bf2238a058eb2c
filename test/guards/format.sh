#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Every C file is as clang-format with .clang-format writes it. `test/guards/format.sh FILE...` looks at those alone; to mend a
# file: clang-format -i FILE.
set -u
cd "$(dirname "$0")/../.." || exit 1

[ $# -gt 0 ] || {
    # shellcheck disable=SC2046
    set -- $(find mod_ocsp_cache.c src include tools test -name '*.[ch]' 2>/dev/null)
}
if clang-format --dry-run --Werror "$@" 2>/dev/null; then
    echo "$# files"
    exit 0
fi
for file; do
    wrong=$(clang-format --dry-run "$file" 2>&1 | sed -n 's/^[^:]*:\([0-9]*\):.*code should be.*/\1/p' | sort -un | tr '\n' ' ')
    [ -z "$wrong" ] || echo "$file: not as clang-format writes it; lines $wrong"
done
exit 1
