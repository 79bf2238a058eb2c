# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Servers that verify client certificates, and their clients: httpd with three ways to find out who is revoked, nginx
with one, and both without."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

import pki
from bench_contenders import MPM, Apache, Contender, Nginx
from bench_stage import Running, Stage
from httpd import Config, Httpd, Vhost

PLAIN = Contender("plain", "httpd, no revocation", "httpd", staples=False)
MOD_SSL = Contender("mod_ssl", "mod_ssl, SSLOCSPEnable leaf", "httpd", staples=False)
HARD = Contender("hard", "mod_ocsp_client, hard", "httpd", staples=False)
SOFT = Contender("soft", "mod_ocsp_client, soft", "httpd", staples=False)
NGINX_PLAIN = Contender("nginx-plain", "nginx, no revocation", "nginx", staples=False)
NGINX = Contender("nginx", "nginx, ssl_ocsp leaf", "nginx", staples=False)
ALL = (PLAIN, MOD_SSL, HARD, SOFT, NGINX_PLAIN, NGINX)
LABELS = {contender.name: contender.label for contender in ALL}
CACHING = ("hard", "soft", "nginx")

# So that a connection stays open for as long as a scene lasts; the rest is what Debian's packages and guides have.
COMMON = ("MaxKeepAliveRequests 0", "KeepAliveTimeout 60")


def _directives(contender: Contender, url: str) -> tuple[str, ...]:
    # Public responders answer without a nonce, so guides switch mod_ssl's off.
    return {"mod_ssl": ("SSLOCSPEnable leaf", "SSLOCSPUseRequestNonce off", f"SSLOCSPDefaultResponder {url}",
                        "SSLOCSPOverrideResponder on"),
            "hard": ("OCSPCacheClient hard", f"OCSPCacheClientResponder {url}"),
            "soft": ("OCSPCacheClient soft", f"OCSPCacheClientResponder {url}")}.get(contender.name, ())


class MutualApache(Apache):
    def __init__(self, contender: Contender, folder: Path, leaf: pki.Leaf, host: str, authorities: Path, url: str,
                 directives: Sequence[str]) -> None:
        lines = (f'SSLCACertificateFile "{authorities}"', "SSLVerifyDepth 3", "SSLVerifyClient require",
                 *_directives(contender, url))
        ours = contender.name in ("hard", "soft")
        config = Config(vhosts=(Vhost(host, (leaf,), stapling=None, directives=lines),), module=ours, client=ours,
                        log_level="warn", directives=(*MPM, *COMMON, *(directives if ours else ())))
        self.httpd = Httpd(folder, config, leaf.issuer.top)
        self.contender = contender


class MutualNginx(Nginx):
    def __init__(self, contender: Contender, folder: Path, leaf: pki.Leaf, host: str, authorities: Path,
                 url: str) -> None:
        super().__init__(contender, folder, [leaf], [host], leaf.issuer.top)
        self._authorities, self._url = authorities, url

    def lines(self) -> str:
        common = (f"ssl_client_certificate {self._authorities}; ssl_verify_client on; ssl_verify_depth 3; "
                  'keepalive_requests 1000000; return 200 "hello\\n";')
        if self.contender is NGINX_PLAIN:
            return common
        return f"{common} ssl_ocsp leaf; ssl_ocsp_cache shared:OCSP:10m; ssl_ocsp_responder {self._url};"


class Clients:
    """Certificates that name no responder: each server is told its own, so that one set serves all. `pattern`: for the
    load client."""

    def __init__(self, folder: Path, authority: pki.Authority, name: str, n: int) -> None:
        self.leaves = [authority.client(f"{name}{i}") for i in range(n)]
        self.pattern = folder / f"{name}-%d.pem"
        for i, leaf in enumerate(self.leaves):
            self.file(i).write_text(leaf.fullchain_file.read_text() + leaf.key_file.read_text())

    def file(self, i: int) -> Path:
        return Path(str(self.pattern).replace("%d", str(i)))

    def options(self, n: int = 0) -> tuple[object, ...]:
        return ("--no-status", "--client", self.pattern, "--clients", n or len(self.leaves))


class MutualStage(Stage):
    """`good` and `revoked`: the clients. The responder reports the second as revoked."""

    def __init__(self, n_good: int, n_revoked: int) -> None:
        super().__init__()
        authority = self._ca
        self.authorities = self.folder / "authorities.pem"
        self.authorities.write_text(authority.cert_file.read_text() + self.root.cert_file.read_text())
        self.good = Clients(self.folder, authority, "good", n_good)
        self.revoked = Clients(self.folder, authority, "revoked", n_revoked)

    def add_mutual(self, contender: Contender, name: str, directives: Sequence[str] = ()) -> Running:
        host = "h0.example.test"
        leaf = self.issue(1, name)[0]
        arguments = (contender, self.folder / name, leaf, host, self.authorities, self.responder.url(name))
        server = MutualNginx(*arguments) if contender.family == "nginx" else MutualApache(*arguments, directives)
        self.running[name] = Running(name, contender, server, [host], host, self.root)
        return self.running[name]

    def start_responder(self) -> None:
        super().start_responder()
        self.responder.revoke(leaf.serial for leaf in self.revoked.leaves)
