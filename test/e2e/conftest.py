# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Fixtures: a PKI for the whole run, and factories of responders and servers that are stopped and judged at the end."""

from __future__ import annotations

import ctypes
import dataclasses
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Optional

import pytest

import pki
import responders
from clients import Handshake
from httpd import Config, Httpd, Vhost, module_path

pytest_plugins = ("clock", "fleet", "slow", "mtls")

HOST = "www.example.test"

# Refreshes and retries within seconds, so that a test can watch several of them.
QUICK = ("SSLStaplingStandardCacheTimeout 1", "SSLStaplingErrorCacheTimeout 1", "SSLStaplingResponderTimeout 2")

# The only line of this level that a failed fetch logs while nothing valid is held; otherwise it logs none.
NOTHING_HELD = (r"^\[ocsp_cache:warn\] .*: certificate .* \(serial [0-9A-F]+\): responder http://\S+: .*"
                r"There is no valid response to staple; next request ")


@pytest.fixture(scope="session", autouse=True)
def orphans() -> None:
    """Daemons become our children, so that we can reap them: not every machine has an init that does, and httpd takes
    a zombie with its pid for a running server."""
    pr_set_child_subreaper = 36
    if ctypes.CDLL(None, use_errno=True).prctl(pr_set_child_subreaper, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


@pytest.fixture(scope="session")
def workplace() -> Iterator[Path]:
    """Folders that the unprivileged children can reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="ocsp-cache-e2e-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def root_ca(workplace: Path) -> pki.Authority:
    return pki.Authority.root(workplace / "pki", "Test Root")


@pytest.fixture(scope="session")
def ca(root_ca: pki.Authority) -> pki.Authority:
    """The intermediate that issues the server certificates."""
    return root_ca.intermediate("Test Intermediate")


@pytest.fixture(scope="session")
def stranger(workplace: Path) -> pki.Authority:
    """A CA that no client trusts."""
    return pki.Authority.root(workplace / "pki", "Stranger")


@pytest.fixture
def folder(workplace: Path, request: pytest.FixtureRequest) -> Path:
    made = Path(tempfile.mkdtemp(prefix="t-", dir=workplace))
    made.chmod(0o755)
    return made


@pytest.fixture
def responder(ca: pki.Authority) -> Iterator[Callable[..., responders.ScriptedResponder]]:
    """Factory of scripted responders."""
    made: list[responders.ScriptedResponder] = []

    def make(script: Optional[responders.Script] = None,
             authority: Optional[pki.Authority] = None) -> responders.ScriptedResponder:
        made.append(responders.ScriptedResponder(authority or ca, script))
        return made[-1]
    yield make
    for one in made:
        one.stop()


@pytest.fixture
def openssl_responder(ca: pki.Authority, folder: Path) -> Iterator[responders.OpensslResponder]:
    one = responders.OpensslResponder(ca, folder)
    yield one
    one.stop()


@pytest.fixture
def httpd(folder: Path, root_ca: pki.Authority, request: pytest.FixtureRequest,
          responder: object) -> Iterator[Callable[..., Httpd]]:
    """Factory of servers. Depends on `responder`, so that servers end before their responders do."""
    made: list[Httpd] = []

    def make(config: Config, **options: object) -> Httpd:
        assert not config.module or module_path().exists(), \
            f"{module_path()} is not there: run make, or set OCSP_CACHE_MODULE"
        made.append(Httpd(folder / f"server{len(made)}", config, root_ca, **options))
        request.node.servers = made
        return made[-1]
    yield make
    problems = []
    for server in made:
        try:
            server.close()
        except AssertionError as failure:
            problems.append(str(failure))
    assert not problems, "\n".join(problems)


@dataclass
class Site:
    """The usual set-up: one vhost, one certificate, one scripted responder, one server, not yet started."""

    server: Httpd
    leaf: pki.Leaf
    responder: responders.ScriptedResponder

    def handshake(self, **options: object) -> Handshake:
        return self.server.handshake(HOST, **options)

    def wait_staple(self, status: Optional[str] = "good", **options: object) -> Handshake:
        return self.server.wait_staple(HOST, status, **options)

    def changed(self, **changes: object) -> Config:
        return dataclasses.replace(self.server.config, **changes)


CACHE = "ocsp_cache:cache/staples(128000)"
SHMCB = "shmcb:run/staples(128000)"


@pytest.fixture
def site(httpd: Callable[..., Httpd], responder: Callable[..., responders.ScriptedResponder],
         ca: pki.Authority) -> Callable[..., Site]:
    """Factory of Sites. `vhost` and `config` change fields of the Vhost and of the Config; `leaf` of the
    certificate."""
    def make(script: Optional[responders.Script] = None, *, vhost: Optional[dict] = None, leaf: Optional[dict] = None,
             environment: Optional[dict[str, str]] = None, **config: object) -> Site:
        answering = responder(script)
        certificate = ca.leaf(HOST, **{"url": answering.url, **(leaf or {})})
        host = Vhost(HOST, (certificate,), **(vhost or {}))
        full = Config(vhosts=(host,), **{"cache": CACHE, **config})
        return Site(httpd(full, environment=environment or {}), certificate, answering)
    return make


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """A failed test shows the error logs of its servers."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in getattr(item, "servers", []):
            report.sections.append((f"error log of {server.root.name}", server._console + server.raw_log()))
