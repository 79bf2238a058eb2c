# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What `httpd -t` reports about certificates, directives without effect, mod_md and stored responses: each fact once,
with the hosts that it concerns and what to do."""

import os
import re
import subprocess
from dataclasses import replace
from typing import Optional

import pytest

from clock import DAY
import responders
from cachectl import ctl
from conftest import CACHE, HOST
from httpd import Config, Httpd, Vhost, unprivileged_user

HOSTS = tuple(f"h{n}.example.test" for n in range(5))
URL = "http://ocsp.example.test/"


def said(server: Httpd, level: str = "warn", user: Optional[str] = None) -> list[str]:
    """The module's lines of that level, without the prefix."""
    checked = server.check(user=user)
    assert checked.code == 0, checked.output
    return [line.split("] ", 3)[3] for line in checked.lines if f"[ocsp_cache:{level}]" in line]


@pytest.fixture
def hosts(httpd, ca):
    """Factory of a server with five hosts: a certificate for each, or one for all."""
    def make(*, shared: bool = False, leaf: dict = {}, vhost: dict = {}, **config: object) -> Httpd:
        leaves = [ca.leaf(HOSTS[0], **{"url": URL, **leaf}) for _ in HOSTS[:1 if shared else None]]
        vhosts = tuple(Vhost(host, (leaves[0 if shared else n],), **vhost) for n, host in enumerate(HOSTS))
        return httpd(Config(**{"cache": CACHE, "vhosts": vhosts, **config}))
    return make


# ---- certificates ----

def test_all_is_well(hosts):
    server = hosts()
    assert server.check().lines == ["Syntax OK"], "nothing is said"


@pytest.mark.parametrize("leaf, words", [({"days": 0.01}, "it expired on"), ({"delay": 3}, "it is not valid before")])
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "each"])
def test_validity_of_certificates(hosts, leaf, words, shared):
    server = hosts(leaf=leaf, shared=shared)
    lines = said(server)
    assert len(lines) == (1 if shared else 5), lines
    assert all(words in line and re.search(r"20\d\d-\d\d-\d\dT", line) and "(serial " in line for line in lines), lines
    port = server.https_port
    if shared:
        assert lines[0].startswith(
            f"{HOSTS[0]}:{port}, {HOSTS[1]}:{port}, {HOSTS[2]}:{port} and 2 others: certificate ")
    else:
        assert [line.split(":")[0] for line in lines] == list(HOSTS), "in the order of the configuration"


def test_certificates_without_a_responder_are_one_line_at_info(hosts):
    server = hosts(leaf={"url": None})
    assert said(server) == []
    [line] = said(server, "notice")
    assert line.startswith("no certificate of this server names an OCSP responder")
    server.allow("AH01909")
    server.start()
    assert len(server.ours("notice", "no certificate of this server names an OCSP responder")) == 1
    assert "there is nothing to staple" in ctl(server, "list").out
    assert "there is nothing" not in ctl(server, "list", "--state", "no-responder").out
    [line] = said(server, "info")
    assert " and 2 others: " in line and " and 4 more: " in line and "names no OCSP responder" in line


def test_plain_hosts_inherit_without_a_word(hosts):
    """As with Debian's 000-default and conf/ocsp_cache.conf: SSLUseStapling stands outside of the host, which speaks no
    TLS."""
    server = hosts(directives=("SSLUseStapling on", "SSLStaplingFakeTryLater on",
                               "SSLStaplingReturnResponderErrors on"),
                   vhost={"stapling": None})
    plain = "\n".join((f"<VirtualHost *:{server.http_port}>", "ServerName plain.example.test", "</VirtualHost>"))
    server.config = replace(server.config, directives=(*server.config.directives, plain))
    assert server.check().lines == ["Syntax OK"]
    server.config = replace(server.config, vhosts=())
    assert server.check().lines == ["Syntax OK"], "no host has TLS"
    own = plain.replace("ServerName", "SSLUseStapling on\nServerName")
    server.config = replace(server.config, directives=("SSLUseStapling on", own))
    [line] = said(server)
    assert line.startswith("plain.example.test:") and "SSLUseStapling has no effect: SSLEngine is not on here" in line


@pytest.mark.parametrize("issuer", ["file", "chain", "ca"])
def test_issuer_is_found_where_mod_ssl_finds_it(hosts, issuer):
    assert said(hosts(vhost={"issuer": issuer})) == []


def test_issuer_in_a_folder_of_cas(hosts, folder, ca):
    cas = folder / "cas"
    cas.mkdir()
    server = hosts(vhost={"issuer": "none", "directives": (f'SSLCACertificatePath "{cas}"',)})
    lines = said(server)
    assert len(lines) == 1 and "openssl rehash" in lines[0], lines
    (cas / "issuer.pem").write_text(ca.cert_file.read_text())
    subprocess.run(["openssl", "rehash", str(cas)], check=True)
    assert said(server) == []


def test_missing_issuer_is_one_line(hosts):
    """With the first hosts and the count; what each host has instead is at info."""
    server = hosts(vhost={"issuer": "none"})
    [line] = said(server)
    for words in (f"{HOSTS[0]}:", " and 2 others: ", " and 4 more: ", "is missing: CN=Test Intermediate",
                  "SSLCertificateFile",
                  "SSLCertificateChainFile", "SSLCACertificateFile"):
        assert words in line, line
    each = [line for line in said(server, "info") if "the issuer's certificate is missing: " in line]
    assert [line.split(":")[0] for line in each] == list(HOSTS) and all("is needed" in line for line in each), each
    [line] = said(hosts(shared=True, vhost={"issuer": "none"}))
    assert "is needed" in line and " more: " not in line


@pytest.mark.asan
def test_what_cannot_be_read_is_said(hosts, folder, ca):
    leaf, junk = ca.leaf(HOST, url=URL), folder / "junk.pem"
    junk.write_text("-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n")
    server = hosts()
    vhost = Vhost(HOST, (leaf,))
    server.config = replace(server.config, vhosts=(*server.config.vhosts, replace(vhost, leaves=(
        replace(leaf, fullchain_file=junk),))))
    [line] = said(server)
    assert str(junk) in line and "PEM" in line
    server.config = replace(server.config, vhosts=(replace(vhost, leaves=(
        replace(leaf, fullchain_file="pkcs11:token=none;object=none"),)),))
    assert said(server) == [] and any("pkcs11:token=none" in line for line in said(server, "info"))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another account")
def test_files_that_this_user_may_not_read(hosts, ca):
    server = hosts(vhost={"issuer": "chain"})
    files = [vhost.leaves[0].cert_file for vhost in server.config.vhosts]
    user = unprivileged_user()
    ours = [line for line in said(server, user=user) if "SSLStaplingCache" not in line]
    assert ours == []
    try:
        for file in files:
            file.chmod(0o600)
        [line] = [line for line in said(server, user=user) if "SSLStaplingCache" not in line]
        assert "cannot read SSLCertificateFile" in line and "Permission denied" in line and " and 2 others" in line
        assert said(server) == [], "root can"
        for file in files:
            file.chmod(0o644)
        ca.cert_file.chmod(0o600)
        [line] = [line for line in said(server, user=user) if "SSLStaplingCache" not in line]
        assert str(ca.cert_file) in line and "cannot read" in line
    finally:
        for file in (*files, ca.cert_file):
            file.chmod(0o644)


def test_https_by_its_port_alone(hosts, ca):
    """mod_ssl switches SSLEngine on for `Listen ... https`, and not for http."""
    server, leaf = hosts(), ca.leaf(HOST, url=URL, days=0.01)
    for port, words in ((server.https_port, ["it expired on"]), (server.http_port, [])):
        server.config = replace(server.config, vhosts=(), directives=(
            "SSLUseStapling on", f"<VirtualHost *:{port}>", f"ServerName {HOST}",
            f'SSLCertificateFile "{leaf.cert_file}"',
            f'SSLCertificateKeyFile "{leaf.key_file}"', "</VirtualHost>"))
        lines = said(server)
        assert len(lines) == len(words) and all(word in line for word, line in zip(words, lines)), lines


# ---- directives ----

@pytest.mark.parametrize("vhost, words", [
    ({"stapling": False, "directives": ("SSLStaplingForceURL http://a.test/", "SSLStaplingResponderTimeout 3")},
     "SSLStaplingResponderTimeout, SSLStaplingForceURL have no effect: SSLUseStapling is not on here"),
    ({"directives": ("SSLEngine off", "SSLStaplingErrorCacheTimeout 3")},
     "SSLUseStapling, SSLStaplingErrorCacheTimeout have no effect: SSLEngine is not on here"),
    ({"directives": ("SSLStaplingFakeTryLater on",)}, "SSLStaplingReturnResponderErrors On"),
    ({"directives": ("SSLStaplingStandardCacheTimeout 60",)}, "OCSPCacheRefreshInterval, 300 s"),
    ({"directives": ("SSLStaplingStandardCacheTimeout 0",)}, "SSLStaplingStandardCacheTimeout 0 has no effect"),
    ({"directives": ("SSLStaplingResponderTimeout 0",)}, "SSLStaplingResponderTimeout 0 has no effect"),
    ({"directives": ("SSLOCSPProxyURL ftp://user:secret@proxy.test:3128",)}, "SSLOCSPProxyURL"),
])
def test_directives_without_effect(hosts, vhost, words):
    server = hosts(vhost=vhost)
    [line] = said(server)
    assert words in line and " and 2 others: " in line, line
    assert "secret" not in line


@pytest.mark.parametrize("directives, vhost", [
    (("SSLStaplingFakeTryLater on", "SSLStaplingReturnResponderErrors on"), {}),
    (("SSLStaplingFakeTryLater on",), {"directives": ("SSLStaplingReturnResponderErrors on",)}),
    (("SSLStaplingForceURL http://a.test/", "SSLStaplingStandardCacheTimeout 7200"), {}),
    (("SSLUseStapling off",), {"stapling": False}),
    (("SSLOCSPProxyURL http://user:pass@proxy.test:3128",), {}),
])
def test_directives_with_effect(hosts, directives, vhost):
    assert said(hosts(directives=directives, vhost=vhost)) == []


def test_outside_of_any_host(hosts):
    [line] = said(hosts(directives=("SSLStaplingFakeTryLater on",)))
    assert "SSLStaplingFakeTryLater On has no effect" in line
    [line] = said(hosts(vhost={"stapling": None}))
    assert "SSLUseStapling is not set anywhere" in line


def test_no_cache_at_all(hosts):
    """mod_ssl's own test passes, and then the server does not start (AH01958)."""
    server = hosts(cache=None)
    [line] = said(server)
    assert "SSLStaplingCache is missing" in line and "Write `SSLStaplingCache ocsp_cache`" in line \
        and " and 2 others: " in line
    server.config = replace(server.config,
                            vhosts=tuple(replace(vhost, stapling=None) for vhost in server.config.vhosts))
    assert said(server) == []


def test_responder_that_no_certificate_names(hosts):
    one = f"OCSPCacheResponder {URL} http://mirror.test/"
    other = "OCSPCacheResponder http://ocsp.example.test http://m.test/"
    assert said(hosts(directives=(one,))) == []
    [line] = said(hosts(directives=(one, other)))
    assert line.startswith("OCSPCacheResponder http://ocsp.example.test has no effect") and f"they name {URL}." in line
    [line] = said(hosts(directives=(one,), vhost={"directives": ("SSLStaplingForceURL http://a.test/",)}))
    assert "no certificate names this URL. Write" in line


# ---- mod_md ----

MD = ('MDStoreDir "run/md"',)


@pytest.mark.parametrize("directives, vhost, level, words", [
    (("MDStapling on",), {}, "warn", "MDStapleOthers off"),
    ((f"MDomain {' '.join(HOSTS)}", "MDStapling on"), {}, "info", "which it manages"),
    ((f"<MDomain {HOSTS[0]} manual>", f"MDMembers {' '.join(HOSTS[1:])}", "MDStapling on", "</MDomain>"), {}, "info",
     "which it manages"),
    (("<MDomainSet *.example.test>", "MDStapling on", "</MDomainSet>"), {}, "info", "which it manages"),
    ((f"MDomain {' '.join(HOSTS)}", "MDStapling on"), {"directives": ("SSLStaplingErrorCacheTimeout 3",)}, "warn",
     "SSLStaplingErrorCacheTimeout has no effect: mod_md staples"),
])
def test_mod_md_staples(hosts, directives, vhost, level, words):
    server = hosts(modules=("md",), directives=(*MD, *directives), vhost=vhost)
    lines = [line for line in said(server, level) if "mod_md" in line]
    assert len(lines) == 1 and words in lines[0] and " and 2 others: " in lines[0], lines
    assert level == "warn" or said(server) == []


@pytest.mark.parametrize("directives, vhost", [
    ((f"MDomain {' '.join(HOSTS)}",), {}),
    (("MDStapling on", "MDStapleOthers off"), {}),
    (("MDStapling on",), {"directives": ("MDStapling off",)}),
    (("MDStapling off", "MDomain other.test"), {}),
])
def test_mod_md_leaves_them_to_us(hosts, directives, vhost):
    server = hosts(modules=("md",), directives=(*MD, *directives), vhost=vhost)
    assert said(server) == [] and not any("mod_md" in line for line in said(server, "info"))


def test_certificates_from_mod_md_are_not_checked(hosts):
    server = hosts(modules=("md",), directives=(*MD, f"MDomain {HOSTS[0]}"))
    server.config = replace(server.config, vhosts=(*server.config.vhosts[1:], Vhost(HOSTS[0], ())))
    assert said(server) == []
    [line] = said(server, "info")
    assert line.startswith(HOSTS[0]) and "comes from mod_md" in line


# ---- stored responses ----

def test_stored_responses_that_run_out(site, clock):
    one = site(environment=clock.environment)
    one.server.start()
    one.wait_staple()
    one.server.stop()
    assert said(one.server) == []
    clock.set(DAY * 7 // 8)
    [line] = said(one.server)
    assert "expires soon" in line and HOST in line and one.leaf.serial_hex in line and "DUMP_OCSP_CACHE" in line
    clock.set(DAY * 2)
    [line] = said(one.server)
    assert "has expired" in line
    one.server.config = one.changed(directives=("OCSPCacheExpiryWarning 0",))
    clock.set(DAY * 7 // 8)
    assert said(one.server) == [], "OCSPCacheExpiryWarning 0: never"


def test_why_it_was_not_renewed(site, clock):
    one = site(environment=clock.environment)
    one.server.start()
    one.wait_staple()
    one.server.stop()
    one.responder.script = responders.http_status(503)
    clock.set(DAY * 7 // 8)
    one.server.allow(r"\[ocsp_cache:warn\] .*Stapling continues with the stored response")
    one.server.start()
    one.server.wait_log("Stapling continues with the stored response", "warn")
    line = next(line for line in said(one.server) if "expires soon" in line)
    assert "The last attempt failed: the responder answered with an HTTP error" in line


def test_cache_that_is_too_small_names_a_size_that_does(httpd, ca):
    leaves = [ca.leaf(f"n{n}.example.test", url=URL) for n in range(30)]
    server = httpd(Config(cache="ocsp_cache:cache/staples(65536)",
                          vhosts=tuple(Vhost(f"n{n}.example.test", (leaf,)) for n, leaf in enumerate(leaves))))
    [line] = said(server)
    assert "too small" in line and "30 certificates" in line
    size = int(re.search(r"a size of (\d+) or more", line)[1])
    server.config = replace(server.config, cache=f"ocsp_cache:cache/staples({size})")
    assert said(server) == []
    server.config = replace(server.config, cache=f"ocsp_cache:cache/staples({size - 32768})")
    assert len(said(server)) == 1
