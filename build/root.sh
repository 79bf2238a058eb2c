#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Throw-away systems for tests of packages and of other versions of Debian. As root, on Debian or Ubuntu.
#
#   build/root.sh create DIR [SUITE [ARCHITECTURE]]    a minimal system: of this machine's suite, or another (trixie, sid)
#   build/root.sh run DIR COMMAND...                   runs a command in it; with it end all processes that it has started
#   build/root.sh alone DIR COMMAND...                 the same in a network of its own, with nothing in it but the loopback interface
#
# Mirror, keys and settings are those that apt has here. No service is started in it by packages; what they request is noted in
# DIR/policy.log. To remove it, `rm -rf --one-file-system DIR`: its mounts end with each command.
set -eu

usage() {
    sed -n 's/^#   \(build.*\)/usage: \1/p' "$0" >&2
    exit 2
}

# targets FORMAT: of the lists of packages that apt reads here
targets() { apt-get indextargets --format "$1" 'Created-By: Packages' "Architecture: $(dpkg --print-architecture)" | sort -u; }

create() {
    root=$1
    ours=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    suite=${2:-$ours} architecture=${3:-$(dpkg --print-architecture)}
    # Fields of apt's, not of the shell's.
    # shellcheck disable=SC2016
    mirror=$(targets '$(CODENAME) $(SITE)' | sed -n "s/^$ours //p" | head -n 1)
    [ -n "$mirror" ] || {
        echo "root: apt knows no mirror for $ours" >&2
        exit 1
    }
    debootstrap --variant=minbase --arch="$architecture" "$suite" "$root" "$mirror"
    if [ "$suite-$architecture" = "$ours-$(dpkg --print-architecture)" ]; then
        # With the updates that this machine has: packages built here require them.
        # shellcheck disable=SC2016
        targets '$(CODENAME) deb $(SITE) $(RELEASE) $(COMPONENT)' | sed -n "s/^${ours}[^ ]* \(deb .*\)/\1/p" >"$root/etc/apt/sources.list"
    fi
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
    apt-config dump | grep -i -E '^Acquire::(Check|http|Retries)' >"$root/etc/apt/apt.conf.d/00outside" || :
    # shellcheck disable=SC2016
    printf '#!/bin/sh\necho "$*" >>/policy.log\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    "$0" run "$root" apt-get -q update
}

# enter ROOT COMMAND...; $own: what it has of its own, apart from mounts and processes, an option of unshare
enter() {
    root=$(cd "$1" && pwd)
    shift
    # The root is bound to itself, for that makes it a mount point: programs in it may then mount as they are used to.
    # shellcheck disable=SC2016
    exec unshare --mount --pid --ipc --fork --kill-child "$own" sh -c '
        own=$1 root=$2
        shift 2
        mount --bind "$root" "$root" && mount -t proc proc "$root/proc" && mount -t sysfs sysfs "$root/sys" &&
            mount --rbind /dev "$root/dev" || exit 1
        [ "$own" != --net ] || ip link set lo up || exit 1
        exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
    ' root "$own" "$root" "$@"
}

[ $# -ge 2 ] || usage
what=$1
shift
case $what in
create) create "$@" ;;
run | alone)
    own=--uts
    [ "$what" = run ] || own=--net
    enter "$@"
    ;;
*) usage ;;
esac
