# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""One cause, one warning: a responder that many certificates share does not answer, and answers again."""

from collections import Counter

import responders
from conftest import NOTHING_HELD, QUICK
from httpd import Config, Httpd, Vhost
from wait import poll

FAILED = r": certificate .*There is no valid response to staple"
AGAIN = "gives valid responses again"


def levels(server: Httpd, url: str) -> Counter:
    """Of the first failures of all certificates, by responder."""
    return Counter(line.level for line in server.ours(("info", "warn"), FAILED) if url in line.text)


def test_a_dead_responder_is_one_warning_for_all_of_its_certificates(httpd, responder, ca):
    """40 certificates of one responder that is dead, 3 of one that fails in another way, and 1 of a third one."""
    dead, failing, alone = responder(), responder(responders.http_status(500)), responder(responders.try_later())
    dead.refuse()
    counts = (dead, 40), (failing, 3), (alone, 1)
    urls = {f"host{i}.of{number}.example": one.url for number, (one, count) in enumerate(counts) for i in range(count)}
    vhosts = tuple(Vhost(host, (ca.leaf(host, url=url),)) for host, url in urls.items())
    server = httpd(Config(vhosts=vhosts, directives=QUICK, cache="ocsp_cache:cache/staples(2000000)"))
    server.expect(NOTHING_HELD)
    server.start()
    for one, count in counts:
        poll(lambda: sum(levels(server, one.url).values()) >= count, f"{count} failures of {one.url}", 30)
        assert levels(server, one.url) == Counter({"warn": 1, **({"info": count - 1} if count > 1 else {})})
    warnings = {line.text for line in server.ours("warn", FAILED)}
    extents = [text.partition(" certificates use this responder (")[2] for text in warnings if dead.url in text]
    assert extents[0].count(".of0.example:") == 3 and "and 37 more): " in extents[0], extents
    assert any("3 certificates use this responder" in text for text in warnings if failing.url in text)
    assert not any("use this responder" in text for text in warnings if alone.url in text)

    for one, _ in counts:
        one.script = responders.good()
    dead.accept()
    for host in urls:
        server.wait_staple(host)
    for one, count in counts[:2]:
        line, = [line for line in server.ours("notice", AGAIN) if one.url in line.text]
        assert f"it did not for {count} certificates" in line.text, line
    assert not [line for line in server.ours("notice", AGAIN) if alone.url in line.text]
    reports = [alone.url in line.text for line in server.ours("notice", "reports good")]
    assert reports == [True], "a certificate on its own; the notices of the outages are about the others"
    assert len(server.ours("info", "reports good")) == 43


def test_a_certificate_that_never_gets_a_response_hides_no_outage(httpd, responder, ca):
    """The responder knows one of its certificates no more; later it fails for all of them: a warning each, and the
    RSA and ECDSA certificates of one host are named once."""
    one = responder()
    bad, pair = ca.leaf("bad.example", url=one.url), (ca.leaf("two.example", url=one.url),
                                                      ca.leaf("two.example", url=one.url, key="rsa"))
    fails, works = responders.http_status(500), responders.good(next_update=4)
    one.script = lambda exchange: (fails if exchange.leaf is bad else works)(exchange)
    server = httpd(Config(vhosts=(Vhost("bad.example", (bad,)), Vhost("two.example", pair)),
                          cache="ocsp_cache:cache/staples(100000)", directives=QUICK))
    server.expect(NOTHING_HELD)
    server.allow(r"\[ocsp_cache:warn\] .*Stapling continues")
    server.start()
    server.wait_log("bad.example.* 3 certificates use this responder \\(", "warn")
    known = len(server.ours(pattern="reports good"))
    poll(lambda: len(server.ours(pattern="reports good")) >= known + 2, "the other two are renewed")
    one.script = fails
    server.wait_log("two.example.*There is no valid response.*3 certificates use this responder", "warn", deadline=30)
    assert len(server.ours("warn", FAILED)) == 2
    one.script = responders.good()
    server.wait_staple("bad.example")
    assert server.ours("notice", AGAIN), "and its end"
