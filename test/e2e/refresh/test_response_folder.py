# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""OCSPCacheResponseFolder: responses that another job leaves in files, for hosts that cannot reach the responders."""

import datetime
import os
import re
import time
from pathlib import Path

import pytest
from cryptography.x509 import ocsp

import pki
import responders
from conftest import CACHE, HOST
from httpd import Config, Httpd, Vhost
from observe import certificate, wait_leader
from pki import response
from wait import holds, poll

SOON = 5.0  # "within seconds"
NOT_HELD = r"\[ocsp_cache:warn\] .*: file \S+\.der: .*There is no valid response to staple"
RUNNING_OUT = r"\[ocsp_cache:warn\] .*: file \S+\.der: .*not renewed in time. Stapling continues"
GOOD, REVOKED = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED


def leave(inbox: Path, leaf: pki.Leaf, der: bytes, mode: int = 0o644) -> Path:
    """As in the manual: under another name, then renamed."""
    new, final = inbox / "new", inbox / f"{leaf.serial_hex}.der"
    new.write_bytes(der)
    new.chmod(mode)
    new.rename(final)
    return final


@pytest.fixture
def inbox(folder: Path) -> Path:
    made = folder / "responses"
    made.mkdir(mode=0o755)
    made.chmod(0o755)
    return made


@pytest.fixture
def fed(site, inbox):
    """A Site whose certificate names no responder, with the folder."""
    def make(*directives: str, **options):
        options = {"leaf": {"url": None}, **options}
        return site(directives=(f'OCSPCacheResponseFolder "{inbox}"', *directives), **options)
    return make


def failures(server: Httpd, leaf: pki.Leaf) -> int:
    return certificate(server, leaf)["failures"]


def next_update(staple: str) -> datetime.datetime:
    text = re.search(r"Next Update: (.* GMT)", staple).group(1)
    return datetime.datetime.strptime(text, "%b %d %H:%M:%S %Y %Z")


# ---- coming in -------------------------------------------------------------------------------------------------------

@pytest.mark.asan
def test_certificate_without_a_responder_is_stapled_from_its_file(fed, inbox):
    one = fed()
    leave(inbox, one.leaf, response(one.leaf))
    one.server.start()
    assert one.leaf.serial_hex in one.wait_staple(deadline=SOON).staple
    assert certificate(one.server, one.leaf)["state"] == "good"


def test_a_file_that_comes_later_is_picked_up(fed, inbox):
    one = fed()
    one.server.start()
    line = one.server.wait_log("is stapled only when", "info")
    assert f"{inbox}/{one.leaf.serial_hex}.der" in line.text
    assert one.handshake().status is None
    leave(inbox, one.leaf, response(one.leaf))
    one.wait_staple(deadline=SOON)


def test_a_newer_one_takes_its_place(fed, inbox):
    one = fed()
    leave(inbox, one.leaf, response(one.leaf, begins=-600, ends=3600))
    one.server.start()
    first = next_update(one.wait_staple(deadline=SOON).staple)
    leave(inbox, one.leaf, response(one.leaf, begins=-60, ends=7200))
    poll(lambda: next_update(one.handshake().staple) > first, "the newer one is stapled", SOON)


def test_an_older_one_does_not(fed, inbox):
    one = fed()
    leave(inbox, one.leaf, response(one.leaf, begins=-60, ends=7200))
    one.server.start()
    first = next_update(one.wait_staple(deadline=SOON).staple)
    leave(inbox, one.leaf, response(one.leaf, begins=-600, ends=3600))
    one.server.wait_log("a newer response is already in the cache", "info", deadline=SOON)
    assert next_update(one.handshake().staple) == first


def test_revoked_is_stapled_and_logged(fed, inbox):
    one = fed()
    leave(inbox, one.leaf, response(one.leaf))
    one.server.start()
    one.wait_staple(deadline=SOON)
    one.server.expect(r"\[ocsp_cache:crit\] .*: the file \S+\.der reports the certificate as REVOKED")
    leave(inbox, one.leaf, response(one.leaf, begins=0, status=REVOKED))
    one.wait_staple("revoked", deadline=SOON)


# ---- and the network -------------------------------------------------------------------------------------------------

def test_a_file_helps_where_the_responder_is_dead(fed, inbox, responder):
    dead = responder()
    dead.refuse()
    one = fed(leaf={"url": dead.url})
    one.server.expect(r"\[ocsp_cache:warn\] .*There is no valid response")
    one.server.start()
    one.server.wait_log("There is no valid response", "warn")
    leave(inbox, one.leaf, response(one.leaf))
    one.wait_staple(deadline=SOON)


def test_a_file_that_comes_while_the_responder_hangs_is_not_overlooked(fed, inbox, responder):
    hanging = responder(responders.hang())
    one = fed("SSLStaplingResponderTimeout 2", leaf={"url": hanging.url})
    one.server.allow(r"\[ocsp_cache:warn\] .*There is no valid response")
    one.server.start()
    hanging.wait_asked()
    leave(inbox, one.leaf, response(one.leaf))
    one.wait_staple(deadline=2 + 2)  # the time-out, and no pause after it
    assert len(hanging.asked) <= 2, "the request that hangs, and its companion"


def test_a_certificate_with_a_file_is_not_queried_and_one_without_is(httpd, ca, responder, inbox):
    answering = responder()
    vhosts = tuple(Vhost(host, (ca.leaf(host, url=answering.url),)) for host in ("a.example.test", "b.example.test"))
    filed, asked = (vhost.leaves[0] for vhost in vhosts)
    leave(inbox, filed, response(filed, ends=7200))
    server = httpd(Config(vhosts=vhosts, cache=CACHE, directives=(
        f'OCSPCacheResponseFolder "{inbox}"', "SSLStaplingStandardCacheTimeout 1", "SSLStaplingErrorCacheTimeout 1")))
    server.start()
    for vhost in vhosts:
        server.wait_staple(vhost.host)
    answering.wait_asked(3, asked)
    assert answering.asked_for(filed) == []


# ---- what must not be stapled ----------------------------------------------------------------------------------------

BAD = {
    "expired": (lambda leaf, stranger: response(leaf, begins=-7200, ends=-3600), "has already expired"),
    "future": (lambda leaf, stranger: response(leaf, begins=7200, ends=9000), "is not valid yet"),
    "forged": (lambda leaf, stranger: response(leaf, signer=stranger), "is not authorized|does not contain"),
    "garbage": (lambda leaf, stranger: b"<html>captive portal</html>", "not one well-formed DER object"),
    "empty": (lambda leaf, stranger: b"", "not one well-formed DER object"),
    "another-one": (lambda leaf, stranger: response(leaf.issuer.leaf(HOST)), "is not for this certificate"),
    "huge": (lambda leaf, stranger: b"\x30\x83\x01\x00\x00" + bytes(65536), "larger than a staple may be"),
    "unreadable": (lambda leaf, stranger: response(leaf), "cannot be read"),
}


def test_bad_files_are_logged_once_and_never_stapled(httpd, ca, stranger, inbox):
    vhosts = {name: Vhost(f"{name}.example.test", (ca.leaf(f"{name}.example.test"),)) for name in [*BAD, "control"]}
    for name, (make, _) in BAD.items():
        leaf = vhosts[name].leaves[0]
        leave(inbox, leaf, make(leaf, stranger), 0 if name == "unreadable" else 0o644)
    (inbox / f"{vhosts['control'].leaves[0].serial_hex}.der").write_bytes(response(vhosts["control"].leaves[0]))
    server = httpd(Config(vhosts=tuple(vhosts.values()), cache=CACHE, directives=(
        f'OCSPCacheResponseFolder "{inbox}"', "SSLStaplingErrorCacheTimeout 1", "SSLStaplingReturnResponderErrors On")))
    server.expect(NOT_HELD)
    server.start()
    server.wait_staple("control.example.test")
    leaves = {name: vhosts[name].leaves[0] for name in BAD}
    for _ in range(3):
        (inbox / "other.txt").touch()  # the folder has changed, so all look
        (inbox / "other.txt").unlink()
        before = [failures(server, leaf) for leaf in leaves.values()]
        poll(lambda: all(failures(server, leaf) > count for leaf, count in zip(leaves.values(), before)),
             "all were tried again", 10)
    for name, leaf in leaves.items():
        lines = server.ours(("info", "notice", "warn", "err", "crit"), f"{leaf.serial_hex}.*: file ")
        assert [line.level for line in lines] == ["warn"], (name, [str(line) for line in lines])
        assert re.search(BAD[name][1], lines[0].text) and f"{leaf.serial_hex}.der" in lines[0].text, lines[0]
        seen = server.handshake(f"{name}.example.test")
        assert seen.ok and seen.status in (None, "trylater"), seen
        assert certificate(server, leaf)["last_verdict"] in _names(lines[0].text), "the status page says the same"


def _names(text: str) -> tuple[str, ...]:
    """The verdicts that a sentence of the log may mean."""
    table = {"already expired": "expired", "not valid yet": "not-yet-valid", "not authorized": "signer-refused",
             "does not contain": "signer-missing", "well-formed DER": "not-der", "is not for this": "not-ours",
             "larger than": "too-large", "cannot be read": "file-unreadable"}
    return tuple(name for words, name in table.items() if words in text)


def test_a_bad_file_takes_nothing_away(fed, inbox):
    one = fed("SSLStaplingErrorCacheTimeout 1")
    leave(inbox, one.leaf, response(one.leaf))
    one.server.start()
    one.wait_staple(deadline=SOON)
    leave(inbox, one.leaf, b"oops")
    one.server.wait_log("well-formed DER.*Stapling continues", "info", deadline=SOON)
    poll(lambda: failures(one.server, one.leaf) >= 2, "tried again", 15)
    assert one.handshake().status == "good"
    assert len(one.server.ours(("info", "notice", "warn"), r": file \S+\.der: ")) == 1
    leave(inbox, one.leaf, response(one.leaf, begins=-30))
    one.server.wait_log(r"the file \S+\.der reports good", "notice", deadline=SOON)


def test_what_could_not_be_read_is_read_when_it_can(fed, inbox):
    one = fed("SSLStaplingErrorCacheTimeout 1")
    path = leave(inbox, one.leaf, response(one.leaf), mode=0)
    if os.geteuid() != 0:  # the children run as this user: only the mode keeps them out
        assert not os.access(path, os.R_OK)
    one.server.expect(NOT_HELD)
    one.server.start()
    one.server.wait_log("cannot be read: .*OCSPCacheResponseFolder", "warn", deadline=SOON)
    path.chmod(0o644)
    one.wait_staple(deadline=SOON)


# ---- the end ---------------------------------------------------------------------------------------------------------

def test_never_past_its_end_and_that_is_logged_once(httpd, ca, inbox):
    """Two certificates: the file of one stays as it is, that of the other is removed. A response is running out in the
    last quarter of the time for which it was usable when it was read, so the files come when the server is up."""
    vhosts = tuple(Vhost(host, (ca.leaf(host),)) for host in ("there.example.test", "removed.example.test"))
    leaves = [vhost.leaves[0] for vhost in vhosts]
    server = httpd(Config(vhosts=vhosts, cache=CACHE, directives=(
        f'OCSPCacheResponseFolder "{inbox}"', "SSLStaplingErrorCacheTimeout 1")))
    server.expect(NOT_HELD, RUNNING_OUT)
    server.start()
    wait_leader(server)
    ends = time.time() + 7
    paths = [leave(inbox, leaf, response(leaf, ends=7)) for leaf in leaves]
    for vhost in vhosts:
        server.wait_staple(vhost.host, deadline=SOON)
    paths[1].unlink()
    for vhost in vhosts:
        poll(lambda: server.handshake(vhost.host).status is None, "it is no longer stapled", 10)
        assert time.time() > ends - 1.1, "whole seconds; it was stapled until its end"

    def warned(leaf: pki.Leaf) -> list[str]:
        return [line.text for line in server.ours("warn", f"{leaf.serial_hex}.*There is no valid response to staple")]
    for leaf in leaves:
        poll(lambda: warned(leaf), "it is logged", SOON)
        assert f"{leaf.serial_hex}.der" in warned(leaf)[0] and "OCSPCacheResponseFolder" in warned(leaf)[0]
    holds(lambda: [len(warned(leaf)) for leaf in leaves] == [1, 1], "logged once", 2.0)
    for vhost, leaf in zip(vhosts, leaves):
        assert server.handshake(vhost.host).status is None
        leave(inbox, leaf, response(leaf))
    for vhost, leaf in zip(vhosts, leaves):
        server.wait_staple(vhost.host, deadline=SOON)
        assert len(server.ours("notice", f"{leaf.serial_hex}.*reports good")) == 1, "and that it is over"


# ---- Must-Staple -----------------------------------------------------------------------------------------------------

def test_must_staple_from_a_file(fed, inbox):
    one = fed(leaf={"url": None, "must_staple": True})
    leave(inbox, one.leaf, response(one.leaf))
    checked = one.server.check()
    assert "[ocsp_cache:warn]" not in checked.output, checked.output
    one.server.start()
    for _ in range(2):
        seen = one.server.gnutls(HOST)
        assert seen.ok and seen.status == "good", seen
        one.server.graceful(settle=False)
    assert not one.server.ours("warn")


def test_a_relative_folder_is_taken_from_the_server_root(site):
    one = site(leaf={"url": None}, directives=("OCSPCacheResponseFolder responses",))
    checked = one.server.check()
    assert checked.code != 0 and f"{one.server.root}/responses is not a folder" in checked.output, checked.output
    inbox = one.server.root / "responses"
    inbox.mkdir(mode=0o755)
    leave(inbox, one.leaf, response(one.leaf))
    one.server.start()
    one.wait_staple(deadline=SOON)


# ---- a folder on a network that does not answer ----------------------------------------------------------------------

def test_a_folder_that_hangs_keeps_no_child_from_ending(fed, inbox, delays):
    """The child that leads, and its workers, sit in stat(2) for longer than the parent waits for a child."""
    delays.slow_folder = inbox
    one = fed(environment=delays.environment)
    leave(inbox, one.leaf, response(one.leaf))
    one.server.start()
    one.wait_staple()
    delays.set(look=90)
    leave(inbox, one.leaf, response(one.leaf))
    poll(lambda: any(thread_sleeps(pid) for pid in one.server.children()), "the thread that leads hangs there")
    one.server.stop()
    assert not re.search("AH0004[56]", one.server.raw_log()), "a child was told twice, or killed"


def thread_sleeps(pid: int) -> bool:
    """Does a thread of the process sleep in the preloaded library? Nothing else there calls nanosleep(2)."""
    def where(task: Path) -> str:
        try:
            return (task / "syscall").read_text().split()[0]
        except (OSError, IndexError):
            return ""
    return any(where(task) in ("35", "230") for task in Path(f"/proc/{pid}/task").glob("*"))
