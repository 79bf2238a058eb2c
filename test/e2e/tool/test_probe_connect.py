# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`ocsp-cachectl probe --connect`: what a client of a running server gets."""

import json
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Optional

import pytest
from cryptography.x509 import ocsp

import pki
import responders
from cachectl import command
from conftest import CACHE
from fault_cast import Cast
from httpd import Config, Vhost
from ocsp_der import Answer, Single, error
from raw_server import RawServer, skip_if_selective

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
    assert seen["command"] == "probe" and seen["generated"] and seen["module"], seen
    assert seen["certificate"]["serial"] == leaves["good.example"].serial_hex and seen["protocol"] == "TLSv1.3"
    seen = json.loads(visit("must.example", "--json")[1])
    assert not seen["stapled"] and seen["verdict"] == "no-staple" and seen["certificate"]["must_staple"]

    code, text = visit("good.example", "--chain", ca.top.cert_file)
    assert code == GOOD, "what the server sends is used as well: " + text
    assert probe("--connect", f"127.0.0.1:{server.http_port}").stdout.count("no-tls: the TLS handshake failed") == 1


def visit_alone(leaf: pki.Leaf, staple: Optional[bytes], *options: object,
                address: str = "127.0.0.1") -> subprocess.CompletedProcess[str]:
    """Probe a server that sends its certificate without the chain, and staples these bytes."""
    with RawServer(leaf, staple, address, chain=False) as server:
        return probe("--connect", f"{address}:{server.port}", *options)


# What is stapled: its verdict, and the answer.
STAPLES = {"good": ("good", Answer()),
           "expired": ("expired", Answer((Single(this=-7200, next=-60),))),
           "altered": ("signature-bad", Answer(spoiled=True)),
           "another's": ("not-ours", Answer((Single(serial=4711),))),
           "unsigned": ("signer-missing", Answer(signer="not-along")),
           "a stranger's": ("signer-refused", Answer(signer="of-other-ca"))}


@pytest.mark.parametrize("name", STAPLES)
def test_each_staple_is_judged(ca, stranger, name):
    """The verdicts are the module's own. The issuer is in a file, as the server sends none."""
    verdict, answer = STAPLES[name]
    if verdict == "not-ours":
        skip_if_selective()
    leaf = ca.leaf("other.example", url="http://ocsp.example/")
    done = visit_alone(leaf, answer.der(leaf, Cast(ca, stranger)[answer.signer]), "--chain", ca.cert_file)
    assert done.returncode == (GOOD if verdict == "good" else NO), done.stdout
    assert re.search(rf"^verdict +{verdict}: ", done.stdout, re.M), done.stdout


def test_errors_and_no_staple(ca):
    leaf = ca.leaf("other.example", url="http://ocsp.example/", must_staple=True)
    assert "try-later: " in visit_alone(leaf, error(3), "--chain", ca.cert_file).stdout
    assert "clients reject this Must-Staple certificate" in visit_alone(leaf, None).stdout


def test_the_issuer_may_be_in_a_file(ca, stranger):
    """Without the issuer's certificate nothing can be verified: the name of the one that is missing is printed."""
    leaf = ca.leaf("lone.example", url="http://ocsp.example/")
    staple = Answer(signer="issuer").der(leaf, Cast(ca, stranger)["issuer"])
    done = visit_alone(leaf, staple)
    assert done.returncode == NO and "issuer-missing: " in done.stdout and "CN=Test Intermediate" in done.stdout, done
    done = visit_alone(leaf, staple, "--chain", ca.cert_file)
    assert done.returncode == GOOD, done


def test_addresses(ca, stranger):
    """IPv6 in brackets, and 443 where no port is named."""
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    leaf = ca.leaf("six.example", url="http://ocsp.example/")
    staple = Answer().der(leaf, Cast(ca, stranger)["delegated"])
    done = visit_alone(leaf, staple, "--chain", ca.cert_file, address="[::1]")
    assert done.returncode == GOOD and "at [::1]:" in done.stdout, done
    done = probe("--connect", "127.0.0.77")
    assert done.returncode == NO and "127.0.0.77:443" in done.stdout, done


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
