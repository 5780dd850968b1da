"""Cancel and stop jobs, pause queues, suspend and shut down workers in the admin."""

from __future__ import annotations

import html
import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry

from django_rqlite import get_queue
from tests import sample_jobs
from tests.conftest import wait_until
from tests.worker_process import worker

from ..admin_world import (
    QUEUES,
    WORKER,
    WORKERS,
    World,
    job_cancel,
    job_page,
    job_run_now,
    job_stop,
    queue_action,
    queue_page,
    queue_pause,
    queue_resume,
    worker_page,
    worker_shut_down,
    workers_resume,
    workers_suspend,
)
from .test_actions import post
from .test_permissions import client_with

if TYPE_CHECKING:
    from pathlib import Path

    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


def scheduled(world: World) -> str:
    fields = {"origin": "default", "created_at": "2026-01-02T03:04:05Z"}
    world.engine.schedule("later", "default", fields, minted=False, due=4e9)
    return "later"


def buttons(page: str) -> list[str]:
    """The addresses that the forms above the content of a page post to."""
    return re.findall(r'<li><form method="post" action="([^"]*)"', page)


def test_cancel_one(world: World, admin_client: Client) -> None:
    waiting, later, failed = world.queued(), scheduled(world), world.failed("low")
    assert job_cancel(waiting) in admin_client.get(job_page(waiting)).text
    assert job_cancel(failed) not in admin_client.get(job_page(failed)).text
    for job_id in (waiting, later):
        address, messages = post(admin_client, job_cancel(job_id))
        assert (address, messages) == (job_page(job_id), ["Canceled 1 job."])
        assert world.status(job_id) == "canceled"
    assert world.redis.zcard("rq:scheduled:default") == world.redis.llen("rq:queue:default") == 0
    # A second time, and for a job that has ended: nothing changes.
    for job_id, status in ((waiting, "canceled"), (failed, "failed")):
        _address, (message,) = post(admin_client, job_cancel(job_id))
        assert message.startswith("1 job is not waiting (any more)")
        assert world.status(job_id) == status


def test_run_now(world: World, admin_client: Client) -> None:
    later, failed = scheduled(world), world.failed("low")
    assert job_run_now(later) in admin_client.get(job_page(later)).text
    address, messages = post(admin_client, job_run_now(later))
    assert (address, messages) == (job_page(later), ["Enqueued 1 job now, ahead of its time."])
    assert job_run_now(later) not in admin_client.get(job_page(later)).text
    for job_id in (later, failed):
        _address, (message,) = post(admin_client, job_run_now(job_id))
        assert message.startswith("1 job is not scheduled (any more)")
    assert [world.status(later), world.status(failed)] == ["queued", "failed"]
    assert world.redis.lrange("rq:queue:default", 0, -1) == [later.encode()]
    assert world.redis.zcard("rq:scheduled:default") == 0
    entry = LogEntry.objects.order_by("pk")[0]
    assert entry.change_message == "Enqueued 1 of 1 ahead of their time: later"
    assert world.engine.enqueue_now(["nobody"]) == ["missing"]


def test_cancel_selected(world: World, admin_client: Client) -> None:
    ids = [world.queued() for _ in range(3)]
    _address, messages = post(
        admin_client, queue_action("default", "queued"), "cancel", [*ids[:2], "nobody"]
    )
    canceled, missing = messages
    assert canceled == "Canceled 2 jobs."
    assert missing.startswith("1 job no longer exists")
    assert missing.endswith(": nobody")
    assert [world.status(job_id) for job_id in ids] == ["canceled", "canceled", "queued"]
    assert LogEntry.objects.get().change_message == f"Canceled 2 of 3: {ids[0]}, {ids[1]}"


@pytest.mark.parametrize(
    ("place", "offered"),
    [
        ("queued", ["cancel", "move", "delete"]),
        ("scheduled", ["run_now", "cancel", "move", "delete"]),
        ("deferred", ["cancel", "move", "delete"]),
        ("started", ["stop", "delete"]),
        ("failed", ["requeue", "move", "delete"]),
        ("finished", ["delete"]),
        ("canceled", ["requeue", "move", "delete"]),
    ],
)
def test_a_list_offers_what_is_possible(
    world: World, admin_client: Client, place: str, offered: list[str]
) -> None:
    if place == "queued":
        world.queued()
    else:
        key = f"rq:{'wip' if place == 'started' else place}:default"
        world.redis.zadd(key, {"j:x" if place == "started" else "j": 2e9})
    shown = admin_client.get(queue_page("default", place)).text
    actions = re.search(r'<select name="action".*?</select>', shown, re.DOTALL)
    assert actions
    assert re.findall(r'<option value="(\w+)">', actions[0]) == offered
    assert ('<select name="to">' in shown) == ("move" in offered)


def test_stop_tells_the_worker(world: World, admin_client: Client) -> None:
    job_id = world.started()
    world.redis.hset(f"rq:job:{job_id}", "worker_name", WORKER)
    assert job_stop(job_id) in admin_client.get(job_page(job_id)).text
    _address, (message,) = post(admin_client, job_stop(job_id))
    assert message.startswith("1 job was not stopped")
    listening = world.redis.pubsub(ignore_subscribe_messages=True)
    listening.subscribe(f"rq:pubsub:{WORKER}")
    listening.get_message(timeout=5)
    for address, action in ((job_stop(job_id), ""), (queue_action("default", "started"), "stop")):
        _address, messages = post(admin_client, address, action, [job_id])
        assert messages == ["Stop requested for 1 job."]
        told = listening.get_message(timeout=5)
        assert told
        expected = {"command": "stop-job", "job_id": job_id, "by": "admin"}
        assert json.loads(told["data"]).items() >= expected.items()
    listening.close()
    failed = world.failed("low")
    _address, (message,) = post(admin_client, job_stop(failed))
    assert message.startswith("1 job is not running (any more)")
    done = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    assert done[0] == "Stop requested for 0 of 1"
    assert done[1] == done[2] == f"Stop requested for 1 of 1: {job_id}"


def test_pause_and_resume_a_queue(world: World, admin_client: Client) -> None:
    world.queued("low")
    page = queue_page("low")
    assert buttons(admin_client.get(page).text) == [queue_pause("low")]
    for expected in ("“low”: Paused: no worker takes a job from it.", "“low”: Was paused already."):
        assert post(admin_client, queue_pause("low")) == (page, [expected])
    shown = admin_client.get(page).text
    assert "This queue is paused" in shown
    assert buttons(shown) == [queue_resume("low")]
    assert world.redis.keys("*paused*") != []
    for expected in ("“low”: Resumed: workers take jobs from it again.", "“low”: Was not paused."):
        assert post(admin_client, queue_resume("low")) == (page, [expected])
    assert world.redis.keys("*paused*") == []
    entry = LogEntry.objects.order_by("pk")[0]
    assert (entry.object_id, entry.content_type.model) == ("low", "queue")  # type: ignore[union-attr]
    assert entry.change_message == "Paused: no worker takes a job from it."


def test_who_may_see_no_jobs_is_led_to_the_queues(world: World) -> None:
    assert post(client_with("change_queue"), queue_pause("default"))[0] == QUEUES


def test_a_queue_that_is_nowhere_is_not_paused(world: World, admin_client: Client) -> None:
    assert admin_client.post(queue_pause("nowhere")).status_code == 404
    assert world.redis.keys("*") == []


def test_suspend_and_resume_all(world: World, admin_client: Client) -> None:
    assert buttons(admin_client.get(WORKERS).text) == [workers_suspend()]
    for expected in ("Suspended all workers", "All workers were already suspended."):
        address, (message,) = post(admin_client, workers_suspend())
        assert address == WORKERS
        assert message.startswith(expected)
    assert world.redis.exists("rq:suspended")
    shown = admin_client.get(WORKERS).text
    assert "All workers are suspended" in shown
    assert buttons(shown) == [workers_resume()]
    for expected in ("Resumed all workers", "The workers were not suspended."):
        assert post(admin_client, workers_resume())[1][0].startswith(expected)
    assert not world.redis.exists("rq:suspended")
    assert LogEntry.objects.count() == 4


def test_only_the_workers_of_the_server_that_is_meant(
    world: World, admin_client: Client, settings: Any
) -> None:
    default = settings.RQ_QUEUES["default"]
    settings.RQ_QUEUES = {"here": default, "there": {**default, "KEY_PREFIX": "there:"}}
    offered = buttons(admin_client.get(WORKERS).text)
    assert offered == [workers_suspend(on="here"), workers_suspend(on="there")]
    post(admin_client, offered[1])
    assert world.redis.keys("*suspended*") == [b"there:suspended"]


def test_shut_down_is_for_those_who_listen(world: World, admin_client: Client) -> None:
    world.worker()
    assert buttons(admin_client.get(worker_page(WORKER)).text) == [worker_shut_down(WORKER)]
    address, (message,) = post(admin_client, worker_shut_down(WORKER))
    assert address == worker_page(WORKER)
    assert "Not shut down: it did not respond" in message
    listening = world.redis.pubsub(ignore_subscribe_messages=True)
    listening.subscribe(f"rq:pubsub:{WORKER}")
    listening.get_message(timeout=5)
    _address, (message,) = post(admin_client, worker_shut_down(WORKER))
    assert "Shutdown requested" in message
    told = listening.get_message(timeout=5)
    assert told
    assert json.loads(told["data"])["command"] == "shutdown"
    listening.close()
    assert admin_client.post(worker_shut_down("nobody")).status_code == 404


def test_the_dead_have_no_buttons(world: World, admin_client: Client) -> None:
    world.worker()
    record = {"current_job": "held", "last_heartbeat": "2026-01-02T03:04:05Z"}
    world.redis.hset(f"rq:worker:{WORKER}", mapping=record)
    shown = html.unescape(admin_client.get(worker_page(WORKER)).text)
    assert "it is probably dead" in shown
    assert "Last known job" in shown
    assert "expired or deleted" in shown
    assert job_page("held") in shown
    assert buttons(shown) == []


@pytest.mark.django_db(transaction=True)  # so that the job is enqueued at once
def test_a_real_worker_is_stopped_and_shut_down(
    world: World, admin_client: Client, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, "--name", "w1") as process:
        process.prints(job.id)
        wait_until(lambda: job.is_started, "the job runs")
        page = admin_client.get(worker_page("w1")).text
        assert buttons(page) == [worker_shut_down("w1")]
        assert f'action="{job_stop(job.id)}"' in page
        post(admin_client, job_stop(job.id))
        wait_until(lambda: job.is_stopped, "the job has stopped")
        post(admin_client, worker_shut_down("w1"))
        assert process.ends() == 0
