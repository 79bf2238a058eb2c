# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`httpd -t -D DUMP_OCSP_CACHE` and `DUMP_OCSP_CACHE_JSON`: with a running server and without one, by root and by
others, for any terminal. They change nothing."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest

import responders
from clients import s_client
from conftest import CACHE, HOST, NOTHING_HELD, SHMCB
from httpd import REPOSITORY, Config, Httpd, Vhost, apxs, sanitizer_environment, unprivileged_user
from observe import wait_leader
from wait import poll

TABLE, JSON = "DUMP_OCSP_CACHE", "DUMP_OCSP_CACHE_JSON"


def document(server: Httpd, user: Optional[str] = None) -> dict:
    """All of stdout is one document."""
    done = server.dump(JSON, user=user)
    assert done.returncode == 0 and "Syntax OK" in done.stderr, done
    assert done.stdout.isascii()
    return json.loads(done.stdout)


def table(server: Httpd, **options: object) -> str:
    done = server.dump(TABLE, **options)
    assert done.returncode == 0 and "Syntax OK" in done.stderr, done
    return done.stdout


def picture(folder: Path) -> dict[str, tuple]:
    """Inode, size and time of the files: any change would show in one of them."""
    return {str(path): (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_mode)
            for path in folder.rglob("*") for stat in [path.lstat()]}


@pytest.fixture
def crowd(httpd, ca, responder):
    """A server whose hosts are of all kinds: stapled (two of them with one certificate), rejected by their responder,
    without a responder, with stapling off."""
    answering = responder(lambda exchange: (responders.unauthorized() if exchange.leaf is refused else
                                            responders.good())(exchange))
    good, refused = ca.leaf(HOST, url=answering.url), ca.leaf("refused.example.test", url=answering.url)
    silent, off = ca.leaf("silent.example.test"), ca.leaf("off.example.test", url=answering.url)
    vhosts = (Vhost(HOST, (good,)), Vhost("refused.example.test", (refused,)), Vhost("also.example.test", (good,)),
              Vhost("silent.example.test", (silent,)), Vhost("off.example.test", (off,), stapling=False))
    server = httpd(Config(vhosts=vhosts, cache=CACHE))
    server.allow(NOTHING_HELD, "AH01909")  # the one certificate does not name both of its hosts
    return server


def check_crowd(server: Httpd) -> None:
    said, port, now = document(server), server.https_port, time.time()
    good, refused, silent = said["certificates"]
    leaf = server.config.vhosts[0].leaves[0]
    assert said["version"] == 1 and abs(said["generated"] - now) < 60
    cache = said["cache"]
    assert cache["path"].endswith("/cache/staples") and cache["size"] == 128000 and cache["records"] == 2
    assert 0 < cache["used"] < cache["size"]
    assert said["problems"] == said["unused"] == []

    assert good["host"] == f"{HOST}:{port}" and good["hosts"] == [f"{HOST}:{port}", f"also.example.test:{port}"]
    assert good["serial"] == leaf.serial_hex and good["subject"].startswith(f"CN={HOST}")
    assert good["responder"].startswith("http://") and good["not_after"] > now and good["must_staple"] is False
    assert good["state"] == "good" and good["attention"] == "none" and good["reason"] == ""
    response = good["response"]
    assert response["verdict"] == "good" and response["origin"] == "responder" and response["size"] > 100
    assert response["this_update"] < response["fetched_at"] <= now < response["usable_until"] <= response["next_update"]
    assert good["last_verdict"] == "good" and good["failures"] == 0
    assert good["last_attempt"] <= now < good["next_request"] < response["usable_until"]

    assert refused["state"] == "unauthorized" and refused["attention"] == "warning" and refused["reason"]
    assert refused["last_verdict"] == "unauthorized" and refused["failures"] > 0
    assert silent["state"] == "no-responder" and silent["attention"] == "none"
    assert silent["responder"] is silent["response"] is None


@pytest.mark.asan
@pytest.mark.native  # robust mutexes
def test_a_new_leader_keeps_when_the_last_attempts_were(crowd):
    crowd.start()
    crowd.wait_staple(HOST)

    def attempts() -> list[float]:
        return [one["last_attempt"] for one in document(crowd)["certificates"][:2]]
    before = poll(lambda: all(found := attempts()) and found, "both have been requested", 15)
    leader = wait_leader(crowd)
    os.kill(leader, signal.SIGKILL)
    wait_leader(crowd, other_than=leader)
    crowd.wait_log("the stored response is good until", "debug")
    crowd.allow("AH00052")
    crowd.stop()  # what the leader does ends first
    assert attempts()[0] == before[0] and attempts()[1] >= before[1]


@pytest.mark.asan
def test_all_kinds_beside_a_running_server_and_without_one(crowd):
    crowd.start()
    crowd.wait_staple(HOST)
    poll(lambda: all(one["last_verdict"] for one in document(crowd)["certificates"][:2]),
         "both have been requested", 15)
    check_crowd(crowd)
    text = table(crowd)
    assert HOST in text and "refused.example.test" in text and "off.example.test" not in text
    assert f"{HOST}:{crowd.https_port} +1 " in text and re.search(r"\bgood\b.*responder", text)
    assert re.search(r"[1-9]\d* unauthorized", text) and "no-responder" in text
    assert "2 staples (0 expired)" in text and re.search(r"room for\n  \d+ certificates with responses of 1 KiB", text)
    crowd.stop()
    folders = [crowd.cache_folder, crowd.root / "run", crowd.root / "logs",
               crowd.config.vhosts[0].leaves[0].key_file.parent]
    before = [picture(folder) for folder in folders]
    check_crowd(crowd)
    table(crowd)
    assert [picture(folder) for folder in folders] == before, "looking changes nothing"


def test_the_manual_names_every_key(crowd):
    """docs/manual/json.md: each key has its row, and each row has its key."""
    manual = (REPOSITORY / "docs" / "manual" / "json.md").read_text()
    section = re.search(r'^## <a id="json"></a>.*?(?=^## )', manual, re.M | re.S)[0]
    described = set(re.findall(r"^\| `([\w.]+)` \|", section, re.M))
    crowd.start()
    crowd.wait_staple(HOST)
    said = document(crowd)
    certificate = said["certificates"][0]
    keys = {*said, *certificate, *(f"response.{key}" for key in certificate["response"]),
            *(f"cache.{key}" for key in said["cache"])}
    assert described == keys - {"cache"}


def test_before_the_first_start_and_without_the_cache(site):
    one = site()
    before = picture(one.server.cache_folder)
    [certificate] = document(one.server)["certificates"]
    assert certificate["response"] is certificate["last_verdict"] is certificate["next_request"] is None
    assert "No file yet" in table(one.server)
    assert picture(one.server.cache_folder) == before == {}
    one.server.config = one.changed(cache=SHMCB)
    said = document(one.server)
    assert said["cache"] is None and said["certificates"] == said["unused"] == []
    assert said["problems"] == ["SSLStaplingCache does not name ocsp_cache"]
    assert "none" in table(one.server)


def test_what_no_host_uses_any_more(crowd):
    crowd.start()
    crowd.wait_staple(HOST)
    crowd.stop()
    leaf = crowd.config.vhosts[0].leaves[0]
    sha1 = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha1", "-in", str(leaf.cert_file)],
                          check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip().split("=")[1].replace(":", "")
    assert document(crowd)["certificates"][0]["sha1"] == sha1
    crowd.config = replace(crowd.config, vhosts=crowd.config.vhosts[3:])
    unused = document(crowd)["unused"]
    assert sha1 in [one["sha1"] for one in unused]
    assert all(one["host"] is None and one["hosts"] == [] and one["response"] for one in unused)
    assert "(no host)" in table(crowd) and f"SHA-1 {sha1}" in table(crowd)


def on_terminal(server: Httpd, columns: int) -> str:
    """The table on a terminal of that width."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    server.check()  # writes the configuration
    done = subprocess.Popen([f"{apxs('SBINDIR')}/{apxs('PROGNAME')}", "-d", str(server.root), "-f",
                             str(server.conf_file),
                             "-t", "-D", TABLE], stdin=subprocess.DEVNULL, stdout=follower, stderr=subprocess.DEVNULL,
                            env={**os.environ, **sanitizer_environment()})
    os.close(follower)
    seen = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # EIO: the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(leader)
    assert done.wait() == 0
    return seen.decode()


@pytest.mark.parametrize("columns", [60, 80, 120, 250])
def test_width_of_the_terminal(crowd, columns):
    path, *lines = on_terminal(crowd, columns).splitlines()
    assert path.startswith("OCSP cache: ") and max(map(len, lines)) <= columns
    assert [line for line in lines if line.startswith("Host")] and any(line.startswith("www") for line in lines)
    crowd.environment["COLUMNS"] = str(columns)
    assert max(map(len, table(crowd).splitlines()[1:])) <= columns
    crowd.environment["COLUMNS"] = "0"
    assert f"refused.example.test:{crowd.https_port}" in table(crowd)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another account")
def test_what_this_user_may_not_read_is_named(crowd):
    user, hidden = unprivileged_user(), crowd.config.vhosts[1].leaves[0].fullchain_file
    crowd.start()
    crowd.wait_staple(HOST)
    crowd.stop()
    hidden.chmod(0o600)
    said = document(crowd, user=user)
    assert [one["host"].split(":")[0] for one in said["certificates"]] == [HOST, "silent.example.test"]
    assert all(one["response"] is None for one in said["certificates"])
    for file in ("/cache/staples", "/cache/staples.ledger", str(hidden)):
        assert any(file in problem and "Permission denied" in problem for problem in said["problems"]), said["problems"]
    text = table(crowd, user=user)
    assert text.count("Not read: ") == 3 and str(hidden) in text
    hidden.chmod(0o644)
    crowd.cache_folder.chmod(0o700)
    assert any("Permission denied" in problem for problem in document(crowd, user=user)["problems"])
    assert document(crowd)["problems"] == [], "root may"


HOSTILE = [b"a\xff\xfe<script>alert(1)</script>&'.x", b"b\x1b[2J\x7f.x", b"c\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80.x",
           b"d\xed\xa0\x80\xc0\xaf.x"]


@pytest.mark.asan
def test_hostile_names(httpd, ca):
    """Host names and certificates may contain any bytes: JSON stays valid, and a terminal gets no control
    characters."""
    leaf = ca.leaf(HOST, url='http://ocsp.test/"<script>', common_name="<script>\x1b[2J\u2028\u00e9\"\\</script>")
    server = httpd(Config(vhosts=(), cache=CACHE, directives=('Include "names.conf"',)))
    blocks = [b'<VirtualHost *:%d>\nServerName "%s"\nSSLEngine on\nSSLUseStapling on\nSSLCertificateFile "%s"\n'
              b'SSLCertificateKeyFile "%s"\n</VirtualHost>\n'
              % (server.https_port, name, str(leaf.fullchain_file).encode(), str(leaf.key_file).encode())
              for name in HOSTILE]
    (server.root / "names.conf").write_bytes(b"".join(blocks))
    [one] = document(server)["certificates"]
    assert one["hosts"] == [name.decode("utf-8", "replace") + f":{server.https_port}" for name in HOSTILE]
    assert one["subject"].startswith("CN=") and "\x1b" not in one["subject"]
    raw = server.dump(JSON).stdout
    assert not re.search(r"[<>&'\x7f]", raw) and raw.isprintable() is False and raw.replace("\n", "").isprintable()
    text = table(server)
    assert text.replace("\n", "").isprintable() and text.isascii() and r"a\xFF\xFE<script>" in text


@pytest.mark.parametrize("issuers", [("none", "chain"), ("chain", "none"), ("none", "none", "chain"),
                                     ("none", "none")], ids="-".join)
def test_an_issuer_that_one_host_has(httpd, ca, responder, issuers):
    """Hosts with one certificate file, of which one names the chain: each staples, whatever their order. A host that
    does not staple supplies nothing to the others."""
    leaf = ca.leaf("*.example.test", url=responder().url)
    vhosts = tuple(Vhost(f"h{n}.example.test", (leaf,), issuer=issuer) for n, issuer in enumerate(issuers))
    off = Vhost("off.example.test", (leaf,), issuer="chain", stapling=False)
    server = httpd(Config(vhosts=(*vhosts, off), cache=CACHE))
    server.allow("AH02217|AH02604", "nothing is stapled for .* does not find the certificate of the issuer")
    server.start()
    is_supplied = "chain" in issuers
    for vhost in vhosts:
        if is_supplied:
            def status(host: str = vhost.host) -> Optional[str]:
                """The client knows the issuer, which the server does not send."""
                return s_client(server.https_port, host, ca, extra=("-partial_chain",)).status
            assert poll(status, f"{vhost.host} staples") == "good"
    [one] = document(server)["certificates"]
    assert one["hosts"] == [f"{vhost.host}:{server.https_port}" for vhost in vhosts]
    assert (one["state"], one["response"] is not None) == (("good", True) if is_supplied else ("no-issuer", False))
    [running] = server.certificates()
    assert (one["state"], one["reason"]) == (running["state"], running["reason"])
