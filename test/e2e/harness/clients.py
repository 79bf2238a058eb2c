# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""Real TLS clients, and what they receive: the protocol, the certificate, the staple, and how long it takes."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from cryptography.x509 import ocsp

import pki


@dataclass(frozen=True)
class Handshake:
    """One handshake. `status`: good, revoked, unknown (the certificate's), or trylater, unauthorized, ... (the
    responder's error), or None: nothing was stapled."""

    ok: bool
    seconds: float
    protocol: str
    status: Optional[str]
    serial: str           # of the server's certificate
    staple: str           # the whole staple as text: equal texts, equal staples
    output: str

    def __str__(self) -> str:
        return f"ok={self.ok} status={self.status} protocol={self.protocol} seconds={self.seconds:.3f}\n{self.output}"


def s_client(port: int, host: str, root: pki.Authority, *, ask: bool = True, tls: str = "", sigalgs: str = "",
             extra: tuple[str, ...] = (), deadline: float = 60) -> Handshake:
    """`openssl s_client`, which verifies the chain up to `root`. `tls`: "1.2", "1.3" or "" for the client's choice."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", host, "-verify_hostname", host,
               "-verify_return_error", "-CAfile", str(root.cert_file), *extra]
    if ask:
        command.append("-status")
    if tls:
        command.append("-tls" + tls.replace(".", "_"))
    if sigalgs:
        command += ["-sigalgs", sigalgs]
    begin = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=deadline, check=False, text=True, errors="replace")
    seconds = time.monotonic() - begin
    output = done.stdout
    verified = "Verification: OK" in output or "Verify return code: 0 (ok)" in output
    protocol = re.search(r"^New, (TLSv[\d.]+), Cipher is (?!\(NONE\))", output, re.M)
    return Handshake(ok=done.returncode == 0 and verified and protocol is not None, seconds=seconds,
                     protocol=protocol.group(1) if protocol else "", status=_status(output),
                     serial=_serial_of(output), staple=_staple(output), output=output)


def _status(output: str) -> Optional[str]:
    answer = re.search(r"^\s+OCSP Response Status: (\w+) ", output, re.M)
    if answer is None:
        return None
    if answer.group(1) != "successful":
        return answer.group(1)
    status = re.search(r"^\s+Cert Status: (\w+)", output, re.M)
    return status.group(1) if status else "successful, without a status"


def _staple(output: str) -> str:
    block = re.search(r"^OCSP Response Data:.*?^={6,}", output, re.M | re.S)
    return block.group(0) if block else ""


def _serial_of(output: str) -> str:
    pem = re.search(r"^Server certificate\n(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----)", output,
                    re.M | re.S)
    if pem is None:
        return ""
    from cryptography import x509
    digits = f"{x509.load_pem_x509_certificate(pem.group(1).encode()).serial_number:X}"
    return digits if len(digits) % 2 == 0 else "0" + digits


def gnutls(port: int, host: str, root: pki.Authority, *, tls: str = "") -> Handshake:
    """`gnutls-cli`, which always requests a status, refuses a staple that it cannot verify, and saves it as DER."""
    priority = "NORMAL" if not tls else f"NORMAL:-VERS-ALL:+VERS-TLS{tls}"
    with tempfile.TemporaryDirectory(prefix="oc-gnutls-") as folder:
        saved = Path(folder) / "staple.der"
        begin = time.monotonic()
        done = subprocess.run(["gnutls-cli", "--port", str(port), "--x509cafile", str(root.cert_file),
                               "--sni-hostname", host, "--verify-hostname", host, "--priority", priority,
                               "--save-ocsp", str(saved), "127.0.0.1"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              check=False, text=True, errors="replace")
        seconds = time.monotonic() - begin
        der = saved.read_bytes() if saved.exists() else b""
    protocol = re.search(r"^- Description: \((TLS[\d.]+)", done.stdout, re.M)
    return Handshake(ok="Handshake was completed" in done.stdout, seconds=seconds,
                     protocol=protocol.group(1) if protocol else "", status=_status_in(der), serial="",
                     staple=der.hex(),
                     output=done.stdout)


def _status_in(der: bytes) -> Optional[str]:
    """"unreadable": python-cryptography is stricter than clients, and reads one SingleResponse only."""
    if not der:
        return None
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return response.response_status.name.replace("_", "").lower()
        return response.certificate_status.name.lower()
    except ValueError:
        return "unreadable"


def http_get(url: str, deadline: float = 15) -> str:
    """The body of a page; an HTTP error raises."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=deadline) as answer:
        return answer.read().decode("utf-8", "replace")
