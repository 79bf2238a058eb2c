# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""mod_ocsp_client among the parts of httpd: certificates that a directory demands, variables, error documents, stapling
in the same server, and what `apachectl -t` reports."""

import dataclasses
import json
import os
import re

import pytest

import clients
import responders
from cachectl import run
from conftest import CACHE
from mtls import HOST, make_vhost
from wait import poll

SHORT = ("OCSPCacheRefreshInterval 1s 1s",)
REFUSED = r"^\[ocsp_client:warn\] .*OCSPCacheClient: the client certificate with serial [0-9A-F]+ is revoked: "


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_certificate_that_a_directory_demands(mtls, tls):
    """By renegotiation, and by post-handshake authentication."""
    one = mtls(verify="none", modules=("authz_user",),
               host=('<Location "/private">', "SSLVerifyClient require", "SSLOptions +StdEnvVars",
                     "Require expr \"reqenv('OCSP_CLIENT') == 'good'\"", "</Location>"))
    (one.server.root / "htdocs" / "private").mkdir()
    (one.server.root / "htdocs" / "private" / "index.html").write_text("private\n")
    good, revoked = one.client("good"), one.client("revoked")
    one.responder.script = lambda exchange: (
        responders.revoked() if exchange.leaf is revoked else responders.good())(exchange)
    one.server.start()
    connection = one.connect(good, tls=tls)
    assert connection.get().status == 200 and not one.responder.asked
    assert connection.get("/private/index.html").status == 200
    connection = one.connect(revoked, tls=tls)
    assert connection.get().status == 200
    assert connection.get("/private/index.html").status in (0, 403)
    one.server.expect(REFUSED + "handshake refused")
    one.server.allow(r"\[ssl:error\]")


def test_variables_and_error_documents(mtls):
    one = mtls(responders.good(this_update=-100, next_update=3), modules=("headers",), directives=SHORT,
               host=('Header always set X-State "%{OCSP_CLIENT}e %{OCSP_CLIENT_SOURCE}e %{OCSP_CLIENT_AGE}e"',
                     "ErrorDocument 403 /denied.html"))
    (one.server.root / "htdocs" / "denied.html").write_text("your certificate is revoked\n")
    leaf = one.client()
    one.server.start()
    connection = one.connect(leaf)
    state, source, age = connection.head("x-state").split()
    assert (state, source) == ("good", "cache") and 100 <= int(age) < 130
    one.responder.script = responders.revoked()
    reply = poll(lambda: (reply := connection.get()).status != 200 and reply, "the client is refused")
    assert reply.status == 403 and reply.body == "your certificate is revoked\n" and reply.closes
    one.server.expect(REFUSED + "request refused")


def test_numbers_and_the_list(mtls):
    """Page, JSON and metrics show numbers; serials are in a list with a handler of its own."""
    one = mtls(directives=('<Location "/clients">', "SetHandler ocsp-cache-clients", "Require all granted", "</Location>"))
    good, revoked = one.client("good"), one.client("revoked")
    one.responder.script = lambda exchange: (
        responders.revoked() if exchange.leaf is revoked else responders.good())(exchange)
    one.server.start()
    assert one.get(good).status == 200 and one.get(revoked).status == 0
    base = f"http://127.0.0.1:{one.server.http_port}"
    page = clients.http_get(f"{base}/ocsp-cache-status")
    numbers = json.loads(clients.http_get(f"{base}/ocsp-cache-status?format=json"))["totals"]["clients"]
    metrics = clients.http_get(f"{base}/ocsp-cache-status?format=prometheus")
    assert "<h2>Clients</h2><strong>2</strong><p>1 good &middot; 1 revoked" in page
    assert numbers["states"] == {"good": 1, "revoked": 1, "unknown": 0, "expired": 0} and numbers["room"] == 100000
    assert numbers["counters"]["revoked"] == 1 and numbers["counters"]["ended"] == 2
    for line in ('ocsp_cache_clients{state="good"} 1', 'ocsp_cache_client_decisions_total{outcome="revoked"} 1',
                 'ocsp_cache_client_waits_total{outcome="waited"} 2', 'ocsp_cache_client_queries_total{outcome="failed"} 0'):
        assert line + "\n" in metrics, line
    for text in (page, json.dumps(numbers), metrics):
        assert good.serial_hex not in text
    listed = json.loads(clients.http_get(f"{base}/clients"))["clients"]
    assert {(entry["serial"], entry["state"]) for entry in listed} == {(good.serial_hex, "good"), (revoked.serial_hex, "revoked")}
    assert {entry["issuer"] for entry in listed} == {"CN=Test Intermediate,O=Test"}
    one.server.expect(REFUSED + "handshake refused")


def test_probe_of_a_client_certificate(responder, ca, root_ca):
    """`ocsp-cachectl probe` makes the query that the server makes."""
    answering = responder(responders.revoked())
    done = run("probe", ca.client("someone", url=answering.url).fullchain_file)
    assert done.code == 3 and "revoked" in done.out, done


def test_client_without_a_certificate(mtls):
    one = mtls(verify="optional")
    one.server.start()
    assert one.get(None).status == 200
    assert one.get(one.client()).status == 200
    no_url = one.client("no url", url=None)
    reply = one.get(no_url)
    assert reply.status == 0 and "unknown" in reply.error
    one.reload(("OCSPCacheClient hard", f"OCSPCacheClientResponder {one.responder.url}"), verify="optional")
    assert one.get(one.client("another", url=None)).status == 200, "the host names a responder"
    one.server.expect(r"is of unknown status: handshake refused")
    one.server.expect(r"^\[ocsp_cache:warn\] .* names no responder that can be queried. Set OCSPCacheClientResponder")


def test_with_stapling_in_one_server(mtls, ca):
    """One child leads for both, and a reload keeps both."""
    one = mtls(cache=CACHE)
    leaf = ca.leaf(HOST, url=one.responder.url)
    vhost = dataclasses.replace(make_vhost(one.server.root_ca, leaf, ("OCSPCacheClient hard",), verify="optional"), stapling=True)
    one.server.config = dataclasses.replace(one.server.config, vhosts=(vhost,))
    client = one.client()
    one.server.start()
    for _ in range(2):
        one.server.wait_staple(HOST)
        assert one.get(client).status == 200
        one.server.graceful()
    assert len(one.responder.asked_for(client)) == 1


def test_another_module_takes_the_callback(mtls, takes_verify):
    """Handshakes are not checked then, which the log reports, and requests still are."""
    one = mtls(directives=(takes_verify,))
    good, revoked = one.client("good"), one.client("revoked")
    one.responder.script = lambda exchange: (
        responders.revoked() if exchange.leaf is revoked else responders.good())(exchange)
    one.server.start()
    assert one.get(good).status == 200
    assert one.get(revoked).status == 403
    one.server.expect(r"^\[ocsp_client:error\] .*another module has replaced the callback", REFUSED + "request refused")


def test_start_without_mod_ocsp_cache(mtls):
    one = mtls(client=(), module=False)
    one.server.config = dataclasses.replace(one.server.config, client=True)
    assert one.server.try_start().returncode != 0 or not one.server.running
    one.server.expect(r"mod_ocsp_client: mod_ocsp_cache is not loaded")
    one.server.allow(r"AH00014")


def test_what_apachectl_reports(mtls):
    one = mtls(client=("OCSPCacheClient hard", "SSLOCSPEnable on"))
    checks = [(one.server.config, "SSLOCSPEnable is on too")]
    for client, verify, report in ((("OCSPCacheClient hard",), "none", "no client sends a certificate to this host"),
                                   (("OCSPCacheClient soft",), "optional_no_ca", "the status of such a client is never known"),
                                   (("OCSPCacheClientWait 1s",), "require", "OCSPCacheClient is off in this host"),
                                   (("OCSPCacheClient off",), "require", "OCSPCacheClientSize has no effect"),
                                   (("OCSPCacheClient hard",), "require", "")):
        vhost = make_vhost(one.server.root_ca, one.server.config.vhosts[0].leaves[0], client, verify)
        directives = ("OCSPCacheClientSize 1000",) if client[0] == "OCSPCacheClient off" else ()
        checks.append((dataclasses.replace(one.server.config, vhosts=(vhost,), directives=directives), report))
    for config, report in checks:
        one.server.config = config
        result = one.server.check()
        assert result.code == 0
        lines = [line for line in result.lines if "ocsp_client:" in line]
        assert len(lines) == (1 if report else 0) and report in "".join(lines), (report, result.output)


def test_what_apachectl_reports_about_the_file(mtls):
    """As about the file of SSLStaplingCache (test_check_file.py); and a start tells the same."""
    one = mtls()
    plain, folder, open_folder = one.server.config, one.server.cache_folder, one.server.cache_folder / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    (folder / "foreign").write_text("dear diary\n" * 1000)

    def check(path):
        one.server.config = dataclasses.replace(plain, directives=(f'OCSPCacheClientFile "{folder / path}"',))
        result = one.server.check()
        assert result.code == 0
        return [line for line in result.lines if "OCSPCacheClientFile" in line]
    assert check("clients") == []
    for path, words in (("no/such/folder/clients", "Create the folder"), ("foreign", "is not an OCSP cache file")):
        [line] = check(path)
        assert words in line and "kept in memory only" in line, line
    if os.geteuid() == 0:
        [line] = check("open/clients")
        assert "Every user may write to the folder" in line and "mode 0777" in line, line
    check("foreign")
    one.server.start()
    assert one.get(one.client()).status == 200
    one.server.expect(r"\[ocsp_cache:error\] .*OCSPCacheClientFile: .*is not an OCSP cache file.*kept in memory only")


def test_file_that_is_in_use(mtls):
    """By another server, which a start reports with this one cause; by the cache of the same server."""
    one, other = mtls(), mtls()
    path = one.server.cache_folder / "clients"
    lines = (f'OCSPCacheClientFile "{path}"',)
    for site in (one, other):
        site.server.config = dataclasses.replace(site.server.config, directives=lines)
    one.server.start()
    report = rf"OCSPCacheClientFile: {path} is in use by another running server \(process {one.server.parent}\)"
    assert re.search(report, other.server.check().output)
    assert "OCSPCacheClientFile" not in one.server.check().output, "its own"
    other.server.try_start()
    assert not other.server.running
    other.server.expect(report, r"AH00020: Configuration Failed")
    other.server.config = dataclasses.replace(other.server.config, cache=f"ocsp_cache:{path}(128000)")
    result = other.server.check()
    assert result.code != 0 and f"OCSPCacheClientFile: {path} is the file of SSLStaplingCache" in result.output


@pytest.mark.parametrize("line, error", [
    ("OCSPCacheClient on", "'on' is none of off, soft"), ("OCSPCacheClientWait 61s", "not a time from 0 to 60s"),
    ("OCSPCacheClientGrace never", "not a time from 0 to 30d"),
    ("OCSPCacheClientSize 10", "not a number of clients from 100"),
    ("OCSPCacheClient hard\nOCSPCacheClientResponder https://ocsp.example.com/", "OCSPCacheClientResponder https://ocsp.example.com/: ")])
def test_wrong_directives(mtls, line, error):
    one = mtls(client=() if "Size" in line else tuple(line.split("\n")), directives=(line,) if "Size" in line else ())
    result = one.server.check()
    assert result.code != 0 and error in result.output, result.output
