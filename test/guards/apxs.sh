#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# The plain build works, in a copy of the tree, without a warning:
#     apxs -c -I include mod_ocsp_cache.c src/*/*.c -lcrypto
#     apxs -c -I include mod_ocsp_client.c mtls/*.c src/base/duration.c -lssl -lcrypto
set -u
cd "$(dirname "$0")/../.." || exit 1

apxs=$(make -s --no-print-directory print-APXS)
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' HUP INT TERM

cp -r mod_ocsp_cache.c mod_ocsp_client.c src mtls include "$folder"
cd "$folder" || exit 1
"$apxs" -c -I include mod_ocsp_cache.c src/*/*.c -lcrypto >log 2>&1
"$apxs" -c -I include mod_ocsp_client.c mtls/*.c src/base/duration.c -lssl -lcrypto >>log 2>&1
if [ ! -e .libs/mod_ocsp_cache.so ] || [ ! -e .libs/mod_ocsp_client.so ] || grep -q 'warning:' log; then
    grep -A3 -e 'warning:' -e 'error:' log || tail -20 log
    exit 1
fi
echo "the plain apxs lines"
