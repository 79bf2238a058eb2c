#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# The module with other compilers, other versions of httpd and OpenSSL, and another word size: docs/compatibility.md says what
# came of it. Not a part of build/check.sh: it fetches whole systems from apt's mirror, and what they hold changes.
#
#   build/compat.sh [TARGET...]     here minimum trixie i386 (the default), sid openssl4 source
#
# here       every gcc and clang that this machine has, warnings are errors
# minimum    the number of httpd 2.4.48's interface compiles, a lower one is refused in plain words
# trixie     Debian 13 in a throw-away root: gcc and clang, unit tests, the demonstration, a part of test/e2e
# i386       the same with this suite's 32-bit packages
# sid        the same with Debian's development version
# openssl4   sid with the OpenSSL of Debian's experimental: gcc and clang, unit tests (its httpd has the other OpenSSL)
# source     as with trixie, but in this suite, with httpd and mod_ssl built from HTTPD_SOURCE=folder, a checkout of httpd's
#
# As root, on Debian or Ubuntu. What is tried is what is committed.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "compat: $1" >&2
    exit 1
}

[ $# -gt 0 ] || set -- here minimum trixie i386
for target; do
    case $target in
    here | minimum | trixie | i386 | sid | openssl4) ;;
    source)
        [ -e "${HTTPD_SOURCE:-}/buildconf" ] || fail "HTTPD_SOURCE=folder does not name a checkout of httpd's sources"
        ;;
    *)
        sed -n 's/^#   \(build.*\)/usage: \1/p' "$0" >&2
        exit 2
        ;;
    esac
done

build/deps.sh packages
PATH=$PATH:/usr/sbin:/sbin
unset MAKEFLAGS MFLAGS MAKELEVEL
jobs=-j$(nproc)
dir=$(mktemp -d "${TMPDIR:-/tmp}/ocsp-cache-compat.XXXXXX")
trap 'rm -rf --one-file-system "$dir"' EXIT
trap 'exit 130' HUP INT TERM
root=$dir/root
apxs=''

# ---- on this machine ----

here() {
    for compiler in $(find /usr/bin /usr/local/bin -name 'gcc-[0-9]*' -o -name 'clang-[0-9]*' | sed 's|.*/||' | grep -x '[a-z]*-[0-9.]*'); do
        echo "== $("$compiler" --version | head -n 1)"
        make "$jobs" CC="$compiler" OUT="$dir/$compiler" all
    done
}

# with_minor NUMBER COMMAND...: against a copy of httpd's headers that bears another minor number of its interface
with_minor() {
    headers=$dir/headers-$1
    cp -R "$(make -s --no-print-directory print-HTTPD_INCLUDE)" "$headers"
    sed -i "s/^\(#define MODULE_MAGIC_NUMBER_MINOR\) .*/\1 $1/" "$headers/ap_mmn.h"
    shift
    make "$jobs" OUT="$dir/minimum" HTTPD_INCLUDE="$headers" "$@"
}

minimum() {
    # 2.4.48 has 105, 2.4.47 had 101. But for the number, the headers are this machine's.
    with_minor 105 all
    if with_minor 104 all >"$dir/refused" 2>&1; then fail "headers of a httpd before 2.4.48 are accepted"; fi
    grep 'error.*needs httpd 2.4.48 or later' "$dir/refused" | head -n 1
}

# ---- in throw-away roots ----

in_root() { build/root.sh run "$root" sh -c "cd /src && $1"; }

# begin SUITE [ARCHITECTURE]: a root with the sources and what they need
begin() {
    rm -rf --one-file-system "$root"
    build/root.sh create "$root" "$@" >"$dir/root.log" 2>&1 || {
        tail -n 20 "$dir/root.log" >&2
        fail "no root for $1"
    }
    mkdir "$root/src"
    git archive HEAD | tar -x -C "$root/src"
    in_root 'build/deps.sh check'
    # shellcheck disable=SC2016
    in_root '. /etc/os-release; echo "== $PRETTY_NAME"; gcc --version | head -n 1; clang --version | head -n 1; apache2 -v | head -n 1'
}

compile_and_unit() {
    in_root "openssl version; make $jobs CC=gcc $apxs all && make $jobs CC=clang OUT=out/clang $apxs all && make $jobs $apxs check-unit"
}

# all_of_it [PYTEST_ARGUMENTS]
all_of_it() {
    compile_and_unit
    in_root "env ${apxs:-APXS=apxs} build/demo.sh && make $apxs check-e2e PYTEST_ARGS='${1:--m asan}'"
}

ours() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

trixie() { begin trixie && all_of_it; }
sid() { begin sid && all_of_it; }
i386() { begin "$(ours)" i386 && all_of_it; }

openssl4() {
    begin sid
    sed 's/ sid / experimental /' "$root/etc/apt/sources.list" >"$root/etc/apt/sources.list.d/experimental.list"
    in_root 'apt-get -q update && apt-get -q -y --no-install-recommends install -t experimental libssl-dev openssl'
    compile_and_unit
}

from_source() {
    begin "$(ours)"
    in_root 'apt-get -q -y --no-install-recommends install autoconf libtool-bin libpcre2-dev libexpat1-dev python3'
    cp -R "$HTTPD_SOURCE" "$root/httpd"
    in_root "cd /httpd && ./buildconf --with-apr=/usr/bin/apr-1-config &&
        ./configure --prefix=/opt/httpd --enable-mpms-shared='prefork worker event' --enable-mods-shared=reallyall --enable-ssl \
            --with-apr=/usr/bin/apr-1-config --with-apr-util=/usr/bin/apu-1-config --with-pcre=/usr/bin/pcre2-config \
            --disable-lua --disable-http2 --disable-proxy-http2 --disable-tls --disable-ldap --disable-authnz-ldap &&
        make $jobs && make install" >"$dir/httpd.log" 2>&1 || {
        tail -n 40 "$dir/httpd.log" >&2
        fail "httpd does not build"
    }
    apxs=APXS=/opt/httpd/bin/apxs
    in_root '/opt/httpd/bin/httpd -v | head -n 1'
    # The others require what httpd 2.4 itself prints and does.
    all_of_it test/e2e/stapling/test_staple.py
}

for target; do
    apxs=''
    printf '\n%s\n' "== $target"
    case $target in
    source) from_source ;;
    *) "$target" ;;
    esac
done
