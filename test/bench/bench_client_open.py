# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Clients are revoked while their connections are open. Each sends requests over its connection, and makes new ones:
from the moment at which one of those is refused, the server knows, and what it still serves over the open connection is
counted."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from bench_client_stage import HARD, MOD_SSL, NGINX, MutualStage
from bench_responder import Manner
from bench_stage import Running

N = 10            # clients of each server; the first half of them is revoked
PAUSE = 0.05      # between two requests
VALIDITY = 4
OFTEN = ("OCSPCacheRefreshInterval 1s 2s",)
FAILURES = (OSError, ssl.SSLError, asyncio.IncompleteReadError, ValueError, IndexError)
REQUEST = b"GET /index.html HTTP/1.1\r\nHost: h0.example.test\r\n\r\n"


@dataclass
class Count:
    """Of the clients that are revoked; `others_refused` of those that are not."""

    served_after_known: int = 0
    refused_after_known: int = 0
    known: int = 0
    others_refused: int = 0
    others_served: int = 0


class Client:
    def __init__(self, stage: MutualStage, one: Running, number: int) -> None:
        self._port, self._revoked_soon = one.server.port, number < N // 2
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.load_verify_locations(stage.root.cert_file)
        self._context.load_cert_chain(stage.good.file(number))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._port, ssl=self._context,
                                             server_hostname="h0.example.test")

    @staticmethod
    async def _status(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        """Of one request. 0: no answer."""
        try:
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            return int(head.split(b" ")[1])
        except FAILURES:
            return 0

    async def _comes_back(self) -> bool:
        """Is a new connection let in?"""
        try:
            reader, writer = await self._connect()
        except FAILURES:
            return False
        status = await self._status(reader, writer)
        writer.close()
        return status == 200

    async def run(self, revoked: asyncio.Event, end: asyncio.Event, count: Count) -> None:
        reader, writer = await self._connect()
        known = False
        while not end.is_set():
            if revoked.is_set() and self._revoked_soon and not known:
                known = not await self._comes_back()
                count.known += known
            served = await self._status(reader, writer) == 200
            if not self._revoked_soon:
                count.others_served += served
                count.others_refused += not served
            elif known:
                count.served_after_known += served
                count.refused_after_known += not served
            if not served:
                count.known += self._revoked_soon and not known
                break
            await asyncio.sleep(PAUSE)
        writer.close()


async def _play(stage: MutualStage, seconds: float) -> dict[str, Count]:
    revoked, end = asyncio.Event(), asyncio.Event()
    counts = {name: Count() for name in stage.running}
    tasks = [asyncio.create_task(Client(stage, one, i).run(revoked, end, counts[name]))
             for name, one in stage.running.items() for i in range(N)]
    await asyncio.sleep(seconds / 3)
    stage.responder.revoke(leaf.serial for leaf in stage.good.leaves[:N // 2])
    revoked.set()
    await asyncio.sleep(VALIDITY + seconds)
    end.set()
    await asyncio.gather(*tasks)
    return counts


def revoked_while_open(seconds: float) -> dict:
    """name -> counts."""
    with MutualStage(N, 0) as stage:
        for contender in (MOD_SSL, HARD, NGINX):
            stage.add_mutual(contender, contender.name, OFTEN)
        stage.start_responder()
        for name in stage.running:
            stage.responder.set(name, Manner(validity=VALIDITY))
        stage.start()
        counts = asyncio.run(_play(stage, seconds))
        return {name: vars(count) for name, count in counts.items()}
