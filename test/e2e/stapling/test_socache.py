# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The socache contract: the same calls on ocsp_cache and mod_socache_shmcb, with a list of all differences."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import http.client
import json
import os
import re
import subprocess
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

from httpd import HARNESS, Config, Httpd, apxs
from wait import poll

OURS, SHMCB = "ocsp_cache", "shmcb"


# ---- the probe -------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module", params=["early", "late"])
def probe_module(workplace: Path, request: pytest.FixtureRequest) -> Path:
    """mod_socache_probe.so, compiled for this machine's httpd; it begins its caches before the module's post_config, or
    after it."""
    built = workplace / f"mod_socache_probe-{request.param}.so"
    apr = subprocess.run([apxs("APR_CONFIG") or "apr-1-config", "--includes"], check=True, stdout=subprocess.PIPE,
                         text=True).stdout.split()
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-pthread", "-std=gnu11", "-Wall", "-Wextra",
                    "-Werror", f"-DPROBE_LATE={int(request.param == 'late')}", *apxs("EXTRA_CPPFLAGS").split(),
                    "-isystem", apxs("INCLUDEDIR"), *apr, "-o", str(built),
                    str(HARNESS / "mod_socache_probe.c")], check=True)
    return built


@dataclass
class Probe:
    """A server whose caches answer calls over HTTP."""

    server: Httpd

    def begin(self, cache: str, op: str, **arguments: object) -> http.client.HTTPResponse:
        """Returns when the header of the answer is there; "read" and "write" send it before they begin."""
        query = urllib.parse.urlencode({"cache": cache, "op": op, **arguments})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(f"http://127.0.0.1:{self.server.http_port}/probe?{query}", timeout=60)

    def text(self, cache: str, op: str, **arguments: object) -> str:
        with self.begin(cache, op, **arguments) as answer:
            return answer.read().decode()

    def call(self, cache: str, op: str, **arguments: object) -> dict:
        return json.loads(self.text(cache, op, **arguments))


@pytest.fixture
def probe(httpd: Callable[..., Httpd], probe_module: Path) -> Callable[..., Probe]:
    """Factory of started probes. `caches`: name -> provider and, after a space, its argument."""
    def make(caches: dict[str, str], **options: object) -> Probe:
        directives = [f'LoadModule socache_probe_module "{probe_module}"',
                      *(f"SocacheProbe {name} {argument}" for name, argument in caches.items()),
                      '<Location "/probe">', "SetHandler socache-probe", "Require all granted", "</Location>",
                      *options.pop("directives", ())]
        return Probe(httpd(Config(vhosts=(), ssl=False, directives=tuple(directives), **options)).start())
    return make


# ---- the same calls on both providers --------------------------------------------------------------------------------

def step(op: str, **arguments: object) -> tuple[str, dict]:
    return op, arguments


# The first letter of an id selects the part of shmcb that stores it. One part cannot hold all of these, so each id has
# another letter.
_SIZES = tuple(zip("ABCDEFGHIJKLMNO", (1, 7, 8, 9, 439, 440, 441, 511, 512, 513, 4095, 4096, 4097, 65535, 65536)))

# Name -> call; they run in this order. Ids are "id" repeated to "idlen"; values are known by "seed" and "len".
CALLS = {
    "retrieve from an empty cache": step("retrieve", id="absent"),
    "remove from an empty cache": step("remove", id="absent"),
    "iterate over an empty cache": step("iterate"),
    "store": step("store", id="first", seed=1, len=1000),
    "retrieve": step("retrieve", id="first", seed=1),
    "retrieve into a buffer of just that size": step("retrieve", id="first", seed=1, room=1000),
    "retrieve into a buffer one byte too small": step("retrieve", id="first", seed=1, room=999),
    "retrieve into no buffer": step("retrieve", id="first", seed=1, room=0),
    "it is still there": step("retrieve", id="first", seed=1),
    "replace by a longer value": step("store", id="first", seed=2, len=5000),
    "retrieve the longer value": step("retrieve", id="first", seed=2),
    "replace by a shorter value": step("store", id="first", seed=3, len=10),
    "retrieve the shorter value": step("retrieve", id="first", seed=3),
    "a longer id with the same beginning": step("retrieve", id="first", idlen=6),
    "a shorter id with the same beginning": step("retrieve", id="first", idlen=4),
    "remove": step("remove", id="first"),
    "retrieve what was removed": step("retrieve", id="first"),
    "remove what was removed": step("remove", id="first"),
    "store what was removed": step("store", id="first", seed=4, len=100),
    "retrieve what was stored again": step("retrieve", id="first", seed=4),
    "store without data": step("store", id="empty", len=0),
    "retrieve without data": step("retrieve", id="empty"),
    "retrieve without data into no buffer": step("retrieve", id="empty", room=0),
    "store what has expired": step("store", id="past", seed=5, len=10, ttl=-1000000),
    "retrieve what has expired": step("retrieve", id="past"),
    "remove what has expired": step("remove", id="past"),
    "replace by what has expired": step("store", id="first", seed=6, len=10, ttl=-1),
    "retrieve what an expired value replaced": step("retrieve", id="first"),
    "store again over what has expired": step("store", id="first", seed=7, len=20),
    "retrieve what replaced an expired value": step("retrieve", id="first", seed=7),
    "expire": step("expire", id="short", ttl=50000),
    **{f"store an id of {n}": step("store", id="abcdefg", idlen=n, seed=n % 100, len=50)
       for n in (4, 5, 7, 8, 9, 20, 32, 255, 256, 447, 448)},
    **{f"retrieve an id of {n}": step("retrieve", id="abcdefg", idlen=n, seed=n % 100)
       for n in (4, 5, 7, 8, 9, 20, 32, 255, 256, 447, 448)},
    **{f"store an id of {n}": step("store", id="abcdefg", idlen=n, seed=n % 100, len=50) for n in (1, 2, 3)},
    **{f"retrieve an id of {n}": step("retrieve", id="abcdefg", idlen=n, seed=n % 100) for n in (1, 2, 3)},
    **{f"remove an id of {n}": step("remove", id="abcdefg", idlen=n) for n in (1, 2, 3)},
    **{f"store an id of {n}": step("store", id="abcdefg", idlen=n, seed=9, len=50) for n in (449, 1000)},
    **{f"retrieve an id of {n}": step("retrieve", id="abcdefg", idlen=n, seed=9) for n in (449, 1000)},
    **{f"remove an id of {n}": step("remove", id="abcdefg", idlen=n) for n in (449, 1000)},
    **{f"store {n} bytes": step("store", id=f"{letter}data", seed=n % 100, len=n) for letter, n in _SIZES},
    **{f"retrieve {n} bytes": step("retrieve", id=f"{letter}data", seed=n % 100) for letter, n in _SIZES},
    "store 65537 bytes": step("store", id="large", seed=1, len=65537),
    "retrieve 65537 bytes": step("retrieve", id="large", seed=1),
    "remove 65537 bytes": step("remove", id="large"),
}

# Known differences: call -> (ocsp_cache, shmcb, why). All other results are equal.
_TOO_SMALL = {"rv": "no space", "overrun": False, "touched": False}
_NOT_FOUND = {"rv": "not found", "overrun": False, "touched": False}
DIFFERENCES = {
    **{name: (_TOO_SMALL, _NOT_FOUND,
              "shmcb cannot tell a value that is larger than the buffer from none; ours tells, so that the caller can "
              "come "
              "again with a larger buffer. To mod_ssl, which looks for APR_SUCCESS alone, it is the same")
       for name in ("retrieve into a buffer one byte too small", "retrieve into no buffer")},
    **{name: ({**_NOT_FOUND, "touched": True}, _NOT_FOUND,
              "ours looks at the clock when it has copied a value, shmcb before: nothing is found, and what is in the "
              "buffer is "
              "undefined, as after any failure")
       for name in ("retrieve what has expired", "retrieve what an expired value replaced")},
    "remove what has expired": ({"rv": "ok"}, {"rv": "not found"},
                                "shmcb throws away an expired value when it is looked for; our readers write nothing"),
    **{f"store an id of {n}": ({"rv": "ok"}, {"rv": "invalid"}, "shmcb refuses ids below 4 bytes") for n in (1, 2, 3)},
    **{f"retrieve an id of {n}": ({"rv": "ok", "overrun": False, "len": 50, "whole": True}, _NOT_FOUND,
                                  "shmcb refuses ids below 4 bytes") for n in (1, 2, 3)},
    **{f"remove an id of {n}": ({"rv": "ok"}, {"rv": "invalid"}, "shmcb refuses ids below 4 bytes") for n in (1, 2, 3)},
    **{f"store an id of {n}": ({"rv": "invalid"}, {"rv": "ok"},
                               "an id has to fit into the first block; the longest that httpd's modules use is of 64 "
                               "bytes")
       for n in (449, 1000)},
    **{f"retrieve an id of {n}": (_NOT_FOUND, {"rv": "ok", "overrun": False, "len": 50, "whole": True},
                                  "not stored in ours") for n in (449, 1000)},
    **{f"remove an id of {n}": ({"rv": "not found"}, {"rv": "ok"}, "not stored in ours") for n in (449, 1000)},
    "store 65537 bytes": ({"rv": "invalid"}, {"rv": "ok"}, "a record has at most 64 KiB, in memory as in the file"),
    "retrieve 65537 bytes": (_NOT_FOUND, {"rv": "ok", "overrun": False, "len": 65537, "whole": True},
                             "not stored in ours"),
    "remove 65537 bytes": ({"rv": "not found"}, {"rv": "ok"}, "not stored in ours"),
}

# Large enough that no part of shmcb has to drop an entry.
BOTH = {"a": f"{OURS} (16000000)", "b": f"{SHMCB} run/b(16000000)"}


def _shmcb_logs_what_it_refuses(one: Probe) -> None:
    one.server.allow(r"AH00832|AH00838")  # "unusably short id"


@pytest.mark.asan
@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_every_call_answers_as_shmcb_does_or_differs_as_written_down(probe, mpm):
    one = probe(BOTH, mpm=mpm)
    _shmcb_logs_what_it_refuses(one)
    wrong = []
    for name, (op, arguments) in CALLS.items():
        ours, theirs = one.call("a", op, **arguments), one.call("b", op, **arguments)
        expected = DIFFERENCES[name][:2] if name in DIFFERENCES else (theirs, theirs)
        if (ours, theirs) != expected:
            wrong.append(f"{name}: ours {ours}, shmcb {theirs}, expected {expected}")
        if ours.get("overrun") or ours.get("whole") is False or ours.get("early") or ours.get("late"):
            wrong.append(f"{name}: ours {ours}")
    assert not wrong, "\n".join(wrong)
    assert set(DIFFERENCES) <= set(CALLS)


def test_iterate_shows_what_is_there_to_both(probe):
    one = probe(BOTH)
    for cache in BOTH:
        for n in range(20):
            one.call(cache, "store", id=f"k{n:04}", seed=n, len=100 * n)
        one.call(cache, "store", id="k0099", seed=99, len=5, ttl=-1)
        one.call(cache, "remove", id="k0003")
    seen = {cache: one.call(cache, "iterate") for cache in BOTH}
    expected = sorted([f"k{n:04}", 100 * n] for n in range(20) if n != 3)
    for cache, answer in seen.items():
        assert sorted(answer["entries"]) == expected, cache
        assert answer["bad"] == 0 and answer["rv"] == "ok", "ids and values end with a NUL, and are whole"
    for cache in BOTH:
        answer = one.call(cache, "iterate", stop=5)
        assert len(answer["entries"]) == 5 and answer["rv"] == "as the iterator said", cache


def test_iterate_copes_with_the_largest_of_all(probe):
    one = probe({"a": OURS})
    one.call("a", "store", id="k0001", idlen=448, seed=1, len=65536)
    answer = one.call("a", "iterate")
    assert [entry[1] for entry in answer["entries"]] == [65536] and len(answer["entries"][0][0]) == 448


# ---- status ----------------------------------------------------------------------------------------------------------

def test_status_tells_machines_and_people_the_same(probe):
    one = probe(BOTH)
    for cache in BOTH:
        for n in range(7):
            one.call(cache, "store", id=f"k{n:04}", seed=n, len=100)
        for _ in range(3):
            one.call(cache, "retrieve", id="k0001", seed=1)
        for _ in range(2):
            one.call(cache, "retrieve", id="nobody")
    short = {cache: one.text(cache, "status", short=1) for cache in BOTH}
    for cache, text in short.items():
        assert all(re.fullmatch(r"Cache\w+: \w+%?", line) for line in text.splitlines()), text
        fields = dict(line.split(": ") for line in text.splitlines())
        assert fields["CacheStoreCount"] == "7", (cache, text)
        assert fields["CacheRetrieveHitCount"] == "3" and fields["CacheRetrieveMissCount"] == "2", (cache, text)
    assert short["a"].startswith("CacheType: OCSP_CACHE\n") and short["b"].startswith("CacheType: SHMCB\n")
    assert "CacheEntries: 7\n" in short["a"]
    page = one.text("a", "status")
    for what in ("ocsp_cache</b>", "current entries: <b>7</b>", "total entries stored: <b>7</b>", "<b>3</b> hit",
                 "<b>2</b> miss"):
        assert what in page, page


# ---- several at once -------------------------------------------------------------------------------------------------

def test_instances_know_nothing_of_each_other(probe):
    one = probe({"a": OURS, "b": f"{OURS} (128000)", "c": f"{OURS} (4000000)", "d": SHMCB})
    for n, cache in enumerate("abcd"):
        assert one.call(cache, "store", id="same", seed=n, len=100 + n)["rv"] == "ok"
    for n, cache in enumerate("abcd"):
        seen = one.call(cache, "retrieve", id="same", seed=n)
        assert seen["rv"] == "ok" and seen["whole"] and seen["len"] == 100 + n, cache
    one.call("a", "remove", id="same")
    assert [one.call(cache, "retrieve", id="same")["rv"] for cache in "abcd"] == ["not found", "ok", "ok", "ok"]


@pytest.mark.asan
@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_readers_and_iterators_see_whole_values_while_others_write(probe, mpm):
    """prefork: each of them is a process; event: a thread."""
    many = ("StartServers 8", "MinSpareServers 8", "MaxSpareServers 10") if mpm == "prefork" else ()
    one = probe({"a": f"{OURS} (400000)"}, mpm=mpm, directives=many)
    poll(lambda: mpm != "prefork" or len(one.server.children()) >= 8, "a child for each")
    jobs = [("write", {}), ("write", {}), ("read", {}), ("read", {"walk": 1}), ("read", {}), ("read", {"walk": 1})]
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        answers = list(pool.map(lambda job: one.call("a", job[0], ms=1500, **job[1]), jobs))
    assert all(answer["bad"] == 0 for answer in answers), answers
    assert all(answer["done"] > 100 for answer in answers), answers
    assert mpm != "prefork" or len({answer["pid"] for answer in answers}) == len(jobs), answers


def test_full_cache_drops_its_oldest(probe):
    one = probe({"a": f"{OURS} (65536)"})
    for n in range(300):
        assert one.call("a", "store", id=f"k{n:04}", seed=n, len=1000)["rv"] == "ok"
    there = {entry[0] for entry in one.call("a", "iterate")["entries"]}
    assert {f"k{n:04}" for n in range(290, 300)} <= there, "the latest are there"
    assert "k0000" not in there and 10 <= len(there) < 300


def test_value_larger_than_the_cache_is_refused_and_costs_nothing(probe):
    one = probe({"a": f"{OURS} (40000)"})
    one.call("a", "store", id="kept", seed=1, len=100)
    assert one.call("a", "store", id="huge", seed=2, len=60000)["rv"] == "no space"
    assert one.call("a", "retrieve", id="kept", seed=1)["whole"]
    assert one.call("a", "retrieve", id="huge")["rv"] == "not found"


# ---- generations -----------------------------------------------------------------------------------------------------

def test_reload_keeps_what_shmcb_loses(probe):
    one = probe(BOTH)
    for cache in BOTH:
        one.call(cache, "store", id="kept", seed=1, len=3000)
    one.server.graceful()
    seen = one.call("a", "retrieve", id="kept", seed=1)
    assert seen["rv"] == "ok" and seen["whole"], "taken over from the old generation"
    assert one.call("b", "retrieve", id="kept")["rv"] == "not found", "shmcb begins empty"
    one.server.graceful()
    assert one.call("a", "retrieve", id="kept", seed=1)["whole"], "and again"


def test_two_generations_work_beside_each_other(probe):
    one = probe({"a": f"{OURS} (400000)"})
    one.call("a", "store", id="before", seed=1, len=500)
    before = set(one.server.children())
    old = [one.begin("a", op, ms=4000) for op in ("write", "read")]
    poll(lambda: len(one.call("a", "iterate")["entries"]) > 10, "the old generation writes")
    one.server.graceful(settle=False)

    def answer_of_new(op: str) -> dict:
        """A child of the old generation may still accept connections for a moment."""
        return poll(lambda: (answer := one.call("a", op, ms=1000))["pid"] not in before and answer,
                    "an answer of the new generation")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        of_new = list(pool.map(answer_of_new, ("write", "read")))
    of_old = [json.loads(answer.read()) for answer in old]
    assert all(answer["bad"] == 0 and answer["done"] > 100 for answer in (*of_old, *of_new)), (of_old, of_new)
    assert {answer["pid"] for answer in of_old} <= before
    assert one.call("a", "retrieve", id="before", seed=1)["whole"]


def test_instance_that_a_reload_drops_is_no_trouble(probe):
    one = probe({"a": OURS, "b": f"{OURS} (128000)"})
    for cache in "ab":
        one.call(cache, "store", id="x", seed=1, len=10)
    smaller = dataclasses.replace(one.server.config, directives=tuple(
        line for line in one.server.config.directives if not line.startswith("SocacheProbe b")))
    both = one.server.config
    one.server.graceful(smaller)
    assert one.call("a", "retrieve", id="x", seed=1)["whole"]
    one.server.graceful(both)
    assert one.call("a", "retrieve", id="x", seed=1)["whole"]
    assert one.call("b", "retrieve", id="x")["rv"] == "not found", "nobody kept it"
