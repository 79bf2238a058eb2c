#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Runs every guard and prints one line for each. Each is a program of its own, `test/guards/NAME`: when all is well it exits 0
# and prints one line that says what it looked at; else it names every offence as file:line and exits 1.
set -u
cd "$(dirname "$0")/../.." || exit 1
PYTHON=${PYTHON:-/usr/bin/python3}

passed=0 failed=0
for guard in version.sh layers.py headers.sh exports.sh apxs.sh hot_path.py hot_cost.py directives.py cachectl.py links.py assets.sh sizes.sh words.sh format.sh tidy.sh shell.sh deps.py; do
    case $guard in
    *.py) said=$("$PYTHON" "test/guards/$guard" 2>&1) ;;
    *) said=$("test/guards/$guard" 2>&1) ;;
    esac && result=ok || result=FAIL
    if [ "$result" = ok ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    printf '%-5s %-14s %s\n' "$result" "$guard" "$said"
done
echo "guards: $passed passed, $failed failed"
[ "$failed" = 0 ]
