#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Finds tests in test/e2e that fail now and then.
#
#   build/check-flaky.sh [RUNS]    runs test/e2e so many times over (10); `make check-flaky RUNS=n`
#
# All processors are busy with endless loops during the last two runs, or during one if there are fewer than three. PYTEST_ARGS
# chooses tests. One line per run, and one per failure; what a run prints is in out/flaky/RUN.log. Ends with 1 if a test failed.
set -u
cd "$(dirname "$0")/.." || exit 1

runs=${1:-10}
case $runs in
'' | *[!0-9]* | 0)
    sed -n 's/^#   \(build[^ ]* [^ ]*\).*/usage: \1/p' "$0" >&2
    exit 2
    ;;
esac
loaded=2
[ "$runs" -ge 3 ] || loaded=1

logs=out/flaky
rm -rf "$logs"
mkdir -p "$logs"
unset MAKEFLAGS MFLAGS MAKELEVEL

# failures LOG...: the tests that failed, one a line
failures() { sed -n -e 's/^\(FAILED\|ERROR\) //' -e T -e 's/ - .*//p' -e t -e p "$@"; }

loops=
quiet() {
    # shellcheck disable=SC2086
    [ -z "$loops" ] || kill $loops
    loops=
}
trap quiet EXIT
trap 'exit 130' HUP INT TERM

run=0
while [ "$run" -lt "$runs" ]; do
    run=$((run + 1))
    how=
    if [ "$run" -gt $((runs - loaded)) ]; then
        how=", processors busy"
        for _ in $(seq "$(nproc)"); do
            while :; do :; done &
            loops="$loops $!"
        done
    fi
    began=$(date +%s)
    make check-e2e >"$logs/$run.log" 2>&1 </dev/null
    status=$?
    quiet
    result=$(sed -n 's/^=* *\([0-9].* in [0-9.]*s\).*/\1/p' "$logs/$run.log" | tail -n 1)
    printf 'run %d of %d, %d s%s: %s\n' "$run" "$runs" "$(($(date +%s) - began))" "$how" "${result:-no result}"
    failures "$logs/$run.log" | sed 's/^/    /'
    [ "$status" = 0 ] || echo "$run" >>"$logs/failed"
done

echo
if [ -e "$logs/failed" ]; then
    echo "Failed, and how often:"
    failures "$logs"/*.log | sort | uniq -c | sort -rn
    exit 1
fi
echo "$runs runs, no failure"
