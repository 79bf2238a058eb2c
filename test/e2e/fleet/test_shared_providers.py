# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""OCSPCacheShared with httpd's other providers, its arguments, and what `httpd -t` reports about them."""

import datetime
import os
import pwd
import re
from pathlib import Path
from typing import Optional

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

import pki
import responders
from conftest import HOST
from fleet import TOOK
from httpd import unprivileged_user


def signed(signer_key: Optional[str] = None) -> responders.Script:
    """Good, signed by the CA itself, or by a delegated signer with that kind of key, whose certificate is enclosed."""
    def script(exchange: responders.Exchange) -> None:
        leaf, now = exchange.leaf, pki.now()
        cert, key = leaf.issuer.signer(signer_key) if signer_key else (leaf.issuer.cert, leaf.issuer.key)
        builder = (ocsp.OCSPResponseBuilder()
                   .add_response(cert=leaf.cert, issuer=leaf.issuer.cert, algorithm=hashes.SHA1(),
                                 cert_status=ocsp.OCSPCertStatus.GOOD, this_update=now,
                                 next_update=now + datetime.timedelta(days=1), revocation_time=None,
                                 revocation_reason=None)
                   .responder_id(ocsp.OCSPResponderEncoding.HASH, cert))
        if signer_key:
            builder = builder.certificates([cert])
        exchange.reply(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
    return script


@pytest.fixture
def disk(folder: Path) -> Path:
    """A folder that the servers' children can write to, as one on a shared disk has to be."""
    made = folder / "disk"
    made.mkdir()
    if os.geteuid() == 0:
        os.chown(made, pwd.getpwnam(unprivileged_user()).pw_uid, -1)
    return made


@pytest.mark.asan
def test_dbm_on_a_shared_disk(fleet, disk):
    one = fleet(signed())
    servers = [one.server(shared=f"dbm:{disk}/responses", modules=("socache_dbm",)) for _ in range(3)]
    servers[0].start().wait_staple(HOST)
    servers[0].stop()
    servers[1].start().wait_staple(HOST)
    assert servers[1].ours(pattern=TOOK), "it outlives the server that wrote it"
    servers[1].graceful()
    servers[2].start().wait_staple(HOST)
    assert servers[2].ours(pattern=TOOK) and one.asked() == 1, "and a graceful restart of another one"


def test_what_dbm_has_no_room_for_is_logged_once(fleet, disk):
    one = fleet(signed("rsa"))  # mod_socache_dbm takes at most 950 bytes
    server = one.server("SSLStaplingStandardCacheTimeout 1", shared=f"dbm:{disk}/responses", modules=("socache_dbm",))
    server.expect(r"^\[ocsp_cache:warn\] .*has no room for an entry of \d+ bytes")
    server.start().wait_staple(HOST)
    one.responder.wait_asked(4)
    server.wait_log("has no room", "warn")
    assert len(server.ours("warn", "has no room")) == 1 and not server.ours("warn", "cannot be used")


def test_shmcb_as_any_other_provider(fleet):
    """It is not shared between servers, but it is a provider that needs a mutex."""
    one = fleet()
    server = one.server(shared="shmcb:run/shared(512000)").start()
    server.wait_staple(HOST)
    server.graceful()
    server.wait_staple(HOST)
    assert not server.ours("warn")


@pytest.mark.parametrize("line, said", [
    ("OCSPCacheShared mongo:127.0.0.1", r"OCSPCacheShared: 'mongo:127.0.0.1': there is no socache provider 'mongo' "
                                        r"\(known: .*redis.*LoadModule socache_mongo_module"),
    ("OCSPCacheShared ocsp_cache:x", r"OCSPCacheShared: 'ocsp_cache:x': this is the server's own cache"),
    ("OCSPCacheShared redis", r"OCSPCacheShared: 'redis': List of server names required"),
    ('OCSPCacheSharedPrefix "two words"',
     r"OCSPCacheSharedPrefix: 'two words' is not a valid prefix: it may contain only letters"),
    ("OCSPCacheSharedPrefix abcdefghijklmnopqrstuvwxyz0123456", r"OCSPCacheSharedPrefix: .* 1 to 32 characters"),
    ("OCSPCacheSharedTimeout 31", r"OCSPCacheSharedTimeout: '31' is out of range: it must be from 10ms to 30s"),
    ("OCSPCacheSharedTimeout 1ms", r"OCSPCacheSharedTimeout: '1ms' is out of range: it must be from 10ms to 30000ms"),
])
def test_arguments_that_are_refused(site, line, said):
    one = site(directives=(line,), modules=("socache_redis",))
    check = one.server.check()
    assert check.code != 0
    assert re.search(said, check.output), check.output


def test_a_provider_whose_module_is_not_loaded(site):
    check = site(directives=("OCSPCacheShared memcache:127.0.0.1:11211",)).server.check()
    assert check.code != 0 and "a2enmod socache_memcache" in check.output, check.output


def test_the_check_queries_no_store(site):
    """No server listens there: that is not an error of the configuration."""
    one = site(directives=("OCSPCacheShared redis:127.0.0.1:1",), modules=("socache_redis",))
    assert one.server.check().code == 0


def test_a_provider_that_cannot_be_initialized_is_logged_and_no_more(site):
    one = site(directives=("OCSPCacheShared redis:127.0.0.1:99999999",), modules=("socache_redis",))
    one.server.expect(r"^\[ocsp_cache:error\] .*the provider cannot be initialized")
    one.server.allow(r"^\[socache_redis:crit\]", r"^\[:crit\]", r"AH0347")
    one.server.start()
    one.wait_staple()
