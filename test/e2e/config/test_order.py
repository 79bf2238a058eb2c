# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Certificates that several hosts serve: in which order reports list them."""

import json
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
