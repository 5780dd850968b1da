"""A headless Chromium, signed in to a live site that serves the tests' own Redis."""

from __future__ import annotations

import os
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client

from tests.conftest import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def chromium(live_server: Any) -> Iterator[Any]:
    """The browser. Without one the tests are skipped, or fail where it is required.

    It ends before the site does, so that no connection between them is left open.
    """
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        reason = "no chromium and chromedriver on PATH: run .ci/chromium"
        if os.environ.get("RQ_TEST_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield browser
    browser.quit()
    wait_until(lambda: not _answering(), "the site has let go of the browser's connections")


def _answering() -> list[str]:
    """The live server's threads, one for each connection."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if "process_request_thread" in name]


@pytest.fixture
def browser(chromium: Any, live_server: Any, admin_client: Client, redis: Any) -> Iterator[Any]:
    """The browser, signed in as a superuser; fails the test when the console tells an error."""
    chromium.get(f"{live_server.url}/static/django_rqlite/live.js")
    chromium.add_cookie(
        {
            "name": settings.SESSION_COOKIE_NAME,
            "value": admin_client.cookies[settings.SESSION_COOKIE_NAME].value,
            "path": "/",
        }
    )
    chromium.get_log("browser")
    yield chromium
    errors = [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]
    chromium.execute_script("sessionStorage.clear()")
    chromium.get("about:blank")
    chromium.delete_all_cookies()
    assert [entry for entry in errors if "favicon.ico" not in entry["message"]] == []
