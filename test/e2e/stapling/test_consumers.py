# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Modules that use a socache provider (sessions, passwords, mod_ssl's own stapling) find in this one, in any child,
what another child has stored, and no secrets reach the disk."""

from __future__ import annotations

import base64
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from conftest import HOST
from httpd import Config, Httpd
from wait import poll

OURS, SHMCB = "ocsp_cache", "shmcb"


# ---- TLS sessions ----------------------------------------------------------------------------------------------------

# Every connection is served by a child that has served none before: a resumed session came out of the shared cache.
FRESH_CHILDREN = {"mpm": "prefork", "directives": ("SSLSessionTickets off", "MaxConnectionsPerChild 1",
                                                   "KeepAlive off")}


def exchange(server: Httpd, tls: str, *extra: str) -> str:
    """One request with s_client, which waits for the answer: TLS 1.3 sends sessions after the handshake."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{server.https_port}", "-servername", HOST, "-CAfile",
               str(server.root_ca.cert_file), "-tls" + tls.replace(".", "_"), "-ign_eof", *extra]
    done = subprocess.run(command, input=f"GET /index.html HTTP/1.0\r\nHost: {HOST}\r\n\r\n", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=60, check=False)
    assert "200 OK" in done.stdout, done.stdout
    return done.stdout


def resumed(output: str, tls: str) -> bool:
    return re.search(rf"^Reused, TLSv{re.escape(tls)}", output, re.M) is not None


def secrets(output: str) -> set[bytes]:
    """The master secret or the resumption secrets that s_client shows, as bytes."""
    found = re.findall(r"(?:Master-Key|Resumption PSK): ([0-9A-F]{64,})", output)
    assert found, output
    return {bytes.fromhex(text) for text in found}


def files_with(folder: Path, needles: set[bytes]) -> list[Path]:
    """The files below `folder` that hold one of the needles, as bytes or as hexadecimal digits of either case."""
    forms = {form for needle in needles for form in (needle, needle.hex().encode(), needle.hex().upper().encode())}
    return [path for path in folder.rglob("*") if path.is_file() and any(form in path.read_bytes() for form in forms)]


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_sessions_are_resumed_in_other_children_and_never_on_the_disk(site, folder, tls):
    one = site(session_cache=f"{OURS}:cache/sessions(512000)", **FRESH_CHILDREN)
    one.server.start()
    staple = one.wait_staple()
    saved, again = folder / "session.pem", folder / "again.pem"
    first = exchange(one.server, tls, "-sess_out", str(saved))
    assert not resumed(first, tls)
    second = exchange(one.server, tls, "-sess_in", str(saved), "-sess_out", str(again))
    assert resumed(second, tls), second
    assert files_with(one.server.root, secrets(first) | secrets(second)) == [], "session secrets never touch the disk"
    assert not (one.server.cache_folder / "sessions").exists()
    control = one.leaf.serial.to_bytes(20, "big").lstrip(b"\0")
    assert one.server.cache_folder / "staples" in files_with(one.server.root, {control}), \
        "this search finds what is there"
    assert staple.status == "good"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_sessions_survive_a_reload(site, folder, tls):
    """Both the old and the new generation hold them, unlike with shmcb."""
    one = site(session_cache=f"{OURS}:(512000)", directives=("SSLSessionTickets off",))
    one.server.start()
    saved = folder / "session.pem"
    exchange(one.server, tls, "-sess_out", str(saved))
    one.server.graceful()
    again = exchange(one.server, tls, "-sess_in", str(saved))
    assert resumed(again, tls), again


def test_session_that_has_expired_is_not_resumed(site, folder):
    one = site(session_cache=f"{OURS}:(512000)", directives=("SSLSessionTickets off", "SSLSessionCacheTimeout 1"))
    one.server.start()
    saved = folder / "session.pem"
    exchange(one.server, "1.2", "-sess_out", str(saved))
    poll(lambda: not resumed(exchange(one.server, "1.2", "-sess_in", str(saved)), "1.2"), "the session is over")


def test_returning_client_resumes_every_time(site, folder):
    one = site(session_cache=f"{OURS}:(512000)", directives=("SSLSessionTickets off",))
    one.server.start()
    saved = folder / "session.pem"
    exchange(one.server, "1.2", "-sess_out", str(saved))
    for _ in range(5):
        again = exchange(one.server, "1.2", "-sess_in", str(saved))
        assert resumed(again, "1.2"), again


def test_mod_ssls_own_stapling_asks_once_for_all_children(site):
    """OCSPCacheRefresh off: the cache serves mod_ssl, and all children find what one child fetched."""
    fresh = {**FRESH_CHILDREN, "directives": (*FRESH_CHILDREN["directives"], "OCSPCacheRefresh off")}
    one = site(**fresh)
    one.server.start()
    assert [one.handshake(tls=tls).status for tls in ("1.2", "1.3", "1.2", "1.3")] == ["good"] * 4
    assert len(one.responder.asked) == 1


def test_status_of_the_session_cache_is_in_mod_status(site):
    one = site(session_cache=f"{OURS}:(512000)", directives=("SSLSessionTickets off",))
    one.server.start()
    one.wait_staple()
    assert "cache type: <b>ocsp_cache</b>" in one.server.status_page()
    assert "CacheType: OCSP_CACHE\n" in one.server.status_page("?auto")


# ---- passwords -------------------------------------------------------------------------------------------------------

def get(server: Httpd, password: str) -> int:
    """The status of a page that requires a password."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.http_port}/index.html")
    request.add_header("Authorization", "Basic " + base64.b64encode(f"alice:{password}".encode()).decode())
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=15) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def hashed(password: str) -> str:
    return subprocess.run(["openssl", "passwd", "-apr1", password], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()


@pytest.mark.parametrize("provider", [OURS, SHMCB])
def test_passwords_are_cached_until_their_time_is_over(httpd, provider):
    config = Config(vhosts=(), ssl=False, mpm="prefork",
                    modules=("authn_core", "authn_file", "authn_socache", "auth_basic", "authz_user"),
                    directives=(
                        f"AuthnCacheSOCache {provider}:{'(512000)' if provider == OURS else 'run/auth(512000)'}",
                        "AuthnCacheEnable", "MaxConnectionsPerChild 1", "KeepAlive off", '<Location "/">',
                        "AuthType Basic", "AuthName test", "AuthBasicProvider socache file",
                        'AuthUserFile "conf-users"', "AuthnCacheProvideFor file", "AuthnCacheTimeout 4",
                        "Require valid-user", "</Location>"))
    server = httpd(config)
    users = server.root / "conf-users"
    secret = hashed("first")
    users.write_text(f"alice:{secret}\n")
    users.chmod(0o644)
    server.allow(r"\[auth_basic:error\]", r"\[authn_file:error\]")
    server.start()
    began = time.monotonic()
    assert get(server, "first") == 200
    users.write_text(f"alice:{hashed('second')}\n")
    assert get(server, "first") == 200, "the cache still knows the old password"
    assert get(server, "wrong") == 401
    assert time.monotonic() - began < 4, "too slow to tell"
    assert files_with(server.root, {secret.encode()}) == [], "the old hash is in no file"
    poll(lambda: get(server, "first") == 401, "the old password is forgotten")
    assert get(server, "second") == 200
