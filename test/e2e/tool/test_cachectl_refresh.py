# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""ocsp-cachectl refresh: the running server queries responders at once."""

import subprocess
import time
from dataclasses import replace

import pytest
from cryptography import x509

import responders
from cachectl import cache_file, command, command_file, ctl
from conftest import CACHE, HOST
from httpd import Config, Vhost
from wait import poll


@pytest.mark.asan
def test_refresh_queries_the_responder(site):
    one = site()
    one.server.start()
    one.wait_staple()
    asked = len(one.responder.asked)
    done = ctl(one.server, "refresh", HOST)
    assert done.code == 0 and "good, usable for" in done.out, done
    assert len(one.responder.asked) == asked + 1
    assert not command_file(one.server).exists(), "it is taken away"
    document = ctl(one.server, "refresh", "--all", "--json")
    assert document.code == 0 and document.json["results"][0]["verdict"] == "good", "at once, again"
    assert len(one.responder.asked) == asked + 2


def test_refresh_reports_a_failure(site):
    one = site(directives=("SSLStaplingErrorCacheTimeout 600",))
    one.server.start()
    before = one.wait_staple().staple
    one.responder.script = responders.error(x509.ocsp.OCSPResponseStatus.TRY_LATER)
    done = ctl(one.server, "refresh", HOST)
    assert done.code == 1 and "try again later" in done.out, done
    assert ctl(one.server, "refresh", HOST, "--json").json["results"][0]["verdict"] == "try-later"
    assert one.handshake().staple == before, "what is held stays"
    done = ctl(one.server, "check")
    [seen] = one.server.certificates()
    assert (done.code, seen["attention"]) == (0, "none"), "a short outage, with a response of a day"
    for _ in range(7 - seen["failures"]):
        assert ctl(one.server, "refresh", HOST).code == 1
    done = ctl(one.server, "check")
    [seen] = one.server.certificates()
    assert (done.code, seen["attention"]) == (1, "warning") and "in a row failed" in done.out, "one rule"


def test_refresh_finds_a_revocation(site):
    one = site()
    one.server.start()
    one.wait_staple()
    one.server.expect(r"\[ocsp_cache:crit\] .*REVOKED")
    one.responder.script = responders.revoked()
    assert ctl(one.server, "refresh", HOST).code == 0
    assert one.handshake().status == "revoked"
    done = ctl(one.server, "check")
    assert done.code == 2 and "evoked" in done.out


def test_refresh_of_what_has_no_responder(httpd, ca, responder):
    """Named, it is a failure, which the others do not hide. Of all, it is none, as long as there are others."""
    silent, secure = "silent.example.test", "secure.example.test"
    answering = responder()
    vhosts = tuple(Vhost(host, (ca.leaf(host, url=url),)) for host, url in
                   ((silent, None), (HOST, answering.url), (secure, "https://ocsp.example.test/")))
    server = httpd(Config(vhosts=vhosts, cache=CACHE))
    server.allow("https is not supported")
    server.start()
    server.wait_staple(HOST)
    done = ctl(server, "refresh", silent, HOST, secure)
    assert done.code == 1 and "good, usable for" in done.out and len(done.out.splitlines()) == 1, done
    for host, line in zip((silent, secure), done.err.splitlines()):
        assert host in line and "no responder that can be queried" in line, done
    done = ctl(server, "refresh", silent, HOST, secure, "--json")
    results = {one["host"].split(":")[0]: one for one in done.json["results"]}
    assert done.code == 1 and not done.err and set(results) == {silent, HOST, secure}, done
    assert results[HOST]["is_done"] and results[HOST]["verdict"] == "good" and results[HOST]["problem"] is None
    for host in (silent, secure):
        assert not results[host]["is_done"] and "no responder" in results[host]["problem"], results
        assert results[host]["verdict"] is None and results[host]["usable_until"] is None, results
    done = ctl(server, "refresh", "--all", "--json")
    assert done.code == 0 and [one["host"].split(":")[0] for one in done.json["results"]] == [HOST], done

    server.graceful(replace(server.config, vhosts=(vhosts[0], vhosts[2])))
    done = ctl(server, "refresh", "--all")
    assert done.code == 1 and "no certificate of this server has a responder that can be queried" in done.err, done
    done = ctl(server, "refresh", "--all", "--json")
    assert done.code == 1 and "can be queried" in done.json["error"] and not done.err, done
    done = ctl(server, "refresh", secure, "--json")
    assert done.code == 1 and [one["is_done"] for one in done.json["results"]] == [False] and not done.err, done


def test_refresh_waits_until_the_timeout(site):
    """The responder hangs: the tool gives up, the server continues."""
    one = site()
    one.server.start()
    one.wait_staple()
    one.responder.script = lambda exchange: time.sleep(4)
    began = time.monotonic()
    done = ctl(one.server, "refresh", HOST, "--timeout", "2s")
    assert done.code == 1 and "not done" in done.out and "not done within 2 s" in done.err, done
    assert time.monotonic() - began >= 2
    assert not command_file(one.server).exists()


def test_refresh_without_a_server(site):
    one = site()
    one.server.start()
    one.wait_staple()
    one.server.stop()
    done = ctl(one.server, "refresh", "--all")
    assert done.code == 2 and "no server is running" in done.err
    assert ctl(one.server, "list", "--json").json["server_pid"] is None


def test_refresh_over_a_reload(site):
    """The command waits while generations change: the new one carries it out, or the old one has."""
    one = site()
    one.server.start()
    one.wait_staple()
    tool = subprocess.Popen(command("refresh", "--file", cache_file(one.server), HOST),
                            stdout=subprocess.PIPE, text=True)
    poll(command_file(one.server).exists, "the command is there")
    one.server.graceful(settle=False)
    out, _ = tool.communicate(timeout=60)
    assert tool.returncode == 0 and "good" in out


def test_two_tools_wait_for_each_other(site):
    one = site()
    one.server.start()
    one.wait_staple()
    tools = [subprocess.Popen(command("refresh", "--file", cache_file(one.server), HOST)) for _ in range(3)]
    assert [tool.wait(timeout=60) for tool in tools] == [0, 0, 0]
