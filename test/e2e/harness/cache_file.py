# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The cache's file as any process that may write to it can make it: records with correct framing and checksums, and any
content.

The layouts are those of include/cache/block.h, src/cache/file.c and src/ocsp/record.c.
"""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

from cryptography.hazmat.primitives import serialization

import pki
from byte_order import ORDER

HEAD_SIZE, BLOCK_SIZE, BLOCK_WORDS = 4096, 512, 64
_MASK = (1 << 64) - 1
_TRUTH = {1, 2}  # verdicts that rank above an error
GOOD, REVOKED, UNKNOWN, TRY_LATER = 1, 2, 10, 13


def words(data: bytes) -> list[int]:
    data += bytes(-len(data) % 8)
    return list(struct.unpack(f"{ORDER}{len(data) // 8}Q", data))


def checksum(numbers: list[int]) -> int:
    plain = weighted = 0
    for number in numbers:
        plain = (plain + number) & _MASK
        weighted = (weighted + plain) & _MASK
    return (plain + weighted * 0x9e3779b97f4a7c16 + 1) & _MASK


def _der(leaf: pki.Leaf) -> tuple[bytes, bytes]:
    return tuple(cert.public_bytes(serialization.Encoding.DER) for cert in (leaf.cert, leaf.issuer.cert))


def word_of(verdict: int) -> int:
    """The first word of a record: its version and the verdict."""
    return 2 << 32 | verdict


@dataclass(frozen=True)
class Record:
    """Times in seconds since 1970. `order` and `expiry`: None for those that fit the record."""

    leaf: pki.Leaf
    der: bytes
    verdict: int = GOOD
    this_update: float = 0
    next_update: float = 0
    usable_until: float = 0
    fetched_at: float = 0
    usable_from: float = 0
    order: Optional[int] = None
    expiry: Optional[float] = None

    def data(self) -> bytes:
        times = (int(one) * 10**6 for one in (self.this_update, self.next_update, self.usable_until, self.fetched_at))
        binding = hashlib.sha256(b"".join(_der(self.leaf))).digest()
        return struct.pack(f"{ORDER}QqqqqQQq", word_of(self.verdict), *times, len(self.der), 0,
                           int(self.usable_from) * 10**6) + binding + self.der

    def blocks(self, first: int, serial: int) -> bytes:
        ident, data = hashlib.sha1(_der(self.leaf)[0]).digest(), self.data()
        order = self.order
        if order is None:
            rank = 2 if self.verdict in _TRUTH else 1
            order = rank << 56 | int(self.this_update or self.fetched_at)
        expiry = int(self.usable_until if self.expiry is None else self.expiry) * 10**6
        fixed = [serial, ord("R") << 56 | len(ident) << 32 | len(data), expiry, order]
        payload = words(ident) + words(data)
        rest = [*fixed[1:], checksum(fixed + payload), *payload]
        made = b""
        part = 0
        while rest:
            rest, mine = rest[BLOCK_WORDS - 2:], rest[:BLOCK_WORDS - 2]
            following = first + part + 2 if rest else 0
            numbers = [following << 32 | part, serial, *mine]
            made += struct.pack(f"{ORDER}{BLOCK_WORDS}Q", *numbers, *[0] * (BLOCK_WORDS - len(numbers)))
            part += 1
        return made

    def changed(self, **changes: object) -> "Record":
        return replace(self, **changes)


def write(path: Path, records: list[Record], n_blocks: int = 200) -> None:
    """A file with these records, owned by the user who runs the tests, as the server's is."""
    blocks = b""
    for serial, record in enumerate(records, 1):
        blocks += record.blocks(len(blocks) // BLOCK_SIZE, serial)
    head = struct.pack(f"{ORDER}8sIIII", b"OCSPCACH", 1, 0x01020304, BLOCK_SIZE, n_blocks)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head.ljust(HEAD_SIZE, b"\0") + blocks.ljust(n_blocks * BLOCK_SIZE, b"\0"))
    os.chmod(path, 0o600)


class Memory:
    """The arena of a running server, which each of its children can write to. Its blocks are those of the file."""

    def __init__(self, pid: int, path: Path) -> None:
        self._path = path
        self._pid = pid
        maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
        areas = (line.split() for line in maps)
        self._areas = [tuple(int(end, 16) for end in area[0].split("-")) for area in areas
                       if area[1] == "rw-s" and area[5] == "/dev/zero"]

    def forge(self, leaf: pki.Leaf, order: int, *, block_order: Optional[int] = None,
              words_of_data: Optional[dict[int, int]] = None) -> None:
        """Set the order of the record's slot. With `words_of_data` (their numbers are in src/ocsp/record.c) also words
        of the record and the order in its block; its checksum is right."""
        blocks = self._path.read_bytes()[HEAD_SIZE:]
        numbers = words(blocks)
        ident = words(hashlib.sha1(_der(leaf)[0]).digest())
        head = next(at for at in range(0, len(numbers), BLOCK_WORDS)
                    if numbers[at + 1] and numbers[at] & 0xffffffff == 0 and numbers[at + 6:at + 9] == ident)
        payload, at = numbers[head + 6:head + BLOCK_WORDS], head
        while numbers[at] >> 32:
            at = ((numbers[at] >> 32) - 1) * BLOCK_WORDS
            payload += numbers[at + 2:at + BLOCK_WORDS]
        data_len = numbers[head + 2] & 0xffffffff
        payload = payload[:3 + (data_len + 7) // 8]
        true = struct.pack(f"{ORDER}{BLOCK_WORDS}Q", *numbers[head:head + BLOCK_WORDS])
        old_order = struct.pack(f"{ORDER}Q", numbers[head + 4])
        made = numbers[head:head + BLOCK_WORDS]
        made[4] = block_order or made[4]
        for number, value in (words_of_data or {}).items():
            payload[3 + number] = made[9 + number] = value
        made[5] = checksum([*made[1:5], *payload])
        self._replace(true, b"", struct.pack(f"{ORDER}{BLOCK_WORDS}Q", *made))
        slot = true[32:] if made[4] == numbers[head + 4] else b""  # the block holds the same number
        self._replace(old_order, slot, struct.pack(f"{ORDER}Q", order))

    def _replace(self, old: bytes, not_before: bytes, new: bytes) -> None:
        count = 0
        with open(f"/proc/{self._pid}/mem", "r+b", buffering=0) as memory:
            for begin, end in self._areas:
                memory.seek(begin)
                area = memory.read(end - begin)
                at = area.find(old)
                while at >= 0:
                    if not not_before or area[at:at + 8] + area[at + 16:at + 32] != not_before[:8] + not_before[16:32]:
                        memory.seek(begin + at)
                        memory.write(new)
                        count += 1
                    at = area.find(old, at + len(old))
        assert count == 1, f"{count} places to forge"
