#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Every header compiles alone, with gcc and with clang: a core header without httpd's include path, a glue header with it.
set -u
cd "$(dirname "$0")/../.." || exit 1

ask() { make -s --no-print-directory "print-$1"; }
glue=" $(ask GLUE_ROOMS) "
core_flags=$(ask TOOL_FLAGS)
glue_flags=$(ask GLUE_FLAGS)
bad=0 count=0

for header in include/*.h include/*/*.h src/*/*.h tools/*.h; do
    count=$((count + 1))
    room=$(basename "$(dirname "$header")")
    case $glue in
    *" $room "*) flags=$glue_flags ;;
    *) flags=$core_flags ;;
    esac
    for compiler in gcc clang; do
        # Twice: a header that does not guard itself against that shows.
        if ! printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
            eval "$compiler $flags -I. -x c -fsyntax-only -"; then
            echo "$header: does not compile alone with $compiler"
            bad=1
        fi
    done
done
[ "$bad" = 0 ] && echo "$count headers, each alone, gcc and clang"
exit "$bad"
