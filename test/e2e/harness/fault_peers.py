# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""What two independent clients make of the bytes of a response: OpenSSL's `openssl ocsp` and GnuTLS' `ocsptool`.

What each says is reduced to a `Word`: good, revoked, unknown, error or refused, with the reason that the tool gives.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pki


@dataclass(frozen=True)
class Word:
    status: str       # good, revoked, unknown, error, refused
    reason: str = ""  # of an error or a refusal, in the tool's words

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}" if self.reason else self.status


def _run(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False, timeout=30)
    return done.stdout


def _openssl(response: Path, leaf: pki.Leaf, hash_of_certid: str) -> str:
    return _run("openssl", "ocsp", "-respin", response, hash_of_certid, "-issuer", leaf.issuer.cert_file,
                "-cert", leaf.cert_file, "-CAfile", leaf.issuer.top.cert_file,
                "-verify_other", leaf.issuer.cert_file, "-no_nonce")


def openssl(response: Path, leaf: pki.Leaf) -> Word:
    """CertID by SHA-1 or SHA-256, the root in the trust store, the issuer as one more certificate, no nonce asked for,
    5 minutes of skew (its default)."""
    said = _openssl(response, leaf, "-sha1")
    if "No Status found" in said:
        said = _openssl(response, leaf, "-sha256")
    error = re.search(r"^Responder Error: (\S+ \(\d+\))", said, re.M)
    if error:
        return Word("error", error.group(1).lower())
    status = re.search(rf"^{re.escape(str(leaf.cert_file))}: (\w+)(.*)$", said, re.M)
    if "Response verify OK" not in said:
        reasons = re.findall(r"^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):.*?:\d+:(.*)$", said, re.M)
        last = re.findall(r"Verify error: ?(.*)$", said, re.M)
        return Word("refused", last[0] if last else reasons[0][0] if reasons else said.strip().splitlines()[-1][:60])
    if "Status times invalid" in said:
        reason = re.search(r"OCSP_check_validity:([^:]*):", said)
        return Word("refused", reason.group(1) if reason else "status times invalid")
    if status is None or status.group(1) not in ("good", "revoked", "unknown"):
        return Word("refused", "no status found" if status is None else (status.group(1) + status.group(2)).strip())
    return Word(status.group(1))


def gnutls(response: Path, leaf: pki.Leaf) -> Word:
    """The issuer as trust anchor; once more as the signer itself where the response carries no signer."""
    base = ("ocsptool", "--verify-response", "--load-response", response, "--load-issuer", leaf.issuer.cert_file,
            "--load-cert", leaf.cert_file)
    said = _run(*base, "--load-trust", leaf.issuer.cert_file)
    if "Signer cert not found" in said:
        said = _run(*base, "--load-signer", leaf.issuer.cert_file)
    error = re.search(r"Response Status: (.+)", said)
    if error and error.group(1).strip() != "Successful":
        return Word("error", error.group(1).strip().lower().replace(" ", ""))
    if "Verifying OCSP Response: Success" not in said:
        failure = re.search(r"Verifying OCSP Response: Failure, (.*?)\.?$", said, re.M)
        last = (said.strip().splitlines() or ["said nothing"])[-1][:60]
        return Word("refused", failure.group(1) if failure else last)
    statuses = re.findall(r"Certificate Status: (\w+)", said)
    return Word(statuses[0] if statuses else "refused", "" if statuses else "no status found")


def usable(word: str) -> str:
    """What is compared: a status, or none that could be stapled."""
    return word if word in ("good", "revoked", "unknown") else "unusable"


# Where the module sees it otherwise. It is always the stricter one: a staple has to please the strictest client.

_BER = "parses BER and does not compare the encoding; clients with a DER parser refuse it"
_CRITICAL = "does not look at critical extensions, which RFC 5280 section 4.2 has clients refuse; Firefox does"
_FIRST_ONLY = "finds ours wherever it stands; GnuTLS's TLS client reads the first answer only, and fails the handshake"
_TOOL_FIRST = "the tool does not look for the certificate; GnuTLS's TLS client does, in the first answer"
_TOOL_TIMES = "the tool does not look at times; GnuTLS's TLS client does"
_WEAK = "Debian's default accepts it; RHEL's and others' do not, and the CA/Browser Forum forbids it"
_CA = "a CA as responder could answer for its siblings; Firefox refuses it"
_PRODUCED = "does not look at producedAt; a responder whose clock is ahead cannot be believed in its other times"
_CURVE = "takes a key on any curve; Firefox and Chrome know RSA, P-256, P-384 and P-521 only"
_BEFORE = "does not compare producedAt with the certificate; Chrome ignores a response from before it was valid"
_SHA224 = "accepts SHA-224; Firefox knows SHA-256, SHA-384 and SHA-512 only"
_FOREIGN = "the tool looks at the first answer only; OpenSSL and Firefox refuse one for another issuer"
_VERSION = "does not look at the version"

DIFFERENCES: dict[str, dict[str, str]] = {
    "version-v2": {"openssl": _VERSION, "gnutls": _VERSION},
    "byte-behind-the-response": {"openssl": "takes the first object and leaves the rest unread"},
    "length-not-minimal": {"openssl": _BER, "gnutls": _BER},
    "ours-and-of-other-issuer": {"gnutls": _FOREIGN},
    "others-and-ours": {"openssl": _FIRST_ONLY, "gnutls": _TOOL_FIRST},
    "only-others": {"gnutls": _TOOL_FIRST},
    "wrong-serial": {"gnutls": _TOOL_FIRST},
    "wrong-issuer-name": {"gnutls": _TOOL_FIRST},
    "wrong-issuer-key": {"gnutls": _TOOL_FIRST},
    "certid-md5": {"gnutls": _TOOL_FIRST},
    "good-by-sha1-revoked-by-sha256": {
        "openssl": "takes the answer by the hash that it asked with; another client may ask with the other: the worst "
                   "counts",
        "gnutls": "takes the first answer; the worst counts"},
    "critical-extension": {"openssl": _CRITICAL, "gnutls": _CRITICAL},
    "critical-extension-of-single": {"openssl": _CRITICAL, "gnutls": _CRITICAL},
    "signer-is-ca": {"openssl": _CA, "gnutls": _CA},
    "signature-ecdsa-sha224": {"openssl": _SHA224, "gnutls": _SHA224},
    "signer-ed25519": {"openssl": _CURVE, "gnutls": _CURVE},
    "produced-long-ago": {"openssl": _BEFORE, "gnutls": _BEFORE},
    "signer-rsa1024": {"openssl": _WEAK, "gnutls": _WEAK},
    "signature-sha1": {"openssl": _WEAK, "gnutls": _WEAK},
    "signature-ecdsa-sha1": {"openssl": _WEAK, "gnutls": _WEAK},
    "signature-md5": {"openssl": "`openssl ocsp` applies no security level to the signature of a response"},
    "this-update-ahead": {"gnutls": _TOOL_TIMES},
    "this-update-with-fraction": {"gnutls": _TOOL_TIMES},
    "produced-ahead": {"openssl": _PRODUCED, "gnutls": _PRODUCED},
    "next-before-this": {"gnutls": _TOOL_TIMES},
    "expired": {"gnutls": _TOOL_TIMES},
    "expired-within-skew": {
        "openssl": "grants the skew to nextUpdate too; what has ended on our clock has ended on clients' clocks",
        "gnutls": _TOOL_TIMES},
    "without-next-20-days-old": {
        "openssl": "takes any age unless `-status_age` is given; GnuTLS's TLS client takes 15 days at most",
        "gnutls": _TOOL_TIMES},
}
