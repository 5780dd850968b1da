"""A headless Chromium, signed in to a live site that serves the tests' own Redis."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client

from tests.conftest import wait_until

from .chromium import start, why_unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Seconds between two refreshes in the tests, in place of the number in the template.
EVERY = 0.2

# This runs before the scripts of a page, which are deferred.
HURRY = f"""
    document.addEventListener('readystatechange', () => {{
        const settings = document.getElementById('rqlite-live');
        if (settings) {{
            settings.dataset.every = '{EVERY}';
        }}
    }}, {{once: true}});
"""


@pytest.fixture(scope="session")
def chromium(live_server: Any) -> Iterator[Any]:
    """The browser. Without one the tests are skipped, or fail where it is required.

    It ends before the site, so that no connection between them stays open.
    """
    if reason := why_unavailable():
        if os.environ.get("RQ_TEST_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    browser = start()
    yield browser
    browser.quit()
    wait_until(lambda: not _answering(), "the site closes the browser's connections")


def _answering() -> list[str]:
    """The live server's threads, one for each connection."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if "process_request_thread" in name]


@pytest.fixture
def browser(chromium: Any, live_server: Any, admin_client: Client, redis: Any) -> Iterator[Any]:
    """The browser, signed in as a superuser. Errors on its console fail the test.

    A test that expects errors removes them with ``get_log``.
    """
    chromium.get(f"{live_server.url}/static/django_rqlite/live.js")
    chromium.add_cookie(
        {
            "name": settings.SESSION_COOKIE_NAME,
            "value": admin_client.cookies[settings.SESSION_COOKIE_NAME].value,
            "path": "/",
        }
    )
    hurried = chromium.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HURRY})
    chromium.get_log("browser")
    yield chromium
    errors = [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]
    chromium.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", hurried)
    chromium.execute_script("sessionStorage.clear()")
    chromium.get("about:blank")
    chromium.delete_all_cookies()
    assert [entry for entry in errors if "favicon.ico" not in entry["message"]] == []


@pytest.fixture
def new_window(browser: Any) -> Iterator[Callable[[str], str]]:
    """Open another window or tab and return its handle. It is closed after the test."""
    first, opened = browser.current_window_handle, []

    def new(kind: str) -> str:
        browser.switch_to.new_window(kind)
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HURRY})
        opened.append(browser.current_window_handle)
        return opened[-1]

    yield new
    for handle in opened:
        browser.switch_to.window(handle)
        browser.close()
    browser.switch_to.window(first)
