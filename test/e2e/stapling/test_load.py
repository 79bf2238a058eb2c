# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The benchmark's load client (test/bench/load.c) rejects every wrong staple, and counts every
client that had to wait."""

import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp

import responders
from conftest import HOST
from httpd import REPOSITORY
from raw_server import RawServer, skip_if_selective

LOAD = Path(os.environ.get("LOAD_CLIENT", REPOSITORY / "out" / "bench" / "load"))


def response(ca, leaf, *, status="good", this_update=-60, next_update=3600, signer=None) -> bytes:
    """A response, made by the code of the scripted responder."""
    exchange = SimpleNamespace(leaf=leaf, request=SimpleNamespace(hash_algorithm=hashes.SHA1()))
    return responders._single(exchange, ocsp.OCSPCertStatus[status.upper()], this_update=this_update,
                              next_update=next_update, signer=signer)


def tampered(der: bytes) -> bytes:
    """One bit near the end, in the signature or the certificate, is flipped."""
    at = der.index(ocsp.load_der_ocsp_response(der).signature) + 20
    return der[:at] + bytes([der[at] ^ 1]) + der[at + 1:]


@pytest.fixture
def stapler():
    """Factory of servers that staple the bytes they are given."""
    made = []

    def make(leaf, der=None):
        made.append(RawServer(leaf, der))
        return made[-1]
    yield make
    for server in made:
        server.stop()


def load(port: int, root, *options: str, host: str = HOST) -> dict:
    done = subprocess.run([str(LOAD), "--address", f"127.0.0.1:{port}", "--ca", str(root.cert_file), "--host", host,
                           *options], check=True, stdout=subprocess.PIPE, text=True, timeout=60)
    return json.loads(done.stdout)


ONCE = ("--rate", "100", "--seconds", "0.1")

CASES = {
    "good": (lambda ca, leaf, stranger, other: response(ca, leaf), "good", ""),
    "nothing": (lambda ca, leaf, stranger, other: None, "none", ""),
    "tryLater": (lambda ca, leaf, stranger, other: bytes.fromhex("30030a0103"), "error", ""),
    "revoked": (lambda ca, leaf, stranger, other: response(ca, leaf, status="revoked"), "wrong", "revoked"),
    "unknown": (lambda ca, leaf, stranger, other: response(ca, leaf, status="unknown"), "wrong", "unknown"),
    "expired": (lambda ca, leaf, stranger, other: response(ca, leaf, this_update=-7200, next_update=-3600), "wrong",
                "past its nextUpdate"),
    "from the future": (lambda ca, leaf, stranger, other: response(ca, leaf, this_update=3600, next_update=7200),
                        "wrong",
                        "before its thisUpdate"),
    "another certificate's": (lambda ca, leaf, stranger, other: response(ca, other), "wrong",
                              "not about this certificate"),
    "a stranger's signature": (lambda ca, leaf, stranger, other: response(ca, leaf, signer=stranger), "wrong",
                               "verify error"),
    "tampered with": (lambda ca, leaf, stranger, other: tampered(response(ca, leaf)), "wrong", "signature"),
    "empty": (lambda ca, leaf, stranger, other: bytes.fromhex("30030a0100"), "wrong", "not a basic response"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_staple_is_judged_for_what_it_is(name, ca, root_ca, stranger, stapler):
    make, outcome, why = CASES[name]
    if name == "another certificate's":
        skip_if_selective()
    leaf, other = ca.leaf(HOST), ca.leaf("other.example.test")
    server = stapler(leaf, make(ca, leaf, stranger, other))
    for tls in ("1.2", "1.3"):
        got = load(server.port, root_ca, *ONCE, "--tls", tls)
        assert got[outcome] == got["started"] == 10, json.dumps(got)
        assert why in got["first_wrong"], json.dumps(got)


def test_response_that_ends_is_wrong_from_then_on(ca, root_ca, stapler):
    """The signature of a response is verified once, its times for each handshake."""
    leaf = ca.leaf(HOST)
    server = stapler(leaf, response(ca, leaf, next_update=3))  # whole seconds: it ends within four
    got = load(server.port, root_ca, "--rate", "10", "--seconds", "6")
    assert got["good"] > 0 and got["wrong"] > 0 and got["good"] + got["wrong"] == 60, json.dumps(got)
    assert got["distinct"] == 1 and got["not_good_after_good"] == got["wrong"], json.dumps(got)


def test_untrusted_server_and_wrong_name_have_failed(ca, root_ca, stranger, stapler):
    leaf = ca.leaf(HOST)
    server = stapler(leaf, response(ca, leaf))
    assert load(server.port, stranger, *ONCE)["failed"] == 10
    assert load(server.port, root_ca, *ONCE, host="another.example.test")["failed"] == 10


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_resumed_sessions_are_told_apart(tls, ca, root_ca, stapler):
    leaf = ca.leaf(HOST)
    got = load(stapler(leaf, response(ca, leaf)).port, root_ca, "--rate", "20", "--seconds", "0.5", "--tls", tls,
               "--resume")
    # How many resume depends on how soon the first handshake has brought a session.
    assert got["good"] >= 1 and got["resumed"] >= 1 and got["good"] + got["resumed"] == 10, json.dumps(got)


def test_those_who_wait_behind_a_stall_are_counted_with_all_of_their_wait(ca, root_ca, stapler):
    """The server stops for two of four seconds. A client that sends its requests one after the other would see one slow
    handshake; here every handshake that was due meanwhile is slow."""
    leaf = ca.leaf(HOST)
    server = stapler(leaf, response(ca, leaf))

    def stall() -> None:
        time.sleep(1)  # the duration of the stall is what the test measures
        server.pause()
        time.sleep(2)
        server.resume()
    staller = threading.Thread(target=stall)
    staller.start()
    got = load(server.port, root_ca, "--rate", "50", "--seconds", "4")
    staller.join()
    assert got["good"] == got["started"] == 200, json.dumps(got)
    # 100 of 200 handshakes begin during the stall, evenly: the slowest waits two seconds, a quarter of all more than
    # one.
    assert got["max_ms"] > 1800 and got["p90_ms"] > 1000, json.dumps(got)
    assert sum(second[-1] > 900 for second in got["timeline"]) >= 2, json.dumps(got)


def test_refused_and_silent_servers_have_failed(ca, root_ca):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        assert load(port, root_ca, *ONCE)["failed"] == 10
        silent.listen(64)
        got = load(port, root_ca, *ONCE, "--timeout", "0.3")
        assert got["failed"] == 10 and "timed out" in got["first_failed"], json.dumps(got)
