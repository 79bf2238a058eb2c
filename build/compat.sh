#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# The module with other compilers, other versions of httpd and OpenSSL, and on other processors: docs/compatibility.md quotes what
# came of it. Not a part of build/check.sh: it fetches whole systems from apt's mirror, and what they hold changes.
#
#   build/compat.sh [TARGET...]     here minimum musl trixie i386 (the default)
#   build/compat.sh all             every target but source; headers only where HTTPD_SOURCE is set
#
# here       every gcc and clang that this machine has, warnings are errors
# minimum    the number of httpd 2.4.48's interface compiles; a lower one is refused in plain words, and so is a processor without
#            64-bit atomics
# headers    the headers of HTTPD_SOURCE=folder, a checkout of httpd 2.4.48's sources
# musl       the sources and the unit tests compile with musl's headers, the sources also as on a system that is not Linux
# trixie     Debian 13 in a throw-away root: gcc and clang, unit tests, fuzz corpora, the demonstration, test/e2e
# i386       the same with this suite's 32-bit packages, and a part of test/e2e
# arm64, armhf, riscv64, s390x
#            another processor, under qemu's user emulation: unit tests, fuzz corpora, and except with riscv64 the demonstration
#            and a part of test/e2e
# sid        as with trixie, Debian's development version
# openssl4   sid with the OpenSSL of Debian's experimental: gcc and clang, unit tests (its httpd has the other OpenSSL)
# source     as with trixie, but in this suite, with httpd and mod_ssl built from HTTPD_SOURCE=folder, a checkout of httpd's
#
# As root, on Debian or Ubuntu. What is tried is what is committed. One line per target; the rest is in out/compat/TARGET.log.
# COMPAT_ROOTS=folder: keeps the systems there, and uses them again.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "compat: $1" >&2
    exit 1
}

[ $# -gt 0 ] || set -- here minimum musl trixie i386
[ "$*" != all ] || set -- here minimum ${HTTPD_SOURCE:+headers} musl trixie i386 arm64 armhf riscv64 s390x sid openssl4
for target; do
    case $target in
    here | minimum | musl | trixie | i386 | arm64 | armhf | riscv64 | s390x | sid | openssl4) ;;
    headers | source)
        [ -e "${HTTPD_SOURCE:-}/buildconf" ] || fail "HTTPD_SOURCE=folder does not name a checkout of httpd's sources"
        ;;
    *)
        sed -n 's/^#   \(build.*\)/usage: \1/p' "$0" >&2
        exit 2
        ;;
    esac
done

build/deps.sh compat
PATH=$PATH:/usr/sbin:/sbin
unset MAKEFLAGS MFLAGS MAKELEVEL
jobs=-j$(nproc)
logs=out/compat
mkdir -p "$logs"
dir=$(mktemp -d "${TMPDIR:-/tmp}/ocsp-cache-compat.XXXXXX")
trap clean_up EXIT
trap 'exit 130' HUP INT TERM
roots=${COMPAT_ROOTS:-$dir}
apxs=''
settings=''
binfmt=/proc/sys/fs/binfmt_misc

clean_up() {
    while read -r name; do echo -1 >"$binfmt/$name"; done <"$dir/registered"
    [ ! -e "$dir/mounted" ] || umount "$binfmt"
    rm -rf --one-file-system "$dir"
}
: >"$dir/registered"

# said WHAT: what was tried, for the target's line
said() { echo "$1" >"$dir/said"; }

# ---- on this machine ----

here() {
    tried=
    compilers=$(find /usr/bin /usr/local/bin -name 'gcc-[0-9]*' -o -name 'clang-[0-9]*' | sed 's|.*/||')
    for compiler in $(echo "$compilers" | grep -x '[a-z]*-[0-9.]*'); do
        make "$jobs" CC="$compiler" OUT="$dir/$compiler" all
        tried="$tried${tried:+, }$(echo "$compiler" | tr - ' ')"
    done
    said "$tried: no warning"
}

# refused PATTERN COMMAND...: it fails, with this error
refused() {
    pattern=$1
    shift
    if "$@" >"$dir/refused" 2>&1; then fail "not refused: $*"; fi
    grep "error.*$pattern" "$dir/refused" | head -n 1
    grep -q "error.*$pattern" "$dir/refused"
}

# with_minor NUMBER COMMAND...: against a copy of httpd's headers that bears another minor number of its interface
with_minor() {
    headers=$dir/headers-$1
    cp -R "$(make -s --no-print-directory print-HTTPD_INCLUDE)" "$headers"
    sed -i "s/^\(#define MODULE_MAGIC_NUMBER_MINOR\) .*/\1 $1/" "$headers/ap_mmn.h"
    shift
    "$@" make "$jobs" OUT="$dir/minimum" HTTPD_INCLUDE="$headers" all
}

minimum() {
    # 2.4.48 has 105, 2.4.47 had 101. But for the number, the headers are this machine's.
    with_minor 105 env
    with_minor 104 refused 'needs httpd 2.4.48 or later'
    echo '#define __atomic_always_lock_free(size, address) 0' >"$dir/atomics.h"
    refused 'needs 64-bit atomics' make "$jobs" OUT="$dir/minimum" core CPPFLAGS="-include $dir/atomics.h"
    said "interface 20120211:105 compiles; 104 and atomics with a lock are refused"
}

headers() {
    headers=$dir/headers
    mkdir "$headers"
    cp "$(make -s --no-print-directory print-HTTPD_INCLUDE)"/ap_config_*.h "$headers" # configure makes these
    cp "$HTTPD_SOURCE"/include/*.h "$HTTPD_SOURCE"/os/unix/*.h "$HTTPD_SOURCE"/server/mpm_*.h "$headers" 2>/dev/null || :
    for module in generators ssl cache core database http proxy session; do
        cp "$HTTPD_SOURCE/modules/$module"/*.h "$headers" 2>/dev/null || :
    done
    make "$jobs" OUT="$dir/headers-out" HTTPD_INCLUDE="$headers" all
    version=$(awk '/AP_SERVER_[A-Z]*_NUMBER +[0-9]/ { printf "%s%s", dot, $3; dot = "." }' "$headers/ap_release.h")
    said "the headers of httpd $version: no warning"
}

# What belongs to the C library is musl's; the rest is found in one folder.
musl() {
    others=$dir/others
    mkdir "$others"
    system=/usr/include/$(gcc -print-multiarch)
    cp -R /usr/include/openssl "$system/openssl" /usr/include/linux /usr/include/asm-generic "$system/asm" "$others"
    cp /usr/include/cmocka*.h "$others"
    make "$jobs" CC=musl-gcc OUT="$dir/musl" CPPFLAGS="-isystem $others" objects test-objects
    make "$jobs" CC=musl-gcc OUT="$dir/musl" CPPFLAGS="-isystem $others -U__linux__" objects
    said "the sources and the unit tests compile with musl's headers, the sources also without __linux__: no warning"
}

# ---- in throw-away roots ----

in_root() { build/root.sh run "$root" sh -c "$settings cd /src && $1"; }

# create SUITE [ARCHITECTURE]: a root with the sources
create() {
    if [ ! -e "$root/created" ]; then
        rm -rf --one-file-system "$root"
        build/root.sh create "$root" "$@"
        touch "$root/created"
    fi
    rm -rf "$root/src"
    mkdir "$root/src"
    git archive HEAD | tar -x -C "$root/src"
}

# begin SUITE [ARCHITECTURE]: with what the sources need, too
begin() {
    create "$@"
    in_root 'build/deps.sh check'
    say_versions gcc clang
}

# say_versions COMPILER...; OpenSSL's is that of its headers: the command may be another processor's
say_versions() {
    cat >"$root/versions.sh" <<'END'
apxs=${APXS:-apxs}
printf 'Debian %s' "$(cat /etc/debian_version)"
"$("$apxs" -q sbindir)/$("$apxs" -q progname)" -v | sed -n 's|.*Apache/\([^ ]*\).*|, httpd \1|p' | tr -d '\n'
sed -n 's/.*OPENSSL_VERSION_TEXT *"\(OpenSSL [^ ]*\).*/, \1/p' /usr/include/openssl/opensslv.h | tr -d '\n'
for compiler; do printf ', %s %s' "${compiler##*-}" "$("$compiler" -dumpversion | sed 's/\..*//')"; done
END
    said "$(in_root "$apxs sh /versions.sh $*")"
}

# steps COMMAND...: in the root, each even if one before has failed
steps() {
    status=0
    for command; do in_root "$command" || status=1; done
    return "$status"
}

compile_and_unit() {
    steps "make $jobs CC=gcc $apxs all && make $jobs CC=clang OUT=out/clang $apxs all" "make -k $jobs $apxs check-unit check-fuzz"
}

# all_of_it [PYTEST_ARGUMENTS]
all_of_it() {
    steps "make $jobs CC=gcc $apxs all && make $jobs CC=clang OUT=out/clang $apxs all" \
        "make -k $jobs $apxs check-unit check-fuzz" "env ${apxs:-APXS=apxs} build/demo.sh" \
        "make $apxs check-e2e PYTEST_ARGS='${1-}'"
}

ours() { sed -n 's/^VERSION_CODENAME=//p' /etc/os-release; }

trixie() { begin trixie && all_of_it; }
sid() { begin sid && all_of_it; }
i386() { begin "$(ours)" i386 && all_of_it '-m asan'; }

openssl4() {
    begin sid
    sed 's/ sid / experimental /' "$root/etc/apt/sources.list" >"$root/etc/apt/sources.list.d/experimental.list"
    in_root 'apt-get -q update && apt-get -q -y --no-install-recommends install -t experimental libssl-dev openssl'
    say_versions gcc clang
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

# ---- other processors ----

# emulate ARCHITECTURE: from now on the kernel runs its programs by qemu; until this script ends, unless it did before
emulate() {
    case $1 in
    arm64) name=qemu-aarch64 ;;
    armhf) name=qemu-arm ;;
    *) name=qemu-$1 ;;
    esac
    [ -e "$binfmt/register" ] || { mount -t binfmt_misc binfmt_misc "$binfmt" && : >"$dir/mounted"; }
    [ ! -e "$binfmt/$name" ] || return 0
    cat "/usr/lib/binfmt.d/$name.conf" >"$binfmt/register"
    echo "$name" >>"$dir/registered"
}

# processor ARCHITECTURE: httpd, the module, its tools and unit tests are the other processor's. Compiler, python, and what the tests
# need apart from httpd are this one's, which saves hours.
processor() {
    suite=$(ours)
    [ "$1" != riscv64 ] || suite=trixie
    cross=$(dpkg-architecture -f -a"$1" -qDEB_HOST_GNU_TYPE)
    emulate "$1"
    create "$suite"
    # Without updates: they do not appear for all processors at the same time, and the packages of both must be of one version.
    sed -i "/ $suite main\$/!d" "$root/etc/apt/sources.list"
    packages="gcc-$cross gcc make pkg-config git openssl curl gnutls-bin procps strace redis-server memcached prometheus"
    packages="$packages python3-pytest python3-pytest-xdist python3-cryptography python3-openssl python3-selenium"
    for package in apache2-bin apache2-dev apache2-ssl-dev libc6-dev libcmocka-dev libssl-dev; do
        packages="$packages $package:$1"
    done
    in_root "dpkg --add-architecture $1 && apt-get -q update && apt-get -q -y --no-install-recommends install $packages"
    settings="export CC=$cross-gcc AR=$cross-ar PKG_CONFIG_LIBDIR=/usr/lib/$cross/pkgconfig"
    settings="$settings OC_TEST_EMULATED=1 OC_TEST_TIMEOUT=1800 &&"
    say_versions "$cross-gcc"
    set -- "$1" "make $jobs all" "make -k $jobs check-unit check-fuzz" "grep -h 'left out' out/unit/*/*.log | sort | uniq -c"
    # riscv64's C library refuses to create a robust mutex there, and without one no server starts.
    [ "$1" = riscv64 ] || set -- "$@" "APXS=apxs build/demo.sh" "make check-e2e E2E_JOBS=2 PYTEST_ARGS='-m \"asan and not native\"'"
    shift
    steps "$@"
}

# ---- the line of each ----

# report TARGET STATUS: adds up the closing lines of cmocka, the fuzz targets and pytest
report() {
    awk -v what="$(cat "$dir/said" 2>/dev/null)" -v status="$2" -v name="$1" '
        match($0, /\[  PASSED  \] [0-9]+ test/)    { split(substr($0, RSTART + 13), n, " "); unit += n[1] }
        match($0, /\[  SKIPPED \] [0-9]+ test/)    { split(substr($0, RSTART + 13), n, " "); left += n[1] }
        match($0, /^\[  FAILED  \] [0-9]+ test/)   { split(substr($0, 13), n, " "); failed += n[1] }
        /^[0-9]+ inputs replayed/                  { inputs += $1 }
        /^Every step worked/                       { demo = ", demonstration" }
        /^=+ .* in [0-9.]+s.*=+$/ {
            gsub(/,/, "")
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^passed/) e2e += $(i - 1)
                if ($i ~ /^skipped/) left_e2e += $(i - 1)
                if ($i ~ /^(failed|error)/) failed += $(i - 1)
            }
        }
        END {
            tests = unit " unit tests" (left ? " (" left " left out)" : "") ", " inputs " fuzz inputs" demo
            if (e2e) tests = tests ", " e2e " e2e tests" (left_e2e ? " (" left_e2e " skipped)" : "")
            printf "compat: %s: %s%s%s\n", name, what == "" ? "see the log" : what, unit ? ": " tests " passed" : "",
                failed ? ", " failed " failed" : status != 0 ? "; FAILED" : ""
        }' "$logs/$1.log"
}

run() {
    case $1 in
    source) from_source ;;
    arm64 | armhf | riscv64 | s390x) processor "$1" ;;
    *) "$1" ;;
    esac
}

broken=0
for target; do
    rm -f "$dir/said"
    root=$roots/$target
    set +e # in a condition, a function would not stop at its first error
    (
        set -e
        run "$target"
    ) >"$logs/$target.log" 2>&1 </dev/null
    status=$?
    set -e
    report "$target" "$status"
    [ -n "${COMPAT_ROOTS:-}" ] || rm -rf --one-file-system "$root"
    [ "$status" = 0 ] && continue
    broken=1
    tail -n 20 "$logs/$target.log" | sed 's/^/    /'
done
[ "$broken" = 0 ]
