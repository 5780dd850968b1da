"""Pages that keep themselves up to date, in a real browser with a real worker."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from django_rqlite import get_queue
from tests import sample_jobs
from tests.admin_world import QUEUES, WORKERS, World, job_page, queue_page
from tests.worker_process import run_burst

if TYPE_CHECKING:
    from pathlib import Path

if not os.environ.get("CI"):
    pytest.importorskip("selenium")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # Django's live server leaves to the garbage collector what the browser still holds open.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    # At the end its threads close the database in memory, which another thread had opened.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]
MARK = "window.mark = 'the same page'"
FOCUSED = "return document.activeElement.matches(arguments[0])"
REFRESHED = """
    const all = performance.getEntriesByType('resource');
    return all.filter((entry) => entry.initiatorType === 'fetch').length;
"""


def until(browser: Any, condition: Any) -> None:
    WebDriverWait(browser, 15, 0.05).until(condition)


def shows(browser: Any, text: str) -> bool:
    script = "return document.getElementById('content-main').textContent.includes(arguments[0])"
    return bool(browser.execute_script(script, text))


def test_a_job_ends_on_its_page_without_a_reload(
    browser: Any, live_server: Any, redis: Any, tmp_path: Path
) -> None:
    job = get_queue().enqueue(sample_jobs.nothing)
    browser.get(live_server.url + job_page(job.id))
    browser.execute_script(MARK)
    assert shows(browser, "queued")
    assert not shows(browser, "finished")
    run_burst(tmp_path)
    until(browser, lambda page: shows(page, "finished"))
    assert browser.execute_script("return window.mark") == "the same page"


def test_a_paused_page_asks_for_nothing(browser: Any, live_server: Any, redis: Any) -> None:
    World(redis).failed()
    browser.get(live_server.url + QUEUES)
    button = browser.find_element(By.CSS_SELECTOR, "#rqlite-live button")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    browser.refresh()
    button = browser.find_element(By.CSS_SELECTOR, "#rqlite-live button")
    assert button.get_attribute("aria-pressed") == "true"
    assert browser.execute_script(REFRESHED) == 0
    button.click()
    until(browser, lambda page: page.execute_script(REFRESHED) > 0)


def test_what_is_checked_stays_checked_and_is_counted(
    browser: Any, live_server: Any, redis: Any
) -> None:
    world = World(redis)
    world.failed()
    browser.get(live_server.url + queue_page("default", "failed"))
    browser.find_element(By.CSS_SELECTOR, "input.action-select").click()
    world.failed()
    until(browser, lambda page: len(page.find_elements(By.CSS_SELECTOR, ".action-select")) == 2)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".action-select:checked")) == 1
    counter = browser.find_element(By.CSS_SELECTOR, ".action-counter")
    assert counter.text == "1 of 2 selected"
    browser.find_element(By.CSS_SELECTOR, ".action-select:not(:checked)").click()
    assert counter.text == "2 of 2 selected"


def test_a_failed_job_is_requeued_with_the_keyboard_alone(
    browser: Any, live_server: Any, redis: Any
) -> None:
    world = World(redis)
    job_id = world.failed()
    browser.get(live_server.url + queue_page("default", "failed"))

    def press_tab_to(selector: str, key: str = Keys.TAB) -> Any:
        for _ in range(60):
            if browser.execute_script(
                "return document.activeElement.matches(arguments[0])", selector
            ):
                return browser.switch_to.active_element
            browser.switch_to.active_element.send_keys(key)
        raise AssertionError(f"the keyboard does not reach {selector}")

    press_tab_to("select[name=action]").send_keys("Requeue")
    press_tab_to("input.action-select").send_keys(Keys.SPACE)
    press_tab_to("input.action-select").send_keys(Keys.ENTER)
    until(browser, lambda page: world.status(job_id) == "queued")


def test_no_page_is_wider_than_a_phone(browser: Any, live_server: Any, redis: Any) -> None:
    world = World(redis)
    job_id = world.failed()
    world.worker()
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 375, "height": 700, "deviceScaleFactor": 1, "mobile": True},
    )
    try:
        for page in (QUEUES, queue_page("default", "failed"), job_page(job_id), WORKERS):
            browser.get(live_server.url + page)
            width = browser.execute_script("return document.documentElement.scrollWidth")
            assert (page, width) == (page, 375)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
