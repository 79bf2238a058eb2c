#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# The module exports exactly one symbol, stays mapped once loaded, and has no writable or lazily bound tables.
set -u
cd "$(dirname "$0")/../.." || exit 1

make -s all >/dev/null || exit 1
bad=0

look_at() {
    module=$1 record=$2
    symbols=$(nm -D --defined-only "$module" | awk '{ print $3 }')
    if [ "$symbols" != "$record" ]; then
        echo "$module: exports, instead of $record alone: $(echo "$symbols" | tr "\n" " ")"
        bad=1
    fi
    dynamic=$(readelf -dW "$module")
    for flag in NODELETE NOW; do
        case $dynamic in
        *"$flag"*) ;;
        *)
            echo "$module: not linked with -z $(echo "$flag" | tr '[:upper:]' '[:lower:]')"
            bad=1
            ;;
        esac
    done
    readelf -lW "$module" | grep -q GNU_RELRO || {
        echo "$module: not linked with -z relro"
        bad=1
    }
}
look_at "$(make -s --no-print-directory print-MODULE)" ocsp_cache_module
look_at "$(make -s --no-print-directory print-CLIENT)" ocsp_client_module
[ "$bad" = 0 ] && echo "one symbol each, the module's record; nodelete, relro, now"
exit "$bad"
