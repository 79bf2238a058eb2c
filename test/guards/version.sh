#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# include/version.h has the version; what cannot include it repeats it: the packages and the list of changes.
set -u
cd "$(dirname "$0")/../.." || exit 1

version=$(make -s --no-print-directory print-VERSION)
bad=0

# says FILE VERSION
says() {
    [ "$2" = "$version" ] || {
        echo "$1: says '$2', include/version.h says '$version'"
        bad=1
    }
}

echo "$version" | grep -q -x '[0-9]*\.[0-9]*\.[0-9]*' || {
    echo "include/version.h: '$version' is no version"
    exit 1
}
says debian/changelog "$(sed -n '1s/^mod-ocsp-cache (\([^)]*\)) .*/\1/p' debian/changelog)"
says packaging/mod_ocsp_cache.spec "$(sed -n 's/^Version: *//p' packaging/mod_ocsp_cache.spec)"
says "packaging/mod_ocsp_cache.spec, %changelog" "$(sed -n '/^%changelog/,/^-/s/^\* .* - \(.*\)-[0-9]*$/\1/p' packaging/mod_ocsp_cache.spec)"
says CHANGES.md "$(sed -n 's/^## //p' CHANGES.md | head -n 1)"
[ "$bad" = 0 ] && echo "$version everywhere"
