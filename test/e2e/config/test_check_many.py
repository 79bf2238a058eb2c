# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`httpd -t` of many hosts: what it costs for each, and that no way to write a certificate's file makes a difference to
what it reports. `make bench-scale` measures the time."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest

from apxs import apxs
from conftest import CACHE
from httpd import Config, Httpd, Vhost, sanitizer_environment
from test_check_hosts import URL, said

# Instructions for each host with a certificate of its own, more than without the module. Measured: 50,000. To parse each
# certificate with OpenSSL and verify its signature takes 2,400,000.
BUDGET = 80_000
FEW, MANY = 20, 120


def instructions(server: Httpd) -> int:
    """Of one `httpd -t`, counted by callgrind."""
    checked = server.check()
    assert checked.lines == ["Syntax OK"], checked.output
    seen = server.root / "callgrind.out"
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={seen}",
                    f"{apxs('SBINDIR')}/{apxs('PROGNAME')}", "-d", str(server.root), "-f", str(server.conf_file), "-t"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    return int(re.search(r"^(?:summary|totals): (\d+)", seen.read_text(), re.MULTILINE)[1])


@pytest.mark.skipif(not shutil.which("valgrind"), reason="needs valgrind")
@pytest.mark.parametrize("issuer", ["file", "chain"])
def test_cost_of_a_host(httpd, ca, issuer):
    if sanitizer_environment():
        pytest.skip("AddressSanitizer does not run under valgrind")
    names = [f"h{n}.example.test" for n in range(MANY)]
    vhosts = tuple(Vhost(name, (ca.leaf(name, url=URL, key="rsa" if n % 2 else "ec"),), issuer=issuer)
                   for n, name in enumerate(names))
    with_module = httpd(Config(vhosts=vhosts, cache="ocsp_cache:cache/staples(1000000)"))
    without = httpd(Config(vhosts=vhosts, cache="shmcb:run/staples(512000)", module=False))

    def of_a_host(server: Httpd) -> float:
        counted = []
        for n in (FEW, MANY):
            server.config = replace(server.config, vhosts=vhosts[:n])
            counted.append(instructions(server))
        return (counted[1] - counted[0]) / (MANY - FEW)
    cost, cost_without = of_a_host(with_module), of_a_host(without)
    assert cost - cost_without < BUDGET, f"{cost:.0f} instructions for each host, {cost_without:.0f} without the module"


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def described(text: str) -> str:
    return "subject=/CN=x\nBag Attributes: <none>\n" + text


def long_lines(text: str) -> str:
    return re.sub(r"(?<=[A-Za-z0-9+/]{64})\n(?=[A-Za-z0-9+/=]+\n)", "", text)


def behind_a_key(text: str) -> str:
    return "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" + text


def old_name(text: str) -> str:
    return text.replace(" CERTIFICATE-", " X509 CERTIFICATE-")


WAYS: tuple[Callable[[str], str], ...] = (str, crlf, described, long_lines, behind_a_key, old_name, str.rstrip,
                                          lambda text: text + "\n\n")


@pytest.mark.asan
@pytest.mark.parametrize("has_issuer", [True, False], ids=["issuer", "no-issuer"])
def test_ways_to_write_a_certificate(httpd, ca, has_issuer):
    """Two hosts for each: the second one has the issuer that was found for the first."""
    names = [f"h{n}.example.test" for n in range(2 * len(WAYS))]
    vhosts = tuple(Vhost(name, (ca.leaf(name, url=URL),), issuer="file" if has_issuer else "none") for name in names)
    for n, vhost in enumerate(vhosts):
        file: Path = vhost.leaves[0].fullchain_file if has_issuer else vhost.leaves[0].cert_file
        file.write_bytes(WAYS[n // 2](file.read_text()).encode())
    server = httpd(Config(vhosts=vhosts, cache=CACHE))
    lines = said(server)
    assert lines == [] if has_issuer else len(lines) == 1 and f" and {len(names) - 3} others: " in lines[0], lines
    dumped = server.dump("DUMP_OCSP_CACHE").stdout
    assert all(dumped.count(name) > 0 for name in names), dumped


def test_a_wrong_issuer_behind_one_of_many(httpd, ca, root_ca):
    """The namesake with another key, the CA above, and nothing: each file is judged by what is in it."""
    namesake = root_ca.intermediate("Test Intermediate")
    names = [f"h{n}.example.test" for n in range(6)]
    leaves = [ca.leaf(name, url=URL) for name in names]
    for leaf, chain in zip(leaves[1::2], (namesake.cert_file.read_text(), root_ca.cert_file.read_text(), "")):
        leaf.fullchain_file.write_text(leaf.cert_file.read_text() + chain)
    server = httpd(Config(vhosts=tuple(Vhost(name, (leaf,)) for name, leaf in zip(names, leaves)), cache=CACHE))
    each = [line for line in said(server, "info") if "the issuer's certificate is missing: " in line]
    assert [line.split(":")[0] for line in each] == names[1::2], each
    assert "(another key)" in each[0] and "CN=Test Root" in each[1] and "holds" not in each[2], each
    assert all(f"certificate CN={name}," in line or f"CN={name}" in line for name, line in zip(names[1::2], each))


def test_each_of_many_is_reported_by_its_own_name(httpd, ca):
    """All are read before the first is reported. Some have no subject, and are named by their first host."""
    names = [f"h{n}.example.test" for n in range(9)]
    leaves = [ca.leaf(name, url=URL, must_staple=True, key="rsa" if n % 2 else "ec", serial=0xABC if n == 4 else None,
                      common_name="" if n % 3 == 2 else None) for n, name in enumerate(names)]
    server = httpd(Config(vhosts=tuple(Vhost(name, (leaf,), stapling=n == 0)
                                       for n, (name, leaf) in enumerate(zip(names, leaves))), cache=CACHE))
    lines = said(server)
    assert [line.split(":")[0] for line in lines] == names[1:], lines
    for n, (line, leaf) in enumerate(zip(lines, leaves[1:]), 1):
        subject = f"DNS:{names[n]}" if n % 3 == 2 else f"CN={names[n]},O=Test"
        assert f": certificate {subject} (serial {leaf.serial_hex}): SSLUseStapling is off" in line, line
