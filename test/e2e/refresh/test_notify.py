# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""OCSPCacheNotify: a real program gets the events of certificates, and nothing waits for it."""

from __future__ import annotations

import dataclasses
import re
import time
from pathlib import Path

import pytest

import responders
from conftest import HOST, NOTHING_HELD, QUICK
from httpd import Vhost
from wait import holds, poll

RECORD = """#!/bin/sh
new=$(mktemp {events}/.XXXXXX) && env -0 > $new && mv $new {events}/$OCSP_CACHE_EVENT.${{new##*.}}
"""
VARIABLES = {"OCSP_CACHE_" + name for name in (
    "EVENT", "HOST", "HOSTS", "SUBJECT", "SERIAL", "NOT_AFTER", "MUST_STAPLE", "RESPONDER", "STATUS", "USABLE_UNTIL",
    "NEXT_REQUEST", "ERROR", "ERROR_TEXT")}
SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}  # what /bin/sh adds


class Program:
    """A script, and what it recorded each time it ran."""

    def __init__(self, folder: Path, text: str) -> None:
        self.events = folder / "events"
        self.events.mkdir()
        self.events.chmod(0o777)
        self.path = folder / "record.sh"
        self.write(text)

    def write(self, text: str) -> None:
        self.path.write_text(text.format(events=self.events))
        self.path.chmod(0o755)

    @property
    def directive(self) -> str:
        return f'OCSPCacheNotify "{self.path}"'

    def runs(self, event: str = "*") -> list[dict[str, str]]:
        return [dict(pair.split("=", 1) for pair in path.read_text().split("\0") if pair)
                for path in self.events.glob(event + ".*")]

    def wait(self, event: str, count: int = 1) -> dict[str, str]:
        return poll(lambda: len(self.runs(event)) >= count and self.runs(event), f"{event} is reported", 30)[0]


@pytest.fixture
def program(folder):
    return Program(folder, RECORD)


def facts(one, run: dict[str, str]) -> None:
    """What every event contains."""
    assert set(run) - SHELL == VARIABLES | {"PATH"}
    assert run["OCSP_CACHE_HOST"] == f"{HOST}:{one.server.https_port}"
    assert run["OCSP_CACHE_HOSTS"] == run["OCSP_CACHE_HOST"]
    assert run["OCSP_CACHE_SERIAL"] == one.leaf.serial_hex and HOST in run["OCSP_CACHE_SUBJECT"]
    assert run["OCSP_CACHE_RESPONDER"] == one.responder.url and run["OCSP_CACHE_MUST_STAPLE"] == "0"
    assert int(run["OCSP_CACHE_NOT_AFTER"]) > time.time()
    assert abs(int(run["OCSP_CACHE_NEXT_REQUEST"]) - time.time()) < 86400


def test_a_certificates_life(site, program):
    one = site(responders.good(next_update=9), directives=(*QUICK, program.directive))
    one.server.expect(r"\[ocsp_cache:warn\] .*Stapling continues", NOTHING_HELD, r"\[ocsp_cache:crit\] .*REVOKED")
    began = time.time()
    one.server.start()
    first = program.wait("first-response")
    facts(one, first)
    assert first["OCSP_CACHE_STATUS"] == "good" and first["OCSP_CACHE_ERROR"] == first["OCSP_CACHE_ERROR_TEXT"] == ""
    assert int(began) + 9 <= int(first["OCSP_CACHE_USABLE_UNTIL"]) <= time.time() + 9

    one.responder.script = responders.try_later()
    expiring = program.wait("expiring")
    facts(one, expiring)
    assert (expiring["OCSP_CACHE_STATUS"], expiring["OCSP_CACHE_ERROR"]) == ("good", "try-later")
    assert expiring["OCSP_CACHE_ERROR_TEXT"] and expiring["OCSP_CACHE_USABLE_UNTIL"]
    expired = program.wait("expired")
    facts(one, expired)
    assert (expired["OCSP_CACHE_STATUS"], expired["OCSP_CACHE_USABLE_UNTIL"]) == ("none", "")

    one.responder.script = responders.good()
    recovered = program.wait("recovered")
    facts(one, recovered)
    assert (recovered["OCSP_CACHE_STATUS"], recovered["OCSP_CACHE_ERROR"]) == ("good", "")
    one.responder.script = responders.revoked()
    revoked = program.wait("revoked")
    facts(one, revoked)
    assert revoked["OCSP_CACHE_STATUS"] == "revoked"
    assert len(program.runs()) == 5, "each is reported once"


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_each_generation_reports_what_is_new(site, program, mpm):
    """A reload repeats no event; later ones are reported once, by the new generation."""
    one = site(directives=(*QUICK, program.directive), mpm=mpm)
    one.server.expect(r"\[ocsp_cache:crit\] .*REVOKED")
    one.server.start()
    program.wait("first-response")
    one.server.graceful()
    one.responder.wait_asked_again()
    one.responder.script = responders.revoked()
    program.wait("revoked")
    one.server.graceful()
    one.responder.wait_asked_again()
    assert sorted(run["OCSP_CACHE_EVENT"] for run in program.runs()) == ["first-response", "revoked"]


def test_arguments_are_not_a_shells(site, program):
    program.write("#!/bin/sh\nprintf '%s\\n' \"$@\" > {events}/arguments.new\n"
                  "mv {events}/arguments.new {events}/arguments.x\n")
    one = site(directives=(program.directive + " '$(id)' \"two words\" ;",))
    one.server.start()
    written = poll(lambda: list(program.events.glob("arguments.x")), "the program has run")
    assert written[0].read_text() == "$(id)\ntwo words\n;\n"


def test_subject_is_harmless(site, program):
    one = site(leaf={"common_name": "<script>alert('x')</script>&amp;\n\"q\" $(id)\x1b[2J"},
               directives=(program.directive,))
    one.server.start()
    subject = program.wait("first-response")["OCSP_CACHE_SUBJECT"]
    assert "script" in subject and subject.isprintable() and subject.isascii(), subject


def test_a_program_that_hangs_blocks_nothing(site, program):
    program.write("#!/bin/sh\necho $$ > {events}/new && mv {events}/new {events}/begun.x\nexec sleep 600\n")
    one = site(directives=(*QUICK, program.directive))
    one.server.start()
    begun = poll(lambda: list(program.events.glob("begun.x")), "the program runs")
    pid = int(begun[0].read_text())
    for _ in range(3):
        one.responder.wait_asked_again()
    assert one.handshake().status == "good"
    one.server.stop()
    poll(lambda: not _sleeps(pid), "the program was terminated")


def _sleeps(pid: int) -> bool:
    """Is the program of the test, which has become sleep, still running?"""
    try:
        return b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes()  # empty: a zombie
    except OSError:
        return False


def test_flood(site, ca, program):
    """More first responses than the queue takes: logged once, and everything is stapled."""
    program.write("#!/bin/sh\nexec sleep 30\n")
    one = site()
    vhosts = tuple(Vhost(f"h{i}.example.test", (ca.leaf(f"h{i}.example.test", url=one.responder.url),))
                   for i in range(150))
    one.server.config = one.changed(vhosts=vhosts, directives=(program.directive,),
                                    cache="ocsp_cache:cache/staples(1048576)")
    one.server.expect(
        r"\[ocsp_cache:warn\] .*OCSPCacheNotify: .* is too slow: the half for first responses of its queue of 256 "
        r"events is full.*First lost: first-response, h\d+\.example")
    one.server.start()
    for vhost in vhosts[::30]:
        one.server.wait_staple(vhost.host)
    poll(lambda: one.server.ours("warn"), "the loss is logged")
    holds(lambda: len(one.server.ours("warn")) == 1, "once", 1)


def test_a_failure_is_logged_once(site, program):
    program.write("#!/bin/sh\nexit 3\n")
    one = site(responders.revoked(), directives=(*QUICK, program.directive))
    one.server.expect(r"\[ocsp_cache:crit\] ",
                      r"\[ocsp_cache:warn\] .*OCSPCacheNotify: \S+record.sh: it exited with status 3")
    one.server.start()
    one.server.wait_log("it exited with status 3", "warn")
    one.responder.script = responders.good(this_update=0)
    one.server.wait_log("it exited with status 3", "debug")
    program.write(RECORD)
    one.responder.script = responders.revoked()
    one.server.wait_log("works again", "notice")
    assert program.wait("revoked")


def test_interpreter_is_missing(site, program):
    program.write("#!/nowhere/at/all\n")
    one = site(directives=(program.directive,))
    one.server.expect(r"\[ocsp_cache:warn\] .*record.sh: it cannot be run: No such file or directory")
    one.server.start()
    one.server.wait_log("it cannot be run", "warn")
    assert one.handshake().status == "good"


@pytest.mark.parametrize("damage", ["missing", "not executable", "folder"])
def test_configuration_check(site, program, damage):
    one = site(directives=(program.directive,))
    assert one.server.check().code == 0
    if damage == "not executable":
        program.path.chmod(0o644)
    else:
        program.path.unlink()
    if damage == "folder":
        program.path.mkdir()
    said = one.server.check()
    assert said.code != 0 and re.search(r"OCSPCacheNotify: \S+record\.sh is not an executable program", said.output), \
        said


def test_program_that_vanishes_ends_no_running_server(site, program):
    one = site(directives=(program.directive,))
    one.server.start()
    program.wait("first-response")
    program.path.unlink()
    one.server.expect(r"\[ocsp_cache:warn\] .*record\.sh is not an executable program")
    one.server.graceful()
    assert one.handshake().status == "good"


def test_none(site, program):
    one = site(directives=(program.directive, "OCSPCacheNotify none"))
    one.server.start()
    one.wait_staple()
    one.server.graceful(dataclasses.replace(one.server.config, directives=(program.directive,)))
    assert not program.runs()
