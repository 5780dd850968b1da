"""What the page of a job tells: when it is due, what it waits for, who stopped it."""

from __future__ import annotations

import html
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.utils.html import strip_tags

from django_rqlite import Retry, get_connection, get_queue
from django_rqlite.jobs.commands import send_stop_job_command
from django_rqlite.queries import job_search
from tests import sample_jobs
from tests.conftest import wait_until
from tests.worker_process import run_burst, worker

from ..admin_world import (
    JOBS,
    JOBS_ACTION,
    SCHEDULE,
    World,
    job_page,
    job_stop,
    queue_action,
    queue_page,
)
from .test_actions import post
from .test_all_matching import OTHER, ask

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_job_that_will_be_retried_says_when_and_how_often(
    world: World, admin_client: Client, tmp_path: Path
) -> None:
    queue = get_queue(commit_mode="auto")
    job = queue.enqueue(sample_jobs.divide, 1, 0, retry=Retry(max=3, interval=7200))
    assert "Retries 3 retries left" in text_of(admin_client, job_page(job.id))
    run_burst(tmp_path)
    retries = "retried 1 of 3 times; 2 left"
    page = text_of(admin_client, job_page(job.id))
    assert re.search(rf"Due \d{{4}}-\S+ \S+ \(in 1 h 59 min\) Retries {retries}", page)
    assert retries in text_of(admin_client, queue_page("default", "scheduled"))
    assert retries in text_of(admin_client, SCHEDULE)
    for state in ("", "scheduled"):
        found = text_of(admin_client, f"{JOBS}?state={state}")
        assert re.search(rf"Due: \d{{4}}-\S+ \S+ \(in 1 h 59 min\) {retries}", found)


def test_a_job_that_is_never_retried_says_nothing_of_it(world: World, admin_client: Client) -> None:
    shown = text_of(admin_client, job_page(world.queued()))
    assert "Retries" not in shown
    assert "Due" not in shown


def test_a_deferred_job_names_what_it_waits_for(
    world: World, admin_client: Client, round_trips: list[int]
) -> None:
    parents = [world.queued(job_id=f"p{number}") for number in range(5)]
    for parent in parents:
        world.redis.hset(f"rq:job:{parent}", "description", f"shop.jobs.load('{parent}')")
    for number in range(2):
        world.redis.zadd("rq:deferred:low", {f"child-{number}": 1.7e9})
        world.redis.hset(
            f"rq:job:child-{number}",
            mapping={
                "status": "deferred",
                "origin": "low",
                "description": f"shop.jobs.after({number})",
                "dependency_ids": '["p0", "p1", "p2", "p3", "p4"]',
            },
        )
        world.redis.sadd(f"rq:job::child-{number}:dependencies", *parents)
    world.redis.sadd("rq:job:p0:dependents", "child-0", "child-1")
    admin_client.get(JOBS)  # connects
    round_trips.clear()
    shown = text_of(admin_client, queue_page("low", "deferred"))
    assert len(round_trips) <= 5
    assert shown.count("shop.jobs.load('p0') queued p0") == 2
    assert shown.count("and 2 more") == 2
    round_trips.clear()
    found = text_of(admin_client, f"{JOBS}?state=deferred")
    assert len(round_trips) <= 6
    assert found.count("Waits for: shop.jobs.load('p0') queued p0") == 2
    assert found.count("and 2 more") == 2
    round_trips.clear()
    page = admin_client.get(job_page("child-0")).text
    assert len(round_trips) <= 2
    linked = f'<a href="{job_page("p4")}"><bdi>shop.jobs.load(&#x27;p4&#x27;)</bdi></a>'
    assert linked in page
    assert "shop.jobs.after(1) deferred child-1" in text_of(admin_client, job_page("p0"))


def test_what_a_deferred_job_waits_for_may_be_gone(world: World, admin_client: Client) -> None:
    world.redis.zadd("rq:deferred:low", {"child": 1.7e9, "odd": 1.7e9})
    world.redis.hset("rq:job:child", mapping={"status": "deferred", "dependency_ids": '["gone"]'})
    world.redis.hset("rq:job:odd", mapping={"status": "deferred"})
    world.redis.sadd("rq:job::child:dependencies", "gone")
    world.redis.set("rq:job::odd:dependencies", "no set")
    assert "gone expired or deleted" in text_of(admin_client, queue_page("low", "deferred"))
    assert "gone expired or deleted" in text_of(admin_client, f"{JOBS}?state=deferred")
    assert "gone expired or deleted" in text_of(admin_client, job_page("child"))


def test_the_question_tells_how_many_match(
    world: World,
    admin_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    round_trips: list[int],
) -> None:
    for number in range(7):
        world.failed("low", reason=OTHER if number % 2 else "ValueError: x")
    filtered = f"{JOBS_ACTION}?state=failed&error=ValueError"
    ask(admin_client, filtered, "requeue")  # connects
    round_trips.clear()
    assert "4 of 7 jobs match." in ask(admin_client, filtered, "requeue")
    assert len(round_trips) <= 5
    assert "7 of 7 jobs match." in ask(admin_client, f"{JOBS_ACTION}?state=failed", "requeue")
    assert "7 of 7 jobs match." in ask(admin_client, queue_action("low", "failed"), "requeue")
    # Of many jobs, only some are examined.
    monkeypatch.setattr(job_search, "MOST_OF_A_PLACE", 4)
    page = ask(admin_client, filtered, "requeue")
    assert re.search(r"At least [1-4] match: 4 of 7 jobs", page)


@pytest.mark.django_db(transaction=True)  # so that the job is enqueued at once
def test_a_stopped_job_is_called_stopped_and_says_by_whom(
    world: World, admin_client: Client, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    by_hand = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, "--name", "w1") as process:
        process.prints(by_hand.id)
        wait_until(lambda: by_hand.is_started, "it runs")
        post(admin_client, job_stop(by_hand.id))
        wait_until(lambda: by_hand.is_stopped, "the admin stopped it")
        by_command = get_queue().enqueue(sample_jobs.block_on, str(pipe))
        wait_until(lambda: by_command.is_started, "the other runs")
        send_stop_job_command(get_connection(), by_command.id)
        wait_until(lambda: by_command.is_stopped, "the command stopped it")
        forged = get_queue().enqueue(sample_jobs.block_on, str(pipe))
        wait_until(lambda: forged.is_started, "the third runs")
        name = "x" * 100 + "\\n\\u001b[1m" + "y" * 1000
        order = f'{{"command": "stop-job", "job_id": "{forged.id}", "by": "{name}"}}'
        world.redis.publish("rq:pubsub:w1", order)
        wait_until(lambda: forged.is_stopped, "so is it")
    for job, who in ((by_hand, "admin"), (by_command, "a command")):
        page = text_of(admin_client, job_page(job.id))
        reason = f"Job stopped by user, work-horse terminated. It was stopped by {who}."
        assert f"Status stopped – {reason}" in page
        executions = page.partition("Executions, newest first")[2]
        assert " stopped " in executions
        assert "failed" not in page
    shown = text_of(admin_client, f"{JOBS}?state=failed")
    assert shown.partition("Error Action")[0].count(" Stopped default ") == 3
    (told,) = world.redis.hmget(f"rq:job:{forged.id}", "x_error")
    assert re.fullmatch(rb"Job stopped .* stopped by x{100}\\n\\x1b\[1my{45}\.", told or b"")


def test_a_log_has_the_times_of_the_page(world: World, admin_client: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    job_id = world.queued()
    lines = [
        "2026-11-03T23:00:00.123Z INFO shop: hello\nsecond line",
        "2026-13-99T99:00:00.123Z INFO shop: no time",
        "by another tool",
    ]
    world.redis.rpush(f"rq:x:log:{job_id}", *lines)
    page = html.unescape(admin_client.get(job_page(job_id)).text)
    assert "2026-11-04 08:00:00.123 INFO shop: hello\nsecond line\n2026-13-99T99" in page
    assert "by another tool" in page


def test_a_duration_is_told_in_one_way(world: World, admin_client: Client) -> None:
    job_id = world.finished()
    page = text_of(admin_client, job_page(job_id))
    (ran,) = re.findall(r"ran for (\d+ ms)", page)
    assert re.search(rf"successful .* {ran} ", page.partition("Executions, newest first")[2])
    # RQ stores whole seconds only.
    world.redis.delete(f"rq:results:{job_id}")
    world.redis.hdel(f"rq:job:{job_id}", "x_span")
    assert re.search(r"ran for (< 1 s|1 s)", text_of(admin_client, job_page(job_id)))
    assert re.search(r"(< 1 s|1 s)", text_of(admin_client, queue_page("default", "finished")))
    assert " 0 s " not in text_of(admin_client, job_page(job_id)).partition("Ended")[2][:60]
