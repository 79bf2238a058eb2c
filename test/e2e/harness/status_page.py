# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What the tests of the status page share: a server with certificates of all kinds, and a client for its page."""

from __future__ import annotations

import html.parser
import http.client
import json
import re
import urllib.parse
from dataclasses import dataclass, field
from typing import Optional

import pki
import responders
from httpd import Config, Httpd, Vhost
from wait import poll

PATH = "/ocsp-cache-status"
DIRECTIVES = (f'<Location "{PATH}">', "SetHandler ocsp-cache-status", "Require all granted", "</Location>",
              "OCSPCacheMustStapleWait 0", "OCSPCacheWorkers 16 16", "SSLStaplingErrorCacheTimeout 3600")
EVIL = "<script>alert('x')</script>\"&amp;\n\u202e"


@dataclass
class Answer:
    """The answer of the page."""

    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> dict:
        return json.loads(self.body)


def ask(server: Httpd, query: str = "", *, method: str = "GET", form: Optional[dict[str, str]] = None,
        headers: Optional[dict[str, str]] = None, path: str = PATH) -> Answer:
    """One request, over plain HTTP. `form` makes it a POST."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=30)
    body = urllib.parse.urlencode(form) if form is not None else None
    sent = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
    try:
        connection.request("POST" if form is not None else method, path + query, body, {**sent, **(headers or {})})
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()},
                      response.read().decode())
    finally:
        connection.close()


def certificates(server: Httpd, query: str = "") -> dict[str, dict]:
    """By host name: the certificates of ?format=json."""
    found = ask(server, "?format=json" + query).json()["certificates"]
    return {one["host"].split(":")[0]: one for one in found}


def token_of(page: str) -> str:
    match = re.search(r'name="token" value="([^"]+)"', page)
    assert match, "the page holds no token"
    return match[1]


@dataclass
class Cast:
    """A server, and the responder for its certificates."""

    server: Httpd
    good: responders.ScriptedResponder
    busy: responders.ScriptedResponder
    revoking: responders.ScriptedResponder
    broken: responders.ScriptedResponder
    leaves: dict[str, pki.Leaf] = field(default_factory=dict)

    def close(self) -> None:
        try:
            self.server.close()
        finally:
            for one in (self.good, self.busy, self.revoking, self.broken):
                one.stop()


def cast(folder, root_ca: pki.Authority, ca: pki.Authority, *, n_good: int = 3,
         directives: tuple[str, ...] = ()) -> Cast:
    """`n_good` certificates that are stapled, and one of each other kind; started, every certificate requested."""
    made = Cast(None, *(responders.ScriptedResponder(ca, script) for script in (
        responders.good(-86400, 6 * 86400), responders.try_later(), responders.revoked(), responders.http_status(503))))
    leaves = {f"good{i}.example.test": ca.leaf(f"good{i}.example.test", url=made.good.url) for i in range(n_good)}
    leaves |= {"busy.example.test": ca.leaf("busy.example.test", url=made.busy.url),
               "revoked.example.test": ca.leaf("revoked.example.test", url=made.revoking.url),
               "must.example.test": ca.leaf("must.example.test", url=made.broken.url, must_staple=True),
               "nobody.example.test": ca.leaf("nobody.example.test"),
               "evil.example.test": ca.leaf("evil.example.test", url=made.good.url, common_name=EVIL)}
    made.leaves = leaves
    vhosts = [Vhost(host, (leaf,)) for host, leaf in leaves.items()]
    vhosts.append(Vhost("second.example.test", (leaves["evil.example.test"],)))
    config = Config(vhosts=tuple(vhosts), cache=f"ocsp_cache:cache/staples({2 ** 20 + n_good * 4096})",
                    log_level="info",
                    directives=DIRECTIVES + directives)
    made.server = Httpd(folder, config, root_ca)
    made.server.expect(r"^\[ocsp_cache:crit\] .*revoked\.example\.test", r"must\.example\.test")
    made.server.allow(r"^\[ocsp_cache:warn\] ", r"AH01909: second\.example\.test")  # it has another one's certificate
    made.server.start()
    poll(lambda: all(one["last_verdict"] or not one["responder"] for one in certificates(made.server).values()),
         "every certificate was requested", 60)
    return made


class Page(html.parser.HTMLParser):
    """The text of a page and the elements it is made of. A <wbr> is a place where a line may break, and no blank."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        self.text += "" if tag == "wbr" else " "

    def handle_endtag(self, tag: str) -> None:
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data
