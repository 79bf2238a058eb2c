#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Every test and every guard.
#
#   build/check.sh                 installs what is missing (Debian, Ubuntu, as root), then runs all
#   build/check.sh --no-install    names what is missing and stops; `make check`
#   build/check.sh [...] STEP...   only build unit e2e e2e-asan demo fleet-demo client-demo soak asan tsan guards packages model
#
# One line per step; what a step prints is in out/check/STEP.log, and is shown when the step fails. The last line counts tests.
set -u
cd "$(dirname "$0")/.." || exit 1

install=
chosen=
for argument; do
    case $argument in
    --no-install) install=--check ;;
    build | unit | e2e | e2e-asan | demo | fleet-demo | client-demo | soak | asan | tsan | guards | packages | model) chosen="$chosen $argument" ;;
    *)
        sed -n 's/^#   \(build.*\)/usage: \1/p' "$0" >&2
        exit 2
        ;;
    esac
done
: "${chosen:= build unit e2e e2e-asan demo fleet-demo client-demo soak asan tsan guards packages model}"

build/deps.sh $install check || exit 1

logs=out/check
rm -rf "$logs"
mkdir -p "$logs"
jobs=-j$(nproc)
unset MAKEFLAGS MFLAGS MAKELEVEL
passed=0 failed=0 skipped=0 broken=

# count LOG: adds up the closing lines of cmocka, pytest and the guards
count() {
    numbers=$(awk '
        match($0, /\[  PASSED  \] [0-9]+ test/)                  { split(substr($0, RSTART + 13), n, " "); passed += n[1] }
        match($0, /^\[  FAILED  \] [0-9]+ test/)                 { split(substr($0, 13), n, " "); failed += n[1] }
        /^=+ .* in [0-9.]+s.*=+$/ || /^guards: / {
            gsub(/,/, "")
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^passed/) passed += $(i - 1)
                if ($i ~ /^(failed|error)/) failed += $(i - 1)
                if ($i ~ /^skipped/) skipped += $(i - 1)
            }
        }
        END { print passed + 0, failed + 0, skipped + 0 }' "$1")
    # shellcheck disable=SC2086
    set -- $numbers
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    counted_failures=$2
    seen="$1 passed"
    [ "$2" = 0 ] || seen="$seen, $2 failed"
    [ "$3" = 0 ] || seen="$seen, $3 skipped"
    [ "$1$2$3" != 000 ] || seen=
}

is_chosen() { case " $chosen " in *" $1 "*) ;; *) return 1 ;; esac }

# run NAME COMMAND...: what it prints goes into NAME.log, its status and seconds into NAME.result
run() {
    name=$1
    shift
    is_chosen "$name" || return 0
    began=$(date +%s)
    "$@" >"$logs/$name.log" 2>&1 </dev/null
    echo "$? $(($(date +%s) - began))" >"$logs/$name.result"
}

# report NAME WHAT: the line of a step that has run
report() {
    name=$1 what=$2
    is_chosen "$name" || return 0
    read -r status took <"$logs/$name.result"
    count "$logs/$name.log"
    # A step that counts nothing is one by itself; one that fails in spite of its numbers is one failure more.
    if [ "$status" != 0 ] && [ "$counted_failures" = 0 ]; then
        failed=$((failed + 1))
    elif [ "$status" = 0 ] && [ -z "$seen" ]; then
        passed=$((passed + 1))
    fi
    if [ "$status" = 0 ]; then
        printf 'ok    %-11s %4ds  %s%s\n' "$name" "$took" "$what" "${seen:+: $seen}"
    else
        printf 'FAIL  %-11s %4ds  %s%s\n' "$name" "$took" "$what" "${seen:+: $seen}"
        broken="$broken $name"
        sed 's/^/    /' "$logs/$name.log" | tail -n 150
        echo "    (all of it: $logs/$name.log)"
    fi
}

# step NAME WHAT COMMAND...
step() {
    named=$1 described=$2
    shift 2
    run "$named" "$@"
    report "$named" "$described"
}

# low COMMAND...: with the lowest priority; ends with its shell
low() {
    setsid nice -n 19 "$@" &
    # shellcheck disable=SC2064
    trap "kill -- -$!; exit 1" TERM
    wait $!
}

# Tests with real servers wait most of the time. What only computes runs next to them.
meanwhile() {
    run guards low make check-guards
    run packages low build/package-check.sh --quick
    run model low test/model/run.sh
}
aside=
trap '[ -z "$aside" ] || kill "$aside"' EXIT
trap 'exit 130' HUP INT TERM

# clang's warnings are errors too: the guard tidy.sh.
step build "the module and its tools, warnings are errors" make "$jobs" all core
meanwhile &
aside=$!
step unit "test/unit" make "$jobs" check-unit
step e2e "test/e2e: real httpd, responders and clients" make check-e2e
step e2e-asan "test/e2e, a part of it, with the module under AddressSanitizer" \
    make "$jobs" SANITIZE=address,undefined OUT=out/asan check-e2e PYTEST_ARGS='-m asan'
step demo "build/demo.sh" build/demo.sh
step fleet-demo "build/fleet-demo.sh" build/fleet-demo.sh
step client-demo "build/client-demo.sh" build/client-demo.sh
step soak "test/soak: a minute of faults under load, with each MPM" make soak MINUTES=1
step asan "test/unit under AddressSanitizer and UndefinedBehaviorSanitizer" make "$jobs" check-asan
step tsan "test/unit, those with threads, under ThreadSanitizer" make "$jobs" check-tsan
wait "$aside"
aside=
report guards "test/guards"
report packages "build/package-check.sh: tarball, make install, Debian package, RPM"
report model "test/model: the read protocol, and each breach of it, under spin"

echo
[ -z "$broken" ] || echo "Failed:$broken"
if [ "$skipped" = 0 ]; then
    echo "$passed passed, $failed failed"
else
    echo "$passed passed, $failed failed, $skipped skipped"
fi
[ -z "$broken" ]
