# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""httpd accepts every configuration in docs/ without a warning, and the examples for monitoring work."""

import re
import subprocess
from pathlib import Path

import pytest

from apxs import apxs
from httpd import REPOSITORY
from status_page import ask

DOCS = sorted((REPOSITORY / "docs").rglob("*.md"))
BLOCK = re.compile(r"^( *)```apache\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks() -> list:
    found = [pytest.param(match[2], id=f"{path.name}:{path.read_text()[:match.start()].count(chr(10)) + 1}")
             for path in DOCS for match in BLOCK.finditer(path.read_text())]
    assert found, "no blocks to try"
    return found


@pytest.mark.parametrize("block", blocks())
def test_configuration_of_the_docs(site, folder: Path, root_ca, block: str):
    one = site(cache=None, log_level="warn")
    # What the block names is there: the responder of the certificate, httpd's modules, programs, folders.
    block = block.replace("http://ocsp.ca.example/", one.responder.url).replace(" modules/", f' {apxs("LIBEXECDIR")}/')
    for path in set(re.findall(r"/usr/local/sbin/[\w.-]+", block)):
        program = folder / Path(path).name
        program.symlink_to("/bin/true")
        block = block.replace(path, str(program))
    for path in set(re.findall(r"/var/\w+/[\w/-]+", block)):
        mine = folder / path.lstrip("/")
        mine.parent.mkdir(parents=True, exist_ok=True)
        if "." not in mine.name and "OCSPCacheResponseFolder " + path in block:
            mine.mkdir()
        block = block.replace(path, str(mine))
    block = re.sub(r"^( *SSLStaplingCache ocsp_cache)$", rf'\1:{folder}/default', block, flags=re.MULTILINE)
    if "SSLStaplingCache" not in block:  # it shows other directives
        block += f"\nSSLStaplingCache ocsp_cache:{folder}/default"
    is_client = "OCSPCacheClient" in block
    if is_client and "OCSPCacheClient " not in block:  # it shows a directive that needs that one
        block += "\nSSLVerifyClient require\nSSLCACertificateFile /etc/ssl/clients-ca.pem\nOCSPCacheClient hard"
    block = block.replace("/etc/ssl/clients-ca.pem", str(root_ca.cert_file))
    one.server.config = one.changed(cache=None, client=is_client, modules=("authz_host",),
                                    directives=tuple(block.splitlines()))
    checked = one.server.check()
    assert checked.code == 0 and checked.lines == ["Syntax OK"], checked.output


MONITORING = REPOSITORY / "docs" / "monitoring"


def test_alert_rules_fire_when_they_should():
    tested = subprocess.run(["promtool", "test", "rules", str(MONITORING / "alerts-test.yml")], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    assert tested.returncode == 0, tested.stdout


def test_alerts_dashboard_and_guide_name_metrics_that_are_served(site):
    location = ('<Location "/ocsp-cache-status">', "SetHandler ocsp-cache-status", "Require all granted", "</Location>")
    one = site(directives=location)
    one.server.start()
    one.wait_staple()
    text = ask(one.server, "?format=prometheus").body
    served = {re.split(r"[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}
    files = [*MONITORING.iterdir(), REPOSITORY / "docs" / "guide.md"]
    named = {name for file in files for name in re.findall(r"\bocsp_cache_[a-z_]+[a-z]\b", file.read_text())}
    assert len(named) > 8 and not named - served - {"ocsp_cache_module"}
