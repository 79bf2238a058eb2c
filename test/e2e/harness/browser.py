# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
"""A headless Chromium with a profile of its own, and what went wrong in it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Callable

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from wait import poll

# Before any script of the page: breaches of the Content-Security-Policy, which a console may or may not mention.
SPY = ("window.breaches = []; document.addEventListener('securitypolicyviolation', "
       "event => window.breaches.push(event.violatedDirective + ' ' + event.blockedURI));")


class Browser:
    """One window."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="oc-browser-"))
        options = webdriver.ChromeOptions()
        options.binary_location = _program("chromium", "chromium-browser", "google-chrome")
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                         "--disable-background-networking", "--disable-component-update", "--proxy-server=direct://",
                         "--hide-scrollbars", f"--user-data-dir={self._folder}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service(_program("chromedriver", "chromium.chromedriver")),
                                       options=options)
        self.driver.set_page_load_timeout(60)
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SPY})

    def close(self) -> None:
        self.driver.quit()
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- what it is --------------------------------------------------------------------------------------------------

    def size(self, width: int, height: int = 900) -> None:
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def scheme(self, name: str) -> None:
        """"dark" or "light": the user's preferred color scheme."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                    {"features": [{"name": "prefers-color-scheme", "value": name}]})

    def scripts(self, on: bool) -> None:
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not on})

    def offline(self, on: bool) -> None:
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {
            "offline": on, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})

    # -- what it does ------------------------------------------------------------------------------------------------

    def open(self, url: str) -> None:
        self.driver.get(url)

    def all(self, selector: str) -> list:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def run(self, script: str):
        """Runs a script of the test, which needs none of the page's."""
        return self.driver.execute_script("return " + script)

    def wait(self, condition: Callable[[], object], what: str):
        """Elements may be replaced while the test reads them."""
        def settled():
            from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
            try:
                return condition()
            except (NoSuchElementException, StaleElementReferenceException):
                return None
        return poll(settled, what, 20)

    def screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))

    def problems(self) -> list[str]:
        """Everything in the console since the last call, and breaches of the policy."""
        breaches = self.run("window.breaches ? window.breaches.splice(0) : []")
        return [entry["message"] for entry in self.driver.get_log("browser")] + breaches


def _program(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, f"none of {', '.join(names)} is installed (build/deps.sh)"
    return found
