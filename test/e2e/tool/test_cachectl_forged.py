# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""ocsp-cachectl and forged records: what a hostile child of the server can write around a genuine response."""

import shutil
import struct
from pathlib import Path

import pytest

import pki
from byte_order import ORDER
from cachectl import cache_file, run
from conftest import HOST

DATA = 72  # of a record: behind six words and the id
FORGED = {"thisUpdate": 8, "nextUpdate": 16, "usable until": 24}  # places in the record's head


def forge(cache: Path, leaf: pki.Leaf, change) -> None:
    """Rewrite a stored record as a hostile child can: the checksum is made right again."""
    image = bytearray(cache.read_bytes())
    head = next(at for at in range(4096, len(image), 512)
                if image[at + 48:at + 68] == bytes.fromhex(leaf.sha1) and struct.unpack_from(f"{ORDER}Q", image, at + 8)[0])
    change(image, head)
    chain, at = [head], head
    while (link := struct.unpack_from(f"{ORDER}Q", image, at)[0] >> 32) != 0:
        at = 4096 + 512 * (link - 1)
        chain.append(at)
    words = [struct.unpack_from(f"{ORDER}Q", image, head + 8 * n)[0] for n in range(1, 5)]
    left = (words[1] & 0xffffffff) + 24  # the id takes three words
    for n, block in enumerate(chain):
        for word in range(6 if n == 0 else 2, 64):
            if left > 0:
                words.append(struct.unpack_from(f"{ORDER}Q", image, block + 8 * word)[0])
                left -= 8
    plain = weighted = 0
    for word in words:
        plain = (plain + word) % 2**64
        weighted = (weighted + plain) % 2**64
    struct.pack_into(f"{ORDER}Q", image, head + 40, (plain + weighted * 0x9e3779b97f4a7c16 + 1) % 2**64)
    cache.write_bytes(image)


def later(offset: int, hours: int = 1):
    """Move a time in the record's head."""
    def change(image: bytearray, head: int) -> None:
        at = head + DATA + offset
        struct.pack_into(f"{ORDER}q", image, at, struct.unpack_from(f"{ORDER}q", image, at)[0] + hours * 3600 * 10**6)
    return change


def ranked_higher(image: bytearray, head: int) -> None:
    struct.pack_into(f"{ORDER}Q", image, head + 32, struct.unpack_from(f"{ORDER}Q", image, head + 32)[0] + 3600 * 10**6)


@pytest.mark.asan
@pytest.mark.parametrize("change", [pytest.param(ranked_higher, id="order"),
                                    *(pytest.param(later(at), id=name) for name, at in FORGED.items())])
def test_a_forged_record_is_reported_everywhere(site, folder, change):
    """The response in it is genuine: only what stands around it was forged."""
    one = site()
    one.server.start()
    one.wait_staple()
    one.server.stop()
    for path in one.server.cache_folder.iterdir():
        shutil.copy2(path, folder / path.name)
    cache = folder / cache_file(one.server).name
    assert run("verify", "--file", cache).code == 0
    forge(cache, one.leaf, change)
    verified = run("verify", "--file", cache, "--json")
    assert verified.code == 1 and verified.json["damaged"] == 0 and verified.json["verified"] == 0 \
        and HOST in verified.out, verified
    out = folder / "out"
    assert run("export", "--file", cache, HOST, "--out", out).code == 1 and not out.exists()
    [row] = run("list", "--json", "--file", cache).json["certificates"]
    assert row["response"] is None and row["last_verdict"] == "altered" and row["attention"] == "warning", row
    assert run("check", "--file", cache).code == 1
    shown = run("show", "--file", cache, HOST).out
    assert "REJECTED" in shown and "Stapled:        none\n" in shown and "Attention:      warning:" in shown, shown
    [one] = run("show", "--json", "--file", cache, HOST).json["certificates"]
    assert one["certificate"] == row and one["response"]["verdict"] == "altered" and one["response"]["pem"], one
