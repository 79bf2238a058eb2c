#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# No file of code above 450 lines, no function of the module and its tools above 70, the hook registration file within 200.
set -u
cd "$(dirname "$0")/../.." || exit 1

{
    # A function begins with "{" in column 1 and ends with "}" in column 1: the format guard sees to that.
    for file in mod_ocsp_cache.c src/*/*.c tools/*.c; do
        [ ! -e "$file" ] || awk -v file="$file" '
            /^\{/ { start = NR }
            /^\}/ { if (start && NR - start - 1 > 70) print file ":" start ": a function of " NR - start - 1 " lines, more than 70"
                    start = 0 }' "$file"
    done
    find mod_ocsp_cache.c src include tools test build conf -name '*.[ch]' -o -name '*.py' -o -name '*.sh' 2>/dev/null | while read -r file; do
        limit=450
        [ "$file" != mod_ocsp_cache.c ] || limit=200
        lines=$(wc -l <"$file")
        [ "$lines" -le "$limit" ] || echo "$file:1: $lines lines, more than $limit"
    done
} | {
    if grep .; then exit 1; fi
    echo "files within 450 lines, functions within 70"
}
