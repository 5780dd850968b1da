"""Stop a job, pause a queue and requeue jobs, with real workers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.keys import Keys

from django_rqlite import get_queue
from tests import sample_jobs
from tests.admin_world import QUEUES, World, job_page, queue_page
from tests.conftest import wait_until
from tests.worker_process import run_burst, worker

from .reader import count, one, press, press_tab_to, row_of, shows, stay, stayed, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_running_job_is_stopped(
    browser: Any, live_server: Any, redis: Any, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    browser.get(live_server.url + job_page(job.id))
    with worker(tmp_path):
        # The page was loaded while the job waited; the button appears as soon as it runs.
        until(browser, lambda page: count(page, "form[action$='/stop/'] button"))
        one(browser, "form[action$='/stop/'] button").click()
        until(browser, lambda page: shows(page, "Stop requested for 1 job."))
        stay(browser)
        until(browser, lambda page: one(page, ".status-bad").text == "stopped")
        assert stayed(browser)
        assert not count(browser, "form[action$='/stop/']")
        assert count(browser, "form[action$='/requeue/']")


def test_a_paused_queue_says_so_and_keeps_its_jobs(
    browser: Any, live_server: Any, redis: Any, tmp_path: Path
) -> None:
    browser.get(live_server.url + queue_page("low"))
    one(browser, "form[action$='/pause/'] button").click()
    until(browser, lambda page: shows(page, "This queue is paused"))
    browser.get(live_server.url + QUEUES)
    stay(browser)
    assert "paused" in row_of(browser, "low")
    assert "paused" not in row_of(browser, "default")
    kept, done = (get_queue(name).enqueue(sample_jobs.nothing) for name in ("low", "default"))
    with worker(tmp_path, "low", "default"):
        # The worker takes from "low" first, so it would have run that job before this one.
        wait_until(lambda: done.is_finished, "the worker has done the job of the other queue")
        assert kept.is_queued
        browser.switch_to.new_window("tab")
        browser.get(live_server.url + queue_page("low"))
        one(browser, "form[action$='/resume/'] button").click()
        until(browser, lambda page: shows(page, "Resumed: "))
        browser.close()
        browser.switch_to.window(browser.window_handles[0])
        until(browser, lambda page: "paused" not in row_of(page, "low"))
        assert stayed(browser)
        wait_until(lambda: kept.is_finished, "the worker has done the job of the resumed queue")


def test_a_failed_job_is_requeued_with_the_keyboard_alone(
    browser: Any, live_server: Any, redis: Any, tmp_path: Path
) -> None:
    job = get_queue().enqueue(sample_jobs.fail_at_first, str(tmp_path / "runs"), 1)
    run_burst(tmp_path)
    World(redis).failed()
    browser.get(live_server.url + QUEUES)
    press_tab_to(browser, f"a[href$='{queue_page('default', 'failed')}']")
    press(browser, Keys.ENTER)
    until(browser, lambda page: count(page, "input.action-select") == 2)
    press_tab_to(browser, "select[name=action]")
    press(browser, "Requeue")
    checkbox = f"input.action-select[value='{job.id}']"
    press_tab_to(browser, checkbox)
    press(browser, Keys.SPACE)
    assert one(browser, checkbox).is_selected()
    press_tab_to(browser, "button[name=index]", back=True)
    press(browser, Keys.ENTER)
    until(browser, lambda page: shows(page, "Requeue this job?"))
    press_tab_to(browser, "main input[type=submit]")
    press(browser, Keys.ENTER)
    until(browser, lambda page: shows(page, "Requeued 1 job."))
    wait_until(lambda: job.is_queued, "the job is queued again")
    run_burst(tmp_path)
    assert job.is_finished
