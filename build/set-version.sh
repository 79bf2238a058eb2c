#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Sets the version in each place that has it, with today's date: the one step between "all is done" and `make release`.
#
#   build/set-version.sh VERSION
#
# CHANGES.md gets a heading of that name for its first section; write the release's story below it. test/guards/version.sh
# compares the places.
set -eu
cd "$(dirname "$0")/.."

new=${1-}
echo "$new" | grep -q -x '[0-9]*\.[0-9]*\.[0-9]*' || {
    echo "usage: build/set-version.sh VERSION" >&2
    exit 2
}
old=$(make -s --no-print-directory print-VERSION)
was=$(echo "$old" | sed 's/\./\\./g')
maintainer=$(sed -n 's/^Maintainer: //p' debian/control)

sed -i "s/^\(.define OC_VERSION \)\"$was\"/\1\"$new\"/" include/version.h
sed -i "1,/^## /s/^## $was\$/## $new/" CHANGES.md
sed -i "s/^\(Version: *\)$was\$/\1$new/" packaging/mod_ocsp_cache.spec
entry="* $(LC_ALL=C date -u '+%a %b %d %Y') $maintainer - $new-1\\n- Version $new: CHANGES.md.\\n"
sed -i "s|^%changelog\$|%changelog\\n$entry|" packaging/mod_ocsp_cache.spec
{
    printf 'mod-ocsp-cache (%s) unstable; urgency=medium\n\n  * Version %s: CHANGES.md.\n\n -- %s  %s\n\n' \
        "$new" "$new" "$maintainer" "$(LC_ALL=C date -u -R)"
    cat debian/changelog
} >debian/changelog.new
mv debian/changelog.new debian/changelog
test/guards/version.sh
