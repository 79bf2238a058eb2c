# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""mod_md staples for the hosts that it manages, this module for the others."""

from conftest import CACHE, HOST
from httpd import Config, Vhost
from wait import holds, poll


def md(asked) -> bool:
    """mod_md sends the server's name as User-Agent; mod_ssl and this module do not."""
    return asked.headers.get("user-agent", "").startswith("Apache")


def test_mod_md_staples_what_it_manages_as_without_us(site):
    one = site(modules=("md",), directives=('MDStoreDir "run/md"', "MDStapling on"))
    one.server.start()
    poll(lambda: any(md(asked) for asked in one.responder.asked), "mod_md queries", 30)
    one.wait_staple()
    assert all(md(asked) for asked in one.responder.asked), "nothing else queried"
    holds(lambda: one.handshake().status == "good", "stapled by mod_md", 1)
    one.server.graceful()
    one.wait_staple()
    assert all(md(asked) for asked in one.responder.asked), "nothing else queried after a reload either"


def test_managed_domain_is_mod_mds_and_the_other_vhost_is_ours(httpd, ca, responder):
    managed, ordinary = responder(), responder()
    theirs, mine = ca.leaf("md.example.test", url=managed.url), ca.leaf(HOST, url=ordinary.url)
    domain = ("<MDomain md.example.test>", f'MDCertificateFile "{theirs.fullchain_file}"',
              f'MDCertificateKeyFile "{theirs.key_file}"', "MDStapling on", "</MDomain>")
    server = httpd(Config(vhosts=(Vhost("md.example.test", (theirs,)), Vhost(HOST, (mine,))), cache=CACHE,
                          modules=("md",), directives=('MDStoreDir "run/md"', *domain)))
    server.allow(r"AH10085|\[md:warn\]")
    server.start()
    server.wait_staple(HOST)
    server.wait_staple("md.example.test", deadline=30)
    assert all(md(asked) for asked in managed.asked)
    assert not any(md(asked) for asked in ordinary.asked)
