#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# The part of `make install` and `make uninstall` that deals with a2enmod's folder; the Makefile calls it, with MODULE=path of
# the installed module.
#
#   build/install-conf.sh install|uninstall DESTDIR MODSDIR
#
# CLIENT=path of mod_ocsp_client.so, where it was built.
#
# A configuration that the administrator has changed is never overwritten and never removed.
set -eu
cd "$(dirname "$0")/.."
action=$1 destdir=$2 mods=$3
load=$destdir$mods/ocsp_cache.load conf=$destdir$mods/ocsp_cache.conf

client=$destdir$mods/ocsp_client.load

client_file() { sed "s|^\(LoadModule ocsp_client_module\) .*|\1 $CLIENT|" conf/ocsp_client.load; }
load_file() { sed "s|^\(LoadModule ocsp_cache_module\) .*|\1 $MODULE|" conf/ocsp_cache.load; }

case $action in
install)
    if [ -z "$mods" ]; then
        echo "To load the module:  LoadModule ocsp_cache_module $MODULE   (conf/ocsp_cache.conf has the other directives)"
        exit 0
    fi
    mkdir -p "$destdir$mods"
    load_file >"$load"
    [ -z "$CLIENT" ] || client_file >"$client"
    if [ ! -e "$conf" ] || cmp -s conf/ocsp_cache.conf "$conf"; then
        install -m 0644 conf/ocsp_cache.conf "$conf"
    else
        echo "Not overwritten, because it was changed: $conf"
    fi
    echo "To enable the module:  a2enmod ssl ocsp_cache   (and restart)"
    ;;
uninstall)
    [ -n "$mods" ] || exit 0
    if [ -e "$destdir${mods%/mods-available}/mods-enabled/ocsp_cache.load" ]; then
        echo "ocsp_cache is enabled, and the server does not start without the module: run 'a2dismod ocsp_cache' first." >&2
        exit 1
    fi
    if [ -e "$destdir${mods%/mods-available}/mods-enabled/ocsp_client.load" ]; then
        echo "ocsp_client is enabled, and the server does not start without the module: run 'a2dismod ocsp_client' first." >&2
        exit 1
    fi
    if client_file | cmp -s - "$client"; then
        rm -f "$client"
    fi
    if load_file | cmp -s - "$load"; then
        rm -f "$load"
    fi
    if cmp -s conf/ocsp_cache.conf "$conf"; then
        rm -f "$conf"
    elif [ -e "$conf" ]; then
        echo "Not removed, because it was changed: $conf"
    fi
    ;;
esac
