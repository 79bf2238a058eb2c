# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A certificate whose issuer mod_ssl does not find is never primed. Every report shows it."""

import json
from dataclasses import replace

import pytest

import pki
from cachectl import ctl
from conftest import CACHE, HOST
from httpd import Config, Vhost
from status_page import DIRECTIVES, Page, ask, certificates

MISSING = r"AH02217|AH02604|nothing is stapled for .* does not find the certificate of the issuer"


@pytest.fixture
def lost(httpd, ca, responder):
    """One host whose issuer is not configured has three certificates: a Must-Staple one, an ordinary one, and one
    without a responder, which needs no issuer. Another host is in order."""
    answering = responder()
    leaves = {"must": ca.leaf("must.example.test", url=answering.url, must_staple=True),
              "usual": ca.leaf("usual.example.test", url=answering.url), "silent": ca.leaf("silent.example.test"),
              "good": ca.leaf(HOST, url=answering.url)}
    vhosts = (Vhost(HOST, (leaves["good"],)), *(Vhost(f"{name}.example.test", (leaves[name],), issuer="none")
                                                for name in ("must", "usual", "silent")))
    server = httpd(Config(vhosts=vhosts, cache=CACHE, log_level="info", directives=DIRECTIVES[:5]))
    server.allow(MISSING)
    server.start()
    server.leaves = leaves
    return server


@pytest.mark.asan
def test_every_report_shows_it(lost):
    seen = {host.split(".")[0]: one for host, one in certificates(lost).items()}
    assert {name: (one["state"], one["attention"]) for name, one in seen.items() if name != "www"} == {
        "must": ("no-issuer", "critical"), "usual": ("no-issuer", "warning"), "silent": ("no-responder", "none")}
    assert "CN=Test Intermediate" in seen["must"]["reason"] and "SSLCertificateFile" in seen["must"]["reason"]
    metrics = ask(lost, "?format=prometheus").body
    label = f'{{host="{seen["must"]["host"]}",serial="{seen["must"]["serial"]}"'
    assert f"ocsp_cache_certificate_attention{label}}} 2\n" in metrics
    assert f'ocsp_cache_certificate_state{label},state="no-issuer"}} 1\n' in metrics
    assert f"ocsp_cache_response_remaining_seconds{label}}} 0\n" in metrics, \
        "the alert for hosts without a staple fires"
    assert "ocsp_cache_response_remaining_seconds" + label.replace("must", "silent") not in metrics
    assert 'ocsp_cache_certificates{state="no-issuer"} 2\n' in metrics
    page = Page(ask(lost, "?state=no-issuer").body).text
    assert "must.example.test" in page and "usual.example.test" in page
    one = Page(ask(lost, "?id=" + seen["must"]["sha1"]).body).text
    assert "CN=Test Intermediate" in one and "no-issuer" in one
    assert ask(lost, "?format=der&id=" + seen["must"]["sha1"]).status == 404
    automatic = lost.status_page("?auto")
    assert "OCSPCacheCertificates: 4\n" in automatic and "OCSPCacheCertificatesCritical: 1\n" in automatic
    assert "must.example.test" in Page(lost.status_page()).text


def test_the_log_names_host_certificate_and_issuer(lost):
    text = lost.wait_log("nothing is stapled for", "warn").text
    for wanted in ("must.example.test", "usual.example.test", lost.leaves["must"].serial_hex, "CN=Test Intermediate",
                   "Must-Staple", "SSLCertificateChainFile"):
        assert wanted in text, wanted
    assert "silent.example.test" not in text, "nothing could be stapled for it anyway"


def test_the_dump_agrees(lost):
    done = lost.dump("DUMP_OCSP_CACHE_JSON")
    states = {one["host"].split(".")[0]: (one["state"], one["attention"])
              for one in json.loads(done.stdout)["certificates"]}
    assert states["must"] == ("no-issuer", "critical") and states["usual"] == ("no-issuer", "warning")
    assert states["silent"] == ("no-responder", "none")


def test_the_tool_agrees(lost):
    seen = {one["host"].split(".")[0]: (one["state"], one["attention"])
            for one in ctl(lost, "list", "--json").json["certificates"]}
    assert seen["must"] == ("no-issuer", "critical") and seen["usual"] == ("no-issuer", "warning")
    assert seen["silent"] == ("no-responder", "none")
    found = ctl(lost, "list", "--state", "no-issuer", "--json").json["certificates"]
    assert {one["state"] for one in found} == {"no-issuer"} and len(found) == 2
    done = ctl(lost, "check")
    assert done.code == 2 and "must.example.test" in done.out, str(done)
    assert "CN=Test Intermediate" in done.out
    refused = ctl(lost, "refresh", "must.example.test")
    assert refused.code != 0 and "certificate of its issuer" in refused.out + refused.err


def test_one_of_two_certificates_of_a_host(httpd, ca, responder):
    """RSA and ECDSA, one of them without its chain: the other is stapled."""
    answering = responder()
    whole, lost = (ca.leaf(HOST, key=key, url=answering.url) for key in ("rsa", "ec"))
    vhost = Vhost(HOST, (whole,), directives=(f'SSLCertificateFile "{lost.cert_file}"',
                                              f'SSLCertificateKeyFile "{lost.key_file}"'))
    server = httpd(Config(vhosts=(vhost,), cache=CACHE, directives=DIRECTIVES[:4]))
    server.allow(MISSING)
    server.start()
    found = ask(server, "?format=json").json()["certificates"]
    assert {one["serial"]: one["state"] == "no-issuer" for one in found} \
        == {whole.serial_hex: False, lost.serial_hex: True}


def test_it_goes_when_the_issuer_is_there(lost):
    lost.graceful(replace(lost.config, vhosts=tuple(replace(one, issuer="file") for one in lost.config.vhosts)))
    states = {one["state"] for one in certificates(lost).values()}
    assert "no-issuer" not in states


def test_nothing_is_missed_for_a_self_signed_certificate(httpd, ca, responder, folder):
    """As on a fresh Debian: no CA could report its status, even where responses are looked for in a folder."""
    alone = pki.Authority.root(folder / "pki", "snakeoil")
    key_file = folder / "snakeoil.key"
    key_file.write_text(pki._key_pem(alone.key))
    own = pki.Leaf(alone.cert, alone.key, alone, alone.cert_file, key_file, alone.cert_file)
    responses = folder / "responses"
    responses.mkdir()
    vhosts = (Vhost(HOST, (ca.leaf(HOST, url=responder().url),)), Vhost("new.example.test", (own,)))
    server = httpd(Config(vhosts=vhosts, cache=CACHE,
                          directives=(*DIRECTIVES[:4], f"OCSPCacheResponseFolder {responses}")))
    server.allow("AH02217|AH02604|AH01906|AH01909")  # mod_ssl's
    assert [line for line in server.check().lines if "ocsp_cache:warn" in line] == []
    server.start()
    states = {host.split(":")[0]: (one["state"], one["attention"]) for host, one in certificates(server).items()}
    assert states["new.example.test"] == ("no-responder", "none"), states
    assert not server.ours("warn")
