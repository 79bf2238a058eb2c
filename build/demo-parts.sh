# shellcheck shell=sh disable=SC2034 # who sources it uses the variables
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# What build/demo.sh, build/fleet-demo.sh and build/client-demo.sh have in common; sourced by each. They begin with `begin`, set $at,
# the folder of the httpd that is at hand, and define stop_all, which ends what they started.

# ---- what a reader sees ----

if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
    bold=$(printf '\033[1m') dim=$(printf '\033[2m') green=$(printf '\033[32m') red=$(printf '\033[31m') plain=$(printf '\033[0m')
else
    bold='' dim='' green='' red='' plain=''
fi
steps=0

step() {
    steps=$((steps + 1))
    printf '\n%s%2d  %s%s\n' "$bold" "$steps" "$1" "$plain"
}
tell() { printf '    %s\n' "$@"; }
command_line() { printf '    %s$ %s%s\n' "$dim" "$1" "$plain"; }
seen() { sed "s/^/    ${green}| /; s/\$/${plain}/"; }

fail() {
    trap '' HUP INT TERM
    printf '\n%sThe demonstration failed: %s%s\n' "$red" "$1" "$plain" >&2
    if [ -s "$at/error_log" ]; then
        echo "The end of httpd's error log:" >&2
        tail -n 25 "$at/error_log" | sed 's/^/    /' >&2
    fi
    exit 1
}

# ---- time ----

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# timed COMMAND...: sets $took_ms and, for a reader, $took
timed() {
    began=$(now_ms) status=0
    "$@" || status=$?
    took_ms=$(($(now_ms) - began))
    took=$bold$(printf '%d.%02d s' $((took_ms / 1000)) $((took_ms % 1000 / 10)))$plain
    return "$status"
}

# ---- beginning and end ----

dir='' at='' responder_pid='' responder_port=''

clean_up() {
    status=$?
    trap '' HUP INT TERM
    [ -n "$dir" ] || exit "$status"
    stop_all
    rm -rf "$dir"
    exit "$status"
}

# begin SET TITLE: installs what the set of build/deps.sh needs, makes $dir and finds httpd
begin() {
    build/deps.sh "$1"
    PATH=$PATH:/usr/sbin:/sbin
    trap clean_up EXIT
    trap 'exit 130' HUP INT TERM
    dir=$(mktemp -d "${TMPDIR:-/tmp}/ocsp-cache-$1.XXXXXX")
    chmod 0755 "$dir"
    at=$dir
    find_httpd
    printf '%smod_ocsp_cache: %s%s\n' "$bold" "$2" "$plain"
    tell "Everything happens in $dir; the system's services are not touched."
}

# ---- what is running, and its end ----

# A process that has ended, but has not been waited for (in a container without an init), counts as ended.
alive() { kill -0 "$1" 2>/dev/null && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

# within SECONDS COMMAND...: repeats it until it succeeds
within() {
    tries=$(($1 * 10))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}
gone() { ! alive "$1"; }

# It accepts connections and does not answer.
hang_responder() { kill -STOP "$responder_pid"; }
wake_responder() { kill -CONT "$responder_pid"; }

stop_responder() {
    [ -n "$responder_pid" ] || return 0
    kill "$responder_pid" 2>/dev/null || :
    kill -CONT "$responder_pid" 2>/dev/null || :
    wait "$responder_pid" 2>/dev/null || :
    responder_pid=''
}

stop_httpd() {
    [ -s "$at/httpd.pid" ] || return 0
    httpd_pid=$(cat "$at/httpd.pid")
    kill "$httpd_pid" 2>/dev/null || :
    within 15 gone "$httpd_pid" || kill -9 "$httpd_pid" 2>/dev/null || :
    rm -f "$at/httpd.pid"
}

# ---- the parts ----

# Where httpd and its modules are. Sets APXS, httpd, modules and built_in.
find_httpd() {
    : "${APXS:=$(command -v apxs || command -v apxs2 || :)}"
    [ -n "$APXS" ] || fail "apxs is not found: set APXS=/path/to/apxs"
    httpd=$("$APXS" -q sbindir)/$("$APXS" -q progname)
    modules=$("$APXS" -q LIBEXECDIR)
    built_in=$("$httpd" -l)
}

# Sets module and cachectl.
build_module() {
    command_line "make"
    make -s -j"$(nproc)" APXS="$APXS" all >"$dir/make.log" 2>&1 || {
        cat "$dir/make.log" >&2
        fail "the module does not build"
    }
    module=$(pwd)/$(make -s --no-print-directory print-MODULE)
    cachectl=$(pwd)/$(make -s --no-print-directory print-CACHECTL)
}

# Below the range from which Linux takes ports for clients: nothing takes one while its server is down.
random_port() { echo $((20000 + $(od -An -N2 -tu2 /dev/urandom) % 10000)); }

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>>"$dir/openssl.log"; }

# issue NAME SUBJECT EXTENSIONS ISSUER DAYS SERIAL: NAME.pem and NAME.key; ISSUER may be NAME
issue() {
    new_key "$dir/$1.key"
    openssl req -new -key "$dir/$1.key" -subj "$2" -out "$dir/$1.csr" 2>>"$dir/openssl.log"
    printf '%b\n' "$3" >"$dir/$1.ext"
    if [ "$4" = "$1" ]; then
        set -- "$@" -signkey "$dir/$1.key"
    else
        set -- "$@" -CA "$dir/$4.pem" -CAkey "$dir/$4.key"
    fi
    name=$1 days=$5 serial=$6
    shift 6
    openssl x509 -req -in "$dir/$name.csr" -days "$days" -set_serial "$serial" -extfile "$dir/$name.ext" "$@" \
        -out "$dir/$name.pem" 2>>"$dir/openssl.log"
}

make_authority() {
    ca='keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash'
    issue root "/O=Demonstration/CN=Demo Root CA" "basicConstraints=critical,CA:TRUE\n$ca" root 30 1
    issue intermediate "/O=Demonstration/CN=Demo Issuing CA" "basicConstraints=critical,CA:TRUE,pathlen:0\n$ca" root 20 2
    issue signer "/O=Demonstration/CN=Demo OCSP Signer" \
        'basicConstraints=critical,CA:FALSE\nextendedKeyUsage=critical,OCSPSigning\nnoCheck=ignored' intermediate 10 3
    # The CA's book: one certificate, valid. The certificate itself is written when the responder's port is known.
    printf 'V\t%s\t\t1000\tunknown\t/CN=localhost\n' "$(date -u -d '+5 days' +%y%m%d%H%M%SZ 2>/dev/null || echo 491231235959Z)" \
        >"$dir/index.txt"
}

make_site() {
    issue site "/CN=localhost" "basicConstraints=critical,CA:FALSE
subjectAltName=DNS:localhost
extendedKeyUsage=serverAuth
tlsfeature=status_request
authorityInfoAccess=OCSP;URI:http://127.0.0.1:$responder_port/" intermediate 5 0x1000
    cat "$dir/site.pem" "$dir/intermediate.pem" >"$dir/site-chain.pem"
}

responder_has_settled() { gone "$responder_pid" || grep -q waiting "$dir/responder.log"; }

# It notes in its log what it is asked. The first time on a free port, then on the same one, which certificates name.
start_responder() {
    for _ in 1 2 3 4 5 6 7 8; do
        port_of_try=${responder_port:-$(random_port)}
        : >"$dir/responder.log" # what the last one wrote there says nothing about this one
        stdbuf -oL openssl ocsp -text -port "$port_of_try" -index "$dir/index.txt" -CA "$dir/intermediate.pem" \
            -rsigner "$dir/signer.pem" -rkey "$dir/signer.key" -nmin 60 >"$dir/responder.log" 2>&1 </dev/null &
        responder_pid=$!
        within 10 responder_has_settled || break
        if alive "$responder_pid"; then
            responder_port=$port_of_try
            return 0
        fi
        stop_responder
    done
    fail "the responder does not start: $(tail -n 3 "$dir/responder.log")"
}

requests_seen() { grep -c 'OCSP Request Data' "$dir/responder.log" || :; }

# load NAME: a LoadModule line, unless httpd has it built in
load() {
    case $built_in in
    *"mod_$1.c"*) ;;
    *) echo "LoadModule $1_module $modules/mod_$1.so" ;;
    esac
}

# User and Group for httpd's children, where root starts them.
account() {
    [ "$(id -u)" = 0 ] || return 0
    for user in www-data apache daemon nobody; do
        if id -u "$user" >/dev/null 2>&1; then
            echo "User $user"
            echo "Group $(id -gn "$user")"
            return 0
        fi
    done
}

# configuration NAME...: the part of a server's configuration that all servers have, with these modules
configuration() {
    echo "ServerRoot $at"
    echo "ServerName localhost"
    echo "Listen 127.0.0.1:$port"
    echo "PidFile $at/httpd.pid"
    echo "DefaultRuntimeDir $at"
    echo "ErrorLog $at/error_log"
    for name in mpm_event unixd authz_core ssl "$@"; do
        load "$name"
    done
    account
}

# with_module: loads the module, and logs what it does
with_module() {
    echo "LoadModule ocsp_cache_module $module"
    echo "LogLevel warn ocsp_cache:info"
}

# tls_host: begins the virtual host with the certificate
tls_host() {
    echo "<VirtualHost 127.0.0.1:$port>"
    echo "    SSLEngine on"
    echo "    SSLCertificateFile $dir/site-chain.pem"
    echo "    SSLCertificateKeyFile $dir/site.key"
}

start_httpd() { "$httpd" -f "$at/httpd.conf" -k start >"$at/start.log" 2>&1; }

# The first start, on a free port; if another program takes the port first, another one is tried.
start_httpd_somewhere() {
    for _ in 1 2 3 4 5 6 7 8; do
        port=$(random_port)
        write_configuration
        if start_httpd; then
            return 0
        fi
        grep -q -i 'address already in use' "$at/start.log" "$at/error_log" 2>/dev/null || break
    done
    fail "httpd does not start: $(cat "$at/start.log")"
}

handshake() {
    openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile "$dir/root.pem" -verify_return_error -status \
        </dev/null >"$dir/handshake" 2>&1 || :
    grep -q 'Cert Status: good' "$dir/handshake" && grep -q 'Verify return code: 0' "$dir/handshake"
}

our_log_lines() { sed -n 's/^\[[^]]*\] \[ocsp_cache:\([a-z0-9]*\)\] \[[^]]*\]/\1:/p' "$at/error_log"; }
