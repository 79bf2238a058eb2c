# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The status page in a real browser: what a person sees and does, with and without scripts, and no errors in the
console."""

import re
import urllib.parse
from typing import Iterator

import pytest

import responders
from browser import Browser
from selenium.webdriver.support.select import Select
from status_page import PATH, Cast, cast, certificates
from wait import holds, poll

HOSTS = "tbody th a"


@pytest.fixture(scope="module")
def stage(workplace, root_ca, ca) -> Iterator[Cast]:
    made = cast(workplace / "status-browser", root_ca, ca, n_good=202, directives=("OCSPCacheStatusRefresh On",))
    yield made
    made.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium, stage) -> Iterator[Browser]:
    """The default state: wide, light, scripts on. No errors in the console afterwards."""
    chromium.size(1280)
    chromium.scheme("light")
    yield chromium
    problems = chromium.problems()
    chromium.scripts(True)
    chromium.open("about:blank")
    assert problems == []


def url(stage: Cast, query: str = "") -> str:
    return f"http://127.0.0.1:{stage.server.http_port}{PATH}{query}"


def look(browser: Browser, stage: Cast, query: str = "") -> None:
    """Open the page and pause it: elements that a test holds are replaced only when the test itself changes the
    page."""
    browser.open(url(stage, query))
    browser.run("document.getElementById('live').click()")
    assert browser.run("document.getElementById('live').textContent") == "Paused"


def hosts(browser: Browser) -> list[str]:
    return [name.split(".")[0]
            for name in browser.run(f"[...document.querySelectorAll('{HOSTS}')].map(a => a.textContent)")]


def query_of(browser: Browser) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(browser.driver.current_url).query))


# ---- what is seen ----

def test_first_look(browser, stage):
    look(browser, stage)
    assert browser.driver.title.startswith("(3) OCSP stapling")
    cards = [card.text for card in browser.all(".card")]
    assert [re.search(r"\w+", card)[0] for card in cards] == ["revoked", "must", "busy"]
    assert all("Refresh now" in card for card in cards)
    assert len(hosts(browser)) == 100 and "Page 1 of 3" in browser.one(".pager").text
    top = [browser.one(selector).rect["y"] for selector in (".tiles", ".cards", ".filter", "table")]
    assert top == sorted(top), "what needs attention is above the list"


def test_names_are_text(browser, stage):
    look(browser, stage, "?q=evil")
    assert r"<script\>alert('x')\</script\>" in browser.one("tbody").text, "as RFC 2253 writes it"
    assert browser.run("document.scripts.length") == 1


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_is_wider_than_the_window(browser, stage, width):
    browser.size(width)
    for query in ("", "?q=evil", "?state=none",
                  "?id=" + certificates(stage.server, "&q=evil")["evil.example.test"]["sha1"]):
        look(browser, stage, query)
        assert browser.run("document.documentElement.scrollWidth") <= width, query
        wide = browser.run("[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > "
                           f"{width} + 1).map(e => e.outerHTML.slice(0, 80))")
        assert wide == []


LUMINANCE = """(() => {
  const linear = value => (value /= 255) <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const color = parse(getComputedStyle(element).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const element of document.querySelectorAll('main *, header *, footer')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !element.getClientRects().length || element.closest('svg, option')) continue;
    const [one, two] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (one + .05) / (two + .05);
    if (ratio < 4.5) bad.push(element.className + ' ' + element.textContent.slice(0, 30) + ' ' + ratio.toFixed(2));
  }
  return bad;
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(browser, stage, scheme):
    browser.scheme(scheme)
    for query in ("", "?id=" + certificates(stage.server, "&q=must")["must.example.test"]["sha1"]):
        look(browser, stage, query)
        red = int(re.findall(r"\d+", browser.run("getComputedStyle(document.body).backgroundColor"))[0])
        assert red < 60 if scheme == "dark" else red > 200
        assert browser.run(LUMINANCE) == [], "WCAG 2.1 AA: a contrast of 4.5 to 1"


def test_everything_has_a_name(browser, stage):
    look(browser, stage)
    assert browser.run("document.documentElement.lang") == "en"
    for selector in ("input:not([type=hidden])", "select", "button", "a", "nav", "svg[role=img]"):
        elements = browser.all(selector)[:30]
        assert elements, selector
        assert all(element.accessible_name for element in elements if element.is_displayed()), selector
    label = browser.one("tbody svg").get_attribute("aria-label")
    assert re.fullmatch(
        r"thisUpdate \S+ \S+ UTC; nextUpdate \S+ \S+ UTC; usable until .* UTC \(5 d \d+ h left\); next refresh in .*",
        label)


def test_the_time_line_is_to_scale(browser, stage):
    look(browser, stage, "?q=good0.")
    axis, past, now = (browser.one(f"tbody .{name}").rect for name in ("t-axis", "t-past", "t-now"))
    assert 0.10 < (now["x"] - axis["x"]) / axis["width"] < 0.18, "a day of seven is over"
    assert abs(past["x"] + past["width"] - now["x"]) < 3
    following = browser.one("tbody .t-next").rect
    assert now["x"] < following["x"] < axis["x"] + axis["width"] * 0.6


# ---- what is done ----

def test_filter_while_typing(browser, stage):
    look(browser, stage)
    field = browser.one("input[name=q]")
    field.send_keys("good20")
    browser.wait(lambda: hosts(browser) == ["good20", "good200", "good201"], "the list is filtered")
    assert query_of(browser) == {"q": "good20"} and field.get_attribute("value") == "good20"
    assert browser.run("document.activeElement.name") == "q", "the field keeps the focus"
    field.clear()
    browser.wait(lambda: len(hosts(browser)) == 100, "the whole list: a click would miss what moves when it comes")
    Select(browser.one("select[name=state]")).select_by_value("no-responder")
    browser.wait(lambda: hosts(browser) == ["nobody"], "the list is filtered by state")
    Select(browser.one("select[name=state]")).select_by_value("")
    browser.wait(lambda: len(hosts(browser)) == 100, "the whole list")
    browser.one("input[name=attention]").click()
    browser.wait(lambda: hosts(browser) == ["busy", "revoked", "must"], "by attention")


def test_sort_and_pages(browser, stage):
    look(browser, stage)
    browser.run("window.same = true")
    browser.one("thead a").click()
    browser.wait(lambda: hosts(browser)[:2] == ["busy", "evil"], "sorted by host")
    assert browser.one("thead th").get_attribute("aria-sort") == "ascending"
    browser.one("thead a").click()
    browser.wait(lambda: hosts(browser)[:2] == ["revoked", "nobody"], "the other way round")
    assert browser.one("thead th").get_attribute("aria-sort") == "descending"
    next(link for link in browser.all(".pager a") if link.text == "Next").click()
    browser.wait(lambda: "Page 2 of 3" in browser.one(".pager").text, "the second page")
    assert query_of(browser) == {"sort": "-host", "page": "2"}
    browser.driver.back()
    browser.wait(lambda: hosts(browser)[:1] == ["revoked"], "back to the first")
    assert browser.run("window.same") is True, "all of it without loading the page again"


def test_it_renews_itself(browser, stage):
    browser.open(url(stage, "?q=good1"))
    seen = browser.run("document.getElementById('as-of').textContent")
    browser.run("document.querySelector('thead a').focus()")
    browser.wait(lambda: browser.run("document.getElementById('as-of').textContent") != seen, "renewed by itself")
    assert browser.run("document.activeElement.textContent") == "Host, certificate", "what has the focus keeps it"
    button = browser.one("#live")
    button.click()
    assert button.text == "Paused" and button.get_attribute("aria-pressed") == "false"
    paused = browser.run("document.getElementById('as-of').textContent")
    holds(lambda: browser.run("document.getElementById('as-of').textContent") == paused, "it is paused", 6)
    button.click()
    browser.wait(lambda: browser.run("document.getElementById('as-of').textContent") != paused, "and continues")


def test_an_update_that_fails(browser, stage):
    """What the user chose is shown as soon as the server answers again."""
    look(browser, stage)
    browser.offline(True)
    try:
        browser.one("input[name=q]").send_keys("good20")
        browser.wait(lambda: browser.one("#trouble").text == "The page could not be updated (Failed to fetch).",
                     "a paused page promises nothing")
        browser.one("#live").click()
        browser.wait(lambda: browser.one("#trouble").text.endswith("(Failed to fetch). Trying again."), "a live one does")
    finally:
        browser.offline(False)
    browser.wait(lambda: hosts(browser) == ["good20", "good200", "good201"], "it tries again, with the filter")
    assert browser.one("#trouble").text == ""
    assert all("ERR_INTERNET_DISCONNECTED" in problem for problem in browser.problems())


def test_ask_again(browser, stage):
    stage.busy.script = responders.good()
    try:
        look(browser, stage)
        n_before = len(stage.busy.asked)
        busy = next(card for card in browser.all(".card") if "busy." in card.text)
        busy.find_element("css selector", "button").click()
        browser.wait(lambda: "refresh was requested" in browser.one(".notice[role=status]").text, "it is said")
        poll(lambda: len(stage.busy.asked) > n_before, "the responder is asked")
        browser.wait(lambda: browser.one("#detail h2 .badge").text == "good",
                     "the page shows the answer without being loaded again")
        assert "notice" not in query_of(browser)
    finally:
        stage.busy.script = responders.try_later()


# ---- what must not be ----

def test_the_policy_is_in_force(browser, stage):
    """A control for the other tests here: a violation of the policy is detected."""
    look(browser, stage)
    browser.run(
        "void document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))")
    browser.run("document.body.setAttribute('style', 'color: red')")
    seen: set[str] = set()
    browser.wait(lambda: seen.update(one.split()[0] for one in browser.problems())
                 or {"script-src-elem", "style-src-attr"} <= seen,
                 "both breaches are told")
    assert browser.run("window.ran") is None


def test_another_site_cannot_ask(browser, stage):
    look(browser, stage)
    token = browser.one("input[name=token]").get_attribute("value")
    one = certificates(stage.server, "&q=good7.")["good7.example.test"]
    n_before = len(stage.good.asked)
    for here, expected in (("localhost", "comes from another site"), ("127.0.0.1", "refresh was requested")):
        browser.open(f"http://{here}:{stage.server.http_port}/index.html")
        browser.run(f"""(() => {{
          document.body.innerHTML = '<form method="post" action="{url(stage)}"><input name="token" value="{token}">'
            + '<input name="id" value="{one["sha1"]}"></form>';
          document.forms[0].submit();
        }})()""")
        browser.wait(lambda: expected in browser.one("body").text, f"from {here}: {expected}")
        asked = len(stage.good.asked) - n_before
        assert asked == 0 or here == "127.0.0.1"
    poll(lambda: len(stage.good.asked) > n_before, "the control: from here it is followed")
    browser.problems()  # the refusal and a missing icon are in the console


# ---- without scripts ----

def test_without_scripts(browser, stage):
    browser.scripts(False)
    browser.open(url(stage))
    assert not browser.one("#live").is_displayed(), "no button that does nothing"
    browser.one("input[name=q]").send_keys("good20")
    browser.one(".filter button").click()
    browser.wait(lambda: len(browser.all(HOSTS)) == 3, "filtered")
    assert query_of(browser)["q"] == "good20" and browser.one("input[name=q]").get_attribute("value") == "good20"
    browser.one("thead a").click()
    browser.wait(lambda: query_of(browser).get("sort") == "host", "sorted")
    browser.one(HOSTS).click()
    browser.wait(lambda: browser.all("#detail"), "one certificate")
    assert "good20.example.test" in browser.one("#detail").text
    browser.one(".hint a").click()
    browser.wait(lambda: len(browser.all(HOSTS)) == 100, "all of them")
    next(link for link in browser.all(".pager a") if link.text == "Last").click()
    browser.wait(lambda: query_of(browser).get("page") == "3", "the last page")
