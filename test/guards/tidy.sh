#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# clang-tidy finds nothing in the module's sources, and clang has no warning for them. .clang-tidy lists the checks, and
# the reason for each that is left out.
# `test/guards/tidy.sh FILE...` looks at those alone.
set -u
cd "$(dirname "$0")/../.." || exit 1

[ $# -gt 0 ] || set -- mod_ocsp_cache.c mod_ocsp_client.c src/*/*.c mtls/*.c tools/*.c
flags="$(make -s --no-print-directory print-GLUE_FLAGS) -Itools" || exit 1
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# The flags are words, quoted for the shell; -P runs as many as there are processors.
printf '%s\n' "$@" | xargs -P "$(nproc)" -I FILE sh -c "clang-tidy --quiet FILE -- $flags" >"$log" 2>&1
status=$?
if [ "$status" != 0 ]; then
    # Findings only, without the code they quote; the notes of the analyzer's path are to be had from clang-tidy itself.
    grep ': error: ' "$log" | sed "s|^$(pwd)/||" | sort -u | grep . || tail -20 "$log"
    exit 1
fi
echo "$# files"
