#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# A fleet behind one responder request: three httpd instances, one redis, a responder that counts; then the responder dies, and a
# fourth server is started from nothing.
#
#   build/fleet-demo.sh
#
# Everything happens in one temporary folder and on free ports; neither the system's web server nor its redis is touched. Every step is
# checked: the first that does not show what it should ends the demonstration with an error.
set -eu
cd "$(dirname "$0")/.."

if [ $# != 0 ]; then
    echo "usage: build/fleet-demo.sh" >&2
    exit 2
fi

# shellcheck source=build/demo-parts.sh
. build/demo-parts.sh
redis_pid='' redis_port=''

stop_redis() {
    [ -n "$redis_pid" ] || return 0
    kill -9 "$redis_pid" 2>/dev/null || :
    wait "$redis_pid" 2>/dev/null || :
    redis_pid=''
}

stop_all() {
    for at in "$dir"/server*; do
        stop_httpd
    done
    stop_responder
    stop_redis
}

# ---- the parts ----

redis() { redis-cli -p "$redis_port" "$@" 2>/dev/null; }
redis_answers() { [ "$(redis ping)" = PONG ]; }

start_redis() {
    for _ in 1 2 3 4 5 6 7 8; do
        redis_port=${redis_port:-$(random_port)}
        redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --dir "$dir" >"$dir/redis.log" 2>&1 </dev/null &
        redis_pid=$!
        within 5 redis_answers && alive "$redis_pid" && return 0
        stop_redis
        redis_port=''
    done
    fail "redis does not start: $(tail -n 3 "$dir/redis.log")"
}

write_configuration() {
    {
        configuration socache_redis
        with_module
        echo "SSLUseStapling on"
        echo "SSLStaplingCache ocsp_cache:$at/cache(1048576)"
        echo "OCSPCacheShared redis:127.0.0.1:$redis_port"
        tls_host
        echo "</VirtualHost>"
    } >"$at/httpd.conf"
}

# start_server NUMBER: an empty one, with a cache of its own
start_server() {
    at=$dir/server$1
    mkdir "$at"
    chmod 0755 "$at"
    start_httpd_somewhere
}

# The very first handshake: a Must-Staple certificate is waited for before anybody is let in.
show_staple() {
    handshake || fail "the first handshake of $(basename "$at") has no good status: $(grep -i -e 'OCSP resp' -e 'connect:' "$dir/handshake" | head -n 3)"
    printf '%s, first handshake: %s\n' "$(basename "$at")" "$(sed -n 's/^ *\(Cert Status: .*\)/\1/p' "$dir/handshake")" | seen
}

has_logged() { our_log_lines | grep -q "$1"; }

# show_line PATTERN: what the server at hand wrote about it, once it has
show_line() {
    within 20 has_logged "$1" || fail "the log has no line with: $1"
    our_log_lines | grep "$1" | tail -n 1 | sed 's/^\([a-z]*:\).*(serial [0-9A-F]*): /\1 /' | fold -s -w 110 | seen
}

entries() { redis --scan --pattern 'ocsp-shared:*' | while read -r key; do redis strlen "$key"; done | awk '$1 > 96' | wc -l; }
has_entry() { [ "$(entries)" -ge 1 ]; }

# asked NUMBER: so many requests has the responder seen in all
asked() {
    [ "$(requests_seen)" = "$1" ] || fail "the responder got $(requests_seen) requests, not $1"
    tell "The responder has received $1 request$([ "$1" = 1 ] || echo s)."
}

# ---- the story ----

begin fleet "a fleet behind one responder request"

step "Build the module; make a throw-away CA, its responder, and a store"
build_module
make_authority
start_responder
make_site
start_redis
tell "responder on port $responder_port, redis on port $redis_port, a certificate that requires stapling (Must-Staple)"

step "Start the first server: it queries the responder and puts the response into the store"
start_server 1
grep '^OCSPCacheShared' "$at/httpd.conf" | seen
show_staple
show_line 'the responder .* reports good'
within 5 has_entry || fail "the store is empty"
asked 1

step "Start two more servers: they take the response from the store"
for number in 2 3; do
    start_server "$number"
    show_staple
    show_line 'the shared store .* reports good'
done
asked 1

step "Kill the responder, and start a fourth server with an empty cache"
stop_responder
start_server 4
show_staple
show_line 'the shared store .* reports good'
tell "The responder is dead, and no server queried it."

step "Damage the entry in the store, and start a fifth server"
redis --scan --pattern 'ocsp-shared:*' | while read -r key; do
    [ "$(redis strlen "$key")" -le 96 ] || redis setrange "$key" 200 'not what the CA signed' >/dev/null
done
start_server 5
show_line 'is ignored'
handshake && fail "a damaged response was stapled"
tell "No handshake of this server has a staple: a response that does not verify is not used."

step "The responder comes back"
start_responder
within 30 handshake || fail "the responder answers again, and nothing is stapled"
show_line 'the responder .* reports good'

step "Kill the store, and start a sixth server"
stop_redis
start_server 6
show_staple
show_line 'cannot be used'
show_line 'the responder .* reports good'

printf '\n%sEvery step worked. Cleaning up.%s\n' "$bold" "$plain"
