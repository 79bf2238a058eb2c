# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What is compared: the same httpd with five ways to staple, and two other servers with their own baselines."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional, Sequence

import pki
from httpd import Config, Httpd, Vhost, unprivileged_user
from ports import free_port
from wait import poll

# What Debian's package writes into mpm_event.conf: a plain installation.
MPM = ("StartServers 2", "ServerLimit 16", "ThreadLimit 64", "ThreadsPerChild 25", "MinSpareThreads 25",
       "MaxSpareThreads 75", "MaxRequestWorkers 150", "MaxConnectionsPerChild 0", "LogLevel warn")
SHMCB = "shmcb:run/staples(4194304)"
GUIDES = ("SSLStaplingResponderTimeout 5", "SSLStaplingReturnResponderErrors off")


@dataclass(frozen=True)
class Contender:
    """`family`: whose baseline it is held against."""

    name: str
    label: str
    family: str
    staples: bool = True


NONE = Contender("none", "httpd, no stapling", "httpd", staples=False)
SHMCB_DEFAULT = Contender("shmcb", "mod_ssl + shmcb, defaults", "httpd")
SHMCB_GUIDES = Contender("shmcb-guides", "mod_ssl + shmcb, as guides say", "httpd")
MD = Contender("md", "mod_md stapling", "httpd")
OURS = Contender("ours", "mod_ocsp_cache", "httpd")
NGINX_NONE = Contender("nginx-none", "nginx, no stapling", "nginx", staples=False)
NGINX = Contender("nginx", "nginx, ssl_stapling", "nginx")
HAPROXY_NONE = Contender("haproxy-none", "haproxy, no stapling", "haproxy", staples=False)
HAPROXY = Contender("haproxy", "haproxy, .ocsp file", "haproxy")

ALL = (NONE, SHMCB_DEFAULT, SHMCB_GUIDES, MD, OURS, NGINX_NONE, NGINX, HAPROXY_NONE, HAPROXY)
BY_NAME = {contender.name: contender for contender in ALL}


class Apache:
    """One of the five on httpd. `directives`: what a scenario shortens."""

    def __init__(self, contender: Contender, folder: Path, leaves: Sequence[pki.Leaf], hosts: Sequence[str],
                 root: pki.Authority, directives: tuple[str, ...] = ()) -> None:
        name = contender.name
        own = {"shmcb-guides": GUIDES, "md": ('MDStoreDir "run/md"', "MDStapling on")}.get(name, ())
        cache = {"none": None, "ours": "ocsp_cache:cache/staples(4194304)"}.get(name, SHMCB)
        config = Config(
            vhosts=tuple(Vhost(host, (leaf,), stapling=contender.staples) for host, leaf in zip(hosts, leaves)),
            cache=cache, module=name == "ours", modules=("md",) if name == "md" else (), log_level="warn",
            directives=(*MPM, *own, *directives))
        self.httpd = Httpd(folder, config, root)
        self.contender = contender

    @property
    def port(self) -> int:
        return self.httpd.https_port

    def start(self) -> None:
        self.httpd.start()

    def graceful(self) -> None:
        self.httpd.graceful(settle=False)

    def restart(self) -> None:
        self.httpd.stop()
        self.httpd.start()

    def stop(self) -> None:
        self.httpd.kill()

    def pids(self) -> list[int]:
        return sorted(self.httpd.processes())

    def log(self) -> str:
        return self.httpd.raw_log()


class _Daemon:
    """A server that is started from a file and leaves its pid in another."""

    command: Callable[["_Daemon"], list[str]]

    def __init__(self, contender: Contender, folder: Path) -> None:
        self.contender = contender
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.port = free_port()

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pid"

    def start(self) -> None:
        self._pid_file.unlink(missing_ok=True)
        self.write()
        done = subprocess.run(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{self.contender.label} does not start:\n{done.stdout}")
        poll(lambda: self._pid_file.exists() and self._pid_file.read_text().strip(), f"{self.contender.label} runs")

    def pids(self) -> list[int]:
        """The first of them and its children."""
        try:
            parent = int(self._pid_file.read_text().split()[0])
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except (OSError, IndexError):
            return []
        return sorted({parent, *map(int, children)})

    def stop(self) -> None:
        pids = self.pids()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

        def gone() -> bool:
            for pid in pids:
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass
            return not any(Path(f"/proc/{pid}").exists() for pid in pids)
        poll(gone, f"{self.contender.label} has ended")

    def restart(self) -> None:
        self.stop()
        self.start()

    def write(self) -> None:
        raise NotImplementedError


class Nginx(_Daemon):
    """As Debian's package has it, with two workers (httpd has two children)."""

    def __init__(self, contender: Contender, folder: Path, leaves: Sequence[pki.Leaf], hosts: Sequence[str],
                 root: pki.Authority, directives: tuple[str, ...] = ()) -> None:
        super().__init__(contender, folder)
        self._leaves, self._hosts = leaves, hosts
        self._trusted = folder / "trusted.pem"
        self._trusted.write_text(leaves[0].issuer.cert_file.read_text() + root.cert_file.read_text())

    def lines(self) -> str:
        """Directives of each server, after its certificate."""
        if not self.contender.staples:
            return ""
        return f"ssl_stapling on; ssl_stapling_verify on; ssl_trusted_certificate {self._trusted};"

    def write(self) -> None:
        user = f"user {unprivileged_user()};" if os.geteuid() == 0 else ""
        servers = "".join(f"server {{ listen 127.0.0.1:{self.port} ssl; server_name {host}; ssl_certificate "
                          f"{leaf.fullchain_file}; ssl_certificate_key {leaf.key_file}; {self.lines()} }}\n"
                          for host, leaf in zip(self._hosts, self._leaves))
        temporary = " ".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in
                             ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(
            f"{user} worker_processes 2; pid {self._pid_file}; error_log {self.folder}/error.log warn;\n"
            "events { worker_connections 1024; }\n"
            f"http {{ access_log off; server_names_hash_max_size 8192; server_names_hash_bucket_size 128; {temporary}\n"
            f"ssl_session_cache shared:SSL:1m; ssl_protocols TLSv1.2 TLSv1.3;\n{servers}}}\n")

    def command(self) -> list[str]:
        return [shutil.which("nginx", path=PATH) or "nginx", "-p", str(self.folder), "-c",
                str(self.folder / "nginx.conf"), "-e", str(self.folder / "error.log")]

    def graceful(self) -> None:
        os.kill(int(self._pid_file.read_text()), signal.SIGHUP)

    def log(self) -> str:
        return (self.folder / "error.log").read_text()


class Haproxy(_Daemon):
    """2.6 staples what a file next to the certificate contains and queries no responder: the file is made here,
    once."""

    def __init__(self, contender: Contender, folder: Path, leaves: Sequence[pki.Leaf], hosts: Sequence[str],
                 root: pki.Authority, directives: tuple[str, ...] = ()) -> None:
        super().__init__(contender, folder)
        self._leaf = leaves[0]

    def write(self) -> None:
        bundle = self.folder / "site.pem"
        bundle.write_text(self._leaf.fullchain_file.read_text() + self._leaf.key_file.read_text())
        if self.contender.staples:
            url = next(line for line in subprocess.run(
                ["openssl", "x509", "-in", str(self._leaf.cert_file), "-noout", "-ocsp_uri"], check=True,
                stdout=subprocess.PIPE, text=True).stdout.split())
            subprocess.run(["openssl", "ocsp", "-issuer", str(self._leaf.issuer.cert_file), "-cert",
                            str(self._leaf.cert_file), "-url", url, "-noverify", "-respout", f"{bundle}.ocsp"],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (self.folder / "haproxy.cfg").write_text(
            f"global\n  daemon\n  maxconn 4000\n  pidfile {self._pid_file}\n"
            "defaults\n  mode http\n  timeout client 30s\n  timeout connect 5s\n  timeout server 30s\n"
            f"frontend site\n  bind 127.0.0.1:{self.port} ssl crt {bundle}\n  http-request return status 200\n")

    def command(self) -> list[str]:
        return [shutil.which("haproxy", path=PATH) or "haproxy", "-f", str(self.folder / "haproxy.cfg")]

    def pids(self) -> list[int]:
        """The pid file names the worker, which has lost its parent."""
        try:
            return sorted(map(int, self._pid_file.read_text().split()))
        except OSError:
            return []

    def log(self) -> str:
        return ""


PATH = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
KINDS = {"httpd": Apache, "nginx": Nginx, "haproxy": Haproxy}


def make(contender: Contender, folder: Path, leaves: Sequence[pki.Leaf], hosts: Sequence[str], root: pki.Authority,
         directives: tuple[str, ...] = ()):
    """The server, not yet started. `directives` are for httpd alone."""
    return KINDS[contender.family](contender, folder, leaves, hosts, root, directives)


def version(contender: Contender) -> Optional[str]:
    """What the program calls itself, for the record."""
    command = {"nginx": ["nginx", "-v"], "haproxy": ["haproxy", "-v"], "httpd": ["apache2", "-v"]}[contender.family]
    path = shutil.which(command[0], path=PATH) or shutil.which("httpd", path=PATH)
    done = subprocess.run([path, *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return done.stdout.splitlines()[0] if done.stdout else None
