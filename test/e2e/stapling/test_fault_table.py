# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The fault table (fault_rows.py), run once on one httpd. Each row is one test."""

import pytest

import fault_table
from fault_peers import LAXER, STRICTER, is_documented
from fault_kinds import Body
from fault_rows import ROWS
from fault_stage import Stage


@pytest.fixture(scope="module")
def played(workplace, root_ca, ca, stranger):
    folder = workplace / "faults"
    folder.mkdir()
    folder.chmod(0o755)
    stage = Stage(ROWS, folder, root_ca, ca, stranger)
    stage.server.allow(r"^\[ocsp_cache:(warn|crit)\] .*certificate .* \(serial ")
    try:
        found = {seen.row.name: seen for seen in fault_table.play(stage, folder)}
    finally:
        stage.stop()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_row(played, name):
    problems = played[name].problems()
    assert not problems, "\n".join(problems)


@pytest.mark.slow
def test_the_document_has_the_table(played):
    if not (is_documented("openssl") and is_documented("gnutls")):
        pytest.skip("the document has the results of OpenSSL 3.0 and GnuTLS 3.7")
    assert fault_table.documented() == fault_table.as_markdown(list(played.values())), \
        "run: test/e2e/harness/fault_table.py --document"


def test_differences_are_about_rows_that_exist():
    assert {*LAXER, *STRICTER} <= {row.name for row in ROWS if isinstance(row, Body)}
