# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""`ocsp-cachectl export` keeps other servers supplied: the real nginx, haproxy and Hitch staple what a real httpd
holds. Their configurations and the job that brings them the responses are those of docs/guide.md, "Keeping other
servers supplied"."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import pytest
from cryptography.x509 import ocsp

import responders
from cachectl import cache_file, program
from conftest import HOST, QUICK, Site
from httpd import REPOSITORY, unprivileged_user
from peers import Haproxy, Hitch, Nginx, Peer
from wait import poll

GUIDE = (REPOSITORY / "docs" / "guide.md").read_text().partition('<a id="supply">')[2].partition("\n## ")[0]


def block(language: str) -> str:
    """The chapter's block in this language."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.M | re.S)
    return found


def kept(status: ocsp.OCSPCertStatus, hours: int) -> responders.Script:
    """The same bytes each time, as from a CA that publishes now and then."""
    made: list[bytes] = []

    def script(exchange: responders.Exchange) -> None:
        made[:] = made or [responders._single(exchange, status, this_update=-60, next_update=hours * 3600, signer=None)]
        exchange.reply(made[0])
    return script


GOOD, GOOD_AGAIN, REVOKED = ((ocsp.OCSPCertStatus.GOOD, 24), (ocsp.OCSPCertStatus.GOOD, 48),
                             (ocsp.OCSPCertStatus.REVOKED, 48))


def nginx(folder: Path, site: Site) -> Nginx:
    temporary = "".join(f"{name}_temp_path {{folder}}/{name}; "
                        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    lines = (f"user {unprivileged_user()}; " if os.geteuid() == 0 else "") + (
        f"worker_processes 1; pid {{folder}}/pid; error_log {{folder}}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary}\nserver {{ listen 127.0.0.1:{{port}} ssl;\n"
        f"ssl_certificate {site.leaf.fullchain_file}; ssl_certificate_key {site.leaf.key_file};\n{block('nginx')} }} "
        f"}}\n")
    return Nginx(folder / "nginx", lines.replace("/var/lib/ocsp/www.example.org", f"{{folder}}/{HOST}"),
                 site.server.root_ca)


def haproxy(folder: Path, site: Site) -> Haproxy:
    frontend = block("haproxy").replace("/run/haproxy/", "{folder}/").replace("/etc/haproxy/certs/www.example.org",
                                                                              f"{{folder}}/{HOST}")
    lines = ("defaults\n    mode http\n    timeout connect 9s\n    timeout client 9s\n    timeout server 9s\n"
             + frontend.replace("bind :443", "bind 127.0.0.1:{port}") + "    http-request return status 200\n")
    return Haproxy(folder / "haproxy", lines, site.server.root_ca)


def hitch(folder: Path, site: Site) -> Hitch:
    user = f'user = "{unprivileged_user()}"\n' if os.geteuid() == 0 else ""
    lines = ('frontend = { host = "127.0.0.1" port = "{port}" }\nbackend = "[127.0.0.1]:{backend}"\nworkers = 1\n'
             + user
             + block("hitch").replace("/etc/hitch/www.example.org", f"{{folder}}/{HOST}"))
    return Hitch(folder / "hitch", lines, site.server.root_ca)


@dataclass
class Stage:
    """A httpd that staples, the three others that show the same certificate, and the job of the guide."""

    site: Site
    nginx: Nginx
    haproxy: Haproxy
    hitch: Hitch
    job: list[str]
    environment: dict[str, str]
    told: Path  # which services were told to reload, one to a line

    @property
    def peers(self) -> tuple[Peer, ...]:
        return self.nginx, self.haproxy, self.hitch

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.nginx.folder / f"{HOST}.der", self.haproxy.folder / f"{HOST}.pem.ocsp",
                self.hitch.folder / f"{HOST}.ocsp")

    def run_job(self) -> subprocess.CompletedProcess[str]:
        self.told.write_text("")
        return subprocess.run(self.job, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)

    def publish(self, status: ocsp.OCSPCertStatus, hours: int) -> bytes:
        """The responder says this from now on, and httpd has it, also in its file. The response."""
        before = self.export()
        self.site.responder.script = kept(status, hours)
        self.site.wait_staple(status.name.lower())
        return poll(lambda: self.export() not in (b"", before) and self.export(),
                    "httpd has the new response in its file")

    def export(self) -> bytes:
        """What `export` gives on its standard output; b"": it refuses."""
        return subprocess.run(["ocsp-cachectl", "export", HOST], env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False).stdout


def script(path: Path, text: str) -> None:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


def tools(folder: Path, site: Site, peers: tuple[Peer, ...]) -> dict[str, str]:
    """The environment of the job: the program looks into this test's cache, and `systemctl reload` reaches this test's
    servers."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    script(bin_folder / "ocsp-cachectl", f'exec {program()} "$@" --file {cache_file(site.server)}\n')
    script(bin_folder / "systemctl",
           f'echo "$*" >>{folder}/told\nread -r pid <{folder}/$2/peer.pid && kill -HUP "$pid"\n')
    return {**os.environ, "PATH": f"{bin_folder}:/usr/sbin:/usr/bin:/sbin:/bin"}


@pytest.fixture
def stage(site: Callable[..., Site], folder: Path) -> Iterator[Stage]:
    one = site(kept(*GOOD), directives=QUICK)
    one.server.start()
    peers = (nginx(folder, one), haproxy(folder, one), hitch(folder, one))
    for peer in peers:
        peer.folder.mkdir()
        (peer.folder / f"{HOST}.pem").write_text(one.leaf.key_file.read_text() + one.leaf.fullchain_file.read_text())
    job = block("sh").replace("www.example.org", HOST)
    for path, mine in {"/var/lib/ocsp": "nginx", "/etc/haproxy/certs": "haproxy", "/run/haproxy": "haproxy",
                       "/etc/hitch": "hitch"}.items():
        job = job.replace(path, str(folder / mine))
    script(folder / "supply-ocsp", job)
    made = Stage(one, *peers, [str(folder / "supply-ocsp")], tools(folder, one, peers), folder / "told")
    one.wait_staple("good")
    poll(made.export, "httpd's file has the response")
    made.run_job()  # there is nobody yet to be told
    try:
        for peer in peers:
            peer.start()
            (peer.folder / "peer.pid").write_text(f"{peer.process.pid}\n")
        yield made
    finally:
        for peer in peers:
            peer.stop()


def test_others_staple_what_httpd_holds(stage):
    ours = stage.site.handshake()
    assert ours.status == "good"
    for file in stage.files:
        assert file.read_bytes() == stage.export() and file.stat().st_mode & 0o777 == 0o644
    for peer in stage.peers:
        seen = peer.handshake(HOST)
        assert seen.ok and seen.staple == ours.staple, f"{peer.program}: {seen}"
        strict = peer.gnutls(HOST)
        assert strict.ok and strict.status == "good" and bytes.fromhex(strict.staple) == stage.export(), \
            f"{peer.program}: {strict}"


def test_the_job_brings_what_is_new_and_only_that(stage):
    done = stage.run_job()
    assert done.returncode == 0, done
    assert stage.told.read_text() == "" and done.stdout.count(" is unchanged") == 3, done
    inodes = [file.stat().st_ino for file in stage.files]

    fresh = stage.publish(*GOOD_AGAIN)
    done = stage.run_job()
    assert done.returncode == 0 and "OCSP Response updated!" in done.stdout, done
    assert stage.told.read_text() == "reload nginx\nreload hitch\n"
    assert [file.read_bytes() for file in stage.files] == [fresh] * 3
    assert all(file.stat().st_ino != inode for file, inode in zip(stage.files, inodes)), "replaced, not written over"
    ours = stage.site.handshake().staple
    for peer in stage.peers:
        poll(lambda: peer.handshake(HOST).staple == ours, f"{peer.program} staples the new response")
        assert peer.gnutls(HOST).ok
    assert not [path for peer in stage.peers for path in peer.folder.iterdir()
                if re.search(r"\.\w{6}\.\w+$", path.name)]


def test_revoked_reaches_them(stage):
    stage.site.server.expect(r"\[ocsp_cache:crit\] .* REVOKED")
    stage.publish(*REVOKED)
    assert stage.run_job().returncode == 0
    for peer in (stage.nginx, stage.haproxy):
        peer.wait_staple(HOST, "revoked")
        peer.wait_refused(HOST)
    # It does not take it, as the guide says.
    poll(lambda: "Config reload failed" in stage.hitch.log.read_text(), "Hitch refuses it")
    assert stage.hitch.handshake(HOST).status == "good"


def test_nothing_valid_leaves_the_files_as_they_are(stage):
    before = [file.read_bytes() for file in stage.files]
    stage.site.server.stop()
    shutil.rmtree(stage.site.server.cache_folder)
    stage.site.server.cache_folder.mkdir()
    done = stage.run_job()
    assert done.returncode == 1 and "ocsp-cachectl: " in done.stderr, done
    assert [file.read_bytes() for file in stage.files] == before and stage.told.read_text() == ""


def test_what_has_run_out(stage, folder):
    """What the guide says of each: nginx staples on, and strict clients reject it; the others do not."""
    leaf = stage.site.leaf
    stage.site.server.stop()
    stage.site.responder.script = responders.good(this_update=-7200, next_update=-3600)
    expired = folder / "expired.der"
    subprocess.run(["openssl", "ocsp", "-issuer", leaf.issuer.cert_file, "-cert", leaf.cert_file, "-url",
                    stage.site.responder.url,
                    "-respout", expired, "-no_nonce", "-noverify"], check=True, capture_output=True)
    for peer, file in zip(stage.peers, stage.files):
        peer.stop()
        file.write_bytes(expired.read_bytes())
        peer.start()
    assert stage.nginx.handshake(HOST).status == "good" and not stage.nginx.gnutls(HOST).ok
    for peer in (stage.haproxy, stage.hitch):
        assert peer.handshake(HOST).status is None and peer.gnutls(HOST).ok
