#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Makes sure that what this project needs is on the machine.
#
#   build/deps.sh [--check] [build] [demo] [fleet] [packages] [compat] [check] [bench] [pictures]
#
# build     what `make` needs (the default)
# demo      what build/demo.sh and build/client-demo.sh need, build included
# fleet     what build/fleet-demo.sh needs, build and demo included
# packages  what build/package-check.sh needs, build included
# compat    what build/compat.sh needs, build and packages included
# check     what build/check.sh needs, all of the above included
# bench     what `make bench` and `make bench-docs` need, build included
# pictures  what `make architecture` needs
#
# Debian, Ubuntu: as root, installs what is missing with apt-get; nothing is started, and no package that brings a running
# web server ("apache2") is installed. With --check, for other users, and on other systems: names what is missing and stops.
set -eu

# set | how to see that it is there | Debian, Ubuntu | Fedora, RHEL (untried: a hint, never installed from here)
needs() {
    cat <<'TABLE'
build|have gcc|gcc|gcc
build|have make|make|make
build|have pkg-config|pkg-config|pkgconf-pkg-config
build|test -e /usr/include/stdio.h|libc6-dev|glibc-devel
build|have "${APXS:-apxs}" || have apxs2|apache2-dev|httpd-devel
build|test -e /usr/include/apache2/mod_ssl_openssl.h || test -e /usr/include/httpd/mod_ssl_openssl.h|apache2-ssl-dev|httpd-devel
build|have apache2 || have httpd|apache2-bin|httpd mod_ssl
build|pkg-config --exists apr-1|libapr1-dev|apr-devel
build|pkg-config --exists apr-util-1|libaprutil1-dev|apr-util-devel
build|pkg-config --exists libcrypto|libssl-dev|openssl-devel
demo|have openssl|openssl|openssl
demo|have curl|curl|curl
fleet|have redis-server|redis-server|redis
fleet|have redis-cli|redis-tools|redis
check|pkg-config --exists cmocka|libcmocka-dev|libcmocka-devel
check|have clang|clang|clang
check|have clang-format|clang-format|clang-tools-extra
check|have clang-tidy|clang-tidy|clang-tools-extra
check|have shellcheck|shellcheck|ShellCheck
check|/usr/bin/python3 -c "import pyflakes"|python3-pyflakes|python3-pyflakes
check|/usr/bin/python3 -c "import pytest"|python3-pytest|python3-pytest
check|/usr/bin/python3 -c "import xdist"|python3-pytest-xdist|python3-pytest-xdist
check|/usr/bin/python3 -c "import cryptography"|python3-cryptography|python3-cryptography
check|/usr/bin/python3 -c "import OpenSSL"|python3-openssl|python3-pyOpenSSL
check|have gnutls-cli|gnutls-bin|gnutls-utils
check|have chattr|e2fsprogs|e2fsprogs
check|have strace|strace|strace
check|have spin|spin|spin
check|have valgrind|valgrind|valgrind
check|have git|git|git
check|have memcached|memcached|memcached
check|have mandoc|mandoc|mandoc
check|test -e /usr/share/bash-completion/bash_completion|bash-completion|bash-completion
check|have zsh|zsh|zsh
check|have fish|fish|fish
check|have nginx|nginx-light|nginx
check|have haproxy|haproxy|haproxy
check|have hitch|hitch|hitch
check|have socat|socat|socat
check|have chromium || have chromium-browser|chromium|chromium
check|have chromedriver|chromium-driver|chromedriver
check|/usr/bin/python3 -c "import selenium"|python3-selenium|python3-selenium
check|have promtool|prometheus|golang-github-prometheus
bench|have openssl|openssl|openssl
bench|/usr/bin/python3 -c "import cryptography"|python3-cryptography|python3-cryptography
bench|/usr/bin/python3 -c "import matplotlib"|python3-matplotlib|python3-matplotlib
bench|have nginx|nginx-light|nginx
bench|have haproxy|haproxy|haproxy
pictures|have dot|graphviz|graphviz
packages|have git|git|git
packages|have dpkg-buildpackage|dpkg-dev|dpkg-dev
packages|dpkg-query -W build-essential|build-essential|make
packages|have dh|debhelper|debhelper
packages|have dh_apache2|dh-apache2|dh-apache2
packages|have fakeroot|fakeroot|fakeroot
packages|have lintian|lintian|lintian
packages|have rpmbuild|rpm|rpm-build
packages|have debootstrap|debootstrap|debootstrap
packages|have ip|iproute2|iproute
compat|pkg-config --exists cmocka|libcmocka-dev|libcmocka-devel
compat|have musl-gcc|musl-tools|musl-gcc
compat|test -e /usr/lib/binfmt.d/qemu-s390x.conf|qemu-user-static|qemu-user-static
TABLE
}

have() {
    command -v "$1"
}

# missing COLUMN: the packages of the wanted sets that are not there, one line
missing() {
    needs | while IFS='|' read -r set rest; do
        # A probe may hold "||": the packages are the last two columns.
        fedora=${rest##*|} rest=${rest%|*}
        debian=${rest##*|} probe=${rest%|*}
        case " $sets " in
        *" $set "*) ;;
        *) continue ;;
        esac
        if ! (eval "$probe") </dev/null >/dev/null 2>&1; then
            case $1 in
            debian) echo "$debian" ;;
            *) echo "$fedora" ;;
            esac
        fi
    done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

# Debian's policy-rc.d forbids every start of a service while nginx, haproxy, Hitch, redis, memcached and prometheus (for
# promtool) are installed; afterwards they are disabled, for the next boot. The file forbids for as long as this very
# process lives: killed, it leaves one that permits.
forbid_services() {
    if [ -e "$policy" ]; then
        grep -q "$policy_mark" "$policy" || return 0 # the administrator's
        "$policy" || return 0                        # another deps.sh is running
    fi
    printf '#!/bin/sh\n# %s: forbids while process %s, which started at %s, is alive.\n' "$policy_mark" "$$" "$(started)" >"$policy"
    # shellcheck disable=SC2016  # to be expanded when it runs
    printf '[ "$(cut -d" " -f22 /proc/%s/stat 2>/dev/null)" != %s ] || exit 101\n' "$$" "$(started)" >>"$policy"
    chmod 755 "$policy"
    made_policy=yes
}

# When this process started, in ticks since boot: its number alone may be given to another process.
started() {
    cut -d" " -f22 "/proc/$$/stat"
}

clean_up() {
    rm -f "$log"
    [ "$made_policy" = no ] || rm -f "$policy"
}

# On a signal: end the command that runs, too. Services stay forbidden until it has ended.
stop() {
    trap '' HUP INT TERM
    if [ -n "$running" ]; then
        kill "$running" 2>/dev/null || :
        wait "$running" || :
    fi
    exit $((128 + $1))
}

# quietly COMMAND...: its output is of interest only when it fails. In the background, so that a signal is seen at once.
quietly() {
    "$@" </dev/null >"$log" 2>&1 &
    running=$!
    if ! wait "$running"; then
        cat "$log" >&2
        echo "deps: failed: $*" >&2
        exit 1
    fi
    running=
}

PATH=$PATH:/usr/sbin:/sbin
check_only=no
sets=
for argument; do
    case $argument in
    --check) check_only=yes ;;
    build) sets="$sets build" ;;
    demo) sets="$sets build demo" ;;
    fleet) sets="$sets build demo fleet" ;;
    packages) sets="$sets build packages" ;;
    compat) sets="$sets build packages compat" ;;
    check) sets="$sets build demo fleet packages check" ;;
    bench) sets="$sets build bench" ;;
    pictures) sets="$sets pictures" ;;
    *)
        echo "usage: build/deps.sh [--check] [build] [demo] [fleet] [packages] [compat] [check] [bench] [pictures]" >&2
        exit 2
        ;;
    esac
done
: "${sets:=build}"

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg >/dev/null 2>&1; then
    lacking=$(missing fedora)
    [ -n "$lacking" ] || exit 0
    echo "deps: this is neither Debian nor Ubuntu, so nothing is installed. Missing, under the names that Fedora and RHEL use:" >&2
    echo "    $lacking" >&2
    exit 1
fi

lacking=$(missing debian)
[ -n "$lacking" ] || exit 0
if [ "$check_only" = yes ] || [ "$(id -u)" != 0 ]; then
    echo "deps: missing packages; as root:" >&2
    echo "    apt-get install --no-install-recommends $lacking" >&2
    exit 1
fi

policy=${DPKG_ROOT:-}/usr/sbin/policy-rc.d policy_mark="made by build/deps.sh of mod_ocsp_cache"
made_policy=no running=
log=$(mktemp)
trap clean_up EXIT
trap 'stop 1' HUP
trap 'stop 2' INT
trap 'stop 15' TERM
export DEBIAN_FRONTEND=noninteractive
echo "Installing with apt-get: $lacking"
quietly apt-get -q update
# $lacking is a list of words
# shellcheck disable=SC2086
{
    case " $lacking " in *" nginx"* | *" haproxy "* | *" hitch "* | *" redis-server "* | *" memcached "* | *" prometheus "*) forbid_services ;; esac
    quietly apt-get -q -y --no-install-recommends install $lacking
    for service in nginx haproxy hitch redis-server memcached prometheus; do
        case " $lacking " in *" $service"*) update-rc.d "$service" disable >/dev/null 2>&1 || : ;; esac
    done
}

still=$(missing debian)
if [ -n "$still" ]; then
    echo "deps: installed but not found: $still (check for an older version and for PATH)" >&2
    exit 1
fi
