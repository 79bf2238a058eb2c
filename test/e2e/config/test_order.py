# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Certificates that several hosts serve: in which order reports list them, and whose settings apply."""

import json
import re
from dataclasses import replace

from cachectl import ctl
from conftest import CACHE
from httpd import Config, Vhost


def test_every_report_has_the_order_of_the_configuration(httpd, ca, responder):
    """The main server has TLS, too, and is first, although httpd and mod_ssl have another order. One host has two
    certificates, one has that of the main server, and the last one has the first host's."""
    url = responder().url

    def leaf(host: str, key: str = "ec"):
        return ca.leaf(host, url=url, key=key)
    main, first, rsa, ec, third = (leaf("localhost"), leaf("*.example.test"), leaf("b.example.test", "rsa"),
                                   leaf("b.example.test"), leaf("c.example.test"))
    server = httpd(Config(vhosts=(Vhost("a.example.test", (first,)), Vhost("b.example.test", (rsa, ec)),
                                  Vhost("localhost", ()), Vhost("c.example.test", (third,)),
                                  Vhost("d.example.test", (first,))), cache=CACHE))
    server.config = replace(server.config, directives=(
        "SSLEngine on", "SSLUseStapling on", f'SSLCertificateFile "{main.fullchain_file}"',
        f'SSLCertificateKeyFile "{main.key_file}"', f"<VirtualHost 127.0.0.1:{server.http_port}>",
        "ServerName plain.example.test", "SSLEngine off", "</VirtualHost>"))
    server.start()
    port = server.https_port
    expected = [(main.serial_hex, ["localhost:443", f"localhost:{port}"]),
                (first.serial_hex, [f"a.example.test:{port}", f"d.example.test:{port}"]),
                *((one.serial_hex, [f"b.example.test:{port}"]) for one in (rsa, ec)),
                (third.serial_hex, [f"c.example.test:{port}"])]
    for where, certificates in (("page", server.certificates()),
                                ("dump", json.loads(server.dump("DUMP_OCSP_CACHE_JSON").stdout)["certificates"]),
                                ("tool", ctl(server, "list", "--json").json["certificates"])):
        assert [(one["serial"], one["hosts"]) for one in certificates] == expected, where
        assert all(one["host"] == one["hosts"][0] for one in certificates), where


DIFFERENT = ("SSLStaplingForceURL http://other.example.test/", "SSLOCSPProxyURL http://127.0.0.1:1/",
             "SSLStaplingResponderTimeout 9", "SSLStaplingStandardCacheTimeout 3600",
             "SSLStaplingErrorCacheTimeout 5", "SSLStaplingResponseTimeSkew 0", "SSLStaplingResponseMaxAge 86400")
EQUAL = ("SSLStaplingResponderTimeout 10", "SSLStaplingResponderTimeout 0", "SSLStaplingErrorCacheTimeout 600",
         "SSLStaplingResponseTimeSkew 300", "SSLStaplingResponseMaxAge 0", "SSLStaplingReturnResponderErrors on")


def test_only_a_setting_that_differs_is_reported(httpd, ca, responder):
    """One host of each three has no directive, the others have the same one. What is not written, and what is written
    as it is without the directive, is no difference; the responder that the certificate names is none either."""
    url = responder().url
    lines = [*DIFFERENT, *EQUAL, f"SSLStaplingForceURL {url}"]
    vhosts = []
    for n, line in enumerate(lines):
        leaf = ca.leaf("*.example.test", url=url)
        vhosts += [Vhost(f"{name}{n}.example.test", (leaf,), directives=() if name == "a" else (line,))
                   for name in "abc"]
    server = httpd(Config(vhosts=tuple(vhosts), cache=CACHE))
    server.start()
    said = [re.search(r"^(\S+):\d+: certificate .*: (\S+):\d+ serves it too, with another (\w+)\. .*, (\S+):\d+$",
                      line.text.split("] ")[-1]).groups()
            for line in server.ours("notice", "serves it too")]
    assert said == [(f"a{n}.example.test", f"b{n}.example.test", line.split()[0], f"a{n}.example.test")
                    for n, line in enumerate(DIFFERENT)]
