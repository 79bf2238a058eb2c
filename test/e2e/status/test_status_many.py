# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The status page of a server with two thousand certificates is complete: page by page, as JSON and as metrics. `make
bench-scale` measures its speed."""

import re

from conftest import CACHE
from httpd import Config, Vhost
from status_page import DIRECTIVES, Page, ask

MANY = 2_000
# Bytes of a page, whatever the number of certificates: a hundred rows. Measured: 91,000.
PAGE_BUDGET = 120_000


def hosts_of(body: str) -> list[str]:
    return [host.replace("<wbr>", "")
            for host in re.findall(r'<th scope="row"><a href="[^"]*"><bdi class="host">([^:]*):\d+</bdi>', body)]


def test_every_certificate_is_on_one_page(httpd, ca):
    """The certificates name no responder, so nothing is fetched: only the page is tested."""
    names = [f"h{i:05}.example.test" for i in range(MANY)]
    vhosts = tuple(Vhost(name, (ca.leaf(name),)) for name in names)
    server = httpd(Config(vhosts=vhosts, cache=CACHE, directives=DIRECTIVES[:4]))
    server.start(deadline=600)  # mod_ssl reads all keys, twice
    assert "No certificate of this server names an OCSP responder" in Page(ask(server, "").body).text, "and why"
    seen: list[str] = []
    for page in range(1, MANY // 100 + 1):
        body = ask(server, f"?page={page}").body
        assert len(body) < PAGE_BUDGET, "a page does not grow with the certificates"
        assert body.rstrip().endswith("</html>") and f"Page {page} of {MANY // 100}" in Page(body).text
        seen += hosts_of(body)
    assert seen == names, "each once, in the order of the configuration"
    last = ask(server, f"?page={MANY // 100 + 1}").body
    assert hosts_of(last) == names[-100:] and "This is the last one" in last
    assert hosts_of(ask(server, "?sort=-host").body) == names[:-101:-1]
    document = ask(server, "?format=json").json()
    assert len(document["certificates"]) == MANY == document["totals"]["states"]["no-responder"]
    metrics = ask(server, "?format=prometheus").body
    assert metrics.count("\nocsp_cache_certificate_state{") == MANY
