#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# The files of a release, of what is committed, with their checksums: the same commit gives the same bytes in any folder.
#
#   build/release.sh [--to FOLDER] [--work FOLDER] [tarball] [deb] [rpm]    into out/release; all three by default
#
# tarball   mod_ocsp_cache-VERSION.tar.gz
# deb       the package for this system, without its unit tests (`make check-unit`)
# rpm       the source package, and where httpd-devel's macros are known (Fedora and its relatives) the package for this system
#
# --work keeps what the builds leave behind, in that folder. SHA256SUMS lists what is in FOLDER.
set -eu
cd "$(dirname "$0")/.."

to=out/release work='' chosen=''
while [ $# -gt 0 ]; do
    case $1 in
    --to) to=$2 && shift ;;
    --work) work=$2 && shift ;;
    tarball | deb | rpm) chosen="$chosen $1" ;;
    *)
        sed -n 's/^#   \(build.*\)/usage: \1/p' "$0" >&2
        exit 2
        ;;
    esac
    shift
done
: "${chosen:=tarball deb rpm}"

[ -n "$work" ] || {
    work=$(mktemp -d "${TMPDIR:-/tmp}/ocsp-cache-release.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' HUP INT TERM
}
umask 022
mkdir -p "$to" "$work"
to=$(cd "$to" && pwd) work=$(cd "$work" && pwd)
unset MAKEFLAGS MFLAGS MAKELEVEL
version=$(make -s --no-print-directory print-VERSION)
tarball=mod_ocsp_cache-$version.tar.gz
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
TZ=UTC
export SOURCE_DATE_EPOCH TZ
rm -f "$to"/SHA256SUMS

make -s dist
cp "$(make -s --no-print-directory print-DIST)" "$work/$tarball"

release_tarball() { cp "$work/$tarball" "$to/"; }

release_deb() {
    tar -C "$work" -xzf "$work/$tarball"
    (
        cd "$work/mod_ocsp_cache-$version"
        DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$(nproc)" DEB_BUILD_PROFILES=nocheck dpkg-buildpackage -us -uc -rfakeroot
    )
    cp "$work"/libapache2-mod-ocsp-cache_"$version"_*.deb "$to/"
}

release_rpm() {
    what=-bb foreign=no
    set -- --define "_buildhost reproducible" --define "use_source_date_epoch_as_buildtime 1" \
        --define "clamp_mtime_to_source_date_epoch 1" --define "build_mtime_policy clamp_to_source_date_epoch"
    if [ "$(rpm --eval '%{?_httpd_mmn}')" = '' ]; then
        # Not Fedora: the macros get values of this system, for a trial. The build dependencies bear Fedora's names.
        set -- "$@" --nodeps --define "_httpd_apxs ${APXS:-apxs}" --define "_httpd_moddir $("${APXS:-apxs}" -q LIBEXECDIR)" --define "_httpd_mmn 0" \
            --define "_httpd_modconfdir /etc/httpd/conf.modules.d" --define "_httpd_confdir /etc/httpd/conf.d" --define "dist %{nil}"
        what='-bb --nocheck' foreign=yes
    fi
    # The source package records the modes of both files, which the umask of a clone decides, and the paths of its folders.
    mkdir -p "$work/rpm/SOURCES" "$work/rpm/SPECS"
    install -m 644 "$work/$tarball" "$work/rpm/SOURCES/"
    install -m 644 packaging/mod_ocsp_cache.spec "$work/rpm/SPECS/"
    (cd "$work/rpm" && rpmbuild "$@" --define '_topdir .' -bs SPECS/mod_ocsp_cache.spec)
    # shellcheck disable=SC2086
    rpmbuild "$@" --define "_topdir $work/rpm" $what "$work/rpm/SPECS/mod_ocsp_cache.spec"
    cp "$work"/rpm/SRPMS/mod_ocsp_cache-"$version"-*.src.rpm "$to/"
    [ "$foreign" = yes ] || cp "$work"/rpm/RPMS/*/mod_ocsp_cache-"$version"-*.rpm "$to/"
}

for one in $chosen; do
    "release_$one" >"$work/$one.log" 2>&1 || {
        tail -n 40 "$work/$one.log" >&2
        echo "release: $one fails" >&2
        exit 1
    }
done
cd "$to"
find . -maxdepth 1 -name "*$version*" -type f -printf '%f\n' | sort | xargs sha256sum -- >SHA256SUMS
cat SHA256SUMS
