"""A thousand failed jobs are requeued by a filter, and run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from selenium.webdriver.support.ui import Select

from django_rqlite.admin.actions import batch
from tests.admin_world import JOBS, World
from tests.worker_process import run_burst

from .reader import count, one, shows, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 1000
NOTHING = ("tests.sample_jobs.nothing", None, (), {})
OTHER = "Traceback (most recent call last):\nKeyError: 'x'\n"


def test_a_thousand_failed_jobs_are_requeued_by_a_filter(
    browser: Any, live_server: Any, redis: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(redis)
    for number in range(MANY):
        world.failed("low" if number % 2 else "default", call=NOTHING)
    others = [world.failed(reason=OTHER) for _ in range(3)]
    # The action takes several batches.
    monkeypatch.setattr(batch, "CHUNK", 150)
    monkeypatch.setattr(batch, "SECONDS", 0)

    browser.get(live_server.url + JOBS)
    Select(one(browser, "select[name=state]")).select_by_value("failed")
    one(browser, "input[name=error]").send_keys("ValueError")
    one(browser, "#changelist-search input[type=submit]").click()
    until(browser, lambda page: shows(page, f"{MANY:,} match"))
    Select(one(browser, "select[name=action]")).select_by_value("requeue")
    one(browser, "button[name=all]").click()
    until(browser, lambda page: shows(page, f"{MANY:,} of {MANY + 3:,} jobs match."))
    assert redis.llen("rq:queue:default") == 0
    one(browser, "#rqlite-batches input[type=submit]").click()
    # It continues by itself and shows its progress.
    until(browser, lambda page: count(page, "progress[value]"))
    until(browser, lambda page: shows(page, f"Requeued {MANY} jobs."))
    assert redis.llen("rq:queue:default") == redis.llen("rq:queue:low") == MANY // 2
    assert {world.status(job_id) for job_id in others} == {"failed"}
    assert LogEntry.objects.count() > 5

    run_burst(tmp_path, "default", "low")
    assert redis.zcard("rq:finished:default") == redis.zcard("rq:finished:low") == MANY // 2
