# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""The status page under axe-core, which finds obstacles for people who use a screen reader or a keyboard: `make
check-accessibility`.

Not in the usual run: axe-core comes from npm alone. OC_AXE names its axe.min.js. What needs no such thing is in
test_status_browser.py.
"""

import os
from pathlib import Path

import pytest

import test_status_browser
from status_page import certificates
from test_status_browser import look

# fixtures
browser, chromium, stage = test_status_browser.browser, test_status_browser.chromium, test_status_browser.stage

RULES = "{runOnly: {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("view", ["all", "none", "one"])
def test_axe(browser, stage, scheme, width, view):
    browser.scheme(scheme)
    browser.size(width)
    query = {"all": "", "none": "?q=nothing+like+that",
             "one": "?id=" + certificates(stage.server, "&q=must")["must.example.test"]["sha1"]}[view]
    look(browser, stage, query)
    browser.driver.execute_script(Path(os.environ["OC_AXE"]).read_text())
    found = browser.driver.execute_async_script(
        f"const done = arguments[arguments.length - 1]; axe.run(document, {RULES}).then(done, error => "
        "done(String(error)))")
    assert isinstance(found, dict), found
    assert len(found["passes"]) > 20, "the control: it has looked"
    assert [(rule["id"], rule["help"], [node["html"] for node in rule["nodes"]][:5])
            for rule in found["violations"]] == []
