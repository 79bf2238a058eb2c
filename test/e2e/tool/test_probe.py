# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`ocsp-cachectl probe`: one request to a responder, each step of it, and what to do where it fails. No httpd is
needed."""

from __future__ import annotations

import dataclasses
import datetime
import email.utils
import json
import os
import pty
import pwd
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Optional

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import ocsp

import pki
import responders
from cachectl import command
from conftest import HOST
from fault_stage import SHIM_SOURCE, fill
from httpd import REPOSITORY

pytestmark = pytest.mark.asan

GOOD, NOTHING, USAGE, REVOKED = 0, 1, 2, 3


@dataclasses.dataclass(frozen=True)
class Probed:
    code: int
    output: str  # stdout
    errors: str  # stderr

    def says(self, *parts: str) -> None:
        for part in parts:
            assert part in self.output, f"not said: {part!r}\n{self.output}{self.errors}"

    def steps(self) -> list[str]:
        """The names of the steps, in their order."""
        return re.findall(r"^ +\d+\.\d ms (\S+)", self.output, re.M)


def run(*arguments: object, environment: Optional[dict[str, str]] = None) -> Probed:
    clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    done = subprocess.run(command("probe", *arguments), stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, check=False, env={**clean, **(environment or {})})
    output, errors = done.stdout.decode("ascii"), done.stderr.decode("ascii")  # nothing else may ever come out
    assert not re.search(r"[^\n -~]", output + errors), repr(output + errors)
    assert "Sanitizer" not in errors and "runtime error" not in errors, errors
    return Probed(done.returncode, output, errors)


def probe(leaf: pki.Leaf, *options: object, **more: object) -> Probed:
    return run(leaf.fullchain_file, *options, **more)


def as_json(leaf: pki.Leaf, *options: object) -> dict:
    seen = probe(leaf, "--json", *options)
    assert seen.output.count("\n") == 1
    return json.loads(seen.output)


@pytest.fixture
def leaf(ca: pki.Authority, responder: Callable[..., responders.ScriptedResponder]) -> Callable[..., pki.Leaf]:
    """Factory of certificates whose responder follows a script."""
    def make(script: Optional[responders.Script] = None, **options: object) -> pki.Leaf:
        return ca.leaf(HOST, **{"url": responder(script).url, **options})
    return make


@pytest.fixture(scope="module")
def names(workplace: Path) -> Callable[[str], dict[str, str]]:
    """Environments in which the name ocsp.example.invalid has these addresses, or none."""
    library = workplace / "fakedns-for-probe.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", str(library), str(SHIM_SOURCE), "-ldl"],
                   check=True)
    hosts = workplace / "hosts-for-probe"

    def make(addresses: str) -> dict[str, str]:
        hosts.write_text(f"ocsp.example.invalid {addresses}\n")
        return {"LD_PRELOAD": str(library), "OC_TEST_HOSTS": str(hosts), "ASAN_OPTIONS": "verify_asan_link_order=0"}
    return make


# ---- the good ways ---------------------------------------------------------------------------------------------------


def test_a_certificate_from_the_future_is_pointed_out(ca, responder):
    leaf = ca.leaf(HOST, url=responder().url, delay=2)
    seen = probe(leaf)
    seen.says("The certificate is not valid before", "clients reject it until then")


def test_the_real_responder_says_good_then_revoked(ca, openssl_responder, folder):
    leaf = ca.leaf(HOST, url=openssl_responder.url)
    openssl_responder.restart()
    out = folder / "response.der"
    seen = probe(leaf, "--out", out)
    assert seen.code == GOOD, seen
    assert seen.steps() == ["lookup", "connect", "request", "head", "answer"]
    seen.says("verdict      good: the certificate is good", "OCSP signer", "authorized by the issuer",
              "thisUpdate ", "nextUpdate ", "usable until", "the module   would staple it until", leaf.serial_hex,
              f"responder    {openssl_responder.url}, named in the certificate", "GET http://127.0.0.1")
    response = ocsp.load_der_ocsp_response(out.read_bytes())
    assert response.serial_number == leaf.serial
    assert out.stat().st_mode & 0o777 == 0o644

    openssl_responder.restart(revoked=frozenset([leaf.serial]))
    seen = probe(leaf, "--out", out)
    assert seen.code == REVOKED, seen
    seen.says("verdict      revoked:", "revoked      20", "what to do   Clients reject this certificate")
    assert ocsp.load_der_ocsp_response(out.read_bytes()).certificate_status is ocsp.OCSPCertStatus.REVOKED


def test_sha256_and_chain_and_url(ca, leaf, responder, stranger):
    silent = leaf(responders.unauthorized())
    asked = responder()
    seen = run(silent.cert_file, "--chain", ca.cert_file, "--url", asked.url, "--hash", "sha256", "--timeout", "20s")
    assert seen.code == GOOD, seen
    seen.says(f"issuer       CN=Test Intermediate,O=Test, from {ca.cert_file}", "named with --url")
    [one] = asked.asked
    assert one.serial == silent.serial
    # a foreign chain is no chain
    seen = run(silent.cert_file, "--chain", stranger.cert_file)
    assert seen.code == NOTHING
    seen.says("verdict      issuer-missing:", "CN=Test Intermediate,O=Test is needed; the files hold CN=Stranger",
              "--chain",
              "SSLCertificateChainFile", "does not name an address")


def test_every_responder_of_the_certificate_is_named(ca, responder):
    """The module queries them in this order; https it does not query."""
    first, second = responder(), responder()
    leaf = ca.leaf("www.example.test", url=["https://ocsp.example.test/", first.url, second.url])
    seen = run(leaf.cert_file, "--chain", ca.cert_file)
    assert seen.code == GOOD, seen
    seen.says(f"responder    {first.url}, named in the certificate",
              "https://ocsp.example.test/, https is not supported",
              f"{second.url}, which the module queries if the first fails")
    assert len(first.asked) == 1 and not second.asked


def test_chunked_and_slow(leaf):
    assert probe(leaf(responders.chunked())).code == GOOD
    slow = as_json(leaf(responders.delayed(responders.good(), 0.6)))
    [head] = [step for step in slow["steps"] if step["step"] == "head"]
    assert slow["verdict"] == "good" and head["took_seconds"] >= 0.6
    assert slow["elapsed_seconds"] >= head["at_seconds"]


def test_through_a_proxy(leaf, responder):
    proxy = responder()  # requested with the whole URL, it answers in the responder's place
    seen = probe(leaf(responders.unauthorized()), "--proxy", f"http://me:secret@127.0.0.1:{proxy.port}")
    assert seen.code == GOOD, seen
    seen.says(f"proxy        http://127.0.0.1:{proxy.port}", f"proxy 127.0.0.1:{proxy.port}: connected")
    assert "secret" not in seen.output + seen.errors
    [asked] = proxy.asked
    assert asked.path.startswith("http://127.0.0.1:") and "proxy-authorization" in asked.headers


def test_json_says_it_all(leaf):
    good = leaf(responders.good(next_update=7200), must_staple=True)
    seen = as_json(good)
    page = (REPOSITORY / "tools" / "ocsp-cachectl.8").read_text().partition(
        "an object with these keys:\n")[2].partition("\n.Bl")[0]
    assert {*seen, *seen["steps"][0], *seen["steps"][3]} == set(re.findall(r"^\.Ql (\w+)", page, re.M)), \
        "as the manual page has it"
    assert seen["version"] == 1 and seen["command"] == "probe" and abs(seen["generated"] - time.time()) < 60
    assert f'ocsp-cachectl {seen["module"]}' == run("--version").output.strip()
    assert seen["verdict"] == "good" and seen["hints"] == []
    assert seen["certificate"]["serial"] == good.serial_hex and seen["certificate"]["must_staple"] is True
    assert [step["step"] for step in seen["steps"]] == ["lookup", "connect", "request", "head", "answer"]
    assert all(step["verdict"] == "ok" for step in seen["steps"])
    assert seen["steps"][3]["lines"][0] == "HTTP/1.0 200 OK"
    assert seen["steps"][4]["bytes"] == seen["size"] > 300
    assert seen["http_status"] == 200
    assert seen["next_update"] - seen["this_update"] == 7260 and seen["usable_until"] == seen["next_update"]
    begin, end = seen["next_request"]
    assert seen["this_update"] < begin < end < seen["usable_until"]
    failed = as_json(leaf(responders.http_status(503)))
    assert failed["verdict"] == "http-status" and failed["usable_until"] is None and failed["signer"] is None
    assert failed["steps"][-1]["verdict"] == "http-status" and failed["advice"]


def test_the_next_request_for_a_response_that_outlasts_the_longest_interval(leaf):
    """Between 60 and 100 % of a day, in this order."""
    seen = as_json(leaf(responders.good(next_update=7 * 86400)))
    begin, end = (when - seen["generated"] for when in seen["next_request"])
    assert abs(begin - 0.6 * 86400) < 60 and abs(end - 86400) < 60, (begin, end)


def test_nothing_is_asked_or_read_as_root(leaf):
    """What comes from a responder is parsed in an unprivileged process."""
    users = []

    def script(exchange: responders.Exchange) -> None:
        client = "0100007F:%04X" % exchange.handler.client_address[1]
        here = "0100007F:%04X" % exchange.handler.connection.getsockname()[1]
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        users.extend(int(row[7]) for row in rows if row[1:3] == [client, here])
        responders.good()(exchange)
    assert probe(leaf(script)).code == GOOD
    assert users == [pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()]


# ---- where it fails --------------------------------------------------------------------------------------------------


def redirect(exchange: responders.Exchange) -> None:
    exchange.reply(b"", status=302, headers=(("Location", "http://portal.example.test/\x1b]0;login\x07"),))


@pytest.mark.parametrize("script, verdict, parts", [
    (responders.http_status(404), "http-status", ["HTTP/1.0 404 Not Found", "GET ", "POST ", "a wrong URL"]),
    (responders.http_status(407), "http-status", ["http://user:password@host:port"]),
    (responders.http_status(503), "http-status", ["HTTP/1.0 503"]),
    (redirect, "http-malformed", ["a control character in the head", "Location: http://portal.example.test/\\x1B"]),
    (lambda e: e.reply(b"", status=302, headers=(("Location", "http://portal.example.test/"),)), "http-redirect",
     ["Location: http://portal.example.test/", "SSLStaplingForceURL", "captive portal"]),
    (lambda e: e.reply(b"<html>log in</html>", content_type="text/html"), "content-type",
     ["Content-Type: text/html", "captive portal"]),
    (responders.garbage(), "not-der", ["compare"]),
    (responders.nothing(), "connection-lost", ["closed before the head"]),
    (lambda e: e.raw(b"SSH-2.0-OpenSSH\x1b[2J\r\n"), "http-malformed", ["does not begin with HTTP/1."]),
    (lambda e: e.raw(b"HTTP/1.1 500 \xc3\xa4\x9b31mOops\r\nServer: a\x80b\r\n\r\n"), "http-status",
     ["HTTP/1.1 500 \\xC3\\xA4\\x9B31mOops", "Server: a\\x80b"]),
    (responders.good(this_update=-7200, next_update=-3600), "expired", ["time server"]),
    (responders.good(this_update=7200, next_update=90000), "not-yet-valid", ["time server"]),
    (responders.unauthorized(), "unauthorized", ["This certificate was issued ", "Try again in a few hours"]),
    (responders.unknown(), "unknown", ["thisUpdate"]),
    (responders.try_later(), "try-later", ["would continue with its stored response", "query again between"]),
], ids=lambda value: value if isinstance(value, str) else "")
def test_failures_are_explained(leaf, script, verdict, parts, folder):
    out = folder / "kept.der"
    out.write_bytes(b"what was there")
    seen = probe(leaf(script), "--out", out)
    assert seen.code == NOTHING, seen
    seen.says(f"verdict      {verdict}: ", "what to do   ", *parts)
    assert out.read_bytes() == b"what was there" and list(folder.iterdir()) == [out]
    assert "is not changed" in seen.errors


def test_a_head_without_end_does_not_flood_the_terminal(leaf):
    head = b"HTTP/1.1 500 Oops\r\n" + b"Via: x\r\n" * 1000 + b"Server: " + b"y" * 5000 + b"\r\n\r\n"
    seen = probe(leaf(lambda exchange: exchange.raw(head)))
    assert seen.code == NOTHING and 1 < seen.output.count("Via: x") < 100 and len(seen.output) < 8000, seen


def test_a_strangers_signature(leaf, stranger):
    seen = probe(leaf(responders.good(signer=stranger)))
    assert seen.code == NOTHING
    seen.says("verdict      signer-refused:", "what to do   ")
    assert "\nsigned by " not in seen.output


def test_refused(leaf, responder):
    gone = responder()
    gone.refuse()
    certificate = leaf(url=gone.url)
    seen = probe(certificate, environment={"http_proxy": "http://127.0.0.1:9/"})
    assert seen.code == NOTHING and seen.steps() == ["lookup", "connect"]
    seen.says("verdict      connect-failed:", f"127.0.0.1:{gone.port}: Connection refused", "firewall",
              "ignore the environment variable http_proxy")
    assert ("httpd_can_network_connect" in seen.output) == os.path.exists("/sys/fs/selinux/enforce")
    seen = probe(leaf(), "--proxy", f"http://127.0.0.1:{gone.port}")
    seen.says("verdict      connect-failed:", "The proxy could not be reached")


def test_silence(leaf):
    seen = probe(leaf(responders.hang()), "-t", "1")
    assert seen.code == NOTHING and seen.steps() == ["lookup", "connect", "request", "answer"]
    seen.says("verdict      timed-out:", "connected, but no answer")


def test_names(leaf, names, responder):
    unknown = leaf(url="http://ocsp.example.invalid/")
    seen = probe(unknown, environment=names("fail"))
    assert seen.code == NOTHING and seen.steps() == ["lookup"]
    seen.says("verdict      name-lookup-failed:", "ocsp.example.invalid: Name or service not known", "getent hosts")

    # Two addresses, of which one is dead: both are shown, and the exchange continues with the other.
    alive = responder()
    seen = probe(leaf(url=f"http://ocsp.example.invalid:{alive.port}{alive.base}"),
                 environment=names("127.0.0.2 127.0.0.1"))
    assert seen.code == GOOD, seen
    assert seen.steps() == ["lookup", "connect", "connect", "request", "head", "answer"]
    seen.says("ocsp.example.invalid: 127.0.0.2, 127.0.0.1", f"127.0.0.2:{alive.port}: Connection refused",
              f"127.0.0.1:{alive.port}: connected")

    # One that swallows everything: the other gets its turn, and it is said which was silent.
    alive, filling, hole = responder(), [], socket.socket()
    hole.bind(("127.0.0.3", alive.port))
    fill(hole, filling)
    try:
        seen = probe(leaf(url=f"http://ocsp.example.invalid:{alive.port}{alive.base}"),
                     environment=names("127.0.0.3 127.0.0.1"))
    finally:
        for one in (hole, *filling):
            one.close()
    assert seen.code == GOOD, seen
    seen.says(f"127.0.0.3:{alive.port}: silent; another address was faster")


def test_the_responders_clock(leaf):
    def ahead(exchange: responders.Exchange) -> None:
        when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=3)
        exchange.raw(b"HTTP/1.1 503 Busy\r\nDate: " + email.utils.format_datetime(when, usegmt=True).encode()
                     + b"\r\n\r\n")
    seen = probe(leaf(ahead))
    assert re.search(r"The responder's clock is (3 h 0|2 h 59) min ahead of this host's", seen.output), seen


# ---- nobody to be asked ----------------------------------------------------------------------------------------------


def test_nobody_is_asked(ca, leaf, folder):
    seen = probe(leaf(url=None))
    assert seen.code == NOTHING and seen.steps() == []
    seen.says("verdict      no-responder: the certificate names no OCSP responder", "have ended OCSP",
              "would not query, and would staple nothing")
    probe(leaf(url=None, must_staple=True)).says("Must-Staple", "clients reject it without a staple")
    seen = probe(leaf(url="https://ocsp.example.test/"))
    assert seen.code == NOTHING
    seen.says("verdict      url-unusable:", "https is not supported", "try --url with http://")
    seen = probe(leaf(days=0.01))
    assert seen.code == NOTHING and seen.steps() == []
    seen.says("verdict      certificate-expired:", "Renew the certificate")


def with_issuers_url(ca: pki.Authority, leaf: pki.Leaf, path: Path) -> None:
    """The certificate again, in which the CA says where its own is."""
    builder = (x509.CertificateBuilder().subject_name(leaf.cert.subject).issuer_name(leaf.cert.issuer)
               .public_key(leaf.cert.public_key()).serial_number(leaf.serial)
               .not_valid_before(leaf.cert.not_valid_before).not_valid_after(leaf.cert.not_valid_after)
               .add_extension(x509.AuthorityInformationAccess([
                   x509.AccessDescription(x509.AuthorityInformationAccessOID.OCSP,
                                          x509.UniformResourceIdentifier("http://127.0.0.1:9/")),
                   x509.AccessDescription(x509.AuthorityInformationAccessOID.CA_ISSUERS,
                                          x509.UniformResourceIdentifier("http://ca.example.test/ca.der"))]), False))
    path.write_bytes(builder.sign(ca.key, pki.hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def test_the_issuer_is_missing(ca, leaf, folder):
    path = folder / "alone.pem"
    with_issuers_url(ca, leaf(), path)
    seen = run(path)
    assert seen.code == NOTHING and seen.steps() == []
    seen.says("verdict      issuer-missing:", "names http://ca.example.test/ca.der as its address")
    assert json.loads(run(path, "--json").output)["issuer_url"] == "http://ca.example.test/ca.der"


# ---- the command line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, error", [
    ((), "name one file"),
    (("LEAF", "LEAF"), "name one file"),
    (("/nonexistent.pem",), "cannot open /nonexistent.pem: No such file"),
    (("LEAF", "--timeout", "soon"), "'soon' is not a duration"),
    (("LEAF", "--timeout", "0"), "longer than 0"),
    (("LEAF", "--hash", "md5"), "neither sha1 nor sha256"),
    (("LEAF", "--proxy", "https://p/"), "--proxy: https is not supported"),
    (("LEAF", "--chain", "KEY"), "contains no certificate in PEM form"),
    (("LEAF", "--out", "/nonexistent/x.der"), "cannot write /nonexistent/x.der: No such file"),
    (("LEAF", "--nonsense"), "--nonsense"),
])
def test_wrong_usage(leaf, arguments, error):
    one = leaf()
    files = {"LEAF": one.fullchain_file, "KEY": one.key_file}
    seen = run(*(files.get(word, word) for word in arguments))
    assert seen.code == USAGE, seen
    assert error in seen.errors, seen


def on_a_terminal(*arguments: object, environment: Optional[dict[str, str]] = None) -> bytes:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command("probe", *arguments), stdin=subprocess.DEVNULL, stdout=theirs,
                          stderr=theirs, env={**os.environ, **(environment or {})}) as process:
        os.close(theirs)
        output = b""
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            output += chunk
        process.wait()
    os.close(ours)
    return output


def test_colours_only_on_a_terminal(leaf):
    one = leaf()
    assert b"\x1b[32mgood\x1b[0m" in on_a_terminal(one.fullchain_file)
    assert b"\x1b" not in on_a_terminal(one.fullchain_file, environment={"NO_COLOR": "1"})
    assert b"\x1b" not in on_a_terminal(one.fullchain_file, environment={"TERM": "dumb"})
    # run() checks that there is none elsewhere
    assert probe(one).code == GOOD
