# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Reloads with OCSPCacheShared leave nothing in the parent. OCSP_CACHE_E2E_RELOADS sets the number."""

import os
from pathlib import Path

import pytest

import stores
from conftest import HOST
from observe import Holdings
from wait import poll

RELOADS = int(os.environ.get("OCSP_CACHE_E2E_RELOADS", "60"))
KB_PER_RELOAD = 1  # a thousand of them stay within a megabyte


def mappings(pid: int) -> int:
    return len(Path(f"/proc/{pid}/maps").read_text().splitlines())


@pytest.mark.slow
def test_reloads_leave_nothing_in_the_parent(fleet):
    one = fleet(kind=stores.Redis)
    server = one.server().start()
    server.wait_staple(HOST)

    def reload(times: int) -> tuple[Holdings, int]:
        for _ in range(times):
            server.graceful(settle=False)
        server.graceful()
        poll(lambda: not server.writing(), "the files are written")
        return Holdings.of(server.parent), mappings(server.parent)

    early, early_maps = reload(RELOADS // 3)  # the first ones fill free lists
    late, late_maps = reload(RELOADS)
    print(f"{RELOADS} reloads: {late.rss_kb - early.rss_kb} kB, {late_maps - early_maps} mappings")
    assert late.rss_kb - early.rss_kb <= KB_PER_RELOAD * RELOADS + 100, (early, late)
    assert late_maps - early_maps <= 3, (early_maps, late_maps)
    assert late.descriptors <= early.descriptors and late.threads == 1, (early, late)
    assert server.wait_staple(HOST).ok
