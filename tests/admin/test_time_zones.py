"""Stored times are in UTC; pages show the project's local time, with and without ``USE_TZ``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ..admin_world import (
    JOBS,
    JOBS_ACTION,
    QUEUES,
    SCHEDULE,
    WORKER,
    WORKERS,
    World,
    job_copy,
    job_page,
    job_run_now,
    queue_action,
    queue_page,
    worker_page,
)
from .test_harmless import everything

if TYPE_CHECKING:
    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


@pytest.fixture(params=[True, False], ids=["USE_TZ", "no USE_TZ"], autouse=True)
def use_tz(request: pytest.FixtureRequest, settings: Any) -> bool:
    settings.TIME_ZONE = "Asia/Kolkata"  # an offset of half an hour
    settings.USE_TZ = request.param
    return bool(request.param)


def test_every_page_answers(world: World, admin_client: Client) -> None:
    for page in everything(world):
        assert admin_client.get(page, follow=True).status_code in (200, 404), page


def test_times_are_the_project_s(world: World, admin_client: Client) -> None:
    due = datetime(2035, 7, 1, 12, 0, 0, tzinfo=UTC).timestamp()
    world.failed(job_id="old")
    world.queued(job_id="young")
    world.redis.hset("rq:job:later", mapping={"status": "scheduled", "origin": "default"})
    world.redis.zadd("rq:scheduled:default", {"later": due})
    world.worker()
    world.redis.hset(f"rq:worker:{WORKER}", "birth", "2026-01-02T03:04:05.678901Z")
    world.cron("nightly", next_tick=int(due))
    for page, expected in {
        job_page("old"): "2026-01-02 08:34:05",  # when it was created
        worker_page(WORKER): "2026-01-02 08:34:05",
        SCHEDULE: "2035-07-01 17:30:00",
        queue_page("default", "scheduled"): "2035-07-01 17:30:00",
    }.items():
        assert expected in admin_client.get(page).text, page


def test_a_search_knows_the_last_hour(world: World, admin_client: Client) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    world.queued(job_id="young", fields={"created_at": now, "enqueued_at": now})
    before = {"created_at": "2026-01-02T03:04:05Z", "enqueued_at": "2026-01-02T03:04:05Z"}
    world.queued(job_id="old", fields=before)
    world.redis.hset("rq:job:old", mapping=before)
    found = admin_client.get(f"{JOBS}?since=1h").text
    assert job_page("young") in found
    assert job_page("old") not in found


def test_what_is_done_to_jobs(world: World, admin_client: Client) -> None:
    for name in ("one", "two", "three"):
        world.failed(job_id=name)
    world.queued(job_id="copied")
    world.redis.hset("rq:job:later", mapping={"status": "scheduled", "origin": "default"})
    world.redis.zadd("rq:scheduled:default", {"later": 2e9})

    chosen = {"action": "requeue", "_selected_action": ["one"], "post": "yes"}
    answer = admin_client.post(queue_action("default", "failed"), chosen, follow=True)
    assert answer.status_code == 200
    asked = admin_client.post(f"{JOBS_ACTION}?state=failed", {"action": "requeue", "all": "1"})
    assert asked.status_code == 200
    assert admin_client.post(job_copy("copied"), follow=True).status_code == 200
    assert admin_client.post(job_run_now("later"), follow=True).status_code == 200
    assert world.status("one") == world.status("later") == "queued"
    for page in (QUEUES, JOBS, WORKERS):
        assert admin_client.get(page).status_code == 200
