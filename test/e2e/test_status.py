# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The block in mod_status: what an administrator sees of each certificate."""

import html.parser
import re

import pytest

import responders
from conftest import HOST, NOTHING_HELD, QUICK


class Page(html.parser.HTMLParser):
    """The text of a page and the elements it is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def ours(server) -> list[str]:
    """Our lines of ?auto."""
    return [line for line in server.status_page("?auto").splitlines() if re.match(r"OCSP", line)]


@pytest.mark.asan
def test_both_forms_name_certificate_state_and_times(site):
    one = site()
    one.server.start()
    one.wait_staple()
    page = Page(one.server.status_page())
    assert HOST in page.text and one.leaf.serial_hex in page.text
    assert re.search(r"\bgood\b", page.text)
    assert re.search(r"(?i)next", page.text) and re.search(r"(?i)last error|last answer|last result", page.text)
    auto = "\n".join(ours(one.server))
    assert one.leaf.serial_hex in auto and HOST in auto, auto
    assert re.search(r"\bgood\b", auto)
    assert all(re.match(r"\w+: \S", line) for line in ours(one.server)), auto


def test_before_the_first_answer_and_after_a_failure(site):
    one = site(responders.hang(), directives=("SSLStaplingResponderTimeout 2", "SSLStaplingErrorCacheTimeout 1"))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.responder.wait_asked()
    assert one.leaf.serial_hex in Page(one.server.status_page()).text
    one.server.wait_log(one.leaf.serial_hex, ("info", "notice", "warn", "error"))
    page = Page(one.server.status_page())
    assert re.search(r"(?i)tim(e|ed)[ -]?out|in time", page.text), page.text
    assert re.search(r"(?i)tim(e|ed)[ -]?out|in time", "\n".join(ours(one.server)))


def test_revoked_is_shown(site):
    one = site(responders.revoked())
    one.server.expect(r"\[ocsp_cache:crit\] ")
    one.server.start()
    one.wait_staple("revoked")
    assert "revoked" in Page(one.server.status_page()).text
    assert "revoked" in "\n".join(ours(one.server))


def test_certificate_without_responder_is_listed_as_such(site):
    one = site(leaf={"url": None})
    one.server.start()
    assert one.leaf.serial_hex in Page(one.server.status_page()).text


def test_error_of_the_last_fetch_beside_a_good_staple(site):
    one = site(directives=QUICK)
    one.server.start()
    one.wait_staple()
    one.responder.script = responders.try_later()
    one.responder.wait_asked_again()
    one.responder.wait_asked_again()
    text = Page(one.server.status_page()).text
    assert re.search(r"\bgood\b", text) and re.search(r"(?i)try.?later", text), text


@pytest.mark.asan
def test_subject_is_escaped(site):
    one = site(leaf={"common_name": "<script>alert('x')</script>&amp;\n\"q\""})
    one.server.start()
    one.wait_staple()
    raw = one.server.status_page()
    page = Page(raw)
    assert "<script>alert" not in raw and "script" not in page.tags
    assert "script" in page.text, "it is shown, escaped"
    for line in ours(one.server):
        assert re.match(r"\w+: ", line), "a subject cannot begin a new line"


def test_silent_without_our_provider(site):
    one = site(cache="shmcb:run/staples(128000)")
    one.server.start()
    assert ours(one.server) == []
    assert "OCSP" not in Page(one.server.status_page("?notable")).text.split("Scoreboard")[0]
