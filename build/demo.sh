#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Shows mod_ocsp_cache: a throw-away CA, a real OCSP responder, a private httpd, and a staple that outlives both.
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

clean_up() {
    status=$?
    trap '' HUP INT TERM
    [ -n "$dir" ] || exit "$status"
    stop_httpd
    stop_responder
    rm -rf "$dir"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

# ---- the parts ----

write_configuration() {
    {
        echo "ServerRoot $dir"
        echo "ServerName localhost"
        echo "Listen 127.0.0.1:$port"
        echo "PidFile $dir/httpd.pid"
        echo "DefaultRuntimeDir $dir"
        echo "ErrorLog $dir/error_log"
        echo "LogLevel warn ocsp_cache:info"
        for name in mpm_event unixd authz_core status ssl; do
            load "$name"
        done
        echo "LoadModule ocsp_cache_module $module"
        account
        cat <<END
SSLUseStapling on
SSLStaplingCache ocsp_cache:$dir/cache(1048576)
ExtendedStatus on
<VirtualHost 127.0.0.1:$port>
    SSLEngine on
    SSLCertificateFile $dir/site-chain.pem
    SSLCertificateKeyFile $dir/site.key
    <Location /server-status>
        SetHandler server-status
    </Location>
</VirtualHost>
END
    } >"$dir/httpd.conf"
}

show_handshake() {
    command_line "openssl s_client -connect 127.0.0.1:$port -servername localhost -status"
    within 10 handshake || fail "no handshake has a good status: $(grep -i -e 'OCSP resp' -e 'connect:' -e 'verify' "$dir/handshake" | head -n 3)"
    grep -e 'OCSP Response Status' -e 'Responder Id' -e 'Cert Status' -e 'This Update' -e 'Next Update' "$dir/handshake" |
        sed 's/^ *//' | seen
}

# ---- the story ----

build/deps.sh demo
PATH=$PATH:/usr/sbin:/sbin
dir=$(mktemp -d "${TMPDIR:-/tmp}/ocsp-cache-demo.XXXXXX")
chmod 0755 "$dir"
at=$dir
find_httpd

printf '%smod_ocsp_cache: OCSP stapling that outlives its responder%s\n' "$bold" "$plain"
tell "Everything happens in $dir; the system's web server is not touched."

step "Build the module"
build_module
tell "mod_ocsp_cache.so for $("$httpd" -v | sed -n 's/^Server version: //p'), $(openssl version | cut -d' ' -f1,2)"

step "Make a throw-away CA, and start its OCSP responder"
make_authority
start_responder 0
make_site
tell "root CA -> issuing CA -> a certificate for localhost that requires stapling (Must-Staple)" \
    "                      -> a delegated OCSP signer, which \`openssl ocsp\` answers with on port $responder_port"

step "Start httpd with two lines of configuration"
start_httpd_somewhere
grep -e '^SSLUseStapling' -e '^SSLStaplingCache' "$dir/httpd.conf" | seen
tell "This server: https://localhost:$port/. No client has connected yet; the server queries the responder on its own."

step "Connect: does the first handshake have a staple?"
show_handshake
within 5 sh -c "grep -q 'ocsp_cache:' '$dir/error_log'" || fail "the module has written no log line"
tell "The log:"
our_log_lines | tail -n 2 | cut -c 1-220 | seen

step "Kill the responder"
stop_responder
command_line "openssl ocsp -issuer intermediate.pem -cert site.pem -url http://127.0.0.1:$responder_port/"
if openssl ocsp -issuer "$dir/intermediate.pem" -cert "$dir/site.pem" -url "http://127.0.0.1:$responder_port/" \
    >"$dir/ask.log" 2>&1; then
    fail "the responder still answers"
fi
refusal=$(grep -i -m 1 -o 'connection refused' "$dir/ask.log") || fail "the responder fails in another way: $(cat "$dir/ask.log")"
echo "$refusal" | seen

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

step "Connect: the responder is dead, the server is new, and the staple is still"
show_handshake

if command -v gnutls-cli >/dev/null 2>&1; then
    step "Connect with a client that rejects a Must-Staple certificate without a staple"
    command_line "gnutls-cli --x509cafile root.pem --port $port localhost"
    gnutls-cli --x509cafile "$dir/root.pem" --port "$port" localhost </dev/null >"$dir/gnutls.log" 2>&1 || :
    grep -q '^- Status: The certificate is trusted' "$dir/gnutls.log" ||
        fail "gnutls-cli does not trust the server: $(grep -i status "$dir/gnutls.log")"
    sed -n 's/^- \(Status: .*\)/\1/p; s/^- \(Options: .*\)/\1/p' "$dir/gnutls.log" | seen
fi

step "What an operator sees (mod_status)"
command_line "curl https://localhost:$port/server-status?auto"
curl --silent --show-error --noproxy '*' --cacert "$dir/root.pem" --resolve "localhost:$port:127.0.0.1" \
    "https://localhost:$port/server-status?auto" >"$dir/status" 2>&1 || fail "no status page: $(cat "$dir/status")"
grep -i '^OCSPCache' "$dir/status" >"$dir/status.ours" || fail "the status page does not mention the cache"
cut -c 1-110 "$dir/status.ours" | seen
grep -q '^OCSPCacheCertificatesStapled: 1' "$dir/status.ours" || fail "the status page does not show a stapled certificate"

step "httpd -t finds a typing error"
command_line "httpd -t -c 'SSLStaplingCache \"ocsp_cache:x(abc)\"'"
if "$httpd" -f "$dir/httpd.conf" -t -c 'SSLStaplingCache "ocsp_cache:x(abc)"' >"$dir/test.log" 2>&1; then
    fail "httpd -t accepts ocsp_cache:x(abc)"
fi
sed 's/^\[[^]]*\] //' "$dir/test.log" | fold -s -w 110 | seen
grep -q SSLStaplingCache "$dir/test.log" || fail "the message does not name the directive"

if [ "$keep" = yes ]; then
    start_responder "$responder_port"
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
        "        curl --cacert $dir/root.pem https://localhost:$port/server-status" \
        "read    $dir/error_log, $dir/httpd.conf" \
        "kill    the responder: kill $responder_pid     restart httpd: $httpd -f $dir/httpd.conf -k restart" \
        "stop    $dir/stop"
    exit 0
fi
printf '\n%sEvery step worked. Cleaning up.%s   (--keep leaves it running)\n' "$bold" "$plain"
