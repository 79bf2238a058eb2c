# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What hosts inherit from outside of them: the module and mod_ssl have the same idea of the certificates of a host."""

import json
from collections import defaultdict

import pytest

import pki
from conftest import CACHE, HOST
from httpd import Config, Httpd, Vhost

NAMES = {n: f"h{n}.example.test" for n in (0, 1, 2, 3, 4)}  # by the number of certificates of the host's own
KINDS = {"rsa": "rsa_pss_rsae_sha256", "ec": "ecdsa_secp256r1_sha256"}


def outside(*leaves: pki.Leaf) -> tuple[str, ...]:
    return tuple(line for leaf in leaves for line in (f'SSLCertificateFile "{leaf.fullchain_file}"',
                                                      f'SSLCertificateKeyFile "{leaf.key_file}"'))


def served(server: Httpd, host: str) -> dict[str, str]:
    """kind of key -> the serial that a client which wants it gets."""
    shaken = {kind: server.handshake(host, sigalgs=sigalg, tls="1.3") for kind, sigalg in KINDS.items()}
    return {kind: one.serial for kind, one in shaken.items() if one.ok}


def by_host(certificates: list[dict]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for one in certificates:
        for host in one["hosts"]:
            found[host.split(":")[0]].add(one["serial"])
    return dict(found)


@pytest.mark.parametrize("n_outside", [1, 2, 4])
def test_certificates_of_a_host(httpd, ca, responder, n_outside):
    """The dump lists all files of a host. Of these, mod_ssl primes and serves the last with each kind of key. Kinds
    alternate, and a host begins with the other kind, so that the order shows."""
    url = responder().url

    def leaves(n: int, first: int) -> list[tuple[str, pki.Leaf]]:
        kinds = [list(KINDS)[(first + i) % 2] for i in range(n)]
        return [(kind, ca.leaf("*.example.test", key=kind, url=url)) for kind in kinds]
    base, own = leaves(n_outside, 0), {n: leaves(n, 1) for n in NAMES}
    server = httpd(Config(vhosts=tuple(Vhost(NAMES[n], tuple(leaf for _kind, leaf in own[n])) for n in NAMES),
                          cache=CACHE, directives=outside(*(leaf for _kind, leaf in base))))
    server.start()
    listed = by_host(json.loads(server.dump("DUMP_OCSP_CACHE_JSON").stdout)["certificates"])
    primed = by_host(server.certificates())
    for n, name in NAMES.items():
        files = own[n][:3] + base[min(n, 3):] + own[n][3:]
        last = {kind: leaf.serial_hex for kind, leaf in files}
        assert served(server, name) == last, name
        assert primed[name] == set(last.values()), name
        assert listed[name] == {leaf.serial_hex for _kind, leaf in files}, name


def test_nothing_is_said_of_a_certificate_that_no_host_serves(httpd, ca, responder, folder):
    """The one outside of all hosts has expired, or cannot be stapled although it is Must-Staple."""
    url = responder().url
    own = ca.leaf(HOST, url=url)
    for options in ({"days": 0.01}, {"must_staple": True}):
        default = ca.leaf("default.example.test", url=url, **options)
        default.fullchain_file.write_text(default.cert_file.read_text())  # without its issuer
        server = httpd(Config(vhosts=(Vhost(HOST, (own,)),), cache=CACHE, directives=outside(default)))
        assert server.check().lines == ["Syntax OK"]
        server.start()
        assert [one["serial"] for one in server.certificates()] == [own.serial_hex]
        assert not server.ours("warn")
