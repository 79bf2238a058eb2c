# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""How two independent clients judge the bytes of a response: OpenSSL's `openssl ocsp` and GnuTLS's `ocsptool`.

Their output is reduced to a `Word`: good, revoked, unknown, error or refused, with the reason that the tool reports.
Where they differ from the module, STRICTER and LAXER have the reason.
"""

from __future__ import annotations

import functools
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pki
from ocsp_der import HASHES, oid


@dataclass(frozen=True)
class Word:
    status: str       # good, revoked, unknown, error, refused
    reason: str = ""  # of an error or a refusal, as the tool reports it

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}" if self.reason else self.status


@functools.lru_cache(maxsize=None)
def is_documented(tool: str) -> bool:
    """Is it of the version that docs/faults.md names? Later ones accept and refuse other bytes."""
    if tool == "openssl":
        return _run("openssl", "version").startswith("OpenSSL 3.0.")
    return _run("ocsptool", "--version").startswith("ocsptool 3.7.")


def _run(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False, timeout=30)
    return done.stdout


def _openssl(response: Path, leaf: pki.Leaf, hash_of_certid: str) -> str:
    return _run("openssl", "ocsp", "-respin", response, hash_of_certid, "-issuer", leaf.issuer.cert_file,
                "-cert", leaf.cert_file, "-CAfile", leaf.issuer.top.cert_file,
                "-verify_other", leaf.issuer.cert_file, "-no_nonce")


def openssl(response: Path, leaf: pki.Leaf) -> Word:
    """CertID by the first hash that finds an answer, the root in the trust store, the issuer as an additional
    certificate, no nonce, 5 minutes of skew (its default)."""
    der, output = response.read_bytes(), "No Status found"
    for digest in ("sha1", "sha256", "sha384", "sha512"):
        if "No Status found" in output and (digest == "sha1" or oid(HASHES[digest]) in der):
            output = _openssl(response, leaf, f"-{digest}")
    error = re.search(r"^Responder Error: (\S+ \(\d+\))", output, re.M)
    if error:
        return Word("error", error.group(1).lower())
    status = re.search(rf"^{re.escape(str(leaf.cert_file))}: (\w+)(.*)$", output, re.M)
    if "Response verify OK" not in output:
        reasons = re.findall(r"^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):.*?:\d+:(.*)$", output, re.M)
        last = re.findall(r"Verify error: ?(.*)$", output, re.M)
        return Word("refused", last[0] if last else reasons[0][0] if reasons else output.strip().splitlines()[-1][:60])
    if "Status times invalid" in output:
        reason = re.search(r"OCSP_check_validity:([^:]*):", output)
        return Word("refused", reason.group(1) if reason else "status times invalid")
    if status is None or status.group(1) not in ("good", "revoked", "unknown"):
        return Word("refused", "no status found" if status is None else (status.group(1) + status.group(2)).strip())
    return Word(status.group(1))


def gnutls(response: Path, leaf: pki.Leaf) -> Word:
    """The issuer as trust anchor; once more as the signer itself where the response carries no signer."""
    base = ("ocsptool", "--verify-response", "--load-response", response, "--load-issuer", leaf.issuer.cert_file,
            "--load-cert", leaf.cert_file)
    output = _run(*base, "--load-trust", leaf.issuer.cert_file)
    if "Signer cert not found" in output:
        output = _run(*base, "--load-signer", leaf.issuer.cert_file)
    error = re.search(r"Response Status: (.+)", output)
    if error and error.group(1).strip() != "Successful":
        return Word("error", error.group(1).strip().lower().replace(" ", ""))
    if "Verifying OCSP Response: Success" not in output:
        failure = re.search(r"Verifying OCSP Response: Failure, (.*?)\.?$", output, re.M)
        last = (output.strip().splitlines() or ["no output"])[-1][:60]
        return Word("refused", failure.group(1) if failure else last)
    statuses = re.findall(r"Certificate Status: (\w+)", output)
    return Word(statuses[0] if statuses else "refused", "" if statuses else "no status found")


def usable(word: str) -> str:
    """What is compared: a status, or nothing that could be stapled."""
    return word if word in ("good", "revoked", "unknown") else "unusable"


# Each reason follows the tool's name in docs/faults.md.

_FIRST_ONLY = ("finds the certificate's answer at any place; GnuTLS's TLS client reads the first one only, and ends "
               "the connection")
_TOOL_FIRST = ("does not look for the certificate; GnuTLS's TLS client does, in the first answer, and ends the "
               "connection")
_TOOL_TIMES = "does not look at times; GnuTLS's TLS client does"
_DER = "accepts BER; clients with a DER parser refuse it"
_CRITICAL = "ignores critical extensions, which RFC 5280 section 4.2 requires clients to refuse; Firefox refuses them"
_EMPTY = "accepts an empty list of extensions; Chrome refuses it"
_TWICE = "ignores an extension that is present twice; Chrome refuses it"
_SCTS = "does not read the list of SCTs; Firefox does, and ends the connection"
_FALSE = "accepts `critical FALSE` written out; Chrome refuses it"
_WEAK = "accepts it with Debian's defaults; RHEL and others refuse it, and the CA/Browser Forum forbids it"
_HASH = "accepts SHA-224 and SHA-3; Firefox and Chrome know SHA-256, SHA-384 and SHA-512 only"
_CURVE = "accepts a key on any curve; Firefox and Chrome know RSA, P-256, P-384 and P-521 only"
_GNUTLS_CURVE = "accepts keys on P-224 and Ed25519; Firefox and Chrome know RSA, P-256, P-384 and P-521 only"
_PSS = "accepts any parameters of RSASSA-PSS; Firefox, Chrome and GnuTLS do not"
_PSS_BYTES = "reads the parameters of RSASSA-PSS; Firefox compares their bytes"
_CA = "accepts a CA, which could answer for its siblings, as signer; Firefox refuses it"
_PRODUCED = "does not look at producedAt; a responder whose clock is ahead has wrong times in the rest too"
_BEFORE = "does not compare producedAt with the certificate; Chrome ignores a response from before it was valid"
_NAMES = "compares names by RFC 5280 section 7.1; Firefox and GnuTLS compare bytes"
_PARAMETERS = "ignores the parameters of the hash in a CertID; Firefox ends the connection"
_UNKNOWN_HASH = "accepts a CertID by MD5 for another certificate; Chrome refuses the response"
_FOREIGN = "reads the first answer only; OpenSSL and Firefox refuse an answer for another issuer"
_VERSION = "does not look at the version; Firefox and Chrome do"


def _both(reason: str) -> dict[str, str]:
    return {"openssl": reason, "gnutls": reason}


STRICTER: dict[str, dict[str, str]] = {
    "version-v2": _both(_VERSION),
    "byte-behind-the-response": {"openssl": "reads the first object and ignores the rest; GnuTLS refuses it"},
    "length-not-minimal": _both(_DER),
    "length-indefinite": {"openssl": _DER},
    "octets-in-pieces": {"openssl": _DER},
    "critical-false-written-out": _both(_FALSE),
    "signer-critical-false": _both(_FALSE),
    "oid-of-a-uuid": {"openssl": "reads OIDs of any size; GnuTLS ends the connection"},
    "ours-and-of-other-issuer": {"gnutls": _FOREIGN},
    "ours-and-by-an-unknown-hash": _both(_UNKNOWN_HASH),
    "others-and-ours": {"openssl": _FIRST_ONLY, "gnutls": _TOOL_FIRST},
    "only-others": {"gnutls": _TOOL_FIRST},
    "wrong-serial": {"gnutls": _TOOL_FIRST},
    "wrong-issuer-name": {"gnutls": _TOOL_FIRST},
    "wrong-issuer-key": {"gnutls": _TOOL_FIRST},
    "certid-over-the-subject-of-the-ca": {"gnutls": _TOOL_FIRST},
    "certid-md5": {"gnutls": _TOOL_FIRST},
    "certid-hash-with-parameters": _both(_PARAMETERS),
    "good-by-sha1-revoked-by-sha256": {
        "openssl": "uses the answer by the hash of its own request; another client may use the other: the worst counts",
        "gnutls": "uses the first answer; the worst counts"},
    "critical-extension": _both(_CRITICAL),
    "critical-extension-of-single": _both(_CRITICAL),
    "extensions-empty": _both(_EMPTY),
    "extensions-of-single-empty": _both(_EMPTY),
    "extension-twice": _both(_TWICE),
    "scts-empty": _both(_SCTS),
    "scts-twice": _both(_SCTS),
    "scts-not-an-octet-string": _both(_SCTS),
    "signer-by-name-in-another-string-type": {"openssl": _NAMES},
    "signer-with-issuer-in-another-string-type": {"openssl": _NAMES},
    "signer-is-ca": _both(_CA),
    "signer-with-an-extension-twice": {
        "openssl": "accepts a signer with an extension that is present twice; GnuTLS and Chrome do not"},
    "signer-with-an-oid-of-64-bits": {
        "openssl": "reads OIDs of any size; GnuTLS encodes the signer's certificate again, with an OID that "
        "differs, and ends the connection"},
    "signer-p224": {"openssl": _CURVE, "gnutls": _GNUTLS_CURVE},
    "signer-brainpool": {"openssl": _CURVE},
    "signer-secp256k1": {"openssl": _CURVE},
    "signer-ed25519": {"openssl": _CURVE, "gnutls": _GNUTLS_CURVE},
    "signer-rsa1024": _both(_WEAK),
    "signature-sha1": _both(_WEAK),
    "signature-ecdsa-sha1": _both(_WEAK),
    "signature-md5": {"openssl": "applies no security level to the signature of a response; GnuTLS refuses MD5"},
    "signature-sha3": _both(_HASH),
    "signature-ecdsa-sha224": _both(_HASH),
    "signature-pss-salt-of-20": {"openssl": _PSS},
    "signature-pss-salt-as-long-as-fits": {"openssl": _PSS},
    "signature-pss-sha384": {"openssl": _PSS},
    "signature-pss-sha512": {"openssl": _PSS},
    "signature-pss-without-null": _both(_PSS_BYTES),
    "signature-pss-without-parameters": {"gnutls": "assumes SHA-256 without parameters; the others do not"},
    "this-update-ahead": {"gnutls": _TOOL_TIMES},
    "this-update-with-fraction": {"gnutls": _TOOL_TIMES},
    "produced-ahead": _both(_PRODUCED),
    "produced-long-ago": _both(_BEFORE),
    "next-before-this": {"gnutls": _TOOL_TIMES},
    "expired": {"gnutls": _TOOL_TIMES},
    "expired-within-skew": {
        "openssl": "grants the skew to nextUpdate too; a response that has ended here has ended for clients too",
        "gnutls": _TOOL_TIMES},
    "without-next-20-days-old": {
        "openssl": "accepts any age unless `-status_age` is given; GnuTLS's TLS client accepts 15 days",
        "gnutls": _TOOL_TIMES},
}

_REMOVED = "refuses the response as it is sent; the certificate is removed, and it accepts what is stapled"

LAXER: dict[str, dict[str, str]] = {
    "certid-over-the-issuer-field": {
        "openssl": "hashes the CA's subject to find the signer's issuer and the certificate's issuer field to find the "
        "answer: it accepts no response for a certificate that writes its issuer's name in another string "
        "type than the CA does"},
    "with-a-malformed-name": {"gnutls": _REMOVED},
    "with-a-malformed-time": {"gnutls": _REMOVED},
    "with-the-key-id-of-the-signer": {"gnutls": _REMOVED},
}
