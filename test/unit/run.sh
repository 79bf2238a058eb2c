#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Runs one unit test, a cmocka program, and prints one line for it, or what failed: test/unit/run.sh out/unit/ROOM/test_NAME
# A program that neither ran nor left out (SYSTEM_NEEDS) a test has failed.
set -u

name=${1#*/unit/}
log=$1.log
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1 CMOCKA_MESSAGE_OUTPUT=stdout
status=0
timeout "${OC_TEST_TIMEOUT:-300}" "$1" >"$log" 2>&1 || status=$?
sed -i 's/^\(\[  [A-Z]* *\] \)tests: \([0-9]\)/\1\2/' "$log" # as older versions of cmocka write it
results=$(grep -E '^\[  (PASSED |SKIPPED) \] [1-9][0-9]* test' "$log" | tr '\n' ' ')
if [ "$status" = 0 ] && [ -n "$results" ]; then
    printf '%-26s %s\n' "$name" "$results"
    exit 0
fi
# In one write, so that the lines of two tests do not mix.
printf '%s\n%-26s [  FAILED  ] see %s\n' "$(grep -v -e '^\[ RUN ' -e '^\[       OK ' "$log")" "$name" "$log"
exit 1
