# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A thousand certificates whose first responses are due at once. `make bench-scale` measures ten times as many."""

import threading

import pytest

import responders
from httpd import Config, Vhost
from wait import poll

MANY = 1_000


@pytest.mark.parametrize("directives, threads, share", [((), 18, 9), (("OCSPCacheWorkers 16 8",), 16, 8)],
                         ids=["default", "set"])
def test_threads_grow_with_the_certificates(httpd, ca, responder, directives, threads, share):
    board = {"now": 0, "most": 0, "lock": threading.Lock()}
    script = responders.Counting(board, seconds=0.05)
    answering = responder(script)
    names = [f"h{n}.example.test" for n in range(MANY)]
    vhosts = tuple(Vhost(name, (ca.leaf(name, url=answering.url),)) for name in names)
    server = httpd(Config(vhosts=vhosts, cache="ocsp_cache:cache/staples(4194304)", directives=directives))
    server.start(deadline=120)  # mod_ssl reads all keys, twice
    server.wait_log(f"certificates: {MANY}, responders: 1, threads: {threads}$", "info")
    answering.wait_asked(100, deadline=60)
    assert script.most == share
    poll(lambda: f"OCSPCacheCertificatesStapled: {MANY}\n" in server.status_page("?auto"), "all are stapled", 120)
