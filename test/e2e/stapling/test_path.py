# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The handshake path: this module makes no system call, takes no lock and parses nothing while it staples.

strace -k shows the stack of every system call. Locks that are free make no system call, so a preloaded library
(callspy.c) wraps them and OpenSSL's parsers. Each test has its control: the refresher, which does all of it, is seen.
"""

import os
import re
import signal
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from conftest import QUICK, SHMCB
from httpd import HARNESS, module_path, sanitizer_environment
from wait import poll

MODULE = module_path().name
HANDSHAKES = 8


def stacks_by_thread(trace: str) -> dict[int, list[str]]:
    """strace's output: thread -> the stack of each of its system calls, as text."""
    found: dict[int, list[str]] = defaultdict(list)
    thread = 0
    for line in trace.splitlines():
        call = re.match(r"(\d+)\s+\S", line)
        if call:
            thread = int(call.group(1))
            found[thread].append("")
        elif line.startswith(" > ") and thread:
            found[thread][-1] += line + "\n"
    return found


def attach_strace(pids: set[int], output: Path) -> "subprocess.Popen[str]":
    """strace on every thread of these processes; fails loudly where the machine forbids it."""
    messages = output.with_suffix(".err")
    command = ["strace", "-f", "-k", "-s", "0", "-o", str(output)]
    for pid in pids:
        command += ["-p", str(pid)]
    with messages.open("w") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=err, stderr=err, text=True)

    def attached() -> bool:
        text = messages.read_text()
        return process.poll() is not None or all(re.search(rf"Process {pid} attached", text) for pid in pids)
    poll(attached, "strace is attached", 30)
    if process.poll() is not None:
        said = messages.read_text()
        if os.environ.get("OCSP_CACHE_E2E_NO_PTRACE"):
            pytest.skip(f"OCSP_CACHE_E2E_NO_PTRACE is set, and strace says: {said}")
        pytest.fail(f"strace cannot trace here, so nothing is proved; allow ptrace, or set OCSP_CACHE_E2E_NO_PTRACE=1 "
                    f"to go without this proof. strace says: {said}")
    return process


@pytest.fixture
def callspy(folder):
    """Compile callspy.c. Returns the environment that preloads it for one module's name, and the file that it
    writes."""
    if sanitizer_environment():
        pytest.skip("AddressSanitizer wants to be preloaded first and takes locks of its own")
    library, report = folder / "callspy.so", folder / "callspy.log"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
                    str(library), str(HARNESS / "callspy.c"), "-ldl"], check=True)
    report.touch()
    report.chmod(0o666)

    def environment(module: str) -> dict[str, str]:
        return {"LD_PRELOAD": str(library), "CALLSPY_LOG": str(report), "CALLSPY_MODULE": module}
    return environment, report


def traced(site, output: Path, during) -> dict[int, list[str]]:
    """The stacks of all system calls of the server's children while `during` runs."""
    process = attach_strace(site.server.children(), output)
    try:
        during()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    return stacks_by_thread(output.read_text(errors="replace"))


def connection_threads(stacks: dict[int, list[str]]) -> set[int]:
    return {thread for thread, calls in stacks.items()
            if any("libssl.so" in call and "mod_ssl.so" in call for call in calls)}


def test_control_strace_shows_what_mod_ssl_does_in_a_handshake(site, folder):
    one = site(module=False, cache=SHMCB)
    one.server.start()
    stacks = traced(one, folder / "strace.out", lambda: one.handshake())
    asking = [call for thread in connection_threads(stacks) for call in stacks[thread]
              if "apr_socket_connect" in call and "libssl.so" in call and "mod_ssl.so" in call]
    assert asking, "mod_ssl connects to the responder below OpenSSL's handshake, and that is seen"


def test_control_callspy_shows_what_mod_ssl_does_in_a_handshake(site, callspy):
    environment, report = callspy
    one = site(module=False, cache=SHMCB, environment=environment("mod_ssl.so"))
    one.server.start()
    assert one.handshake().status == "good" and one.handshake().status == "good"
    lines = report.read_text().splitlines()
    assert "handshake d2i_OCSP_RESPONSE" in lines or "handshake ASN1_item_d2i" in lines, lines
    assert any(line.startswith("handshake pthread_mutex_lock") for line in lines), lines


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_no_system_call_of_ours_in_a_handshake(site, folder, mpm):
    spare = ("StartServers 4", "MinSpareServers 1") if mpm == "prefork" else ()  # no child begins later, untraced
    one = site(mpm=mpm, directives=(*QUICK, *spare))
    one.server.start()
    one.wait_staple()

    def handshakes() -> None:
        for number in range(HANDSHAKES):
            seen = one.handshake(tls=("1.2", "1.3")[number % 2])
            assert seen.ok and seen.status == "good", seen
        one.responder.wait_asked_again(deadline=60)
    stacks = traced(one, folder / "strace.out", handshakes)
    serving = connection_threads(stacks)
    assert sum("libssl.so" in call for thread in serving for call in stacks[thread]) >= 2 * HANDSHAKES, \
        "the handshakes were seen"
    ours = [call for thread in serving for call in stacks[thread] if MODULE in call]
    assert not ours, f"{len(ours)} system calls of ours in connection threads, the first:\n{ours[0]}"
    elsewhere = [call for thread, calls in stacks.items() if thread not in serving for call in calls if MODULE in call]
    assert elsewhere, "control: the refresher's system calls show our frames"


def test_no_lock_and_no_parsing_of_ours_in_a_handshake(site, callspy):
    environment, report = callspy
    one = site(directives=QUICK, environment=environment(MODULE))
    one.server.start()
    one.wait_staple()
    for number in range(HANDSHAKES):
        assert one.handshake(tls=("1.2", "1.3")[number % 2]).status == "good"
    one.responder.wait_asked_again()
    one.server.stop()
    lines = report.read_text().splitlines()
    handshake = sorted({line for line in lines if line.startswith("handshake ")})
    assert not handshake, f"called by us below OpenSSL's handshake: {handshake}"
    assert any(line.startswith("tls ") for line in lines), "control: calls of others in handshakes are seen"
    assert any(line.startswith("module pthread_") for line in lines), "control: the refresher's locks are seen"
    assert any(re.match(r"module (d2i|OCSP|ASN1)", line) for line in lines), "control: the refresher's parsing is seen"
