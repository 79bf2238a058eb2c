# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""%{OCSP_STAPLE}e: what each request's connection was stapled, as the access log and a CGI-like consumer see it."""

import subprocess

import pytest

import responders
from conftest import HOST, NOTHING_HELD
from httpd import Vhost
from wait import poll

DIRECTIVES = ('LogFormat "%U %H %{OCSP_STAPLE}e" staple', "CustomLog logs/access.log staple",
              'Header always set X-Staple "%{OCSP_STAPLE}e"', "SSLStaplingReturnResponderErrors On",
              "SSLStaplingFakeTryLater Off",
              "Protocols h2 http/1.1")
MODULES = ("headers", "http2")


@pytest.fixture
def shop(site):
    """A site with an access log, stapling good."""
    one = site(directives=DIRECTIVES, modules=MODULES)
    one.server.start()
    one.wait_staple()
    return one


def logged(server, path: str, count: int = 1) -> list[str]:
    """What follows the path in its lines, when there are `count` of them."""
    def lines() -> list[str]:
        log = server.root / "logs" / "access.log"
        found = [line.split(" ", 1) for line in log.read_text().splitlines()] if log.exists() else []
        return [rest for where, rest in found if where == path]
    return poll(lambda: len(lines()) >= count and lines(), f"{count} requests for {path} in the access log")


def ask(server, *paths: str, host: str = HOST, extra: tuple[str, ...] = (), status: bool = True) -> str:
    """Requests over one TLS connection of `openssl s_client`, which continues without a staple too. @return its
    output"""
    last = len(paths) - 1
    text = "".join(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n" + ("Connection: close\r\n" if i == last else "") + "\r\n"
                   for i, path in enumerate(paths))
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.https_port}", "-servername", host,
                           "-CAfile", str(server.root_ca.cert_file), "-ign_eof",
                           *(["-status"] if status else []), *extra],
                          input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=30, check=False)
    return done.stdout


def test_each_request_of_a_connection(shop):
    output = ask(shop.server, "/first", "/second", "/third")
    for path in ("/first", "/second", "/third"):
        assert logged(shop.server, path) == ["HTTP/1.1 good"]
    assert output.count("X-Staple: good") == 3


@pytest.mark.parametrize("tls", ["-tls1_2", "-tls1_3"])
def test_resumed_session_and_client_that_does_not_ask(shop, tls, folder):
    session = str(folder / "session.pem")
    assert "Reused" not in ask(shop.server, "/full", extra=(tls, "-sess_out", session))
    assert "Reused" in ask(shop.server, "/resumed", extra=(tls, "-sess_in", session))
    ask(shop.server, "/indifferent", extra=(tls,), status=False)
    assert logged(shop.server, "/full") == ["HTTP/1.1 good"]
    assert logged(shop.server, "/resumed") == ["HTTP/1.1 -"]
    assert logged(shop.server, "/indifferent") == ["HTTP/1.1 -"]


def test_plain_http(shop):
    shop.server.status_page()
    assert logged(shop.server, "/server-status") == ["HTTP/1.1 -"]


def test_http_2_streams(shop):
    url = f"https://{HOST}:{shop.server.https_port}"
    subprocess.run(["curl", "-sS", "--http2", "--cert-status", "--cacert", str(shop.server.root_ca.cert_file),
                    "--resolve",
                    f"{HOST}:{shop.server.https_port}:127.0.0.1", "-o", "/dev/null", "-o", "/dev/null", f"{url}/one",
                    f"{url}/two"], check=True, timeout=30)
    assert logged(shop.server, "/one") == ["HTTP/2.0 good"]
    assert logged(shop.server, "/two") == ["HTTP/2.0 good"]


def test_revoked(site):
    one = site(responders.revoked(), directives=DIRECTIVES, modules=MODULES)
    one.server.expect(r"\[ocsp_cache:crit\] ")
    one.server.start()
    one.wait_staple("revoked")
    ask(one.server, "/revoked")
    assert logged(one.server, "/revoked") == ["HTTP/1.1 revoked"]


def test_error_and_nothing(site):
    one = site(responders.try_later(), directives=(*DIRECTIVES, "SSLStaplingErrorCacheTimeout 1"), modules=MODULES)
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.wait_staple("trylater")
    ask(one.server, "/error")
    assert logged(one.server, "/error") == ["HTTP/1.1 try-later"]
    one.responder.script = responders.garbage()
    one.wait_staple(None)
    ask(one.server, "/nothing")
    assert logged(one.server, "/nothing") == ["HTTP/1.1 none"]


def test_host_that_does_not_staple(site, ca):
    silent = "silent.example.test"
    one = site(directives=DIRECTIVES, modules=MODULES)
    other = Vhost(silent, (ca.leaf(silent, url=one.responder.url),), stapling=False)
    one.server.config = one.changed(vhosts=(*one.server.config.vhosts, other))
    one.server.start()
    one.wait_staple()
    ask(one.server, "/silent", host=silent)
    assert logged(one.server, "/silent") == ["HTTP/1.1 -"]
