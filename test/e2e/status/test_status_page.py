# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The status page as HTTP clients see it: arguments, headers, JSON, metrics, refreshing. In a browser:
test_status_browser.py."""

import base64
import hashlib
import re
import subprocess
import time
import urllib.request
from collections import Counter
from typing import Iterator

import pytest
from cryptography.x509 import ocsp

from conftest import CACHE, HOST
from httpd import Config, Vhost
from status_page import DIRECTIVES, PATH, Cast, Page, ask, cast, certificates, token_of
from wait import poll

ORDER = ["good0", "good1", "good2", "busy", "revoked", "must", "nobody", "evil"]


@pytest.fixture(scope="module")
def stage(workplace, root_ca, ca) -> Iterator[Cast]:
    """OCSPCacheStatusRefresh is off, its default."""
    made = cast(workplace / "status-page", root_ca, ca)
    yield made
    made.close()


def names(query: str, stage: Cast) -> list[str]:
    return [host.removesuffix(".example.test") for host in certificates(stage.server, query)]


# ---- the page ----

def test_headers_keep_the_page_to_itself(stage):
    answer = ask(stage.server)
    assert answer.status == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert not re.search(r"unsafe|\*|http|data:", answer.headers["content-security-policy"])
    for element in ("style", "script"):
        [text] = re.findall(rf"<{element}>(.*?)</{element}>", answer.body, re.S)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy[f"{element}-src"] == f"'sha256-{digest}'"
    markup = re.sub(r"<(style|script)>.*?</\1>", "", answer.body, flags=re.S)
    assert not re.search(r'\son\w+=|\sstyle=|javascript:|(src|href|action)="(?!\?|#)', markup), \
        "nothing inline or from elsewhere"


@pytest.mark.asan
def test_attention_comes_first_then_all(stage):
    text = Page(ask(stage.server).body).text
    assert text.index("revoked.example.test") < text.index("must.example.test") < text.index("busy.example.test")
    assert text.index("busy.example.test") < text.index("good0.example.test"), "what needs attention is on top"
    for host, leaf in stage.leaves.items():
        assert host in text and leaf.serial_hex in text
    assert "install a new one with a new key" in text, "and what to do is said"
    assert "Refresh now" not in text and 'method="post"' not in text


def test_names_are_text(stage):
    for query in ("", "?q=evil", "?id=" + certificates(stage.server)["evil.example.test"]["sha1"]):
        body = ask(stage.server, query).body
        assert body.count("<script") == 1 and "alert('x')</script>" not in body
        assert "alert('x')" in Page(body).text, "it is shown, as text"


def test_search_text_comes_back_as_text(stage):
    body = ask(stage.server, "?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").body
    assert body.count("<script") == 1 and "No matching certificates" in body


@pytest.mark.parametrize("query, expected", [
    ("&q=GOOD1", ["good1"]), ("&q=second.example", ["evil"]), ("&state=good", ["good0", "good1", "good2", "evil"]),
    ("&state=revoked", ["revoked"]), ("&state=error", ["busy"]), ("&state=none", ["must"]),
    ("&state=no-responder", ["nobody"]), ("&attention=1&sort=attention", ["revoked", "must", "busy"]),
    ("&q=nothing+like+that", []), ("&state=good&q=evil", ["evil"]), ("", ORDER),
    ("&sort=host", sorted(ORDER)), ("&sort=-host", sorted(ORDER, reverse=True)),
    ("&state=good&sort=-subject", ["good2", "good1", "good0", "evil"])])
def test_filter_and_order(stage, query, expected):
    assert names(query, stage) == expected
    page = ask(stage.server, "?" + query[1:]).body
    table = re.findall(r'<th scope="row"><a href="[^"]*"><bdi class="host">([^<:]*)\.<wbr>example\.<wbr>test', page)
    assert table == expected, "the page shows the same"


def test_found_by_serial_and_fingerprint(stage):
    leaf = stage.leaves["busy.example.test"]
    assert names("&q=" + leaf.serial_hex.lower(), stage) == ["busy"]
    [one] = certificates(stage.server, "&q=busy").values()
    assert names("&q=" + one["sha1"][5:30].lower(), stage) == ["busy"]
    assert names("&id=" + one["sha1"].lower(), stage) == ["busy"]


@pytest.mark.asan
def test_one_certificate_in_full(stage):
    one = certificates(stage.server)["must.example.test"]
    page = Page(ask(stage.server, "?id=" + one["sha1"]).body)
    for wanted in ("must.example.test", one["serial"], one["sha1"], stage.broken.url, "http-status",
                   "the responder answered with an HTTP error", "A 5xx status is usually temporary",
                   "clients reject it without a staple"):
        assert wanted in page.text, wanted
    assert "svg" in page.tags
    both = Page(ask(stage.server, "?id=" + certificates(stage.server)["evil.example.test"]["sha1"]).body).text
    assert "evil.example.test" in both and "second.example.test" in both and "thisUpdate" in both


def test_the_page_of_one_certificate_answers_the_next_question(stage):
    one = certificates(stage.server)["good1.example.test"]
    before = time.time()
    raw = ask(stage.server, "?id=" + one["sha1"]).body
    left = [one["response"]["usable_until"] - int(now) for now in (before, time.time())]
    page = Page(raw).text
    assert any(f"{seconds // 86400} d {seconds % 86400 // 3600} h left" in page for seconds in left), left
    for wanted in ("CN=Test Intermediate", "CN=OCSP signer",
                   f"ocsp-cachectl show -f {stage.server.cache_folder / 'staples'} {one['serial']}"):
        assert wanted in page, wanted
    assert f'href="?id={one["sha1"]}&amp;format=der"' in raw
    must = Page(ask(stage.server, "?id=" + certificates(stage.server)["must.example.test"]["sha1"]).body).text
    assert must.count("A 5xx status is usually temporary") == 1, "what to do is said once"


def test_the_response_as_a_file(stage):
    one = certificates(stage.server)["good1.example.test"]
    url = f"http://127.0.0.1:{stage.server.http_port}{PATH}?format=der&id="
    with urllib.request.urlopen(url + one["sha1"], timeout=10) as answer:
        der = answer.read()
        assert answer.headers["content-type"] == "application/ocsp-response"
        assert answer.headers["content-disposition"] == f'attachment; filename="{one["sha1"]}.der"'
    assert len(der) == one["response"]["size"]
    assert f"{ocsp.load_der_ocsp_response(der).serial_number:X}" == one["serial"].lstrip("0")
    assert ask(stage.server, "?format=der&id=" + certificates(stage.server)["must.example.test"]["sha1"]).status == 404
    assert ask(stage.server, "?format=der").status == 400


def test_a_page_beyond_the_last(stage):
    body = Page(ask(stage.server, "?page=7").body).text
    assert "There is no page 7" in body and "good0.example.test" in body


@pytest.mark.parametrize("query, status", [
    ("?fromat=json", 400), ("?format=xml", 400), ("?state=bad", 400), ("?sort=size", 400), ("?page=0", 400),
    ("?page=x", 400),
    ("?page=99999999999999999999", 400), ("?id=12", 400), ("?id=" + "zz" * 20, 400), ("?q=%zz", 400), ("?q=a%00b", 400),
    ("?attention=2", 400), ("?q=" + "x" * 257, 400), ("?id=" + "00" * 20, 404), ("?page=1000000", 200), ("?&&", 200)])
def test_arguments(stage, query, status):
    answer = ask(stage.server, query)
    assert answer.status == status
    if status != 200:
        assert answer.headers["content-type"] == "text/plain; charset=utf-8" and answer.body.rstrip().endswith(".")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_methods_and_handler(stage):
    head = ask(stage.server, method="HEAD")
    assert head.status == 200 and head.body == "" and head.headers["content-type"].startswith("text/html")
    for method in ("PUT", "DELETE", "POST", "OPTIONS"):
        answer = ask(stage.server, method=method)
        assert answer.status == 405 and "GET" in answer.headers["allow"] and "POST" not in answer.headers["allow"], \
            method
    assert ask(stage.server, path="/index.html").body == "hello\n", "other handlers are not affected"


# ---- for programs ----

@pytest.mark.asan
def test_json(stage):
    answer = ask(stage.server, "?format=json")
    assert answer.headers["content-type"] == "application/json" and answer.body.isascii()
    document = answer.json()
    assert document["version"] == 1 and abs(document["generated"] - time.time()) < 60
    states = Counter(("error" if one["state"] == "try-later" else one["state"]) for one in document["certificates"])
    totals = document["totals"]
    assert totals["certificates"] == 8 == sum(totals["states"].values()) \
        and {name: n for name, n in totals["states"].items() if n} == states
    assert totals["attention"] == {"warning": 1, "critical": 2}
    assert {"origin": "responder", "verdict": "good", "count": 4} in totals["exchanges"]
    assert totals["exchange_seconds"]["count"] >= 7 and totals["exchange_seconds"]["sum"] > 0
    assert totals["cache"]["path"].endswith("/staples") and 0 < totals["cache"]["used"] < totals["cache"]["size"]
    filtered = ask(stage.server, "?format=json&q=good").json()
    assert len(filtered["certificates"]) == 3 and filtered["totals"]["certificates"] == 8


def samples(text: str) -> dict[str, float]:
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
            if not line.startswith("#")}


@pytest.mark.asan
def test_metrics(stage):
    before = samples(ask(stage.server, "?format=prometheus").body)
    assert stage.server.handshake("good0.example.test").status == "good"
    assert stage.server.handshake("nobody.example.test").status is None
    answer = ask(stage.server, "?format=prometheus")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    checked = subprocess.run(["promtool", "check", "metrics"], input=answer.body, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")
    seen = samples(answer.body)
    assert len(seen) == sum(not line.startswith("#") for line in answer.body.splitlines()), "no sample twice"
    for outcome in ("stapled", "nothing"):
        name = f'ocsp_cache_handshakes_total{{outcome="{outcome}"}}'
        assert seen[name] == before[name] + 1
    labels = {host: f'{{host="{one["host"]}",serial="{one["serial"]}"}}'
              for host, one in certificates(stage.server).items()}
    left = seen["ocsp_cache_response_remaining_seconds" + labels["good0.example.test"]]
    assert 5 * 86400 < left <= 6 * 86400
    expiry = seen["ocsp_cache_response_expiry_timestamp_seconds" + labels["good0.example.test"]]
    assert abs(expiry - time.time() - left) < 60
    assert 0 <= seen["ocsp_cache_last_success_age_seconds" + labels["good0.example.test"]] < 600
    assert seen["ocsp_cache_response_remaining_seconds" + labels["must.example.test"]] == 0
    assert "ocsp_cache_response_remaining_seconds" + labels["nobody.example.test"] not in seen
    assert seen["ocsp_cache_certificate_attention" + labels["revoked.example.test"]] == 2
    assert seen["ocsp_cache_certificate_state" + labels["busy.example.test"][:-1] + ',state="error"}'] == 1
    assert seen['ocsp_cache_certificates{state="good"}'] == 4 and seen["ocsp_cache_active"] == 1
    assert seen['ocsp_cache_exchanges_total{origin="responder",verdict="timed-out"}'] == 0, "there before it happens"
    buckets = [value for name, value in seen.items() if name.startswith("ocsp_cache_exchange_duration_seconds_bucket")]
    assert buckets == sorted(buckets) and buckets[-1] == seen["ocsp_cache_exchange_duration_seconds_count"] > 0


def test_two_certificates_of_one_host_and_serial(httpd, ca):
    """Two CAs may give certificates of one host the same serial. Prometheus rejects a scrape with duplicate samples."""
    leaves = tuple(ca.leaf(HOST, key=key, serial=0x1234) for key in ("ec", "rsa"))
    server = httpd(Config(vhosts=(Vhost(HOST, leaves),), cache=CACHE, directives=DIRECTIVES[:4]))
    server.start()
    text = ask(server, "?format=prometheus").body
    series = [line.rsplit(" ", 1)[0] for line in text.splitlines() if line.startswith("ocsp_cache_certificate_state")]
    assert len(series) == 2 == len(set(series)) and 'serial="1234",sha1="' in series[1] and "sha1" not in series[0]
    names = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(names) == len(set(names))


def test_without_our_provider(site):
    one = site(cache="shmcb:run/staples(128000)", directives=DIRECTIVES[:4])
    one.server.start()
    assert "does not staple from this cache" in ask(one.server).body
    assert ask(one.server, "?format=json").json()["certificates"] == []
    assert samples(ask(one.server, "?format=prometheus").body)["ocsp_cache_active"] == 0


# ---- refreshing ----

@pytest.fixture
def asked(site):
    """A server that staples, with POST on."""
    one = site(directives=(*DIRECTIVES[:4], "OCSPCacheStatusRefresh On"))
    one.server.start()
    one.wait_staple()
    return one


@pytest.mark.asan
def test_post_reaches_the_responder(asked):
    page = ask(asked.server).body
    assert page.count('method="post"') == 1, \
        "all; one certificate has its button where it is shown alone or needs attention"
    [sha1] = [one["sha1"] for one in certificates(asked.server).values()]
    n_before = len(asked.responder.asked)
    answer = ask(asked.server, form={"token": token_of(page), "id": sha1})
    assert answer.status == 303 and answer.headers["location"] == f"?id={sha1}&notice=one"
    poll(lambda: len(asked.responder.asked) > n_before, "the responder is queried again")
    assert "refresh was requested" in Page(ask(asked.server, answer.headers["location"]).body).text
    asked.server.wait_log(f"status page: .* requested a refresh of .*{HOST}", "notice")
    again = ask(asked.server, form={"token": token_of(page), "id": sha1})
    assert again.status == 429 and 0 < int(again.headers["retry-after"]) <= 10


def test_a_second_click_stays_on_the_page(asked):
    """A browser accepts HTML: it returns to the page, which reports why nothing was done."""
    token = token_of(ask(asked.server).body)
    [sha1] = [one["sha1"] for one in certificates(asked.server).values()]
    browser = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
    assert ask(asked.server, form={"token": token, "id": sha1},
               headers=browser).headers["location"] == f"?id={sha1}&notice=one"
    again = ask(asked.server, form={"token": token, "id": sha1}, headers=browser)
    assert (again.status, again.headers["location"]) == (303, f"?id={sha1}&notice=early")
    page = Page(ask(asked.server, again.headers["location"]).body).text
    assert "less than ten seconds ago" in page and HOST in page
    for notice in ("all", "early-all"):
        answer = ask(asked.server, form={"token": token, "id": "all"}, headers=browser)
        assert (answer.status, answer.headers["location"]) == (303, f"?notice={notice}")


def test_post_for_all(asked):
    token = token_of(ask(asked.server).body)
    n_before = len(asked.responder.asked)
    assert ask(asked.server, form={"token": token, "id": "all"}).headers["location"] == "?notice=all"
    poll(lambda: len(asked.responder.asked) > n_before, "the responder is queried again")
    answer = ask(asked.server, form={"token": token, "id": "all"})
    assert answer.status == 429 and 50 <= int(answer.headers["retry-after"]) <= 60
    asked.server.graceful()
    assert ask(asked.server, form={"token": token, "id": "0" * 40}).status == 404, "the token outlives a reload"


def test_post_that_is_refused(asked):
    token = token_of(ask(asked.server).body)
    [one] = certificates(asked.server).values()
    good = {"token": token, "id": one["sha1"]}
    end, mac = token.split("-")
    n_before = len(asked.responder.asked)
    here = f"http://127.0.0.1:{asked.server.http_port}"
    for form, headers, status in (
            ({"id": one["sha1"]}, {}, 403), ({**good, "token": ""}, {}, 403), ({**good, "token": "x" * 4000}, {}, 403),
            ({**good, "token": f"{int(end) + 1}-{mac}"}, {}, 403),
            ({**good, "token": f"{int(end) - 7200}-{mac}"}, {}, 403),
            ({**good, "token": f"{end}-{mac[:-1]}"}, {}, 403), ({**good, "token": f"9{end}-{mac}"}, {}, 403),
            (good, {"Origin": "https://evil.example"}, 403), (good, {"Origin": "null"}, 403),
            (good, {"Origin": here + ".evil.example"}, 403), (good, {"Sec-Fetch-Site": "cross-site"}, 403),
            (good, {"Sec-Fetch-Site": "same-site", "Origin": here}, 403), (good, {"Sec-Fetch-Site": "none"}, 403),
            ({"token": token}, {}, 400), ({**good, "id": "everything"}, {}, 400), ({**good, "id": "ff" * 20}, {}, 404)):
        answer = ask(asked.server, form=form, headers=headers)
        assert answer.status == status and answer.body.rstrip().endswith("."), (form, headers, answer)
    assert ask(asked.server, form=good, headers={"Content-Type": "text/plain"}).status in (400, 403)
    assert len(asked.responder.asked) == n_before, "nobody was asked"
    assert ask(asked.server, form=good, headers={"Origin": here}).status == 303, \
        "the control: with all in order it is followed"


def test_nobody_to_ask(site):
    one = site(leaf={"url": None}, directives=(*DIRECTIVES[:4], "OCSPCacheStatusRefresh On"))
    one.server.start()
    token = token_of(ask(one.server).body)
    [sha1] = [entry["sha1"] for entry in certificates(one.server).values()]
    assert "Refresh now" not in ask(one.server, "?id=" + sha1).body
    assert ask(one.server, form={"token": token, "id": sha1}).status == 409
