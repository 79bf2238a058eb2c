#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# The plain build works, in a copy of the tree, with gcc and with clang, without a warning:
#     apxs -c -I include mod_ocsp_cache.c src/*/*.c -lcrypto
set -u
cd "$(dirname "$0")/../.." || exit 1

apxs=$(make -s --no-print-directory print-APXS)
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' HUP INT TERM

for compiler in gcc clang; do
    mkdir "$folder/$compiler"
    cp -r mod_ocsp_cache.c src include "$folder/$compiler"
done
bad=0
# Side by side: libtool compiles one file after the other.
for compiler in gcc clang; do
    (cd "$folder/$compiler" && "$apxs" -S CC="$compiler" -c -I include mod_ocsp_cache.c src/*/*.c -lcrypto >log 2>&1) &
done
wait
for compiler in gcc clang; do
    if [ ! -e "$folder/$compiler/.libs/mod_ocsp_cache.so" ] || grep -q 'warning:' "$folder/$compiler/log"; then
        bad=1
        echo "$apxs with $compiler:"
        grep -A3 -e 'warning:' -e 'error:' "$folder/$compiler/log" || tail -20 "$folder/$compiler/log"
    fi
done
[ "$bad" = 0 ] && echo "the plain apxs line, gcc and clang"
exit "$bad"
