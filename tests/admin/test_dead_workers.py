"""Dead workers, and those that probably are, with the jobs that they hold."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils.html import strip_tags

from django_rqlite.admin import leases
from django_rqlite.admin.pages import workers

from ..admin_world import WORKER, WORKERS, World, job_page, queue_page, worker_page

if TYPE_CHECKING:
    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    body = answer.text.partition('id="content-main"')[2]
    return html.unescape(re.sub(r"\s+", " ", strip_tags(body.replace("<", " <"))))


def lose_record(world: World, name: str = WORKER) -> None:
    world.redis.delete(f"rq:worker:{name}")


def fall_silent(world: World, seconds: int, name: str = WORKER) -> None:
    before = datetime.now(UTC) - timedelta(seconds=seconds)
    world.redis.hset(f"rq:worker:{name}", "last_heartbeat", before.strftime("%Y-%m-%dT%H:%M:%SZ"))


def end_lease(world: World, ago: int, queue: str = "default") -> None:
    """Have all leases of a queue expire ``seconds`` ago."""
    until = datetime.now(UTC).timestamp() - ago
    for member in world.redis.zrange(f"rq:wip:{queue}", 0, -1):
        world.redis.zadd(f"rq:wip:{queue}", {member: until})


def test_the_dead_are_shown_with_what_they_held(world: World, admin_client: Client) -> None:
    world.worker()
    job_id = world.started("low")
    lose_record(world)
    shown = text_of(admin_client, WORKERS)
    row = rf"{WORKER} dead Ended unexpectedly\. Holds: {job_id} shop\.jobs\.send"
    assert re.search(row, shown)
    assert re.search(r"The lease expires in \d+ s; then the job is requeued\.", shown)
    page = admin_client.get(WORKERS).text
    assert job_page(job_id) in page
    assert worker_page(WORKER) in page


def test_the_page_of_a_dead_worker(world: World, admin_client: Client) -> None:
    world.worker()
    job_id = world.started("low")
    lose_record(world)
    end_lease(world, 300, "low")
    shown, page = (f(admin_client, worker_page(WORKER)) for f in (text_of, _source))
    assert "This worker is dead" in shown
    assert re.search(rf"{job_id} shop\.jobs\.send\('bob', copies=2\) low \d+ s ago", shown)
    assert re.search(
        r"The lease expired 5 min( \d s)? ago; a worker of the queue will requeue", shown
    )
    assert job_page(job_id) in page
    assert queue_page("low") in page


def test_jobs_may_fail_instead(world: World, admin_client: Client, settings: Any) -> None:
    settings.RQ = {**settings.RQ, "ON_WORKER_DEATH": "fail"}
    world.worker()
    world.started()
    lose_record(world)
    assert "then the job fails." in text_of(admin_client, worker_page(WORKER))
    settings.RQ = {**settings.RQ, "ON_WORKER_DEATH": "nonsense"}
    assert "then the job is requeued." in text_of(admin_client, worker_page(WORKER))


def test_the_dead_hold_only_what_stands_as_started_by_them(
    world: World, admin_client: Client
) -> None:
    world.worker()
    (theirs, ended, gone) = (world.started(queue) for queue in ("low", "default", "high"))
    world.redis.hset(f"rq:job:{theirs}", "worker_name", "another")
    world.redis.hset(f"rq:job:{ended}", "status", "finished")
    world.redis.delete(f"rq:job:{gone}")
    lose_record(world)
    assert "It holds no jobs" in text_of(admin_client, WORKERS)
    assert "It holds no jobs" in text_of(admin_client, worker_page(WORKER))


def test_the_silent_hold_their_jobs(world: World, admin_client: Client) -> None:
    world.worker()
    job_id = world.started("low")
    fall_silent(world, 200)
    end_lease(world, 140, "low")
    for address in (WORKERS, worker_page(WORKER)):
        shown = text_of(admin_client, address)
        assert "silent" in shown
        assert job_id in shown
        assert re.search(r"The lease expired 2 min( \d+ s)? ago; a worker", shown), address
    assert "Held jobs" in text_of(admin_client, worker_page(WORKER))


def test_the_living_hold_nothing_that_needs_telling(world: World, admin_client: Client) -> None:
    world.worker()
    world.started()
    for address in (WORKERS, worker_page(WORKER)):
        assert "lease" not in text_of(admin_client, address)


def test_what_the_dead_held_is_found_among_many(
    world: World, admin_client: Client, round_trips: list[int]
) -> None:
    world.worker()
    job_id = world.started("low")
    lose_record(world)
    end_lease(world, 300, "low")
    later = datetime.now(UTC).timestamp() + 60
    for queue in ("low", *(f"other-{number}" for number in range(30))):
        world.redis.sadd("rq:queues", f"rq:queue:{queue}")
        world.redis.zadd(f"rq:wip:{queue}", {f"j{number}:x": later for number in range(200)})
    for number in range(50):
        world.redis.sadd("rq:workers", f"rq:worker:dead-{number}")
    admin_client.get(WORKERS)  # connects
    for address, count in ((WORKERS, 3), (worker_page(WORKER), 4)):
        round_trips.clear()
        page = admin_client.get(address).text
        assert job_id in page
        assert len(round_trips) == count


def test_of_very_many_that_a_dead_worker_held_the_rest_is_counted(
    world: World, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (leases, workers):
        monkeypatch.setattr(module, "MAX_SHOWN", 1)
    world.worker()
    for queue in ("low", "high", "default"):
        world.started(queue)
    for lose in (lambda: fall_silent(world, 200), lambda: lose_record(world)):
        lose()
        for address in (WORKERS, worker_page(WORKER)):
            assert "and 2 more" in text_of(admin_client, address)


def test_how_long_a_job_runs_is_told(world: World, admin_client: Client) -> None:
    world.worker()
    job_id = world.started()
    before = datetime.now(UTC) - timedelta(seconds=185)
    world.redis.hset(f"rq:job:{job_id}", "started_at", before.strftime("%Y-%m-%dT%H:%M:%SZ"))
    what = r"shop\.jobs\.send\('bob', copies=2\)"
    assert re.search(rf"{job_id} for 3 min \d s {what}", text_of(admin_client, WORKERS))
    told = text_of(admin_client, worker_page(WORKER))
    assert re.search(rf"{job_id} Stop {what} default 3 min \d s 3 min", told)


def _source(client: Client, address: str) -> str:
    return client.get(address).text
