#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Shows mod_ocsp_cache: a throw-away CA, a real OCSP responder, a private httpd, and a staple that outlives both; and what a client
# of mod_ssl with shmcb sees meanwhile.
#
#   build/demo.sh            shows it and cleans up
#   build/demo.sh --keep     leaves it running, and prints how to reach it and how to stop it
#
# Everything happens in one temporary folder and on free ports; the system's web server is not touched. As root, httpd's
# children run as its usual user; as another user, everything runs as that one. Every step is checked: the first that does not
# show what it should ends the demonstration with an error.
set -eu
cd "$(dirname "$0")/.."

keep=no
case ${1-} in
'') ;;
--keep) keep=yes ;;
*)
    echo "usage: build/demo.sh [--keep]" >&2
    exit 2
    ;;
esac

# shellcheck source=build/demo-parts.sh
. build/demo-parts.sh

stop_all() {
    for at in "$dir/rival" "$dir"; do
        stop_httpd
    done
    stop_responder
}

# ---- the parts ----

# Two servers with the same certificate: one with the module, in $dir, and one with mod_ssl alone.
write_configuration() {
    if [ "$at" = "$dir" ]; then
        configuration status
        with_module
        echo "SSLUseStapling on"
        echo "SSLStaplingCache ocsp_cache:$dir/cache(1048576)"
        tls_host
        echo "    <Location /ocsp-cache-status>"
        echo "        SetHandler ocsp-cache-status"
        echo "    </Location>"
    else
        configuration socache_shmcb
        echo "SSLUseStapling on"
        echo "SSLStaplingCache shmcb:$at/cache(1048576)"
        echo "SSLStaplingResponderTimeout 2"
        tls_host
    fi >"$at/httpd.conf"
    echo "</VirtualHost>" >>"$at/httpd.conf"
}

stapling_lines() { grep -e '^SSLUseStapling' -e '^SSLStapling' "$at/httpd.conf" | seen; }

connect_line() { command_line "openssl s_client -connect 127.0.0.1:$port -servername localhost -status"; }
show_staple() { grep -e 'OCSP Response Status' -e 'Cert Status' -e 'Next Update' "$dir/handshake" | sed 's/^ *//' | seen; }
why_not() { grep -i -e 'OCSP resp' -e 'connect:' -e 'verify' "$dir/handshake" | head -n 3; }

# ---- the story ----

begin demo "OCSP stapling that outlives its responder"

step "Build the module"
build_module
tell "mod_ocsp_cache.so for $("$httpd" -v | sed -n 's/^Server version: //p'), $(openssl version | cut -d' ' -f1,2)"

step "Make a throw-away CA, and start its OCSP responder"
make_authority
start_responder
make_site
tell "root CA -> issuing CA -> a certificate for localhost that requires stapling (Must-Staple)" \
    "                      -> a delegated OCSP signer, which \`openssl ocsp\` answers with on port $responder_port"

step "Start httpd with two lines of configuration"
start_httpd_somewhere
ours=$port
stapling_lines
tell "This server: https://localhost:$port/. No client has connected yet; the server queries the responder on its own."

step "Connect: does the first handshake have a staple?"
connect_line
within 10 handshake || fail "no handshake has a good status: $(why_not)"
show_staple
within 5 sh -c "grep -q 'ocsp_cache:' '$dir/error_log'" || fail "the module has written no log line"
tell "The log:"
our_log_lines | tail -n 1 | fold -s -w 110 | seen

step "The responder hangs: it accepts connections and does not answer"
hang_responder
command_line "timeout 1 openssl ocsp -issuer intermediate.pem -cert site.pem -url http://127.0.0.1:$responder_port/"
if timeout 1 openssl ocsp -issuer "$dir/intermediate.pem" -cert "$dir/site.pem" -url "http://127.0.0.1:$responder_port/" \
    >"$dir/query.log" 2>&1; then
    fail "the responder still answers"
fi
echo "no answer within a second" | seen

step "Stop httpd and start it again: its memory is lost"
first_pid=$(cat "$dir/httpd.pid")
stop_httpd
alive "$first_pid" && fail "httpd did not stop"
tell "httpd (process $first_pid) has ended. Its cache file is left:"
# A folder of our own making: the names are plain.
# shellcheck disable=SC2012
ls -l "$dir/cache" | awk '{ print $1, $3, $5, $NF }' | seen
start_httpd || fail "httpd does not restart: $(cat "$dir/start.log")"
within 5 test -s "$dir/httpd.pid" || fail "httpd does not restart"
tell "and httpd runs again, as process $(cat "$dir/httpd.pid")."

step "Connect: the responder hangs, the server is new, and the staple is still there"
connect_line
timed handshake || fail "the staple is lost: $(why_not)"
show_staple
tell "The handshake took $took."

step "The same with mod_ssl alone: same certificate, same responder, shmcb"
at=$dir/rival
mkdir "$at"
start_httpd_somewhere
stapling_lines
tell "The default of SSLStaplingResponderTimeout is 10 seconds; this is a short demonstration."
connect_line
if timed handshake; then fail "mod_ssl has a good staple although the responder hangs"; fi
show_staple
[ "$took_ms" -ge 1900 ] || fail "mod_ssl did not wait for the responder"
tell "The handshake took $took, and got a tryLater that mod_ssl generated itself."
stop_httpd
at=$dir port=$ours

if command -v gnutls-cli >/dev/null 2>&1; then
    step "Connect with a client that rejects a Must-Staple certificate without a staple"
    command_line "gnutls-cli --x509cafile root.pem --port $port localhost"
    gnutls-cli --x509cafile "$dir/root.pem" --port "$port" localhost </dev/null >"$dir/gnutls.log" 2>&1 || :
    grep -q '^- Status: The certificate is trusted' "$dir/gnutls.log" ||
        fail "gnutls-cli does not trust the server: $(grep -i status "$dir/gnutls.log")"
    sed -n 's/^- \(Status: .*\)/\1/p; s/^- \(Options: .*\)/\1/p' "$dir/gnutls.log" | seen
fi

step "What an operator sees"
command_line "ocsp-cachectl list --file cache"
COLUMNS=110 "$cachectl" list --file "$dir/cache" >"$dir/list" 2>&1 || fail "ocsp-cachectl list: $(cat "$dir/list")"
grep -q good "$dir/list" || fail "ocsp-cachectl does not list a good response: $(cat "$dir/list")"
seen <"$dir/list"
page=https://localhost:$port/ocsp-cache-status
command_line "curl $page?format=prometheus"
curl --silent --show-error --noproxy '*' --cacert "$dir/root.pem" --resolve "localhost:$port:127.0.0.1" "$page?format=prometheus" \
    >"$dir/metrics" 2>&1 || fail "no metrics: $(cat "$dir/metrics")"
grep -e '^ocsp_cache_certificates{state="good"} 1' -e '^ocsp_cache_handshakes_total{outcome="stapled"}' \
    -e '^ocsp_cache_response_remaining_seconds' "$dir/metrics" | seen
grep -q '^ocsp_cache_certificates{state="good"} 1' "$dir/metrics" || fail "the metrics do not show a good certificate"
tell "The same as a page for a browser: $page"

step "httpd -t finds a typing error"
command_line "httpd -t -c 'SSLStaplingCache \"ocsp_cache:x(abc)\"'"
if "$httpd" -f "$dir/httpd.conf" -t -c 'SSLStaplingCache "ocsp_cache:x(abc)"' >"$dir/test.log" 2>&1; then
    fail "httpd -t accepts ocsp_cache:x(abc)"
fi
sed 's/^\[[^]]*\] //' "$dir/test.log" | fold -s -w 110 | seen
grep -q SSLStaplingCache "$dir/test.log" || fail "the message does not name the directive"

if [ "$keep" = yes ]; then
    stop_responder
    start_responder
    cat >"$dir/stop" <<END
#!/bin/sh
# Ends what build/demo.sh --keep left running, and removes it.
kill \$(cat "$dir/httpd.pid") $responder_pid
rm -rf "$dir"
END
    chmod +x "$dir/stop"
    trap - EXIT
    printf '\n%sEvery step worked. The servers are left running:%s\n' "$bold" "$plain"
    tell "look    openssl s_client -connect 127.0.0.1:$port -servername localhost -CAfile $dir/root.pem -status </dev/null" \
        "        curl --cacert $dir/root.pem $page" \
        "read    $dir/error_log, $dir/httpd.conf" \
        "hang    the responder: kill -STOP $responder_pid     restart httpd: $httpd -f $dir/httpd.conf -k restart" \
        "stop    $dir/stop"
    exit 0
fi
printf '\n%sEvery step worked. Cleaning up.%s   (--keep leaves it running)\n' "$bold" "$plain"
