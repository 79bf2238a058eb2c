#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# mod_ocsp_cache at work: a throw-away CA, a real OCSP responder, a private httpd, and a staple that outlives them both.
#
#   build/demo.sh            shows it and cleans up
#   build/demo.sh --keep     leaves it running, and says how to reach and how to stop it
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
    if [ -s "$dir/error_log" ]; then
        echo "The end of httpd's error log:" >&2
        tail -n 25 "$dir/error_log" | sed 's/^/    /' >&2
    fi
    exit 1
}

# ---- what is running, and its end ----

dir='' responder_pid=''

# A process that has ended but that nobody has waited for (a container without an init) counts as ended.
alive() { kill -0 "$1" 2>/dev/null && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

# within SECONDS COMMAND...: ask again until it succeeds
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

stop_responder() {
    [ -n "$responder_pid" ] || return 0
    kill "$responder_pid" 2>/dev/null || :
    wait "$responder_pid" 2>/dev/null || :
    responder_pid=''
}

stop_httpd() {
    [ -s "$dir/httpd.pid" ] || return 0
    httpd_pid=$(cat "$dir/httpd.pid")
    kill "$httpd_pid" 2>/dev/null || :
    within 15 gone "$httpd_pid" || kill -9 "$httpd_pid" 2>/dev/null || :
    rm -f "$dir/httpd.pid"
}

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

# $1: a port, or 0 for one that the kernel chooses
start_responder() {
    openssl ocsp -port "$1" -index "$dir/index.txt" -CA "$dir/intermediate.pem" -rsigner "$dir/signer.pem" \
        -rkey "$dir/signer.key" -nmin 60 >"$dir/responder.log" 2>&1 </dev/null &
    responder_pid=$!
    within 5 grep -q waiting "$dir/responder.log" || fail "the responder does not start: $(tail -n 3 "$dir/responder.log")"
    responder_port=$(sed -n 's/^ACCEPT .*:\([0-9]*\) PID.*/\1/p' "$dir/responder.log")
    [ -n "$responder_port" ] || fail "the responder does not name its port: $(cat "$dir/responder.log")"
}

make_site() {
    issue site "/CN=localhost" "basicConstraints=critical,CA:FALSE
subjectAltName=DNS:localhost
extendedKeyUsage=serverAuth
tlsfeature=status_request
authorityInfoAccess=OCSP;URI:http://127.0.0.1:$responder_port/" intermediate 5 0x1000
    cat "$dir/site.pem" "$dir/intermediate.pem" >"$dir/site-chain.pem"
}

# load NAME: a LoadModule line, unless httpd has it built in
load() {
    case $built_in in
    *"mod_$1.c"*) ;;
    *) echo "LoadModule $1_module $modules/mod_$1.so" ;;
    esac
}

write_configuration() {
    {
        echo "ServerRoot $dir"
        echo "ServerName localhost"
        echo "Listen 127.0.0.1:$port"
        echo "PidFile $dir/httpd.pid"
        echo "DefaultRuntimeDir $dir"
        echo "ErrorLog $dir/error_log"
        echo "LogLevel warn ocsp_cache:info"
        for name in mpm_event unixd watchdog authz_core status ssl; do
            load "$name"
        done
        echo "LoadModule ocsp_cache_module $module"
        if [ "$(id -u)" = 0 ]; then
            for user in www-data apache daemon nobody; do
                if id -u "$user" >/dev/null 2>&1; then
                    echo "User $user"
                    echo "Group $(id -gn "$user")"
                    break
                fi
            done
        fi
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

start_httpd() { "$httpd" -f "$dir/httpd.conf" -k start >"$dir/start.log" 2>&1; }

# The first start, on a port that nobody uses: another one is tried where somebody does.
start_httpd_somewhere() {
    for _ in 1 2 3 4 5 6 7 8; do
        port=$(random_port)
        write_configuration
        if start_httpd; then
            return 0
        fi
        grep -q -i 'address already in use' "$dir/start.log" "$dir/error_log" 2>/dev/null || break
    done
    fail "httpd does not start: $(cat "$dir/start.log")"
}

handshake() {
    openssl s_client -connect "127.0.0.1:$port" -servername localhost -CAfile "$dir/root.pem" -verify_return_error -status \
        </dev/null >"$dir/handshake" 2>&1 || :
    grep -q 'Cert Status: good' "$dir/handshake" && grep -q 'Verify return code: 0' "$dir/handshake"
}

show_handshake() {
    command_line "openssl s_client -connect 127.0.0.1:$port -servername localhost -status"
    within 10 handshake || fail "no handshake brought a good status: $(grep -i -e 'OCSP resp' -e 'connect:' -e 'verify' "$dir/handshake" | head -n 3)"
    grep -e 'OCSP Response Status' -e 'Responder Id' -e 'Cert Status' -e 'This Update' -e 'Next Update' "$dir/handshake" |
        sed 's/^ *//' | seen
}

our_log_lines() { sed -n 's/^\[[^]]*\] \[ocsp_cache:\([a-z0-9]*\)\] \[[^]]*\]/\1:/p' "$dir/error_log"; }

# ---- the story ----

build/deps.sh demo
PATH=$PATH:/usr/sbin:/sbin
dir=$(mktemp -d "${TMPDIR:-/tmp}/ocsp-cache-demo.XXXXXX")
chmod 0755 "$dir"
: "${APXS:=$(command -v apxs || command -v apxs2 || :)}"
[ -n "$APXS" ] || fail "apxs is not to be found: say APXS=/path/to/apxs"
httpd=$("$APXS" -q sbindir)/$("$APXS" -q progname)
modules=$("$APXS" -q LIBEXECDIR)
built_in=$("$httpd" -l)

printf '%smod_ocsp_cache: OCSP stapling that outlives its responder%s\n' "$bold" "$plain"
tell "Everything happens in $dir; the system's web server is not touched."

step "Build the module"
command_line "make"
make -s -j"$(nproc)" APXS="$APXS" all >"$dir/make.log" 2>&1 || {
    cat "$dir/make.log" >&2
    fail "the module does not build"
}
module=$(pwd)/$(make -s --no-print-directory print-MODULE)
tell "mod_ocsp_cache.so for $("$httpd" -v | sed -n 's/^Server version: //p'), $(openssl version | cut -d' ' -f1,2)"

step "Make a throw-away CA, and start its OCSP responder"
make_authority
start_responder 0
make_site
tell "root CA -> issuing CA -> a certificate for localhost that demands stapling (Must-Staple)" \
    "                      -> a delegated OCSP signer, which \`openssl ocsp\` answers with on port $responder_port"

step "Start httpd with two lines of configuration"
start_httpd_somewhere
grep -e '^SSLUseStapling' -e '^SSLStaplingCache' "$dir/httpd.conf" | seen
tell "This server: https://localhost:$port/. No client has asked it for anything yet; it asks the responder by itself."

step "Connect: is a status stapled to the very first handshake?"
show_handshake
within 5 sh -c "grep -q 'ocsp_cache:' '$dir/error_log'" || fail "the module has written no log line"
tell "What the log says about it:"
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

step "Stop httpd and start it again: nothing of it stays in memory"
first_pid=$(cat "$dir/httpd.pid")
stop_httpd
alive "$first_pid" && fail "httpd did not stop"
tell "httpd (process $first_pid) is gone. What is left is the file of its cache:"
# A folder of our own making: the names are plain.
# shellcheck disable=SC2012
ls -l "$dir/cache" | awk '{ print $1, $3, $5, $NF }' | seen
start_httpd || fail "httpd does not start again: $(cat "$dir/start.log")"
within 5 test -s "$dir/httpd.pid" || fail "httpd does not start again"
tell "and httpd runs again, as process $(cat "$dir/httpd.pid")."

step "Connect: the responder is dead, the server is new, and the status is still"
show_handshake

if command -v gnutls-cli >/dev/null 2>&1; then
    step "The same with a client that refuses a Must-Staple certificate without its staple"
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
grep -q '^OCSPCacheCertificatesStapled: 1' "$dir/status.ours" || fail "the status page does not say that it is stapled"

step "And a typing error is found before it does harm"
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
    printf '\n%sAll of it was seen, and is left running:%s\n' "$bold" "$plain"
    tell "look    openssl s_client -connect 127.0.0.1:$port -servername localhost -CAfile $dir/root.pem -status </dev/null" \
        "        curl --cacert $dir/root.pem https://localhost:$port/server-status" \
        "read    $dir/error_log, $dir/httpd.conf" \
        "kill    the responder: kill $responder_pid     restart httpd: $httpd -f $dir/httpd.conf -k restart" \
        "stop    $dir/stop"
    exit 0
fi
printf '\n%sAll of it was seen. Cleaning up.%s   (--keep leaves it running)\n' "$bold" "$plain"
