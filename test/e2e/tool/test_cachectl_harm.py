# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""ocsp-cachectl never harms a file in use: its commands in a loop next to a running server, killed anywhere, racing a
start."""

import itertools
import os
import random
import subprocess
import threading
import time

import pytest

import responders
from cachectl import cache_file, command, ctl
from conftest import QUICK
from pki import response
from httpd import Config, Vhost
from wait import poll

N = 12
KILLED = 8


@pytest.fixture
def farm(httpd, ca, responder):
    """Factory of a server with a dozen certificates, all stapled."""
    def make(*directives: str):
        answering = responder()
        leaves = {f"h{n}.example.test": ca.leaf(f"h{n}.example.test", url=answering.url) for n in range(N)}
        server = httpd(Config(vhosts=tuple(Vhost(host, (leaf,)) for host, leaf in leaves.items()),
                              cache="ocsp_cache:cache/staples(128000)", directives=directives)).start()
        for host in leaves:
            server.wait_staple(host)
        return server, answering, leaves
    return make


def test_every_command_beside_a_server_at_work(farm, folder):
    """The server renews each of a dozen every second; each command runs some dozen times meanwhile."""
    server, answering, leaves = farm(*QUICK, "OCSPCacheRefreshInterval 1s 1s")
    host = next(iter(leaves))
    commands = [("list",), ("show", host), ("export", "--all", "--out", folder), ("verify",),
                ("check", "--warn", "1h", "--crit", "1h"),
                ("list", "--json")]
    asked = len(answering.asked)
    began = time.monotonic()
    for arguments in itertools.cycle(commands):
        done = ctl(server, *arguments)
        assert done.code == 0, f"{arguments}: {done}"
        if time.monotonic() - began > 4 and len(answering.asked) > asked + N:
            break
    assert len(list(folder.glob("*.der"))) == N
    assert all(server.handshake(name).status == "good" for name in leaves)


def test_killed_anywhere_an_import_loses_nothing(farm, folder):
    """Into a stopped server's file: whatever instruction it dies at, each response is there, the old one or the new
    one."""
    server, _answering, leaves = farm()
    server.stop()
    began = time.monotonic()
    ctl(server, "verify")
    span = max(4 * (time.monotonic() - began), 0.05)
    rng = random.Random(20260101)
    killed = 0
    for turn in range(100):
        files = []
        for host, leaf in leaves.items():
            files.append(folder / host)
            files[-1].write_bytes(response(leaf, begins=-50 + turn / 4))
        tool = subprocess.Popen(command("import", "--file", cache_file(server), *files), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        try:
            tool.wait(timeout=rng.uniform(0, span))
            span *= 0.9
        except subprocess.TimeoutExpired:
            tool.kill()
            tool.wait()
            killed += 1
        found = ctl(server, "verify", "--json")
        assert found.code == 0 and found.json["verified"] == N and found.json["damaged"] == 0, found
        if killed == KILLED:
            break
    assert killed == KILLED, "it is too quick to be killed on its way"
    assert ctl(server, "import", *files).code == 0
    server.start()
    assert all(server.handshake(host).status == "good" for host in leaves)


@pytest.mark.skipif(os.environ.get("OCSP_CACHE_E2E_NO_PTRACE") == "1", reason="ptrace is forbidden here")
def test_killed_at_each_step_of_writing(farm, folder):
    """strace kills the import when it enters a certain system call: before the rename all is old, after it all is
    new."""
    server, _answering, leaves = farm()
    server.stop()
    steps = [("openat", "staples.new", 1), ("pwrite64", "staples.new", 1), ("pwrite64", "staples.new", 2),
             ("pwrite64", "staples.new", 20), ("fsync", "staples.new", 1), ("rename", "staples.new", 1),
             ("fsync", "cache", 1)]
    for turn, (call, name, when) in enumerate(steps):
        files, old = [], {host: ctl(server, "export", host).raw for host in leaves}
        for host, leaf in leaves.items():
            files.append(folder / host)
            files[-1].write_bytes(response(leaf, begins=-50 + turn))
        target = server.cache_folder / name if name != "cache" else server.cache_folder
        done = subprocess.run(["strace", "-f", "-o", "/dev/null", "-P", target, "-e", f"trace={call}", "-e",
                               f"inject={call}:signal=KILL:when={when}",
                               *command("import", "--file", cache_file(server), *files)],
                              capture_output=True, check=False)
        assert done.returncode == -9, f"{call} {when}: it was not killed: {done}"
        found = ctl(server, "verify", "--json")
        assert found.code == 0 and found.json["verified"] == N and found.json["damaged"] == 0, f"{call} {when}: {found}"
        now = {host: ctl(server, "export", host).raw for host in leaves}
        new = {host: path.read_bytes() for host, path in zip(leaves, files)}
        assert now == (new if (call, name) == ("fsync", "cache") else old), f"{call} {when}"
    server.start()
    assert all(server.handshake(host).status == "good" for host in leaves)
    assert not (server.cache_folder / "staples.new").exists()


def test_killed_while_it_waits_for_the_server(farm):
    server, answering, leaves = farm()
    answering.script = lambda exchange: time.sleep(3)
    tool = subprocess.Popen(command("refresh", "--file", cache_file(server), "--all"), stdout=subprocess.DEVNULL)
    poll(cache_file(server).with_suffix(".command").exists, "the command is there")
    tool.kill()
    tool.wait()
    answering.script = responders.good()
    done = ctl(server, "refresh", next(iter(leaves)))
    assert done.code == 0, done


def test_an_import_races_the_start_of_the_server(farm, folder):
    """Whichever is first, the server starts, and every response is there afterwards."""
    server, answering, leaves = farm()
    for turn in range(3):
        server.stop()
        files = []
        for host, leaf in leaves.items():
            files.append(folder / host)
            files[-1].write_bytes(response(leaf, begins=-30 + turn))
        stop = threading.Event()
        said = []

        def keep_importing() -> None:
            while not stop.is_set():
                said.append(ctl(server, "import", *files))

        thread = threading.Thread(target=keep_importing)
        thread.start()
        try:
            server.start()
        finally:
            stop.set()
            thread.join()
        # busy: the server began between the tool's look and its lock
        assert all(done.code == 0 or "in use by another" in done.err for done in said), said
        assert ctl(server, "import", *files).code == 0
        found = ctl(server, "verify", "--json")
        assert found.code == 0 and found.json["verified"] == N, found
        assert all(server.handshake(host).status == "good" for host in leaves)
