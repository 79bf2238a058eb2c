# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The cache's file with other sizes, other versions, a full disk, and changes by others. Stapling is never affected,
each problem is one log line, and valid records are kept."""

import os
import re
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Iterator

import pytest

import responders
from byte_order import ORDER
from conftest import CACHE
from httpd import Config, Httpd, Vhost

HOSTS = tuple(f"h{n}.example.test" for n in range(30))


@pytest.fixture
def farm(httpd, ca, responder):
    """Factory of a server with thirty certificates, all stapled, whose responder is then down."""
    def make(cache: str = CACHE) -> tuple[Httpd, responders.ScriptedResponder]:
        answering = responder()
        vhosts = tuple(Vhost(host, (ca.leaf(host, url=answering.url),)) for host in HOSTS)
        server = httpd(Config(vhosts=vhosts, cache=cache)).start()
        for host in HOSTS:
            server.wait_staple(host)
        return server, answering
    return make


def stapled(server: Httpd) -> int:
    return sum(server.handshake(host).status == "good" for host in HOSTS)


@pytest.mark.parametrize("size", [65536, 4194304], ids=["shrunk", "grown"])
@pytest.mark.parametrize("how", ["graceful", "full"])
def test_another_size_keeps_the_staples(farm, size, how):
    server, answering = farm()
    answering.refuse()
    changed = replace(server.config, cache=f"ocsp_cache:cache/staples({size})")
    if how == "graceful":
        server.graceful(changed)
    else:
        server.stop()
        server.config = changed
        server.start()
    assert stapled(server) == len(HOSTS)


def test_a_size_that_is_too_small_names_once_one_that_is_not(httpd, ca, responder):
    """At the start, and not again for each response that does not fit. `-t` names the same size."""
    answering = responder()
    vhosts = tuple(Vhost(host, (ca.leaf(host, url=answering.url),)) for host in HOSTS)
    server = httpd(Config(vhosts=vhosts, cache="ocsp_cache:cache/staples(32768)"))
    small = (r"SSLStaplingCache: a size of 32768 bytes is too small for the responses of 30 certificates.* "
             r"Set a size of (\d+) or more")
    server.expect(rf"\[ocsp_cache:warn\] .*{small}")
    first = server.check().lines[0]
    server.start()
    answering.wait_asked(len(HOSTS))
    [line] = server.ours(("warn", "error"), "too small|is full|a size of")
    size = re.search(small, line.text)[1]
    assert re.search(small, first)[1] == size
    server.graceful(replace(server.config, cache=f"ocsp_cache:cache/staples({size})"))
    for host in HOSTS:
        server.wait_staple(host)
    assert server.check().lines == ["Syntax OK"]


def test_a_file_of_another_layout_is_replaced_and_said_once(farm):
    server, _answering = farm()
    server.stop()
    path = server.cache_folder / "staples"
    image = bytearray(path.read_bytes())
    struct.pack_into(f"{ORDER}I", image, 8, 99)
    path.write_bytes(image)
    server.start()
    for host in HOSTS:
        server.wait_staple(host)
    assert len(server.ours(("notice",), "another version of this module")) == 1


def test_a_file_deleted_while_in_use_is_back_after_a_reload(farm):
    server, answering = farm()
    path = server.cache_folder / "staples"
    path.unlink()
    assert stapled(server) == len(HOSTS)
    answering.refuse()
    server.graceful()
    assert path.exists() and stapled(server) == len(HOSTS)
    server.stop()
    server.start()
    assert stapled(server) == len(HOSTS), "the file of the reload holds all"


def test_a_file_replaced_by_a_foreign_one_while_in_use_is_left_alone(farm):
    server, answering = farm()
    answering.refuse()
    path = server.cache_folder / "staples"
    path.unlink()
    path.write_text("dear diary\n" * 1000)
    server.expect(r"\[ocsp_cache:error\] .*SSLStaplingCache: .*is not an OCSP cache file.*kept in memory only")
    server.graceful()
    assert stapled(server) == len(HOSTS)
    assert path.read_text() == "dear diary\n" * 1000


@pytest.fixture
def small_disk(folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of a few pages, or of the size that the test wants. Mounting needs privileges that not every test
    machine has."""
    disk, size = folder / "small-disk", getattr(request, "param", "40k")
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(disk)],
                             capture_output=True, text=True)
    if os.geteuid() != 0 or mounted.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.parametrize("small_disk", ["8m"], indirect=True)
def test_what_a_read_only_disk_holds_is_stapled(farm, small_disk):
    """A cold start on a file system that became read-only: the responses in the file are good, and nothing is lost."""
    server, answering = farm(f"ocsp_cache:{small_disk}/staples(4000000)")
    server.allow(r"\[ocsp_cache:warn\] .*is in memory \(tmpfs\)")
    server.allow(r"\[ocsp_cache:warn\] .*cannot (write|create) .*small-disk/staples\.(ledger|manifest)")
    server.stop()
    answering.refuse()
    server.expect(
        r"\[ocsp_cache:error\] .*SSLStaplingCache: .*Read-only file system.*kept in memory only.*ReadWritePaths=")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    server.start()
    assert stapled(server) == len(HOSTS)
    assert len(server.ours("error")) == 1
    server.stop()
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)


def test_a_full_disk_costs_persistence_and_one_line(farm, small_disk):
    """40 kB hold the list of certificates and a part of the thirty responses. A reload has no room for a new file
    either: the old one stays."""
    cannot = r"\[ocsp_cache:error\].* cannot write the cache file .*small-disk/staples.*"
    server, answering = farm(f"ocsp_cache:{small_disk}/staples(128000)")
    server.allow(r"\[ocsp_cache:warn\] .*is in memory \(tmpfs\)")
    # these may have no room either
    server.allow(r"\[ocsp_cache:warn\] .*cannot (write|create) .*small-disk/staples\.(ledger|manifest)")
    server.expect(cannot)
    assert stapled(server) == len(HOSTS)
    assert len(server.ours(("error",), "cannot write the cache file")) == 1, "once, not for each of the others"
    answering.refuse()
    server.expect(r"\[ocsp_cache:error\] .*SSLStaplingCache: .*small-disk/staples.*kept in memory only")
    server.graceful()
    assert stapled(server) == len(HOSTS)
