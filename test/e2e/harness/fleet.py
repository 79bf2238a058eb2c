# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Servers that share a store, and the fixtures that make them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Optional

import pytest

import pki
import responders
import stores
from conftest import CACHE, HOST
from httpd import Config, Httpd, Vhost

TOOK = r"the shared store \S+ reports good"
ASKED = r"the responder http://\S+ reports good"


@dataclass
class Fleet:
    """Servers of one configuration, each with a cache of its own, and the responder and the store that they share."""

    make: Callable[..., Httpd]
    store: stores.Store
    responder: responders.ScriptedResponder
    leaves: tuple[pki.Leaf, ...]
    hosts: tuple[str, ...]

    @property
    def leaf(self) -> pki.Leaf:
        return self.leaves[0]

    def server(self, *directives: str, shared: Optional[str] = None, modules: tuple[str, ...] = (),
               **config: object) -> Httpd:
        """Another one of them, not started yet."""
        vhosts = tuple(Vhost(host, (leaf,)) for host, leaf in zip(self.hosts, self.leaves))
        lines = (f"OCSPCacheShared {shared or self.store.argument}", *directives)
        return self.make(Config(**{"vhosts": vhosts, "cache": CACHE, "directives": lines,
                                   "modules": (self.store.module, *modules), **config}))

    def asked(self) -> int:
        return len(self.responder.asked)


@pytest.fixture
def store(folder: Path, responder: object) -> Iterator[Callable[[type], stores.Store]]:
    """Factory of stores."""
    made: list[stores.Store] = []

    def make(kind: type = stores.Redis) -> stores.Store:
        made.append(kind(folder / f"store{len(made)}"))
        return made[-1]
    yield make
    for one in made:
        one.kill()


@pytest.fixture
def fleet(store: Callable[[type], stores.Store], httpd: Callable[..., Httpd],
          responder: Callable[..., responders.ScriptedResponder], ca: pki.Authority) -> Callable[..., Fleet]:
    """Factory of Fleets. `hosts`: a certificate each; `leaf`: changes to all of them."""
    def make(script: Optional[responders.Script] = None, kind: type = stores.Redis, hosts: tuple[str, ...] = (HOST,),
             **leaf: object) -> Fleet:
        answering = responder(script)
        leaves = tuple(ca.leaf(host, url=answering.url, **leaf) for host in hosts)
        return Fleet(httpd, store(kind), answering, leaves, hosts)
    return make
