"""Starts a headless Chromium, for the tests and for the pictures in docs/screenshots."""

from __future__ import annotations

import shutil
from typing import Any

from selenium import webdriver


def why_unavailable() -> str:
    """Why Chromium cannot be started; ``''`` where it can."""
    found = all(shutil.which(program) for program in ("chromium", "chromedriver"))
    return "" if found else "no chromium and chromedriver on PATH: run .ci/chromium"


def start() -> Any:
    """Start a browser that keeps the messages of its console."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    # Containers lack what the sandbox of Chromium needs, and have a small /dev/shm.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver") or "")
    return webdriver.Chrome(options=options, service=service)
