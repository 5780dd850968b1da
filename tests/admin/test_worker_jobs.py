"""The page of a worker shows exactly the jobs that it runs, each with a button."""

from __future__ import annotations

import html
import os
import re
import signal
from typing import TYPE_CHECKING

import pytest
from django.utils.html import strip_tags

from django_rqlite import get_queue
from django_rqlite.queries import leases as holding
from tests import sample_jobs
from tests.conftest import wait_until
from tests.worker_process import worker

from ..admin_world import QUEUES, WORKER, WORKERS, World, job_page, job_stop, worker_page
from .test_actions import post
from .test_permissions import client_with

if TYPE_CHECKING:
    from pathlib import Path

    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db

SHORT_LEASE = {"RQ_TEST_LEASE": "1"}


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


def text_of(client: Client, address: str) -> str:
    body = client.get(address).text.partition('id="content-main"')[2]
    return html.unescape(re.sub(r"\s+", " ", strip_tags(body.replace("<", " <"))))


@pytest.mark.django_db(transaction=True)  # so that the jobs are enqueued at once
def test_a_real_worker_that_runs_two_at_once(
    world: World, admin_client: Client, tmp_path: Path
) -> None:
    pipes = [tmp_path / "a", tmp_path / "b"]
    for pipe in pipes:
        os.mkfifo(pipe)
    first, second = (get_queue().enqueue(sample_jobs.block_on, str(pipe)) for pipe in pipes)
    with worker(tmp_path, "--name", "w1", "--concurrency", "2"):
        wait_until(lambda: first.is_started and second.is_started, "both run")
        assert world.redis.hget("rq:worker:w1", "x_concurrency") == b"2"
        page = admin_client.get(worker_page("w1")).text
        assert "busy: 2 of 2" in page
        for address in (worker_page("w1"), WORKERS):
            shown = admin_client.get(address).text
            assert all(job_page(job.id) in shown for job in (first, second))
        assert all(f'action="{job_stop(job.id)}"' in page for job in (first, second))
        assert "slots 2/2" in admin_client.get(QUEUES).text
        post(admin_client, job_stop(second.id))
        wait_until(lambda: second.is_stopped, "the second has stopped")
        page = admin_client.get(worker_page("w1")).text
        assert "busy: 1 of 2" in page
        assert job_page(first.id) in page
        assert job_page(second.id) not in page
        post(admin_client, job_stop(first.id))
        wait_until(lambda: first.is_stopped, "the first has stopped")


def test_who_may_not_stop_jobs_has_no_buttons(world: World) -> None:
    world.worker()
    job_id = world.started()
    page = client_with("view_worker").get(worker_page(WORKER)).text
    assert job_id in page
    assert job_stop(job_id) not in page
    assert job_page(job_id) not in page


def test_a_killed_worker_does_not_run_what_runs_elsewhere(
    world: World, admin_client: Client
) -> None:
    world.worker("killed")
    world.worker()
    job_id = world.started()
    said = {"state": "busy", "current_job": job_id, "last_heartbeat": "2026-01-02T03:04:05Z"}
    world.redis.hset("rq:worker:killed", mapping=said)
    # Its own execution has not been removed by a sweep yet.
    world.redis.hset(f"rq:execution:{job_id}:old", "worker_name", "killed")
    world.redis.zadd("rq:wip:default", {f"{job_id}:old": 1})
    shown = text_of(admin_client, worker_page("killed"))
    assert "busy" not in shown
    assert f"Last known job {job_id} now started by “{WORKER}”" in shown
    assert "Held jobs" not in shown
    row = text_of(admin_client, WORKERS).partition("killed")[2]
    assert job_id not in row
    assert "busy: 1 of 1" in text_of(admin_client, worker_page(WORKER))


def test_a_living_worker_that_lost_its_job_is_not_said_to_run_it(
    world: World, admin_client: Client
) -> None:
    world.worker("late")
    world.worker()
    job_id = world.started()
    world.redis.hset("rq:worker:late", mapping={"state": "busy", "current_job": job_id})
    shown = text_of(admin_client, worker_page("late"))
    assert job_id not in shown
    assert "State holds no job Queues" in shown


@pytest.mark.django_db(transaction=True)  # so that the job is enqueued at once
def test_a_worker_that_was_killed_a_moment_ago(
    world: World, admin_client: Client, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, "--name", "w1", environment=SHORT_LEASE) as killed:
        wait_until(lambda: job.is_started, "the job runs")
        killed.signal(signal.SIGKILL)
        killed.ends()
        assert "busy: 1 of 1" in text_of(admin_client, worker_page("w1"))  # as far as is known
        with worker(tmp_path, "--name", "w2", environment=SHORT_LEASE):
            runs_on = lambda: world.redis.hget(job.key, "worker_name")  # noqa: E731
            wait_until(lambda: runs_on() == b"w2", "the job runs elsewhere")
            shown = text_of(admin_client, worker_page("w1"))
            assert "busy" not in shown
            assert job.id not in shown
            assert "busy: 1 of 1" in text_of(admin_client, worker_page("w2"))
            rows = re.findall(r"(w\d) (holds no job|busy: 1 of 1) ", text_of(admin_client, WORKERS))
            assert rows == [("w1", "holds no job"), ("w2", "busy: 1 of 1")]
            pipe.write_text("done")
            wait_until(lambda: job.is_finished, "it has run")


def test_where_more_runs_than_is_read_a_worker_has_its_current_job(
    world: World, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "MOST", 1)
    monkeypatch.setattr(holding, "LEAST_OF_A_QUEUE", 1)
    world.worker()
    job_id = world.started()
    world.redis.zadd("rq:wip:default", {"other:x": 1})
    assert job_id in text_of(admin_client, worker_page(WORKER))
    assert job_id in text_of(admin_client, WORKERS)
    assert "slots" not in admin_client.get(QUEUES).text
