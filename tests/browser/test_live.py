"""Pages that keep themselves up to date, in a real browser with a real worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from django_rqlite import get_queue
from tests import sample_jobs
from tests.admin_world import QUEUES, World, job_page, queue_page
from tests.worker_process import run_burst

from .reader import count, one, shows, stay, stayed, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)

REFRESHED = """
    const all = performance.getEntriesByType('resource');
    return all.filter((entry) => entry.initiatorType === 'fetch').length;
"""


def test_a_job_ends_on_its_page_without_a_reload(
    browser: Any, live_server: Any, redis: Any, tmp_path: Path
) -> None:
    job = get_queue().enqueue(sample_jobs.nothing)
    browser.get(live_server.url + job_page(job.id))
    stay(browser)
    assert shows(browser, "queued")
    assert not shows(browser, "finished")
    run_burst(tmp_path)
    until(browser, lambda page: shows(page, "finished"))
    assert stayed(browser)


def test_a_paused_page_asks_for_nothing(browser: Any, live_server: Any, redis: Any) -> None:
    World(redis).failed()
    browser.get(live_server.url + QUEUES)
    button = one(browser, "#rqlite-live button")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    browser.refresh()
    button = one(browser, "#rqlite-live button")
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
    one(browser, "input.action-select").click()
    world.failed()
    until(browser, lambda page: count(page, ".action-select") == 2)
    assert count(browser, ".action-select:checked") == 1
    counter = one(browser, ".action-counter")
    assert counter.text == "1 of 2 selected"
    one(browser, ".action-select:not(:checked)").click()
    assert counter.text == "2 of 2 selected"
