#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Every header compiles alone, and twice: a core header without httpd's include path, a glue header with it.
set -u
cd "$(dirname "$0")/../.." || exit 1

variable() { make -s --no-print-directory "print-$1"; }
glue="$(variable GLUE_ROOMS)"
core_flags=$(variable TOOL_FLAGS)
glue_flags=$(variable GLUE_FLAGS)
export glue core_flags glue_flags

# check HEADER: prints what is wrong
# shellcheck disable=SC2016
check='
    room=$(basename "$(dirname "$0")") flags=$core_flags
    case " $glue mtls " in *" $room "*) flags=$glue_flags ;; esac
    printf "#include \"%s\"\n#include \"%s\"\n" "$0" "$0" | eval "gcc $flags -I. -x c -fsyntax-only -" || {
        echo "$0: does not compile alone"
        exit 1
    }'
set -- include/*.h include/*/*.h src/*/*.h mtls/*.h tools/*.h
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh -c "$check" || exit 1
echo "$# headers, each alone"
