# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The socache provider: its argument, its file, mod_ssl's own stapling and other consumers on it, and shmcb next to
it."""

import re
import socket
import ssl
from pathlib import Path

import pytest

import responders
from conftest import CACHE, HOST, NOTHING_HELD, QUICK, SHMCB
from httpd import Config, Httpd, Vhost
from observe import connected
from wait import poll


def tree(server: Httpd) -> dict[str, tuple[int, bytes]]:
    """Every file below the ServerRoot with its time and content, except for what `-t` of httpd itself writes."""
    return {str(path.relative_to(server.root)): (path.stat().st_mtime_ns, path.read_bytes())
            for path in server.root.rglob("*") if path.is_file() and path != server.conf_file}


# ---- the argument ----------------------------------------------------------------------------------------------------

ACCEPTED = {
    "name-path": "ocsp_cache:cache/staples",
    "name-path-size": "ocsp_cache:cache/staples(128000)",
    "larger": "ocsp_cache:cache/staples(4194304)",
    "space": "ocsp_cache:cache/the staples of www(128000)",
    "parentheses": "ocsp_cache:cache/staples (1)/of (www)(128000)",
    "absolute": "ocsp_cache:{root}/cache/staples(128000)",
}


@pytest.mark.parametrize("argument", ACCEPTED)
def test_accepted_arguments(site, argument):
    one = site()
    (one.server.cache_folder / "staples (1)").mkdir()
    cache = ACCEPTED[argument].format(root=one.server.root)
    one.server.config = one.changed(cache=cache)
    checked = one.server.check()
    assert checked.code == 0 and checked.lines[-1] == "Syntax OK", checked.output
    one.server.start()
    one.wait_staple()
    path = one.server.root / re.sub(r"\(\d+\)$", "", cache.removeprefix("ocsp_cache:"))
    assert path.exists(), "the file is where the argument says"
    assert path.stat().st_mode & 0o777 == 0o600
    one.responder.refuse()
    one.server.stop()
    one.server.start()
    assert one.handshake().status == "good"


def test_name_alone_passes_the_check(site):
    """Its default file is the system's, so it is not started here."""
    one = site(cache="ocsp_cache")
    checked = one.server.check()
    assert "Syntax OK" in checked.output or "/var/cache/" in checked.output, checked.output


REFUSED = {
    "not-a-size": "ocsp_cache:cache/x(abc)",
    "no-path": "ocsp_cache:x(abc)",
    "size-with-unit": "ocsp_cache:cache/x(128k)",
    "empty-size": "ocsp_cache:cache/x()",
    "negative": "ocsp_cache:cache/x(-128000)",
    "missing-parenthesis": "ocsp_cache:cache/x(128000",
    "parenthesis-in-the-path-and-no-size": "ocsp_cache:cache/staples (1)/x",  # as in shmcb
    "text-behind-the-size": "ocsp_cache:cache/x(128000)y(",
    "too-small": "ocsp_cache:cache/x(1000)",
    "zero": "ocsp_cache:cache/x(0)",
    "too-large": "ocsp_cache:cache/x(99999999999999999999)",
}


@pytest.mark.parametrize("below", ["run", "root"])
def test_relative_path_is_taken_from_where_its_folder_is(site, below):
    """DefaultRuntimeDir first, then ServerRoot."""
    one = site(cache="ocsp_cache:sub/staples(128000)")
    folders = {"run": one.server.root / "run" / "sub", "root": one.server.root / "sub"}
    folders["root"].mkdir()
    if below == "run":
        folders["run"].mkdir()
    one.server.start()
    one.wait_staple()
    assert (folders[below] / "staples").exists()


@pytest.mark.parametrize("argument", REFUSED)
def test_refused_arguments_name_the_directive_the_reason_and_the_accepted_form(site, argument):
    one = site()
    one.server.config = one.changed(cache=REFUSED[argument].format(root=one.server.root))
    before = tree(one.server)
    checked = one.server.check()
    assert checked.code != 0, checked.output
    # httpd's own lines: the place in the configuration, and that the check has failed
    said = [line for line in checked.lines if not re.match(r"AH00526|AH00014", line)]
    assert len(said) == 1, f"one line a person understands:\n{checked.output}"
    assert "SSLStaplingCache" in said[0] and "ocsp_cache:/path/to/file(size in bytes)" in said[0], said[0]
    assert tree(one.server) == before


def test_one_path_named_twice_is_no_conflict(site):
    """Only stapling has a file: another cache of the same name is in memory. The same line may be in two files."""
    assert site(session_cache=CACHE).server.check().lines == ["Syntax OK"]
    assert site(directives=(f'SSLStaplingCache "{CACHE}"',)).server.check().lines == ["Syntax OK"]
    for other in ("ocsp_cache:cache/staples(256000)", SHMCB):
        checked = site(directives=(f'SSLStaplingCache "{other}"',)).server.check()
        assert checked.code == 0
        [line, _ok] = checked.lines
        assert f"SSLStaplingCache {CACHE} has no effect: a later SSLStaplingCache {other} overrides it" in line


@pytest.mark.asan
def test_check_never_creates_nor_changes_the_file(site):
    one = site()

    def files(but: str = "") -> list[tuple]:
        return [(path, path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes())
                for path in sorted(one.server.cache_folder.iterdir()) if path.suffix != but]
    before = tree(one.server)
    assert one.server.check().code == 0
    assert tree(one.server) == before, "nothing is created"
    one.server.start()
    one.wait_staple()
    one.server.wait_log("reports good")  # the last thing that the server does about a response
    before = files(but=".ledger")  # which a server that runs writes to at any time
    assert before
    assert one.server.check().code == 0, "while the server runs"
    assert one.server.check("-D", "DUMP_OCSP_CACHE").code == 0
    assert files(but=".ledger") == before
    one.server.stop()
    before = files()
    assert one.server.check().code == 0, "when it has ended"
    assert one.server.check("-D", "DUMP_OCSP_CACHE").code == 0
    assert files() == before


# ---- the file --------------------------------------------------------------------------------------------------------

def cache_file(one) -> Path:
    return one.server.cache_folder / "staples"


def foreign_file(path: Path) -> None:
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\nthis is a user's file, and not a cache\n" * 50)


def symbolic_link(path: Path) -> None:
    foreign_file(path.with_name("target"))
    path.symlink_to(path.with_name("target"))


def missing_folder(path: Path) -> None:
    path.parent.rmdir()


@pytest.mark.parametrize("spoil, words",
                         [(foreign_file, "is not an OCSP cache file"), (symbolic_link, "is a symbolic link"),
                          (missing_folder, "No such file or directory.* Create the folder .`mkdir -p ")])
def test_a_file_that_cannot_be_used_costs_persistence_alone(site, spoil, words):
    """The server starts and staples from memory, with one line, and what lies there stays as it is."""
    one = site(log_level="info")
    spoil(cache_file(one))
    before = tree(one.server)
    one.server.expect(rf"\[ocsp_cache:error\] .*SSLStaplingCache: .*{words}")
    one.server.start()
    one.wait_staple()
    assert len(one.server.ours(("emerg", "alert", "crit", "error", "warn"))) == 1
    after = tree(one.server)
    assert {name: after[name] for name in before if name.startswith("cache/")} == {
        name: content for name, content in before.items() if name.startswith("cache/")}


def test_second_server_on_the_same_file_is_refused_at_its_start(site):
    one = site()
    one.server.start()
    one.wait_staple()
    before = cache_file(one).stat().st_ino
    other = site(cache=f"ocsp_cache:{cache_file(one)}(128000)")
    other.server.expect(r"\[ocsp_cache:(error|crit|alert|emerg)\] .*" + re.escape(str(cache_file(one))))
    other.server.allow(r"AH01872|AH00020|AH00016|\[ssl:(error|emerg)\]|^\[:\] ")
    other.server.try_start()
    assert not other.server.running, "it must not start"
    assert cache_file(one).stat().st_ino == before
    one.server.graceful()
    one.responder.refuse()
    assert one.handshake().status == "good", "the first one lives on, and may reload"
    one.server.stop()
    other.server.start()
    other.server.stop()


@pytest.mark.asan
@pytest.mark.parametrize("damage", ["empty", "half", "last-byte", "all-zero"])
def test_truncated_file_costs_at_most_the_staples(site, damage):
    one = site()
    one.server.start()
    one.wait_staple()
    one.server.stop()
    whole = cache_file(one).read_bytes()
    cache_file(one).write_bytes({"empty": b"", "half": whole[:len(whole) // 2], "last-byte": whole[:-1],
                                 "all-zero": whole[:64] + bytes(len(whole) - 64)}[damage])
    known = len(one.server.ours(("notice", "warn", "error")))
    one.server.start()
    assert one.handshake().ok
    one.wait_staple()
    lines = one.server.ours(("notice", "warn", "error"))[known:]
    assert len(lines) <= 1 and all(str(cache_file(one)) in line.text for line in lines), lines


@pytest.mark.asan
def test_flipped_bit_costs_one_staple_and_no_other(httpd, ca, responder):
    answering = responder()
    hosts = ("a.example.test", "b.example.test")
    leaves = {host: ca.leaf(host, url=answering.url) for host in hosts}
    server = httpd(Config(vhosts=tuple(Vhost(host, (leaves[host],)) for host in hosts), cache=CACHE)).start()
    for host in hosts:
        server.wait_staple(host)
    server.stop()
    path = server.cache_folder / "staples"
    whole = bytearray(path.read_bytes())
    place = whole.find(leaves["a.example.test"].serial.to_bytes(20, "big").lstrip(b"\0")[:6])
    assert place > 0, "the record of a.example.test is in the file"
    whole[place + 2] ^= 0x10
    path.write_bytes(whole)
    answering.refuse()
    server.allow(NOTHING_HELD)
    server.start()
    seen = server.handshake("b.example.test")
    assert seen.ok and seen.status == "good", seen
    seen = server.handshake("a.example.test")
    assert seen.ok and seen.status is None, "a damaged record is not stapled"


def test_lost_file_is_made_again(site):
    one = site()
    one.server.start()
    one.wait_staple()
    cache_file(one).unlink()
    one.responder.refuse()
    one.server.graceful()
    assert one.handshake().status == "good", "from the memory of the old generation"
    one.server.stop()
    one.server.start()
    assert one.handshake().status == "good", "from the new file"


def test_folder_lost_at_a_reload_costs_persistence_alone(site):
    one = site()
    one.server.start()
    one.wait_staple()
    parent = one.server.parent
    one.server.cache_folder.rename(one.server.root / "away")
    one.responder.refuse()
    one.server.expect(r"\[ocsp_cache:error\] .*SSLStaplingCache: .*/cache: .* kept in memory only")
    one.server.graceful()
    assert one.server.parent == parent
    assert one.handshake().status == "good"


# ---- mutexes ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mechanism", ["default", "file:run", "fcntl:run", "flock:run", "pthread", "sem", "sysvsem"])
def test_mutex_mechanisms(site, mechanism):
    one = site(directives=(f"Mutex {mechanism} ocsp-cache",))
    one.server.allow(r"\[ocsp_cache:warn\] .*Mutex posixsem cannot serve ocsp-cache")  # "sem" may select it
    assert one.server.check().code == 0
    one.server.start()
    one.wait_staple()
    for _ in range(3):
        one.server.graceful()
        assert one.handshake().status == "good"


def test_posixsem_is_replaced_with_a_warning(site):
    """It would stay locked after its holder is killed."""
    one = site(directives=("Mutex posixsem ocsp-cache",))
    one.server.expect(r"\[ocsp_cache:warn\] .*Mutex posixsem cannot serve ocsp-cache")
    one.server.start()
    one.wait_staple()
    one.server.graceful()
    assert one.handshake().status == "good"


# ---- a plain provider for mod_ssl and others -------------------------------------------------------------------------

def test_drop_in_for_shmcb_under_mod_ssls_own_stapling(site):
    one = site(directives=("OCSPCacheRefresh off",))
    one.server.start()
    assert one.responder.asked == [], "mod_ssl queries when a client requests it"
    for tls in ("1.2", "1.3", "1.2"):
        seen = one.handshake(tls=tls)
        assert seen.ok and seen.status == "good", seen
    assert len(one.responder.asked) == 1, "kept for mod_ssl's hour"
    assert one.responder.asked[0].method == "POST", "this was mod_ssl"
    assert one.server.gnutls(HOST).status == "good"


def test_drop_in_forgets_when_mod_ssl_wants_it(site):
    one = site(directives=("OCSPCacheRefresh off", *QUICK))
    one.server.start()
    one.handshake()
    poll(lambda: one.handshake().status == "good" and len(one.responder.asked) >= 2, "queried again after a second")


@pytest.mark.parametrize("script, status", [
    (responders.revoked(), "revoked"), (responders.try_later(), "trylater"), (responders.nothing(), "trylater")],
    ids=["revoked", "trylater", "nothing"])
def test_drop_in_answers_as_shmcb_does(site, script, status):
    one = site(script, directives=("OCSPCacheRefresh off",))
    one.server.allow(r"\[ssl:error\]")
    one.server.start()
    assert one.handshake().status == status
    assert one.handshake().status == status
    assert len(one.responder.asked) == 1


def test_drop_in_keeps_over_a_restart_what_shmcb_loses(site):
    one = site(directives=("OCSPCacheRefresh off",))
    one.server.start()
    assert one.handshake().status == "good"
    one.responder.refuse()
    one.server.graceful()
    assert one.handshake().status == "good"
    one.server.stop()
    one.server.start()
    assert one.handshake().status == "good"


def test_session_cache_over_the_provider_resumes_and_touches_no_disk(site, folder):
    one = site(session_cache="ocsp_cache:cache/sessions(512000)", directives=("SSLSessionTickets off",))
    one.server.start()
    one.wait_staple()
    saved = folder / "session.pem"
    first = one.handshake(tls="1.2", extra=("-sess_out", str(saved), "-no_ticket"))
    assert first.ok and saved.exists()
    again = one.handshake(tls="1.2", ask=False, extra=("-sess_in", str(saved), "-no_ticket"))
    assert re.search(r"^Reused, TLSv1\.2", again.output, re.M), again
    assert not (one.server.cache_folder / "sessions").exists(), "session secrets never touch the disk"


# ---- shmcb next to the module ----------------------------------------------------------------------------------------

SCRIPTS = {"good": responders.good(), "revoked": responders.revoked(), "trylater": responders.try_later(),
           "nothing": responders.nothing(), "no-url": None}


@pytest.mark.parametrize("script", SCRIPTS)
def test_configuration_with_shmcb_behaves_as_without_the_module(site, script):
    results = []
    for module in (False, True):
        one = site(SCRIPTS[script], cache=SHMCB, module=module, log_level="info",
                   leaf={"url": None} if script == "no-url" else None)
        one.server.allow(r"\[ssl:error\]")
        one.server.start()
        seen = [(shake.ok, shake.status, shake.protocol) for shake in (one.handshake(), one.handshake(tls="1.2"))]
        one.server.graceful()
        seen.append(one.handshake().status)
        one.server.stop()
        codes = [re.findall(r"AH\d+", line.text) for line in one.server.log("ssl")]
        results.append((seen, [asked.method for asked in one.responder.asked], codes))
        assert one.server.ours(("info", "notice", "warn", "error", "crit", "alert", "emerg")) == []
    assert results[0] == results[1]


def test_without_any_stapling_the_module_is_silent(site):
    one = site(cache=None, vhost={"stapling": False}, log_level="info")
    one.server.start()
    seen = one.handshake()
    assert seen.ok and seen.status is None
    one.server.graceful()
    assert one.server.ours() == [] and one.responder.asked == []


def test_child_that_drains_stores_after_its_cache_was_removed(site):
    """With sysvsem a mutex ends for all processes when its creator destroys it."""
    one = site(session_cache="ocsp_cache:cache/sessions(512000)",
               directives=("Mutex sysvsem ocsp-cache", "SSLSessionTickets off", "AcceptFilter https none"))
    one.server.start()
    one.wait_staple()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(one.server.root_ca.cert_file)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", one.server.https_port)) as raw:
        poll(lambda: any(connected(pid, local=one.server.https_port) for pid in one.server.children()), "it is accepted")
        one.server.graceful(one.changed(session_cache="shmcb:run/sessions(512000)"), settle=False)
        with context.wrap_socket(raw, server_hostname=HOST) as tls:
            assert tls.session.id
    one.wait_staple()
