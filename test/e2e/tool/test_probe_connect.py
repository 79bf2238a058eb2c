# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`ocsp-cachectl probe --connect`: what a client of a running server gets."""

import json
import socket
import subprocess
import time

import pytest
from cryptography.x509 import ocsp

import responders
from cachectl import command
from conftest import CACHE
from httpd import Config, Vhost

pytestmark = pytest.mark.asan

GOOD, NO, USAGE, REVOKED = 0, 1, 2, 3


def probe(*arguments: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command("probe", *arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=30, check=False)
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
    return done


def test_what_a_running_server_sends(httpd, responder, ca, folder):
    """One server: a good staple, a revoked one, none, and none for a Must-Staple certificate."""
    good, revoked = responder(), responder(responders.revoked())
    leaves = {"good.example": ca.leaf("good.example", url=good.url),
              "revoked.example": ca.leaf("revoked.example", url=revoked.url),
              "none.example": ca.leaf("none.example", url=good.url),
              "must.example": ca.leaf("must.example", url=good.url, must_staple=True)}
    is_off = {"none.example", "must.example"}
    server = httpd(Config(cache=CACHE, vhosts=tuple(
        Vhost(host, (leaf,), stapling=host not in is_off) for host, leaf in leaves.items())))
    server.allow(r"^\[ocsp_cache:(warn|crit|error)\] ")
    server.start()
    for host, status in {"good.example": "good", "revoked.example": "revoked"}.items():
        server.wait_staple(host, status)
    address = f"127.0.0.1:{server.https_port}"

    def visit(host: str, *options: object) -> tuple[int, str]:
        done = probe("--connect", address, "--servername", host, *options)
        return done.returncode, done.stdout + done.stderr

    out = folder / "staple.der"
    code, text = visit("good.example", "--out", out)
    assert code == GOOD and "good: the certificate is good" in text, text
    for word in (address, "server name good.example", "TLSv1.3", leaves["good.example"].serial_hex, "thisUpdate",
                 "nextUpdate", "signed by"):
        assert word in text, (word, text)
    assert ocsp.load_der_ocsp_response(out.read_bytes()).serial_number == leaves["good.example"].serial
    code, text = visit("revoked.example")
    assert code == REVOKED and "revoked: " in text, text
    code, text = visit("none.example")
    assert code == NO and "no-staple: the server sends no staple; the certificate is not Must-Staple" in text, text
    code, text = visit("must.example")
    assert code == NO and "no-staple" in text and "clients reject this Must-Staple certificate" in text, text

    code, text = visit("good.example", "--json")
    seen = json.loads(text)
    assert code == GOOD and seen["stapled"] and seen["verdict"] == "good" and seen["next_update"], seen
    assert seen["certificate"]["serial"] == leaves["good.example"].serial_hex and seen["protocol"] == "TLSv1.3"
    seen = json.loads(visit("must.example", "--json")[1])
    assert not seen["stapled"] and seen["verdict"] == "no-staple" and seen["certificate"]["must_staple"]

    code, text = visit("good.example", "--chain", ca.top.cert_file)
    assert code == GOOD, "what the server sends is used as well: " + text
    assert probe("--connect", f"127.0.0.1:{server.http_port}").stdout.count("no-tls: the TLS handshake failed") == 1


def test_the_issuer_may_be_in_a_file(httpd, responder, ca):
    """With SSLCACertificateFile, the server staples but sends its certificate alone."""
    host = "lone.example"
    server = httpd(Config(cache=CACHE, vhosts=(Vhost(host, (ca.leaf(host, url=responder().url),), issuer="ca"),)))
    server.start()
    deadline = time.monotonic() + 20
    where = ("--connect", f"127.0.0.1:{server.https_port}", "--servername", host)
    while "no-staple" in probe(*where).stdout and time.monotonic() < deadline:
        pass
    done = probe(*where)
    if done.returncode != GOOD:  # OpenSSL may complete the chain out of SSLCACertificateFile
        assert "issuer-missing" in done.stdout, done
    done = probe(*where, "--chain", ca.cert_file)
    assert done.returncode == GOOD, done


def test_a_server_that_hangs_or_refuses():
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        port = hanging.getsockname()[1]
        began = time.monotonic()
        done = probe("--connect", f"127.0.0.1:{port}", "--timeout", "300ms")
        assert done.returncode == NO
        assert "timed-out: the server did not complete the TLS handshake in time" in done.stdout
        assert 0.3 <= time.monotonic() - began < 20
    done = probe("--connect", f"127.0.0.1:{port}")
    assert done.returncode == NO and "connect-failed: the server refuses the connection" in done.stdout, done


@pytest.mark.parametrize("arguments, words", [
    (("--connect", "443"), "is not HOST:PORT"), (("--connect", ""), "is not HOST:PORT"),
    (("--connect", "a.example:1", "b.pem"), "name no other"), (("--servername", "a", "b.pem"), "only with --connect"),
    (("--connect", "a.example:1", "--url", "http://b.example"), "not with --connect")])
def test_wrong_usage(arguments, words):
    done = probe(*arguments)
    assert done.returncode == USAGE and words in done.stderr, done
