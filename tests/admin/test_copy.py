"""Enqueue a copy of a job from its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.models import ADDITION, LogEntry

from django_rqlite import Job, Retry, get_queue
from django_rqlite.admin.links import from_segment
from tests import sample_jobs
from tests.worker_process import run_burst

from ..admin_world import World, job_copy, job_page

if TYPE_CHECKING:
    from pathlib import Path

    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db


def copied(client: Client, job_id: str) -> str:
    """Enqueue a copy; returns its id."""
    answer = client.post(job_copy(job_id))
    assert answer.status_code == 302
    return from_segment(answer.headers["Location"].rstrip("/").rpartition("/")[2])


def test_a_copy_runs_like_the_first(
    redis: redis_py.Redis, admin_client: Client, tmp_path: Path
) -> None:
    queue = get_queue("low", commit_mode="auto")
    job = queue.enqueue(
        sample_jobs.divide, 6, b=2, retry=Retry(max=2), meta={"who": "ann"}, job_timeout=77
    )
    run_burst(tmp_path, "low")
    assert job_copy(job.id) in admin_client.get(job_page(job.id)).text
    copy = Job.fetch(copied(admin_client, job.id))
    assert copy.id != job.id
    assert (copy.get_status(), copy.origin, copy.timeout) == ("queued", "low", 77)
    assert (copy.args, copy.kwargs, copy.meta) == ((6,), {"b": 2}, {"who": "ann"})
    assert copy.retries_left == 2
    assert copy.result is None
    run_burst(tmp_path, "low")
    assert copy.return_value() == 3
    entry = LogEntry.objects.get()
    assert (entry.action_flag, entry.object_id) == (ADDITION, copy.id)
    assert entry.change_message == f"Enqueued as a copy of {job.id}"


def test_a_copy_has_all_retries_and_waits_for_nobody(
    redis: redis_py.Redis, admin_client: Client
) -> None:
    queue = get_queue(commit_mode="auto")
    parent = queue.enqueue(sample_jobs.nothing)
    job = queue.enqueue(sample_jobs.nothing, depends_on=parent, retry=Retry(max=3))
    redis.hset(f"rq:job:{job.id}", mapping={"retries_left": 1, "number_of_retries": 2})
    copy = Job.fetch(copied(admin_client, job.id))
    assert copy.get_status() == "queued"
    assert (copy.retries_left, copy.number_of_retries) == (3, None)


@pytest.mark.parametrize("field", ["data", "x_sig"])
def test_what_was_changed_in_redis_is_not_vouched_for(
    redis: redis_py.Redis, admin_client: Client, field: str
) -> None:
    job = get_queue(commit_mode="auto").enqueue(sample_jobs.nothing)
    redis.hset(f"rq:job:{job.id}", field, b"\x80\x04N." if field == "data" else "0" * 32)
    answer = admin_client.post(job_copy(job.id), follow=True)
    assert "No copy was enqueued: The data of job" in answer.text
    assert redis.llen("rq:queue:default") == 1


def test_what_was_not_signed_is_not_signed_now(redis: redis_py.Redis, admin_client: Client) -> None:
    job_id = World(redis).failed()
    copy = copied(admin_client, job_id)
    assert not redis.hexists(f"rq:job:{copy}", "x_sig")
    assert redis.hget(f"rq:job:{copy}", "data") == redis.hget(f"rq:job:{job_id}", "data")


def test_a_unique_key_that_is_held_is_told(redis: redis_py.Redis, admin_client: Client) -> None:
    queue = get_queue(commit_mode="auto")
    queue.enqueue(sample_jobs.nothing, unique_key="nightly", unique_for=60, job_id="first")
    answer = admin_client.post(job_copy("first"), follow=True)
    assert "No copy was enqueued: Job" in answer.text
    assert "unique key" in answer.text
    assert redis.llen("rq:queue:default") == 1


def test_a_job_without_a_call_has_no_copy(redis: redis_py.Redis, admin_client: Client) -> None:
    job_id = World(redis).failed()
    redis.hdel(f"rq:job:{job_id}", "data")
    assert job_copy(job_id) not in admin_client.get(job_page(job_id)).text
    assert "No copy was enqueued: " in admin_client.post(job_copy(job_id), follow=True).text
    assert admin_client.post(job_copy("nobody")).status_code == 404
