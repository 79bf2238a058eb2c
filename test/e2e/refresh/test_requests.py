# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What a responder or a proxy receives, and which responder is queried."""

import base64
import re
import threading

import pytest

import responders
from conftest import CACHE, NOTHING_HELD
from httpd import Config, Vhost
from observe import certificate, stamped, status
from wait import holds, poll

PASSWORD = "s3cr%2Ft-of-ours"   # with what a URL must escape
PLAIN = "s3cr/t-of-ours"


class Looking:
    """A script around another one that records the requests."""

    def __init__(self, script=None):
        self._script = script or responders.good()
        self.requests = []

    def __call__(self, exchange):
        self.requests.append(exchange.request)
        self._script(exchange)


def text_of(server):
    return server._console + server.raw_log()


# ---- the request -----------------------------------------------------------------------------------------------------

def test_a_short_request_goes_by_get_with_the_usual_headers(site):
    looking = Looking()
    one = site(looking)
    one.server.start()
    one.wait_staple()
    asked, = one.responder.asked
    assert asked.method == "GET" and asked.path.startswith("/ocsp/M")
    assert asked.headers["host"] == f"127.0.0.1:{one.responder.port}"
    assert re.fullmatch(r"mod_ocsp_cache/\d[\w.+-]*", asked.headers["user-agent"]), asked.headers
    assert set(asked.headers) <= {"host", "user-agent", "accept", "connection"}, "nothing about this host"
    request, = looking.requests
    assert request.hash_algorithm.name == "sha1"
    assert list(request.extensions) == [], "no nonce"


def test_a_long_one_goes_by_post(site, responder):
    looking = Looking()
    answering = responder(looking)
    url = answering.url + "x" * 180
    one = site(leaf={"url": url})
    one.server.start()
    one.wait_staple()
    asked, = answering.asked
    assert asked.method == "POST" and asked.path == url[url.index("/ocsp/"):]
    assert asked.headers["content-type"] == "application/ocsp-request"
    assert looking.requests[0].serial_number == one.leaf.serial
    assert list(looking.requests[0].extensions) == []


def test_a_query_is_kept_and_goes_by_post(site, responder):
    answering = responder()
    one = site(leaf={"url": f"http://127.0.0.1:{answering.port}/ocsp/ca?issuer=7&x=%20"})
    one.server.start()
    one.wait_staple()
    asked, = answering.asked
    assert asked.method == "POST" and asked.path == "/ocsp/ca?issuer=7&x=%20"


def test_a_path_is_kept_and_a_name_goes_with_its_port(site, responder):
    answering = responder()
    one = site(leaf={"url": f"http://LocalHost:{answering.port}/ocsp"})
    one.server.start()
    one.wait_staple()
    asked, = answering.asked
    assert asked.path.startswith("/ocsp/M") and asked.headers["host"] == f"localhost:{answering.port}"


def test_a_post_follows_a_get_that_fails(site):
    one = site(responders.by_method(responders.http_status(404), responders.good()))
    one.server.start()
    one.wait_staple()
    assert [asked.method for asked in one.responder.asked] == ["GET", "POST"]
    assert not one.server.ours(("info", "notice", "warn"), "HTTP"), "no failure to speak of"


def test_sha256_by_directive(site):
    looking = Looking()
    one = site(looking, directives=("OCSPCacheCertIDHash sha256",))
    one.server.start()
    one.wait_staple()
    assert looking.requests[0].hash_algorithm.name == "sha256"


# ---- which responder -------------------------------------------------------------------------------------------------

def test_responder_map_is_letter_by_letter_and_yields_to_force_url(httpd, ca, responder):
    named, mirror, forced = responder(), responder(), responder()
    host = "{}.example.test".format
    vhosts = (Vhost(host("a"), (ca.leaf(host("a"), url=named.url),)),
              Vhost(host("b"), (ca.leaf(host("b"), url=named.url.rstrip("/")),)),
              Vhost(host("c"), (ca.leaf(host("c"), url=named.url),),
                    directives=(f"SSLStaplingForceURL {forced.url}",)))
    server = httpd(Config(vhosts=vhosts, cache=CACHE,
                          directives=(f"OCSPCacheResponder {named.url} {mirror.url}",
                                      f"OCSPCacheResponder http://elsewhere.example.test/ {forced.url}"))).start()
    for vhost in vhosts:
        server.wait_staple(vhost.host)
    a, b, c = (vhost.leaves[0] for vhost in vhosts)
    assert [asked.serial for asked in mirror.asked] == [a.serial]
    assert {asked.serial for asked in named.asked} == {b.serial}
    assert {asked.serial for asked in forced.asked} == {c.serial}


def test_responder_map_to_https_is_refused(site):
    one = site(directives=("OCSPCacheResponder http://a.example.test/ https://b.example.test/",))
    checked = one.server.check()
    assert checked.code != 0 and "OCSPCacheResponder" in checked.output and "https is not supported" in checked.output


@pytest.mark.parametrize("where", ["certificate", "force-url", "responder-map"])
def test_user_and_password_in_a_responders_url_are_refused_and_not_logged(site, responder, where):
    answering = responder()
    url = f"http://visitor:{PASSWORD}@127.0.0.1:{answering.port}/ocsp/"
    named = "http://ocsp.example.test/"
    one = site(leaf={"url": url if where == "certificate" else named},
               vhost={"directives": (f"SSLStaplingForceURL {url}",) if where == "force-url" else ()},
               directives=(f"OCSPCacheResponder {named} {url}",) if where == "responder-map" else ())
    checked = one.server.check()
    assert PASSWORD not in checked.output and PLAIN not in checked.output, checked.output
    if where == "responder-map":
        assert checked.code != 0 and "user name" in checked.output, checked.output
        return
    assert checked.code == 0
    one.server.allow(r"\[ocsp_cache:warn\] .*user name")
    one.server.start()
    line = one.server.wait_log("cannot be queried: .*user name", "warn")
    assert one.leaf.serial_hex in line.text and str(answering.port) in line.text
    assert one.handshake().status is None and not answering.asked
    assert PASSWORD not in text_of(one.server) and PLAIN not in text_of(one.server)
    assert PASSWORD not in one.server.status_page("?auto") + one.server.status_page()


def test_https_is_rejected_and_logged(site):
    one = site(leaf={"url": "https://ocsp.example.test/"})
    one.server.allow(r"\[ocsp_cache:warn\] .*https is not supported")
    one.server.start()
    assert "https is not supported" in one.server.wait_log("cannot be queried: https://ocsp.example.test/", "warn").text
    assert one.handshake().ok


# ---- through a proxy -------------------------------------------------------------------------------------------------

def test_proxy_with_a_password_works_and_the_password_is_not_logged(site, responder):
    proxy = responder()
    one = site(leaf={"url": "http://ocsp.no-such-host.invalid/ocsp/"},
               directives=(f"SSLOCSPProxyURL http://some%20body:{PASSWORD}@127.0.0.1:{proxy.port}",
                           "SSLStaplingErrorCacheTimeout 1", "SSLStaplingStandardCacheTimeout 1"))
    one.server.allow(NOTHING_HELD)
    one.server.start()
    one.wait_staple()
    expected = base64.b64encode(f"some body:{PLAIN}".encode()).decode()
    assert proxy.asked[0].headers["proxy-authorization"] == f"Basic {expected}"
    assert proxy.asked[0].path.startswith("http://ocsp.no-such-host.invalid/ocsp/")
    assert proxy.asked[0].headers["host"] == "ocsp.no-such-host.invalid"

    proxy.script = responders.http_status(407)  # the log lines of failures name the proxy
    one.server.wait_log(rf"proxy \S*127.0.0.1:{proxy.port}", "info")
    proxy.refuse()
    one.server.wait_log("no connection", ("info", "debug"))
    said = text_of(one.server) + one.server.status_page("?auto") + one.server.status_page()
    assert PASSWORD not in said and PLAIN not in said and expected not in said
    for line in one.server.ours(pattern="through the proxy"):
        assert line.text.count("through the proxy") == 1, line


def test_a_proxys_password_goes_to_no_other_server(site, responder):
    answering = responder()
    one = site(leaf={"url": answering.url})
    one.server.start()
    one.wait_staple()
    assert "proxy-authorization" not in answering.asked[0].headers


# ---- how many at a time ----------------------------------------------------------------------------------------------

def test_workers_and_their_share_are_bounds_and_are_used(httpd, ca, responder):
    board = {"now": 0, "most": 0, "lock": threading.Lock()}
    scripts = [responders.Counting(board) for _ in range(3)]
    answering = [responder(script) for script in scripts]
    vhosts = tuple(Vhost(f"h{n}.example.test", (ca.leaf(f"h{n}.example.test", url=answering[n % 3].url),))
                   for n in range(36))
    server = httpd(Config(vhosts=vhosts, cache=CACHE, directives=("OCSPCacheWorkers 7 3",))).start()
    for one in answering:
        one.wait_asked(12, deadline=30)
    poll(lambda: status(server)["OCSPCacheCertificatesStapled"] == "36", "all are stapled", 30)
    assert [script.most for script in scripts] == [3, 3, 3]
    assert board["most"] == 7
    assert sum(len(one.asked) for one in answering) == 36


# ---- Retry-After -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("header, low, high", [
    (None, 4, 8.5),             # control: the first pause after a failure, 7.5 s at most, in whole seconds
    ("400", 390, 401),
    ("86400", 590, 601),        # honoured up to SSLStaplingErrorCacheTimeout, whose default is 600
    ("1", 4, 8.5),                # a responder cannot request an earlier query
    ("soon", 4, 8.5),
], ids=["none", "within", "beyond", "short", "nonsense"])
def test_retry_after(site, header, low, high):
    headers = (("Retry-After", header),) if header else ()
    one = site(lambda exchange: exchange.reply(b"busy", status=503, content_type="text/plain", headers=headers))
    one.server.expect(NOTHING_HELD)
    one.server.start()
    one.server.wait_log("There is no valid response", "warn")
    [(failed, _, _)] = stamped(one.server, "There is no valid response")
    seen = certificate(one.server, one.leaf)
    assert (seen["failures"], seen["last_verdict"]) == (1, "http-status")
    assert low <= seen["next_request"] - failed <= high, seen
    assert len(one.responder.asked) == 1, "no second attempt by POST at a busy responder"


# ---- through a proxy ----

def test_responders_behind_one_proxy_count_as_one(httpd, ca, responder):
    proxy = responder(responders.hang())
    hosts = [f"h{n}.example.test" for n in range(4)]
    leaves = [ca.leaf(host, url=f"http://ocsp{n}.example.invalid/") for n, host in enumerate(hosts)]
    server = httpd(Config(vhosts=tuple(Vhost(host, (leaf,)) for host, leaf in zip(hosts, leaves)), cache=CACHE,
                          directives=(f"SSLOCSPProxyURL http://127.0.0.1:{proxy.port}", "OCSPCacheWorkers 8 1")))
    server.start()
    proxy.wait_asked()
    holds(lambda: len(proxy.asked) == 1, "one thread waits", 1.0)


def test_a_proxy_that_hangs_does_not_delay_those_who_do_without_it(httpd, ca, responder):
    """Its hosts and another one use the same responder."""
    proxy, answering = responder(responders.hang()), responder()
    through = (f"SSLOCSPProxyURL http://127.0.0.1:{proxy.port}",)
    hosts = [f"h{n}.example.test" for n in range(9)]
    server = httpd(Config(vhosts=tuple(Vhost(host, (ca.leaf(host, url=answering.url),), directives=through if n < 8 else ())
                                       for n, host in enumerate(hosts)), cache=CACHE,
                          directives=("SSLStaplingResponderTimeout 60",)))
    server.start()
    server.wait_staple(hosts[8])
