#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Verifies cache.pml, the model of the cache's read protocol, with spin, and that each deliberate breach violates the
# property that it should. One line for each run; the closing line is the one that build/check.sh counts.
#
#   test/model/run.sh            all of it
#   test/model/run.sh KEEP [-D...]   one run in the folder KEEP: read a trail there with `spin -t -p -D... cache.pml`
set -u
cd "$(dirname "$0")" || exit 1
model=$PWD/cache.pml
optimize=-O2

# explore FOLDER [-D...]: sets nothing, prints spin's report
explore() {
    mkdir -p "$1" && cd "$1" && shift || return 1
    cp "$model" . && spin -a "$@" cache.pml &&
        gcc "$optimize" -w -DSAFETY -DNOREDUCE -DVECTORSZ=1024 -DMEMLIM=2048 -o pan pan.c && ./pan -m20000
}

if [ $# -gt 0 ]; then
    explore "$@"
    exit
fi

# verdict FOLDER PROPERTY WHAT [-D...]: PROPERTY is the assertion that must fail, "holds" when none may
verdict() {
    folder=$1 property=$2 what=$3
    shift 3
    report=$(explore "$folder" "$@" 2>&1)
    states=$(echo "$report" | sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p')
    found=$(echo "$report" | sed -n 's/^pan:[0-9]*: assertion violated \([a-z_]*\).*/\1/p')
    if [ -n "$found" ]; then
        :
    elif echo "$report" | grep -Eq 'max search depth too small|out of memory|Search not completed'; then
        found="an incomplete search"
    elif echo "$report" | grep -q 'errors: 0$'; then
        found=holds
    fi
    if [ "${found:=no result}" = "$property" ]; then
        echo "ok    $what: $found${states:+, $states states}"
    else
        echo "FAIL  $what: $found, not $property"
        [ "$found" != "no result" ] || echo "$report"
    fi
}

out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
trap 'exit 130' HUP INT TERM

# The protocol in parts, which two processors share; then the breaches.
{
    verdict "$out/a" holds "three operations, a writer killed at each store" -DOPERATIONS=3 -DKILLS=1
    verdict "$out/b" holds "a successor killed too" -DOPERATIONS=1 -DKILLS=2
} >"$out/one" &
{
    verdict "$out/c" holds "two readers that tell each other" -DOPERATIONS=3 -DKILLS=0 -DGETS=2
    verdict "$out/d" holds "notes alone, slots that change keys, a writer killed" -DOPERATIONS=5 -DKILLS=1 -DNOTES -DNO_PUTS
    verdict "$out/e" holds "notes and records, a writer killed at each store" -DOPERATIONS=2 -DKILLS=1 -DNOTES
    optimize=-O0 # they end at once: to compile takes longest
    while read -r macro property options what; do
        case $options in
        -) options= ;;
        *) options=$(echo "$options" | tr , ' ') ;;
        esac
        # shellcheck disable=SC2086
        verdict "$out/$macro" "$property" "breach, $what" "-D$macro" ${options:--DOPERATIONS=3}
    done <<TABLE
PUBLISH_BEFORE_WRITE is_whole - a record is published before it is written
NO_RELOAD is_whole - ref is not loaded again
FREE_BEFORE_PUBLISH is_whole - blocks are freed before ref changes
VERSIONS_REPEAT is_whole - versions repeat
RELAXED_PUBLISH is_whole - ref is stored relaxed
RETRY_OLD_REF it_ends -DOPERATIONS=2 a new attempt does not load ref again
NO_RECOVERY no_block_is_leaked - a dead writer is not noticed
RELAXED_BLOCKS is_whole - blocks are stored or loaded relaxed
NOTE_KEEPS_VERSION is_its_note -DOPERATIONS=5,-DKILLS=0,-DNOTES,-DNO_PUTS a note takes a slot and keeps its version
TABLE
} >"$out/two"
wait
cat "$out/one" "$out/two"
passed=$(cat "$out/one" "$out/two" | grep -c '^ok ')
failed=$(cat "$out/one" "$out/two" | grep -c '^FAIL ')
echo "guards: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -ge 14 ]
