# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The block in mod_status: a summary, and what needs attention."""

import re
from dataclasses import replace

import pytest

import responders
from conftest import CACHE, HOST, NOTHING_HELD, QUICK
from httpd import Config, Vhost
from status_page import Page
from wait import poll


def ours(server) -> list[str]:
    """The lines of this module in ?auto."""
    return [line for line in server.status_page("?auto").splitlines() if re.match(r"OCSP", line)]


def values(server) -> dict[str, str]:
    lines = ours(server)
    assert all(re.match(r"\w+: \S", line) for line in lines), lines
    return dict(line.split(": ", 1) for line in lines)


@pytest.mark.asan
def test_all_is_well(site):
    """A summary, without single certificates."""
    one = site()
    one.server.start()
    one.wait_staple()
    page = Page(one.server.status_page())
    assert re.search(r"Certificates: 1; stapled: 1, without a responder: 0. Attention needed: 0", page.text), page.text
    assert '<a href="/ocsp-cache-status">All certificates</a>' in one.server.status_page()
    assert str(one.server.cache_folder / "staples") in page.text
    assert HOST not in page.text and one.leaf.serial_hex not in page.text
    seen = values(one.server)
    assert [seen["OCSPCacheCertificates" + kind] for kind in ("", "Stapled", "Warning", "Critical")] \
        == ["1", "1", "0", "0"]
    assert 86000 < int(seen["OCSPCacheNextExpiry"]) <= 86400
    assert seen["OCSPCacheRequestsSucceeded"] == "1" and seen["OCSPCacheRequestsFailed"] == "0"
    assert seen["OCSPCacheFile"] == str(one.server.cache_folder / "staples")
    assert int(seen["OCSPCacheStapled"]) >= 1
    assert not [key for key in seen if re.search(r"\d", key)], "facts about single certificates are elsewhere"


def test_before_the_first_answer_and_after_a_failure(site):
    one = site(responders.hang(), directives=("SSLStaplingResponderTimeout 2", "SSLStaplingErrorCacheTimeout 1"))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.responder.wait_asked()
    assert one.leaf.serial_hex in Page(one.server.status_page()).text
    assert values(one.server)["OCSPCacheNextExpiry"] == "-1"
    one.server.wait_log(one.leaf.serial_hex, ("info", "notice", "warn", "error"))
    page = Page(one.server.status_page())
    assert HOST in page.text and re.search(r"(?i)in time", page.text), page.text
    seen = values(one.server)
    assert seen["OCSPCacheCertificatesWarning"] == "1" and int(seen["OCSPCacheRequestsFailed"]) >= 1


def test_revoked_is_shown(site):
    one = site(responders.revoked())
    one.server.expect(r"\[ocsp_cache:crit\] ")
    one.server.start()
    one.wait_staple("revoked")
    assert "revoked" in Page(one.server.status_page()).text
    assert values(one.server)["OCSPCacheCertificatesCritical"] == "1"


def test_certificate_without_responder_needs_nothing(site):
    one = site(leaf={"url": None})
    one.server.start()
    text = Page(one.server.status_page()).text
    assert "without a responder: 1" in text and one.leaf.serial_hex not in text


def test_error_of_the_last_fetch_beside_a_good_staple(site):
    one = site(directives=QUICK)
    one.server.start()
    one.wait_staple()
    one.responder.script = responders.try_later()
    poll(lambda: re.search(r"Attention needed: 0.* succeeded, [1-9]\d* failed", Page(one.server.status_page()).text,
                           re.S), "a short outage is only counted")
    one.responder.script = responders.unauthorized()
    one.server.wait_log("not authorized to answer")
    text = Page(one.server.status_page()).text
    assert re.search(r"\bgood\b", text) and "in a row failed" in text, text


def test_twenty_rows_the_worst_first(site, ca):
    """One certificate is revoked; the responder of all others has no good response."""
    one = site(responders.try_later())
    worst = one.leaf
    good = one.responder.script
    one.responder.script = lambda exchange: (responders.revoked() if exchange.leaf is worst else good)(exchange)
    others = tuple(Vhost(f"h{i}.example.test", (ca.leaf(f"h{i}.example.test", url=one.responder.url),))
                   for i in range(25))
    one.server.config = one.changed(vhosts=(*others, *one.server.config.vhosts),
                                    cache="ocsp_cache:cache/staples(1048576)")
    one.server.expect(NOTHING_HELD, r"\[ocsp_cache:crit\] ")
    one.server.start()
    poll(lambda: values(one.server)["OCSPCacheCertificatesCritical"] == "1"
         and int(values(one.server)["OCSPCacheRequestsFailed"]) >= 25, "all were asked")
    page = Page(one.server.status_page())
    assert page.text.count("serial ") == 20 and "and 6 more" in page.text
    assert page.text.index(worst.serial_hex) < page.text.index("h0.example.test"), "the critical one first"


def test_link_to_the_page(httpd, ca, responder):
    """Where the configuration has the page, the block links to it; a page on another host, or on a pattern, is not
    linked."""
    def page(section: str) -> tuple[str, ...]:
        return (section, "SetHandler ocsp-cache-status", "</" + section[1:].split()[0] + ">")

    one = Vhost(HOST, (ca.leaf(HOST, url=responder().url),), directives=page('<Location "/elsewhere">'))
    block = ('<Location "/server-status">', "SetHandler server-status", "Require all granted", "</Location>")
    config = Config(vhosts=(one,), cache=CACHE, status=False, modules=("status",),
                    directives=(*block, *page('<LocationMatch "^/x">')))
    server = httpd(config)
    server.start()
    seen = server.status_page().split("OCSP Stapling")[1]
    assert "SetHandler ocsp-cache-status" in seen and "<a href" not in seen
    server.graceful(replace(config, directives=(*config.directives, *page('<Location "/a/stapling&status">'))))
    assert '<a href="/a/stapling&amp;status">All certificates</a>' in server.status_page()


@pytest.mark.asan
def test_subject_is_escaped(site):
    one = site(responders.try_later(), leaf={"common_name": "<script>alert('x')</script>&amp;\n\"q\""})
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.server.wait_log("There is no valid response", "warn")
    raw = one.server.status_page()
    page = Page(raw)
    assert "<script>alert" not in raw and "script" not in page.tags
    assert "script" in page.text, "it is shown, escaped"
    assert values(one.server)


def test_silent_without_our_provider(site):
    one = site(cache="shmcb:run/staples(128000)")
    one.server.start()
    assert ours(one.server) == []
    assert "OCSP" not in Page(one.server.status_page("?notable")).text.split("Scoreboard")[0]
