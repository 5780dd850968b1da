"""The progress and the timeline on the page of a job."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from django_rqlite import Job, Retry, get_queue
from django_rqlite.admin.job_progress import percent_done
from django_rqlite.admin.timeline import WIDTH, timeline
from django_rqlite.protocol.records import read_job
from django_rqlite.protocol.stored_result import read_result
from django_rqlite.queues.queue import Queue

from ..admin_world import World, job_page
from ..sample_jobs import divide, nothing
from ..worker_process import run_burst

if TYPE_CHECKING:
    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db


def now() -> Queue:
    """A queue that does not wait for the test's transaction to commit."""
    return get_queue(commit_mode="auto")


NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "percent"),
    [
        *[(0.25, 25), (1.0, 100), (0, 0), (1, 1), (40, 40), (140, 100), (-3, 0), (99.5, 99.5)],
        *[({"done": 3, "total": 4}, 75), ({"done": 1, "total": 0}, None), (10**400, 100)],
        *[("half", None), (True, None), (float("nan"), None), (None, None), ([1], None)],
    ],
)
def test_progress_in_the_forms_that_people_use(said: Any, percent: float | None) -> None:
    assert percent_done(pickle.dumps({"progress": said})) == percent


@pytest.mark.parametrize("meta", [None, b"", b"\xff", pickle.dumps([1]), json.dumps({}).encode()])
def test_a_job_that_says_nothing_has_no_bar(meta: bytes | None) -> None:
    assert percent_done(meta) is None


def test_set_progress_is_seen_at_once(redis: redis_py.Redis, admin_client: Client) -> None:
    job = now().enqueue(nothing, meta={"kept": True})
    Job.fetch(job.id).set_progress(3, 8)
    assert job.get_meta() == {"kept": True, "progress": 0.375}
    shown = admin_client.get(job_page(job.id)).content.decode()
    assert '<progress max="100" value="37.50">' in shown
    assert "37.5 %" in shown


@pytest.mark.parametrize(("done", "total"), [(2, 1), (-1, 1), (0, 0), (1, -1), (float("nan"), 1)])
def test_progress_that_is_none_is_refused(redis: redis_py.Redis, done: float, total: float) -> None:
    job = now().enqueue(nothing)
    with pytest.raises(ValueError, match="from 0 up to the total"):
        job.set_progress(done, total)
    assert job.get_meta() == {}


def test_the_timeline_of_a_job_that_was_retried(
    redis: redis_py.Redis, admin_client: Client, tmp_path: Path
) -> None:
    job = now().enqueue(divide, 1, 0, retry=Retry(1))
    run_burst(tmp_path)
    shown = admin_client.get(job_page(job.id)).content.decode()
    figure = shown.partition("<figure")[2].partition("</figure>")[0]
    assert figure.count('<rect class="bad"') == 2
    assert 'role="img"' in figure


def seconds(moment: float) -> bytes:
    return (NOON + timedelta(seconds=moment)).isoformat().replace("+00:00", "Z").encode()


def test_stretches_are_as_long_as_the_times_they_stand_for() -> None:
    fields = {b"created_at": seconds(0), b"enqueued_at": seconds(60), b"status": b"queued"}
    job = read_job("a", fields)
    run = {
        b"type": b"2",
        b"execution_started_at": str(NOON.timestamp() + 20).encode(),
        b"execution_ended_at": str(NOON.timestamp() + 50).encode(),
        b"exc_string": b"",
    }
    drawn = timeline(job, [read_result("a", b"1-1", run)], NOON + timedelta(seconds=100))
    assert drawn is not None
    assert [(s.left, s.width) for s in drawn.stretches] == [(0, 200), (200, 300), (500, 500)]
    assert drawn.open


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"created_at": seconds(9), b"status": b"queued"},
        {b"created_at": b"garbage", b"started_at": b"x", b"status": b"started"},
        {b"created_at": seconds(0), b"started_at": seconds(-9), b"status": b"started"},
        {b"created_at": b"0001-01-01T00:00:00Z", b"status": b"queued"},
    ],
)
def test_times_that_make_no_sense_draw_no_nonsense(fields: dict[bytes, bytes]) -> None:
    drawn = timeline(read_job("a", fields), [], NOON + timedelta(seconds=5))
    for stretch in drawn.stretches if drawn else ():
        assert 0 <= stretch.left < stretch.left + stretch.width <= WIDTH


@pytest.mark.parametrize("status", [b"queued", b"scheduled", b"deferred"])
def test_what_waits_goes_on(status: bytes) -> None:
    job = read_job("a", {b"created_at": seconds(0), b"status": status})
    drawn = timeline(job, [], NOON + timedelta(seconds=5))
    assert drawn is not None
    assert drawn.open


def test_the_page_of_a_running_job_draws_it(redis: redis_py.Redis, admin_client: Client) -> None:
    world = World(redis)
    job_id = world.started()
    past = "2026-01-02T03:10:00Z"
    redis.hset(f"rq:job:{job_id}", mapping={"enqueued_at": past, "started_at": past})
    assert '<rect class="running"' in admin_client.get(job_page(job_id)).content.decode()


def test_parents_and_children_are_links(redis: redis_py.Redis, admin_client: Client) -> None:
    queue = now()
    parent = queue.enqueue(nothing, unique_key="monthly report", unique_for=60)
    children = [queue.enqueue(nothing, depends_on=parent) for _ in range(60)]
    shown = admin_client.get(job_page(parent.id)).content.decode()
    assert "monthly report" in shown
    assert sum(job_page(child.id) in shown for child in children) == 50
    assert "and 10 more" in shown
    shown = admin_client.get(job_page(children[0].id)).content.decode()
    assert f'<a href="{job_page(parent.id)}">' in shown
    parent.delete()
    assert (
        "Related jobs" not in admin_client.get(job_page(queue.enqueue(nothing).id)).content.decode()
    )
