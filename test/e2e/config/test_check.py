# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What `httpd -t` reports as missing, and the module's own directives."""

import re
from dataclasses import replace

import pytest

from conftest import CACHE, SHMCB


def test_without_mod_ssl(site):
    one = site(ssl=False, directives=(f'SSLStaplingCache "{CACHE}"', "SSLUseStapling on"), cache=None)
    checked = one.server.check()
    assert checked.code != 0, "mod_ssl's directives must not pass because we declare them too"
    assert "mod_ssl" in checked.output and "SSL" in checked.output, checked.output


def test_own_directives_without_mod_ssl(site):
    one = site(ssl=False, cache=None, directives=("OCSPCacheRefresh on",))
    checked = one.server.check()
    assert "mod_ssl" in checked.output and "OCSPCacheRefresh" in checked.output, checked.output


def test_module_alone_without_mod_ssl_is_no_trouble(site):
    one = site(ssl=False, cache=None)
    checked = one.server.check()
    assert checked.code == 0 and checked.lines == ["Syntax OK"], checked.output


OWN = ("OCSPCacheRefresh on", "OCSPCacheWorkers 4", "OCSPCacheRefreshInterval 10min 2h", "OCSPCacheMustStapleWait 3s")


@pytest.mark.parametrize("cache", [SHMCB, None])
@pytest.mark.parametrize("directive", OWN)
def test_own_directives_without_our_provider_are_a_warning(site, directive, cache):
    one = site(cache=cache, directives=(directive,), vhost={"stapling": False})
    checked = one.server.check()
    assert checked.code == 0, checked.output
    lines = [line for line in checked.lines if "[ocsp_cache:warn]" in line]
    assert len(lines) == 1 and directive.split()[0] in lines[0] and "SSLStaplingCache" in lines[0], checked.output


def test_own_directives_with_our_provider_are_none(site):
    one = site(directives=OWN)
    checked = one.server.check()
    assert checked.code == 0 and checked.lines == ["Syntax OK"], checked.output


@pytest.mark.parametrize("line", [
    "OCSPCacheRefresh maybe", "OCSPCacheWorkers 0", "OCSPCacheWorkers 65", "OCSPCacheWorkers four",
    "OCSPCacheWorkers 4x",
    "OCSPCacheRefreshInterval soon", "OCSPCacheRefreshInterval 0", "OCSPCacheRefreshInterval -5",
    "OCSPCacheRefreshInterval 2h 10min", "OCSPCacheRefreshInterval 5apples", "OCSPCacheMustStapleWait 2h",
    "OCSPCacheMustStapleWait -1", "OCSPCacheMustStapleWait 99999999999999999999", "OCSPCacheRefreshInterval"])
def test_wrong_argument_names_the_directive(site, line):
    one = site(directives=(line,))
    checked = one.server.check()
    assert checked.code != 0, checked.output
    said = [text for text in checked.lines if "AH00526" not in text]
    assert len(said) == 1 and line.split()[0] in said[0], checked.output


@pytest.mark.parametrize("line", ["SSLStaplingResponseMaxAge 7d", "SSLStaplingResponderTimeout 5min",
                                  "SSLStaplingErrorCacheTimeout 10min", "SSLStaplingStandardCacheTimeout 2h"])
def test_units_in_directives_of_mod_ssl(site, line):
    """They are seconds, whatever follows the number."""
    server = site(directives=(line,)).server
    assert f"{line}: mod_ssl's directives take a number of seconds" in server.check().output
    server.config = replace(server.config, directives=(line.rstrip("dhmin"),))
    assert "number of seconds" not in server.check().output


def test_a_later_line_replaces_all_of_an_earlier_one(site):
    """The first line's second argument, 30 minutes, does not count for the second line."""
    server = site(directives=("OCSPCacheRefreshInterval 1min 30min", "OCSPCacheRefreshInterval 2h")).server
    assert server.check().lines == ["Syntax OK"]


def test_durations(site):
    server = site(directives=("OCSPCacheRefreshInterval 5m 1d", "OCSPCacheExpiryWarning 12h",
                              "OCSPCacheMustStapleWait 1min",
                              "OCSPCacheSharedTimeout 250MS")).server
    assert server.check().lines == ["Syntax OK"]
    for line, words in (("OCSPCacheRefreshInterval 10min 2hh",
                         "'2hh' is not a duration. Write a number and ms, s, min, h, d or w"),
                        ("OCSPCacheMustStapleWait 2h", "'2h' is out of range: it must be from 0 to 1min"),
                        ("OCSPCacheExpiryWarning 1000h", "'1000h' is out of range: it must be from 0 to 720h"),
                        ("OCSPCacheExpiryWarning 5w", "'5w' is out of range: it must be from 0 to 30d"),
                        ("OCSPCacheSharedTimeout 31", "'31' is out of range: it must be from 10ms to 30s. Without a unit: seconds"),
                        ("OCSPCacheShared memcached:localhost:11211", "write memcache:localhost:11211")):
        server.config = replace(server.config, directives=(line,))
        assert f"{line.split()[0]}: " in server.check().output and words in server.check().output, server.check().output


@pytest.mark.parametrize("line", OWN)
def test_own_directives_belong_to_the_main_server(site, line):
    one = site(vhost={"directives": (line,)})
    checked = one.server.check()
    assert checked.code != 0 and re.search("cannot occur within <VirtualHost", checked.output), checked.output


MOD_SSLS = ("SSLStaplingErrorCacheTimeout -1", "SSLStaplingResponderTimeout -1", "SSLUseStapling perhaps",
            "SSLUseStapling",
            "SSLCertificateFile a b", "SSLCertificateFile", "SSLStaplingCache", "SSLStaplingCache a b",
            "SSLEngine on off", "SSLOCSPProxyURL a b", "SSLCACertificateFile a b", "SSLStaplingForceURL",
            *(f'<Directory "htdocs">\n{line}\n</Directory>'
              for line in ("SSLUseStapling on", "SSLCACertificateFile x.pem")))


def test_mod_ssls_directives_are_judged_by_mod_ssl_alone(site):
    """The same words, with the module and without."""
    servers = [site(module=False, cache=SHMCB).server, site().server]
    for line in MOD_SSLS:
        said = []
        for server in servers:
            config = server.config
            server.config = replace(config, directives=(line,))
            checked = server.check()
            server.config = config
            assert checked.code != 0, line
            said.append([text.replace(str(server.root), "") for text in checked.lines[1:]])
        assert said[0] == said[1], line


def test_must_staple_without_stapling_is_said(site):
    one = site(leaf={"must_staple": True}, vhost={"stapling": False})
    one.server.allow(r"\[ocsp_cache:warn\] .*Must-Staple")
    one.server.start()
    assert one.server.ours("warn", "Must-Staple"), "a certificate that clients reject without a staple"


def test_must_staple_without_responder_is_said(site):
    one = site(leaf={"must_staple": True, "url": None})
    one.server.allow(r"\[ocsp_cache:warn\] .*Must-Staple")
    one.server.start()
    assert one.server.ours("warn", "Must-Staple")
