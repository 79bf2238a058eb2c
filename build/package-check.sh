#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# What users get is built as they would build it, and tried: of what is committed, not of what lies in the work tree.
#
#   build/package-check.sh            all of it; as root, and it fetches a system of this suite from apt's own mirror
#   build/package-check.sh --quick    without that system: a step of build/check.sh
#
# tarball   `make dist` in two clones that differ in folder, umask and time zone gives the same bytes
# install   the tarball builds without git; `make install DESTDIR=` lays down what it should and `make uninstall` takes it away
# deb       `make deb`: dpkg-buildpackage, lintian without error or warning, what is in the package, links of its documents
# rpm       `make rpm`: rpmbuild from packaging/mod_ocsp_cache.spec, and what is in the package
# release   `make release` in another folder, with another umask and time zone, gives the same bytes
# system    in a throw-away root with no network but its own: install, a2enmod, apachectl -t, a stapled handshake, upgrade,
#           remove, purge; the steps of packaging/Dockerfile, and its server with a read-only file system. Nothing of this
#           touches the system's own packages or web server.
#
# One line per step; what a step prints is shown when it fails.
set -eu
cd "$(dirname "$0")/.."

quick=no
case ${1-} in
'') ;;
--quick) quick=yes ;;
*)
    sed -n 's/^#   \(build.*\)/usage: \1/p' "$0" >&2
    exit 2
    ;;
esac

PATH=$PATH:/usr/sbin:/sbin
PYTHON=${PYTHON:-/usr/bin/python3}
umask 022
build/deps.sh packages
here=$(pwd)
version=$(make -s --no-print-directory print-VERSION)
package_name=libapache2-mod-ocsp-cache_${version}_$(dpkg --print-architecture).deb
jobs=-j$(nproc)
unset MAKEFLAGS MFLAGS MAKELEVEL
dir=$(mktemp -d "${TMPDIR:-/tmp}/ocsp-cache-packages.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' HUP INT TERM
package=$dir/release/$package_name
export GIT_CEILING_DIRECTORIES="$dir"

fail() {
    echo "$1" >&2
    exit 1
}

# step NAME WHAT: runs NAME (a function) with a log of its own
step() {
    name=$1
    began=$(date +%s)
    # Not inside of an "if": there, -e would be without effect.
    set +e
    (
        set -e
        "$name"
    ) >"$dir/$name.log" 2>&1 </dev/null
    status=$?
    set -e
    if [ "$status" != 0 ]; then
        printf 'FAIL  %s\n' "$name"
        tail -n 60 "$dir/$name.log" | sed 's/^/    /'
        exit 1
    fi
    printf 'ok    %-21s %4ds  %s\n' "$name" "$(($(date +%s) - began))" "$2"
}

# ---- tarball ----

tarball() {
    git clone -q . "$dir/one"
    git clone -q . "$dir/a longer name"
    (cd "$dir/one" && umask 002 && TZ=Asia/Kathmandu make -s dist)
    (cd "$dir/a longer name" && umask 077 && find . -name '*.c' -exec touch {} + && TZ=UTC make -s dist)
    cmp "$dir/one/out/mod_ocsp_cache-$version.tar.gz" "$dir/a longer name/out/mod_ocsp_cache-$version.tar.gz"
    tar -C "$dir" -xzf "$dir/one/out/mod_ocsp_cache-$version.tar.gz"
}

# ---- make install ----

files_below() { (cd "$1" && find . ! -type d) | sed 's/^\.//' | sort; }

install_and_uninstall() {
    cd "$dir/mod_ocsp_cache-$version"
    make -s "$jobs" all >/dev/null
    mods=/etc/apache2/mods-available
    make -s install DESTDIR="$dir/tree" MODSDIR=$mods
    {
        make -s --no-print-directory print-INSTALLED_FILES | xargs -n 1
        printf '%s\n' $mods/ocsp_cache.load $mods/ocsp_cache.conf $mods/ocsp_client.load
    } | sort >"$dir/expected"
    files_below "$dir/tree" | diff "$dir/expected" -
    test -d "$dir/tree$(make -s --no-print-directory print-CACHEDIR)" || fail "no folder for the cache"
    # Every link of the installed documents leads to a file, and a section of it, that is installed.
    "$PYTHON" test/guards/links.py "$dir/tree$(make -s --no-print-directory print-DOCDIR)"
    "$dir/tree/usr/sbin/ocsp-cachectl" --version | grep -q -w -F "$version" || fail "ocsp-cachectl --version does not print $version"
    grep -q -F "mod_ocsp_cache/$version" "$dir/tree$(make -s --no-print-directory print-LIBEXECDIR)/mod_ocsp_cache.so" ||
        fail "the module does not contain $version"

    # What the administrator has written outlives both.
    echo '# changed' >>"$dir/tree$mods/ocsp_cache.conf"
    make -s install DESTDIR="$dir/tree" MODSDIR=$mods
    tail -n 1 "$dir/tree$mods/ocsp_cache.conf" | grep -q -x '# changed' || fail "a changed configuration was overwritten"
    make -s uninstall DESTDIR="$dir/tree" MODSDIR=$mods
    [ "$(files_below "$dir/tree")" = $mods/ocsp_cache.conf ] || fail "left behind: $(files_below "$dir/tree")"
}

# ---- deb ----

# contents PACKAGE: its files and links, without the folders
contents() { dpkg-deb --fsys-tarfile "$1" | tar -tf - | sed -n 's|^\.\(/.*[^/]\)$|\1|p' | sort; }

deb() {
    # The tests of the units have a step of their own in build/check.sh.
    "$dir/one/build/release.sh" --to "$dir/release" --work "$dir/built" deb
    lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$dir"/built/mod-ocsp-cache_*.changes
    contents "$package" | sed 's/\.gz$//' >"$dir/contents"
    # All that `make install` brings, where Debian has it.
    sed -e '/\/mods-available\//d' -e 's|^/usr/local/share/doc/mod_ocsp_cache/|/usr/share/doc/libapache2-mod-ocsp-cache/|' \
        -e 's|/zsh/site-functions/|/zsh/vendor-completions/|' -e 's|^/usr/local/|/usr/|' "$dir/expected" | while read -r file; do
        grep -q -x -F "$file" "$dir/contents" || fail "not in the package: $file"
    done
    dpkg-deb -x "$package" "$dir/extracted"
    "$PYTHON" test/guards/links.py "$dir/extracted/usr/share/doc/libapache2-mod-ocsp-cache"
    dpkg-deb --fsys-tarfile "$package" | tar -tvf - ./var/cache/apache2/ | grep -q '^drwxr-xr-x root/root' ||
        fail "the folder of the cache is not root's alone"
}

# ---- rpm ----

rpm_package() {
    mods=$("${APXS:-apxs}" -q LIBEXECDIR)
    # rpmbuild makes sure that all installed files are listed.
    "$dir/one/build/release.sh" --to "$dir/release" --work "$dir/built" rpm
    rpm -qlp "$dir"/built/rpm/RPMS/*/mod_ocsp_cache-"$version"-1.*.rpm | sort >"$dir/rpm.contents"
    for file in "$mods/mod_ocsp_cache.so" "$mods/mod_ocsp_client.so" /usr/sbin/ocsp-cachectl /etc/httpd/conf.modules.d/10-ocsp_cache.conf \
        /etc/httpd/conf.d/ocsp_cache.conf /var/cache/mod_ocsp_cache; do
        grep -q -x -F "$file" "$dir/rpm.contents" || fail "not in the package: $file"
    done
}

# ---- all of it again ----

release() {
    "$dir/one/build/release.sh" --to "$dir/release" --work "$dir/built" tarball
    (cd "$dir/a longer name" && umask 077 && TZ=Asia/Kathmandu build/release.sh)
    diff "$dir/release/SHA256SUMS" "$dir/a longer name/out/release/SHA256SUMS"
}

step tarball "make dist, twice, the same bytes: mod_ocsp_cache-$version.tar.gz"
step install_and_uninstall "built without git; make install, make uninstall"
step deb "dpkg-buildpackage, lintian"
step rpm_package "rpmbuild"
[ "$quick" = no ] || exit 0
step release "make release, twice, the same bytes"

# ---- a throw-away system ----

root=$dir/system
inside() { "$here/build/root.sh" run "$root" "$@"; }

# Installed, but not enabled: that would switch TLS on.
system_install() {
    "$here/build/root.sh" create "$root"
    cp "$package" "$here/debian/tests/staple" "$root/"
    inside apt-get -q -y --no-install-recommends install apache2 openssl
    # As 0.1.0, so that there is something to upgrade.
    dpkg-deb -R "$package" "$dir/previous"
    sed -i 's/^Version: .*/Version: 0.1.0/' "$dir/previous/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$dir/previous" "$root/previous.deb"
    inside apt-get -q -y --no-install-recommends install /previous.deb
    if inside a2query -q -m ocsp_cache; then fail "it is enabled after the installation"; fi
    inside apachectl -t
    inside test -s /usr/share/doc/libapache2-mod-ocsp-cache/docs/manual/index.md
}

# README's first steps on a system as Debian installs it: nothing is wrong, so nothing is reported. AH00557 and AH00558 are
# httpd's own lines about the name of the machine.
system_enable() {
    inside a2enmod -q ssl ocsp_cache
    inside apachectl -t >"$dir/checked" 2>&1
    if grep -v -x -e 'Syntax OK' -e 'AH0055[78]: .*' "$dir/checked"; then fail "apachectl -t has more to report than Syntax OK"; fi
    grep -q -x 'Syntax OK' "$dir/checked"
    inside a2dismod -q ocsp_cache ssl
}

# the_cache: the file's path below the root
the_cache() { (cd "$root" && find var/cache/apache2 -maxdepth 1 -regex '.*/ocsp_cache-[0-9a-f]*'); }

# a2enmod, apachectl -t, staples: debian/tests/staple
system_staple() {
    "$here/build/root.sh" alone "$root" /staple
    cache=$(the_cache)
    sha256sum "$root/$cache" >"$dir/cache.sum"
}

# From 0.1.0, with the files that it left next to the cache.
system_upgrade() {
    cache=$(the_cache)
    for old in .errand .errand.lock .certs; do touch "$root/$cache$old" "$root/var/cache/apache2/mine$old"; done
    : >"$root/policy.log"
    inside apt-get -q -y install "/$package_name"
    inside dpkg-query -W libapache2-mod-ocsp-cache | grep -q -F "$version"
    sha256sum -c "$dir/cache.sum"
    for old in .errand .errand.lock .certs; do
        [ ! -e "$root/$cache$old" ] || fail "the old file $cache$old is still there"
        [ -e "$root/var/cache/apache2/mine$old" ] || fail "a foreign file was removed"
    done
    inside a2query -q -m ocsp_cache || fail "not enabled after the upgrade"
    grep -q -x 'apache2 (\?restart)\?' "$root/policy.log" || fail "apache2 is not restarted: $(cat "$root/policy.log")"
    inside apachectl -t
}

# Removed, the server starts without the module, and the responses are still there; purged, nothing of it is.
system_purge() {
    inside apt-get -q -y remove libapache2-mod-ocsp-cache
    if inside a2query -q -m ocsp_cache; then fail "enabled after the removal"; fi
    inside apachectl -t
    sha256sum -c "$dir/cache.sum"
    touch "$root/$(the_cache).command.lock" "$root/var/cache/apache2/foreign"
    inside apt-get -q -y purge libapache2-mod-ocsp-cache
    inside apachectl -t
    left=$(inside find / -xdev -iname '*ocsp[-_]cache*' ! -path "/$package_name")
    [ -z "$left" ] || fail "left behind: $left"
    inside test -e /var/cache/apache2/foreign || fail "a foreign file was removed"
    inside test -d /var/cache/apache2/mod_cache_disk || fail "a folder of apache2 was removed"
}

# The steps of packaging/Dockerfile on what the steps above have left, without a server or a cache; then its server, as
# docs/operations.md runs it: a read-only file system, /run and /tmp of their own, a volume for the cache.
system_container() {
    sed -n 's/^\([A-Z]*\) .*/\1/p' "$here/packaging/Dockerfile" | sort -u | tr '\n' ' ' | grep -q -x 'CMD COPY EXPOSE FROM RUN VOLUME ' ||
        fail "packaging/Dockerfile has a kind of step that is not tried here"
    cp "$package" "$root/tmp/"
    sed -n 's/^RUN //p' "$here/packaging/Dockerfile" >"$dir/run"
    while read -r line; do inside sh -e -c "$line" </dev/null; done <"$dir/run"
    command=$(sed -n 's/^CMD \[\(.*\)\]/\1/p' "$here/packaging/Dockerfile" | tr -d ',"')
    # shellcheck disable=SC2016
    "$here/build/root.sh" alone "$root" sh -e -c '
        mount --bind /var/cache/apache2 /var/cache/apache2
        mount -t tmpfs tmpfs /run && mkdir /run/lock
        mount -t tmpfs tmpfs /tmp
        mount -o remount,bind,ro /
        if touch /etc/written 2>/dev/null; then echo "the file system is not read-only"; exit 1; fi
        '"$command"' &
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
            ! openssl s_client -connect 127.0.0.1:443 </dev/null >/tmp/handshake 2>&1 || break
            sleep 1
        done
        cat /tmp/handshake
        grep -q "^Server certificate" /tmp/handshake
        ls -l /var/cache/apache2
        ocsp-cachectl list
        apachectl stop
        wait' 2>&1 | tee "$dir/container"
    grep -q 'memory only' "$dir/container" && fail "the server cannot write its cache"
    [ -s "$root/$(the_cache)" ] || fail "no cache in the volume"
}

step system_install "installed in a throw-away system; not enabled; apachectl -t"
step system_enable "a2enmod ssl ocsp_cache; apachectl -t prints Syntax OK alone"
step system_staple "a2enmod ocsp_cache; stapled, and after a restart without the responder"
step system_upgrade "upgrade from 0.1.0: cache and enabled state kept, old files removed, apache2 restarted"
step system_purge "remove, purge: nothing left, apachectl -t"
step system_container "the steps of packaging/Dockerfile; its server, with a read-only file system"
