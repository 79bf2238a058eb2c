# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The load client with client certificates (test/bench/load_client.c) counts those that are let in, and the others."""

import json
import os
import subprocess
from pathlib import Path

import responders
from httpd import REPOSITORY
from mtls import HOST

LOAD = Path(os.environ.get("LOAD_CLIENT", REPOSITORY / "out" / "bench" / "load"))


def load(one, pattern, clients):
    command = [LOAD, "--address", f"127.0.0.1:{one.server.https_port}", "--ca", one.server.root_ca.cert_file, "--host",
               HOST, "--no-status", "--client", pattern, "--clients", clients, "--rate", 40, "--seconds", 0.2]
    done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, check=True, text=True, timeout=60)
    return json.loads(done.stdout)


def test_those_let_in_and_those_refused_are_counted(mtls, folder):
    one = mtls()
    one.server.start()
    leaves = {"good": one.client("good"), "revoked": one.client("revoked")}
    one.responder.script = lambda exchange: (
        responders.revoked() if exchange.leaf is leaves["revoked"] else responders.good())(exchange)
    for i, leaf in enumerate(leaves.values()):
        (folder / f"client-{i}.pem").write_text(leaf.fullchain_file.read_text() + leaf.key_file.read_text())
    # Known from here on: at most a quarter of the threads wait for clients that are not.
    assert one.get(leaves["good"]).status == 200 and one.get(leaves["revoked"]).status == 0
    got = load(one, folder / "client-%d.pem", 2)
    assert got["started"] == 8 and got["good"] == got["failed"] == 4, got
    assert "revoked" in got["first_failed"]
    one.server.expect(r"^\[ocsp_client:warn\] .* is revoked: handshake refused")


def test_another_status_is_an_error(mtls, folder):
    one = mtls(responders.good(), host=('<Location "/">', "Require all denied", "</Location>"))
    leaf = one.client()
    one.server.start()
    (folder / "client.pem").write_text(leaf.fullchain_file.read_text() + leaf.key_file.read_text())
    assert one.get(leaf).status == 403  # known from here on, as above
    got = load(one, folder / "client.pem", 1)
    assert got["error"] == got["started"] == 8, got
    one.server.allow(r"AH01630: client denied by server configuration")
