#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Client certificates and a responder that hangs: mod_ssl alone refuses every client, mod_ocsp_client lets in those that it knows.
# Then a client is revoked while its connections are open.
#
#   build/client-demo.sh
#
# Everything happens in one temporary folder and on free ports; the system's web server is not touched. Every step is checked: the
# first that does not show what it should ends the demonstration with an error.
set -eu
cd "$(dirname "$0")/.."

if [ $# != 0 ]; then
    echo "usage: build/client-demo.sh" >&2
    exit 2
fi

# shellcheck source=build/demo-parts.sh
. build/demo-parts.sh
browsers=''

stop_all() {
    # A list of process ids.
    # shellcheck disable=SC2086
    [ -z "$browsers" ] || kill $browsers 2>/dev/null || :
    for at in "$dir/rival" "$dir/ours"; do
        stop_httpd
    done
    stop_responder
}

# ---- the parts ----

# Two servers with the same certificate and the same clients: in $dir/rival mod_ssl alone, in $dir/ours with the module.
write_configuration() {
    {
        configuration socache_shmcb
        echo "SSLSessionCache shmcb:$at/sessions(512000)"
        if [ "$at" = "$dir/ours" ]; then
            with_module
            echo "LoadModule ocsp_client_module $client_module"
            echo "OCSPCacheRefreshInterval 1s 2s"
        fi
        echo "DocumentRoot $dir/site"
        tls_host
        echo "    SSLVerifyClient require"
        echo "    SSLVerifyDepth 2"
        echo "    SSLCACertificateFile $dir/ca.pem"
        if [ "$at" = "$dir/ours" ]; then
            echo "    OCSPCacheClient hard"
        else
            echo "    SSLOCSPEnable leaf"
            echo "    SSLOCSPResponderTimeout 2"
        fi
        echo "</VirtualHost>"
    } >"$at/httpd.conf"
}

start_server() {
    at=$dir/$1
    mkdir "$at"
    chmod 0755 "$at"
    start_httpd_somewhere
    grep -e 'SSLVerifyClient' -e 'SSLOCSP' -e 'OCSPCache[A-Z]' "$at/httpd.conf" | sed 's/^ *//' | seen
}

# make_client NAME SERIAL: a certificate that names the responder, and its line in the CA's database
make_client() {
    issue "$1" "/CN=$1" "basicConstraints=critical,CA:FALSE
extendedKeyUsage=clientAuth
authorityInfoAccess=OCSP;URI:http://127.0.0.1:$responder_port/" intermediate 5 "0x$2"
    cat "$dir/$1.pem" "$dir/intermediate.pem" >"$dir/$1-chain.pem"
    printf 'V\t491231235959Z\t\t%s\tunknown\t/CN=%s\n' "$2" "$1" >>"$dir/index.txt"
}

# The responder reads the database when it starts.
revoke() {
    sed -i "s/^V\(.*\)\t\t\(.*CN=$1\)\$/R\1\t$(date -u +%y%m%d%H%M%SZ)\t\2/" "$dir/index.txt"
    grep -q "^R.*CN=$1\$" "$dir/index.txt" || fail "the database does not change"
    stop_responder
    start_responder
}

# get NAME: one page over a connection of its own. Its status is in $http_status, what curl reports in $dir/curl.
get() {
    http_status=$(curl --silent --show-error --noproxy '*' --cacert "$dir/root.pem" --cert "$dir/$1-chain.pem" --key "$dir/$1.key" \
        --resolve "localhost:$port:127.0.0.1" --output /dev/null --write-out '%{http_code}' "https://localhost:$port/page" 2>"$dir/curl") || :
    [ "$http_status" = 200 ]
}

# accepted WHO and refused WHO: $who's connection with $took
accepted() {
    command_line "curl --cert $1.pem --key $1.key https://localhost:$port/page"
    timed get "$1" || fail "$1 is refused: $http_status $(cat "$dir/curl")"
    tell "$1: ${green}200$plain after $took"
}
refused() {
    command_line "curl --cert $1.pem --key $1.key https://localhost:$port/page"
    if timed get "$1"; then fail "$1 is let in"; fi
    tell "$1: ${red}refused$plain after $took"
    tail -n 1 "$dir/curl" | sed 's/^curl: ([0-9]*) //' | seen
}

is_refused() { ! get "$1"; }

# ---- connections that stay open ----

as_anna() {
    openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile "$dir/root.pem" -cert "$dir/anna.pem" \
        -key "$dir/anna.key" -cert_chain "$dir/intermediate.pem" "$@"
}

# The connection to the server at hand: it reads requests from the pipe $at/requests.
open_connection() {
    mkfifo "$at/requests"
    as_anna -sess_out "$at/session" -quiet -no_ign_eof <"$at/requests" >"$at/answers" 2>&1 &
    browsers="$browsers $!"
    echo "$!" >"$at/browser.pid"
}

answers() { [ "$(grep -c 'HTTP/1\.1' "$at/answers")" = "$1" ]; }

# show_answer STATUS: of the last answer in $answered. s_client mixes it with lines of its own.
show_answer() {
    answer=$(grep -o 'HTTP/1\.1 [0-9]* [A-Za-z]*' "$answered" | tail -n 1)
    case $answer in
    "HTTP/1.1 $1 "*) ;;
    *) fail "the answer is '$answer', not $1: $(tail -n 5 "$answered")" ;;
    esac
    case $at in
    */ours) printf 'mod_ocsp_client  %s\n' "$answer" ;;
    *) printf 'mod_ssl alone    %s\n' "$answer" ;;
    esac | seen
}

# show_request PIPE SERVER NUMBER STATUS: sends a request, the NUMBERth of the open connection
show_request() {
    at=$dir/$2 answered=$dir/$2/answers
    printf 'GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n' >&"$1"
    within 10 answers "$3" || fail "no answer over the open connection: $(tail -n 5 "$answered")"
    show_answer "$4"
}

# show_resumed SERVER STATUS: one request over a new connection that resumes the session of the open one
show_resumed() {
    at=$dir/$1 answered=$dir/$1/resumed
    port=$(sed -n 's/^Listen .*://p' "$at/httpd.conf")
    printf 'GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' |
        as_anna -sess_in "$at/session" -ign_eof >"$answered" 2>&1 || :
    grep -q '^Reused' "$answered" || fail "the session is not resumed: $(tail -n 3 "$answered")"
    show_answer "$2"
}

client_log_lines() { sed -n 's/^\[[^]]*\] \[ocsp_client:\([a-z0-9]*\)\] \[pid[^]]*\] \(\[[^]]*\] \)*/\1: /p' "$at/error_log"; }

# ---- the story ----

begin demo "client certificates, revocation and a responder that hangs"

step "Build the modules; make a throw-away CA, its responder, and two client certificates"
build_module
client_module=$(dirname "$module")/mod_ocsp_client.so
[ -e "$client_module" ] || fail "mod_ocsp_client.so is not built: mod_ssl_openssl.h is missing (Debian: apache2-ssl-dev)"
make_authority
start_responder
make_site
cat "$dir/root.pem" "$dir/intermediate.pem" >"$dir/ca.pem"
make_client anna 2001
make_client ben 2002
# Again, with its clients in the database.
stop_responder
start_responder
mkdir "$dir/site"
echo "for clients that are not revoked" >"$dir/site/page"
tell "anna and ben, whose certificates name the responder on port $responder_port"

step "mod_ssl alone: it queries the responder in each handshake"
start_server rival
rival=$port
accepted anna
accepted anna
tell "The responder has received $(requests_seen) requests."

step "The responder hangs: it accepts connections and does not answer"
hang_responder
tell "The default of SSLOCSPResponderTimeout is 10 seconds; this is a short demonstration."
refused anna
[ "$took_ms" -ge 1900 ] || fail "mod_ssl did not wait for the responder"
wake_responder

step "The same with mod_ocsp_client"
start_server ours
ours=$port
accepted anna
accepted ben

step "The responder hangs again: a client that is known does not wait"
hang_responder
accepted anna
[ "$took_ms" -lt 1900 ] || fail "a client that is known has waited"
accepted ben
tell "A client that is not known waits for half a second at most (OCSPCacheClientWait), and is refused (hard) or let in (soft)."
make_client carl 2003
refused carl
wake_responder

step "anna has a connection to each server, and sends a request"
at=$dir/rival port=$rival
open_connection anna
exec 8>"$at/requests"
at=$dir/ours port=$ours
open_connection anna
exec 9>"$at/requests"
show_request 8 rival 1 200
show_request 9 ours 1 200

step "The CA revokes anna's certificate"
revoke anna
tell "mod_ocsp_client learns of it when it renews anna's status: here after two seconds, by default after at most a day"
tell "(OCSPCacheRefreshInterval), or around the middle of the response's validity, if that is sooner."
at=$dir/ours port=$ours
within 20 is_refused anna || fail "anna is not refused: $http_status"
tell "The connections are still open. anna sends another request on each:"
show_request 8 rival 2 200
show_request 9 ours 2 403
within 10 gone "$(cat "$dir/ours/browser.pid")" || fail "the connection of a revoked client stays open"
tell "mod_ocsp_client has closed the connection."

step "anna comes back with her session"
show_resumed rival 200
show_resumed ours 403

step "anna makes a new connection"
port=$ours
refused anna
tell "The log:"
client_log_lines | grep revoked | tail -n 3 | fold -s -w 110 | seen

printf '\n%sEvery step worked. Cleaning up.%s\n' "$bold" "$plain"
