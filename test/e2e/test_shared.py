# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A fleet behind one responder request: servers that share responses through redis or memcached (OCSPCacheShared)."""

import dataclasses
from pathlib import Path
from typing import Callable, Iterator, Optional

import pytest

import pki
import responders
import stores
from conftest import CACHE, HOST
from httpd import Config, Httpd, Vhost
from wait import holds, poll

TOOK = r"the shared store \S+ says good"
ASKED = r"the responder http://\S+ says good"
# Refreshed all the time, and yet given up only after minutes: what a fleet lives through in weeks.
PACE = ("SSLStaplingStandardCacheTimeout 2", "SSLStaplingErrorCacheTimeout 1", "SSLStaplingResponderTimeout 2",
        "OCSPCacheRefreshInterval 1 2")


@dataclasses.dataclass
class Fleet:
    """Servers of one configuration, each with a cache of its own, and the responder and the store that they share."""

    make: Callable[..., Httpd]
    store: stores.Store
    responder: responders.ScriptedResponder
    leaf: pki.Leaf

    def server(self, *directives: str, leaf: Optional[pki.Leaf] = None, **config: object) -> Httpd:
        """One more of them, not yet started."""
        lines = (f"OCSPCacheShared {self.store.argument}", *directives)
        return self.make(Config(vhosts=(Vhost(HOST, (leaf or self.leaf,)),), cache=CACHE, directives=lines,
                                modules=(self.store.module,), **config))

    def asked(self) -> int:
        return len(self.responder.asked)


@pytest.fixture
def store(folder: Path) -> Iterator[Callable[[type], stores.Store]]:
    """Factory of stores."""
    made: list[stores.Store] = []

    def make(kind: type = stores.Redis) -> stores.Store:
        made.append(kind(folder / f"store{len(made)}"))
        return made[-1]
    yield make
    for one in made:
        one.kill()


@pytest.fixture
def fleet(store: Callable, httpd: Callable[..., Httpd], responder: Callable, ca: pki.Authority) -> Callable[..., Fleet]:
    """Factory of Fleets. Depends on `store` and `httpd` in this order: servers end before their store does."""
    def make(script: Optional[responders.Script] = None, kind: type = stores.Redis, **leaf: object) -> Fleet:
        answering = responder(script)
        return Fleet(httpd, store(kind), answering, ca.leaf(HOST, url=answering.url, **leaf))
    return make


def assert_stapled_at_once(server: Httpd) -> None:
    seen = server.handshake(HOST)
    assert seen.ok and seen.status == "good", seen


# ---- the story ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", [stores.Redis, stores.Memcached])
def test_the_first_asks_and_the_others_take(fleet, kind):
    one = fleet(kind=kind, must_staple=True)
    first, second, third, fourth = (one.server() for _ in range(4))
    first.start()
    assert first.wait_staple(HOST).ok
    first.wait_log(ASKED)
    one.store.wait_response()
    for server in (second, third):
        server.start()
        assert_stapled_at_once(server)
        server.wait_log(TOOK)
    assert one.asked() == 1, "two servers took what the first one was told"

    one.responder.refuse()
    fourth.start()
    assert fourth.gnutls(HOST).ok, "an enforcing client at an empty server, in an outage"
    assert_stapled_at_once(fourth)
    assert fourth.ours(pattern=TOOK) and one.asked() == 1


def test_control_without_the_store_each_server_asks(fleet):
    one = fleet()
    for _ in range(2):
        server = one.server()
        server.config = dataclasses.replace(server.config, directives=())
        server.start()
        server.wait_staple(HOST)
    assert one.asked() == 2
