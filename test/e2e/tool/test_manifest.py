# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The manifest of certificates that the server writes for ocsp-cachectl: it follows the configuration, and a failure to
write it does not affect stapling."""
from cachectl import cache_file, ctl


def test_the_manifest_changes_with_the_configuration_alone(site):
    one = site()
    one.server.start()
    manifest = cache_file(one.server).with_suffix(".manifest")
    first = manifest.stat()
    one.server.graceful()
    assert manifest.stat().st_ino == first.st_ino
    one.server.graceful(one.changed(directives=("SSLStaplingResponseTimeSkew 100",)))
    assert manifest.stat().st_ino != first.st_ino and "skew 100000000\n" in manifest.read_text()


def test_trouble_with_the_manifest_is_one_warning(site):
    one = site()
    manifest = cache_file(one.server).with_suffix(".manifest")
    manifest.mkdir()
    one.server.expect(r"\[ocsp_cache:warn\] .*staples.manifest is not a regular file.*Stapling is not affected")
    one.server.start()
    one.wait_staple()
    assert len(one.server.ours(("warn",), "staples.manifest")) == 1
    assert ctl(one.server, "list").code == 0
