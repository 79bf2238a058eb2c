# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A control for the benchmark: in a small scene, mod_ssl's own stapling waits for the responder and this module does
not. The tests assert who waits, not how fast anything is."""

import os
import sys

import pytest

from httpd import REPOSITORY, sanitizer_environment

sys.path.append(str(REPOSITORY / "test" / "bench"))

import bench_outage  # noqa: E402
import bench_stage  # noqa: E402
from bench_contenders import BY_NAME  # noqa: E402
from bench_responder import HANG, Manner  # noqa: E402

SERVERS = ("none", "shmcb-guides", "ours")


@pytest.fixture
def stage():
    if sanitizer_environment():
        pytest.skip("figures of a module under AddressSanitizer mean nothing")
    processors = os.sched_getaffinity(0)
    with bench_stage.Stage() as made:
        for name in SERVERS:
            made.add(BY_NAME[name])
        made.start_responder()
        yield made
    os.sched_setaffinity(0, processors)


def test_hanging_responder_stalls_mod_ssl_and_is_counted(stage):
    for name in SERVERS:
        stage.responder.set(name, HANG)
    stage.start()
    seen = bench_outage._play(stage, rate=10, seconds=2, events=[])
    assert seen["none"]["none"] == seen["none"]["started"] == 20
    # SSLStaplingResponderTimeout 5: the first waits for as long, and all others behind it.
    assert seen["shmcb-guides"]["max_ms"] > 4900 and seen["shmcb-guides"]["p50_ms"] > 4000
    assert seen["shmcb-guides"]["good"] == 0
    assert seen["ours"]["none"] == 20 and seen["ours"]["asked"] >= 1


def test_responses_that_end_are_followed(stage):
    for name in SERVERS:
        stage.responder.set(name, Manner(validity=3))
    stage.start()
    seen = bench_outage._play(stage, rate=10, seconds=8, events=[])
    assert seen["shmcb-guides"]["wrong"] > 0 and "past its nextUpdate" in seen["shmcb-guides"]["first_wrong"]
    assert seen["ours"]["good"] > 0 and seen["ours"]["wrong"] == 0 and seen["ours"]["asked"] >= 2
    assert seen["ours"]["distinct"] >= 2


def test_processor_time_and_memory_are_seen(stage):
    stage.start()
    one = stage.running["ours"]
    bench_stage.warm(one)
    got = bench_stage.slice_of(one, "--closed", 4, "--seconds", 0.5)
    assert got["good"] == got["done"] > 0
    assert 0 < got["server_cpu_s"] < got["seconds"] * os.cpu_count()
    used = bench_stage.memory(one.server.pids())
    assert used["processes"] >= 3 and 0 < used["private_kb"] <= used["pss_kb"]
