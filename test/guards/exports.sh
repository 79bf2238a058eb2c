#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# The module exports exactly one symbol, stays mapped once loaded, and has no writable or lazily bound tables.
set -u
cd "$(dirname "$0")/../.." || exit 1

make -s all >/dev/null || exit 1
module=$(make -s --no-print-directory print-MODULE)
bad=0

symbols=$(nm -D --defined-only "$module" | awk '{ print $3 }')
if [ "$symbols" != ocsp_cache_module ]; then
    echo "$module: exports, instead of ocsp_cache_module alone: $(echo "$symbols" | tr "\n" " ")"
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
[ "$bad" = 0 ] && echo "one symbol, ocsp_cache_module; nodelete, relro, now"
exit "$bad"
