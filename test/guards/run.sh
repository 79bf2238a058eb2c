#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Runs every guard, as many at a time as there are processors, and prints one line for each. Each is a program of its
# own, `test/guards/NAME`: it exits 0 and prints one line about what it checked; or it names every offence as file:line
# and exits 1.
set -u
cd "$(dirname "$0")/../.." || exit 1
PYTHON=${PYTHON:-/usr/bin/python3}
export PYTHON

# The slow ones first.
guards="apxs.sh tidy.sh headers.sh hot_path.py hot_cost.py version.sh layers.py exports.sh directives.py cachectl.py links.py
assets.sh sizes.sh words.sh format.sh shell.sh python.sh deps.py"

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' HUP INT TERM
# shellcheck disable=SC2016,SC2086
printf '%s\n' $guards | xargs -P "$(nproc)" -I GUARD sh -c '
    case GUARD in
    *.py) set -- "$PYTHON" test/guards/GUARD ;;
    *) set -- test/guards/GUARD ;;
    esac
    "$@" >"$0/GUARD.log" 2>&1 && touch "$0/GUARD.ok"' "$folder"

passed=0 failed=0
for guard in $guards; do
    if [ -e "$folder/$guard.ok" ]; then
        passed=$((passed + 1)) result=ok
    else
        failed=$((failed + 1)) result=FAIL
    fi
    printf '%-5s %-14s %s\n' "$result" "$guard" "$(cat "$folder/$guard.log")"
done
echo "guards: $passed passed, $failed failed"
[ "$failed" = 0 ]
