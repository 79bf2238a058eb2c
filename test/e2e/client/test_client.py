# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Client certificates: good ones are served, revoked ones are not, by every client, protocol and MPM."""

import pytest

import responders
from mtls import Connection, Http2, curl, gnutls_get, s_client_get
from wait import poll

# Responses are refreshed within seconds.
SHORT = ("OCSPCacheRefreshInterval 1s 1s",)

REFUSED = r"^\[ocsp_client:warn\] .*OCSPCacheClient: the client certificate with serial [0-9A-F]+ is revoked: "


@pytest.mark.asan
@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_good_and_revoked(mtls, mpm):
    one = mtls(mpm=mpm)
    one.server.start()
    good, revoked = one.client("good"), one.client("revoked")
    one.responder.script = lambda exchange: (
        responders.revoked() if exchange.leaf is revoked else responders.good())(exchange)
    for tls in ("1.2", "1.3"):
        assert one.get(good, tls=tls).status == 200
        reply = one.get(revoked, tls=tls)
        assert reply.status == 0 and "revoked" in reply.error, reply
    assert "HTTP/1.1 200" in s_client_get(one.server, good)
    assert "certificate revoked" in s_client_get(one.server, revoked)
    assert "HTTP/1.1 200" in gnutls_get(one.server, good)
    assert "HTTP/1.1 200" not in gnutls_get(one.server, revoked)
    assert curl(one.server, good).stdout == "200"
    assert curl(one.server, revoked).stdout == "000"
    assert len(one.responder.asked_for(good)) == 1 and len(one.responder.asked_for(revoked)) == 1
    one.server.expect(REFUSED)


@pytest.mark.asan
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("handshake", ["full", "resumed"])
@pytest.mark.parametrize("kind", [Connection, Http2])
def test_revoked_while_its_connection_is_open(mtls, kind, handshake, tls):
    """Between two requests: the second is refused with 403, the connection ends, and its session is not resumed. It ends
    within seconds, so not by KeepAliveTimeout."""
    one = mtls(responders.good(next_update=2), modules=("http2",), host=("SSLSessionTickets off",),
               directives=("Protocols h2 http/1.1", "KeepAliveTimeout 60", *SHORT))
    leaf = one.client()
    one.server.start()
    connection = one.connect(leaf, kind, tls=tls)
    assert connection.get().status == 200
    if handshake == "resumed":
        connection = resume(one, leaf, connection, kind)
        assert connection.get().status == 200
    one.responder.script = responders.revoked()
    reply = poll(lambda: (reply := connection.get()).status != 200 and reply, "the client is refused")
    assert reply.status == 403
    session = connection.session
    assert connection.is_closed()
    assert len(one.server.log("ocsp_client", "warn", "request refused")) == 1, "once, however many are refused"
    again = one.connect(leaf, kind, context=connection.context, session=session)
    if tls == "1.2":  # TLS 1.3 gives a client several sessions: each is refused when it is resumed
        assert not again.resumed
    assert again.get().status == (403 if again.resumed else 0)
    one.server.expect(REFUSED + "request refused")
    one.server.allow(REFUSED)


def resume(one, leaf, earlier, kind=Connection):
    """mod_ssl, with this module or without, sometimes does a full handshake after a reload."""
    def attempt():
        again = one.connect(leaf, kind, context=earlier.context, session=earlier.session)
        return again.resumed and again
    return poll(attempt, "the session is resumed")


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("tickets", ["on", "off"])
def test_resumed_session_of_a_revoked_client(mtls, tls, tickets):
    """By ticket or out of the cache, and over a reload with a key file for tickets: the first request is refused. The
    issuer is not among the server's CAs: the client sends it, but not when it resumes."""
    one = mtls(responders.good(next_update=2), directives=SHORT, host=(f"SSLSessionTickets {tickets}",
                                                                      'SSLSessionTicketKeyFile "ticket.key"'))
    (one.server.root / "ticket.key").write_bytes(bytes(range(48)))
    leaf = one.client()
    one.server.start()
    first = one.connect(leaf, tls=tls)
    assert first.get().status == 200
    for reload in (False, True):
        if reload and tickets == "off":
            break  # the cache of sessions ends with its configuration
        if reload:
            one.server.graceful()
        again = resume(one, leaf, first)
        assert again.get().status == 200
        first = again
    one.responder.script = responders.revoked()
    poll(lambda: one.get(leaf, tls=tls).status != 200, "the server knows of the revocation")
    assert resume(one, leaf, first).get().status == 403
    one.server.expect(REFUSED + "request refused")
    one.server.allow(REFUSED)


def test_chain_of_tickets(mtls):
    """TLS 1.3 renews the ticket at each resumption, beyond every timeout, and a key file keeps tickets valid over a
    reload. Each link of the chain carries the key of its client: revoked in the middle, all that follow are refused."""
    one = mtls(responders.good(next_update=2), directives=SHORT, host=('SSLSessionTicketKeyFile "ticket.key"',))
    (one.server.root / "ticket.key").write_bytes(bytes(range(48)))
    leaf = one.client()
    one.server.start()
    last = one.connect(leaf)
    assert last.get().status == 200
    for link, status in enumerate((200, 200, 200, 403, 403), 1):
        if link in (2, 5):
            one.server.graceful()
        if link == 4:
            one.responder.script = responders.revoked()
            poll(lambda: one.get(leaf).status != 200, "the server knows of the revocation")
        last = resume(one, leaf, last)
        assert last.get().status == status, link
    one.server.expect(REFUSED + "request refused")
    one.server.allow(REFUSED)


def test_hung_responder(mtls):
    """A first contact waits for half a second; then soft lets in, hard refuses; who is known does not notice."""
    one = mtls(client=("OCSPCacheClient soft",))
    known, new, third = one.client("known"), one.client("new"), one.client("third")
    one.server.start()
    assert one.get(known).status == 200
    one.responder.script = responders.hang()
    reply = one.get(new)
    assert reply.status == 200 and 0.4 < reply.seconds < 3
    one.server.wait_log("the status of the client certificate with serial [0-9A-F]+ is not known: handshake accepted",
                        module="ocsp_client")
    reply = one.get(known)
    assert reply.status == 200 and reply.seconds < 0.4
    one.reload(("OCSPCacheClient hard",))
    reply = one.get(third)
    assert reply.status == 0 and "unknown" in reply.error and 0.4 < reply.seconds < 3
    assert one.get(known).status == 200
    one.server.expect(r"^\[ocsp_client:warn\] .* is of unknown status: handshake refused")
    one.server.allow(r"^\[ocsp_cache:warn\] .*OCSPCacheClient: responder .* did not answer in time")


def test_mod_ssl_alone_waits_for_a_hung_responder(mtls):
    """The control of the test above: without it, that one might prove nothing."""
    one = mtls(responders.hang(), client=("SSLOCSPEnable leaf", "SSLOCSPResponderTimeout 2"), module=False)
    one.server.start()
    reply = one.get(one.client())
    assert reply.status == 0 and reply.seconds > 1.9
    one.server.expect(r"AH01980: bad response from OCSP server", r"AH02039: Certificate Verification: Error")
    one.server.allow(r"AH01977: failed reading line from OCSP server")
