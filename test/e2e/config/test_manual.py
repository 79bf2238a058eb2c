# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""httpd prints the error texts that the manual quotes."""

import re

import pytest

from conftest import CACHE
from httpd import REPOSITORY

SECTION = re.compile(r"^## <a id=\"\w+\"></a>(\w+) Directive$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`([^`]+)`", re.DOTALL)
# Where the text does not contain the argument: what was written.
WRITTEN = {"must be On or Off": "maybe", "the shortest interval, 2h,": "2h 1h", "https://x/ cannot": "http://y/ https://x/",
           "/path is": "/path", "ClientResponder https://ocsp.example.com/": "https://ocsp.example.com/",
           "takes one argument": "a b"}


def quoted() -> list:
    """(directive, error text)"""
    found = [pytest.param(match[1], " ".join(text.split()), id=f"{match[1]}-{i}")
             for match in SECTION.finditer((REPOSITORY / "docs/manual/directives.md").read_text())
             for paragraph in re.findall(r"^Error texts?: (.*?)\n\n", match[2] + "\n\n", re.MULTILINE | re.DOTALL)
             for i, text in enumerate(QUOTED.findall(paragraph))]
    assert len(found) > 15, found
    return found


def argument(text: str) -> str:
    for part, written in WRITTEN.items():
        if part in text:
            return written
    return re.search(r"'([^']*)'", text)[1]


@pytest.mark.parametrize("directive, text", quoted())
def test_error_texts(site, mtls, directive, text):
    written = argument(text)
    line = f'{directive} "{written}"' if "Prefix" in directive else f"{directive} {written}"
    if directive.startswith("OCSPCacheClient"):
        of_a_host = directive not in ("OCSPCacheClientSize", "OCSPCacheClientFile")
        also = ("OCSPCacheClient hard",) if directive != "OCSPCacheClient" else ()
        one = mtls(client=(*also, line) if of_a_host else also, directives=() if of_a_host else (line,), cache=CACHE)
    else:
        one = site(directives=(line,))
    checked = one.server.check()
    assert checked.code != 0
    wanted = re.escape(text).replace(r"\(\.\.\.\)", r"\(.*\)")
    assert re.search(wanted, " ".join(checked.output.replace("`", "").split())), (line, checked.output)
