# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""ocsp-cachectl and the server: which cache, its commands, import with the server running and without one, and check."""

import base64
import os
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509

import pki
import responders
from cachectl import cache_file, command_file, ctl, run
from conftest import CACHE, HOST, NOTHING_HELD
from pki import response
from httpd import Config, Httpd, Vhost, unprivileged_user
from mtls import make_vhost
from wait import holds, poll

DEAD = responders.error(x509.ocsp.OCSPResponseStatus.TRY_LATER)


def as_file(folder: Path, der: bytes, name: str = "response.der") -> Path:
    path = folder / name
    path.write_bytes(der)
    return path


def record(server, host: str = HOST) -> dict:
    [one] = ctl(server, "list", "--json", host).json["certificates"]
    return one["response"]


def test_the_table_of_clients_is_not_taken_for_the_cache(mtls, ca):
    """Both are files of one kind, and lie in one folder where the manual's examples are followed."""
    one = mtls(cache=CACHE, directives=('OCSPCacheClientFile "cache/clients"',))
    vhost = make_vhost(one.server.root_ca, ca.leaf(HOST, url=one.responder.url), ("OCSPCacheClient hard",), verify="optional")
    one.server.config = replace(one.server.config, vhosts=(replace(vhost, stapling=True),))
    one.server.start()
    one.server.wait_staple(HOST)
    assert one.get(one.client()).status == 200
    folder = one.server.cache_folder
    clients = run("verify", "--file", folder / "clients", "--json").json
    assert clients["others"] > 0 and clients["cache"]["records"] == 0, "records, of a client"
    for verb in ("list", "check", "verify"):
        done = run(verb, "--file", folder, "--json")
        assert done.code == 0 and done.json["cache"]["path"] == str(cache_file(one.server)), done
    assert run("refresh", "--file", folder, HOST).code == 0


# ---- commands that must be ignored -----------------------------------------------------------------------------------

BROKEN = (b"", b"\0" * 5000, b"ocsp-cache-command 1\nnumber 5\nrefresh-all\n",
          b"ocsp-cache-command 1\nnumber 5\nimport " + b"ab" * 20 +
          b"\n-----BEGIN OCSP RESPONSE-----\n!!!!\n-----END OCSP RESPONSE-----\nend\n")


@pytest.mark.asan
def test_a_broken_command_is_one_warning(site):
    one = site()
    one.server.start()
    one.wait_staple()
    asked = len(one.responder.asked)
    one.server.expect(r"\[ocsp_cache:warn\] .*a command of ocsp-cachectl is ignored: .*incomplete")
    for n, text in enumerate(BROKEN, 1):
        fresh = as_file(one.server.root, text, "fresh")
        fresh.rename(command_file(one.server))
        poll(lambda: len(one.server.ours(("warn",), "is ignored")) == n, "it is logged")
    assert ctl(one.server, "refresh", HOST).code == 0, "the next one is done"
    assert len(one.responder.asked) == asked + 1 and len(one.server.ours(("warn",), "is ignored")) == len(BROKEN)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_command_of_another_user_is_ignored(site):
    one = site()
    one.server.start()
    one.wait_staple()
    asked = len(one.responder.asked)
    one.server.expect(r"\[ocsp_cache:warn\] .*a command of ocsp-cachectl is ignored: .*owner")
    fresh = one.server.root / "fresh"
    fresh.write_text(f"ocsp-cache-command 1\nnumber {time.time_ns() // 1000}\nrefresh-all\nend\n")
    os.chown(fresh, 65534, 65534)
    fresh.rename(command_file(one.server))
    one.server.wait_log("is ignored: .*owner")
    holds(lambda: len(one.responder.asked) == asked, "no responder is queried", 1.5)


def test_an_old_command_is_ignored(site):
    one = site()
    one.server.start()
    one.wait_staple()
    asked = len(one.responder.asked)
    fresh = one.server.root / "fresh"
    fresh.write_text("ocsp-cache-command 1\nnumber 5\nrefresh-all\nend\n")
    os.utime(fresh, (time.time() - 120,) * 2)
    fresh.rename(command_file(one.server))
    holds(lambda: len(one.responder.asked) == asked, "no responder is queried", 2.5)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_closed_folder_is_named(site):
    """The children may not enter it, so no command is executed; stapling continues."""
    one = site()
    one.server.cache_folder.chmod(0o700)
    one.server.start()
    one.wait_staple()
    done = ctl(one.server, "refresh", HOST, "--timeout", "2s")
    assert done.code == 1 and "chmod o+x" in done.err and str(one.server.cache_folder) in done.err


# ---- import ----------------------------------------------------------------------------------------------------------

@pytest.mark.asan
@pytest.mark.parametrize("is_running", [True, False], ids=["running", "stopped"])
def test_import_what_a_dead_responder_does_not_give(site, folder, is_running):
    one = site(DEAD)
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.server.wait_log("There is no valid response", "warn")
    der = as_file(folder, response(one.leaf))
    if not is_running:
        one.server.stop()
    done = ctl(one.server, "import", der)
    assert done.code == 0 and HOST in done.out and "good" in done.out, done
    assert record(one.server)["origin"] == "file" and record(one.server)["verdict"] == "good"
    if not is_running:
        one.server.start()
    one.wait_staple()
    assert ctl(one.server, "export", HOST).raw == der.read_bytes()
    assert ctl(one.server, "verify").code == 0
    again = ctl(one.server, "import", der)
    assert again.code == 0 and "already stored" in again.out


@pytest.mark.asan
@pytest.mark.parametrize("is_running", [True, False], ids=["running", "stopped"])
def test_import_stores_the_trimmed_response(site, folder, stranger, is_running):
    """The file carries one more certificate, which no signature covers: it is removed before the response is stored."""
    one = site(DEAD)
    one.server.allow(NOTHING_HELD)
    one.server.start()
    one.responder.wait_asked()
    if not is_running:
        one.server.stop()
    whole = response(one.leaf, extra=(stranger.cert,))
    assert stranger.cert in x509.ocsp.load_der_ocsp_response(whole).certificates
    done = ctl(one.server, "import", as_file(folder, whole))
    assert done.code == 0 and "good" in done.out, done
    stored = ctl(one.server, "export", HOST).raw
    assert len(stored) < len(whole)
    trimmed = x509.ocsp.load_der_ocsp_response(stored)
    assert stranger.cert not in trimmed.certificates
    assert trimmed.signature == x509.ocsp.load_der_ocsp_response(whole).signature
    if not is_running:
        one.server.start()
    one.wait_staple("good")
    assert ctl(one.server, "verify").code == 0
    assert ctl(one.server, "export", HOST).raw == stored, "the server accepts it unchanged"
    assert not one.server.ours(pattern="altered|does not match its response")


@pytest.mark.asan
def test_import_verifies_first(site, folder, ca, stranger):
    one = site()
    one.server.start()
    held = one.wait_staple().staple
    foreign = stranger.leaf(HOST)
    old = response(one.leaf, begins=-7200, ends=7200)
    cases = {"forged": (response(one.leaf, signer=stranger), "not imported"),
             "foreign": (response(foreign), "not for any of the server's certificates"),
             "expired": (response(one.leaf, begins=-7200, ends=-3600), "expired"),
             "early": (response(one.leaf, begins=7200, ends=9000), "not imported"),
             "old": (old, "a newer response is stored"),
             "garbage": (b"garbage", "not imported"), "empty": (b"", "not imported"),
             "torn": (old[:-3], "not an OCSP response"), "base64": (base64.encodebytes(old), "it is Base64"),
             "try-later": (bytes((0x30, 3, 0x0a, 1, 3)), "a responder's error (try-later)"),
             "html": (b"<html>captive portal</html>", "not an OCSP response"),
             "huge": (old + bytes(40000), "larger than")}
    files = [as_file(folder, der, name) for name, (der, _) in cases.items()]
    done = ctl(one.server, "import", *files)
    assert done.code == 1 and not done.out, done
    for name, (_, text) in cases.items():
        [line] = [line for line in done.err.splitlines() if f"/{name}: " in line]
        assert text in line
    assert one.handshake().staple == held
    assert ctl(one.server, "import", *files, "--json").json["imports"][0]["problem"]
    assert ctl(one.server, "import", folder / "missing").code == 2


def test_import_pem_from_the_standard_input(site, folder):
    one = site()
    one.server.start()
    one.wait_staple()
    newer = response(one.leaf, begins=-1)
    pem = "some text\n-----BEGIN OCSP RESPONSE-----\n" + subprocess.run(
        ["openssl", "base64"], input=newer, capture_output=True,
        check=True).stdout.decode() + "-----END OCSP RESPONSE-----\n"
    done = ctl(one.server, "import", "/dev/stdin", stdin=pem.encode() * 2)
    assert done.code == 1 and "another one of these files is newer" in done.err and HOST in done.out, done
    assert ctl(one.server, "export", HOST).raw == newer
    for whole in (0, 1):
        torn = ctl(one.server, "import", "/dev/stdin", stdin=pem.encode() * whole + pem.encode()[:-30])
        assert torn.code == 2 and "its PEM cannot be read" in torn.err, torn


@dataclass
class Twins:
    """Two certificates of two CAs with one serial, each in a host of its own."""
    server: Httpd
    hosts: tuple[str, str]
    leaves: tuple[pki.Leaf, pki.Leaf]
    responders: tuple[responders.ScriptedResponder, ...]


@pytest.fixture
def twins(httpd, responder, ca, root_ca):
    def make(*scripts, directives=()) -> Twins:
        cas = (ca, root_ca.intermediate("Other Intermediate"))
        hosts = ("first.example.test", "second.example.test")
        answering = tuple(responder(script, one) for script, one in zip(scripts or (None, None), cas))
        leaves = tuple(one.leaf(host, url=each.url, serial=1) for one, host, each in zip(cas, hosts, answering))
        server = httpd(Config(vhosts=tuple(Vhost(host, (leaf,)) for host, leaf in zip(hosts, leaves)),
                              cache="ocsp_cache:cache/staples(128000)", directives=directives))
        return Twins(server, hosts, leaves, answering)
    return make


def test_import_for_one_of_two_certificates_with_one_serial(twins, folder):
    two = twins(DEAD, DEAD)
    two.server.allow(NOTHING_HELD)
    two.server.start()
    for one in two.responders:
        one.wait_asked()
    for n, (host, leaf) in enumerate(zip(two.hosts, two.leaves)):
        done = ctl(two.server, "import", as_file(folder, response(leaf), str(n)))
        assert done.code == 0 and host in done.out, done
        two.server.wait_staple(host)


def test_export_of_two_certificates_with_one_serial(twins, folder):
    two = twins()
    two.server.start()
    for host in two.hosts:
        two.server.wait_staple(host)
    out = folder / "out"
    out.mkdir()
    assert ctl(two.server, "export", "--all", "--out", out).code == 0
    assert {path.name for path in out.iterdir()} == {f"{leaf.sha1}.der" for leaf in two.leaves}
    for host, leaf in zip(two.hosts, two.leaves):
        assert (out / f"{leaf.sha1}.der").read_bytes() == ctl(two.server, "export", host).raw
    both = ctl(two.server, "list", "01", "--json").json["certificates"]
    assert {one["sha1"] for one in both} == {leaf.sha1 for leaf in two.leaves}
    asked = ctl(two.server, "export", "01")
    assert asked.code == 2 and all(leaf.sha1 in asked.err for leaf in two.leaves), "each is named by its fingerprint"
    assert ctl(two.server, "refresh", two.leaves[1].sha1).out.count("good, usable for") == 1


@pytest.mark.asan
def test_a_file_named_by_the_serial_is_not_the_other_certificates(twins, folder):
    """SERIAL.der is about the first one: the second one's responder is queried; SHA1.der then serves the second one."""
    folder.chmod(0o755)
    two = twins(directives=(f'OCSPCacheResponseFolder "{folder}"',))
    as_file(folder, response(two.leaves[0]), "01.der")
    two.server.start()
    for host in two.hosts:
        two.server.wait_staple(host)
    assert record(two.server, two.hosts[0])["origin"] == "file" \
        and record(two.server, two.hosts[1])["origin"] == "responder"
    assert not two.responders[0].asked and two.responders[1].asked
    [line] = two.server.ours("info", "is about another certificate")
    assert two.hosts[1] in line.text and "01.der" in line.text
    as_file(folder, response(two.leaves[1], begins=-1), "fresh").rename(folder / f"{two.leaves[1].sha1}.der")
    poll(lambda: record(two.server, two.hosts[1])["origin"] == "file", "its own file is used")


def test_import_into_a_stopped_server_keeps_all_that_is_there(httpd, responder, ca, folder):
    """Thirty held, ten come newer, with a cache that is too small for both at a time."""
    answering = responder()
    leaves = {f"h{n}.example.test": ca.leaf(f"h{n}.example.test", url=answering.url) for n in range(30)}
    server = httpd(Config(vhosts=tuple(Vhost(host, (leaf,)) for host, leaf in leaves.items()),
                          cache="ocsp_cache:cache/staples(128000)")).start()
    for host in leaves:
        server.wait_staple(host)
    server.stop()
    before = cache_file(server).stat()
    files = [as_file(folder, response(leaf, begins=-1), host) for host, leaf in list(leaves.items())[:10]]
    done = ctl(server, "import", *files)
    assert done.code == 0 and len(done.out.splitlines()) == 10, done
    after = cache_file(server).stat()
    assert (after.st_uid, after.st_mode) == (before.st_uid, before.st_mode)
    found = ctl(server, "verify", "--json").json
    assert found["verified"] == 30 and found["damaged"] == 0
    answering.refuse()
    server.start()
    assert all(server.handshake(host).status == "good" for host in leaves)


def test_import_is_not_for_certificates_that_staple_nothing(site, folder):
    one = site(leaf={"url": None})
    one.server.start()
    done = ctl(one.server, "import", as_file(folder, response(one.leaf)))
    assert done.code == 1 and "OCSPCacheResponseFolder" in done.err


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_import_by_another_user(site, folder):
    one = site()
    one.server.start()
    one.wait_staple()
    done = ctl(one.server, "import", as_file(folder, response(one.leaf)), user=unprivileged_user())
    assert done.code == 2 and "Permission denied" in done.err


def test_a_fresh_response_is_well_however_short(httpd, ca, responder):
    """Responses for ten hours, for ten minutes, and without nextUpdate: all monitors agree, by one rule."""
    ends = {"hours.example": 36000, "minutes.example": 600, "open.example": None}
    leaves = {host: ca.leaf(host, url=responder(responders.good(next_update=end)).url) for host, end in ends.items()}
    server = httpd(Config(cache=CACHE, vhosts=tuple(Vhost(host, (leaf,)) for host, leaf in leaves.items())))
    server.start()
    for host in leaves:
        server.wait_staple(host)
    assert {one["attention"] for one in server.certificates()} == {"none"}
    done = ctl(server, "check")
    assert done.code == 0 and done.out.startswith("OCSP OK - 3 of 3 certificates"), done
    assert ctl(server, "check", "--warn", "20m").code == 1 and ctl(server, "list", "--problems").code == 0
