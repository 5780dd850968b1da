"""Our client enqueues, RQ's workers run, our client reads what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import rq

from django_rqlite import Job, Queue, get_queue
from django_rqlite.exceptions import SignatureError
from django_rqlite.protocol.keys import Keys
from tests.interop import jobs
from tests.interop.rq_process import SIMPLE_WORKER, WORKER, rq_burst
from tests.interop.traces import RUNNING, keys, keys_for_ever, lasts
from tests.worker_process import run_burst

pytestmark = pytest.mark.usefixtures("redis")

YEAR = 31_536_000


@pytest.mark.parametrize("kind", [WORKER, SIMPLE_WORKER])
@pytest.mark.parametrize("queues", [("default",), ("high", "default")], ids=["one", "two"])
def test_every_option_we_have(
    redis: redis_py.Redis, tmp_path: Path, kind: str, queues: tuple[str, ...]
) -> None:
    queue = get_queue("default")
    ran = tmp_path / "ran"
    plain = queue.enqueue(jobs.add, 2, b=3)
    large = queue.enqueue(jobs.echo, "x" * 5000)  # compressed
    method = queue.enqueue(jobs.Greeter("Hello").greet, "you", description="says hello")
    nothing = queue.enqueue(jobs.nothing, job_id="my-own_id1", meta={"mine": 1})
    short = queue.enqueue(jobs.add, 1, result_ttl=100, ttl=3600)
    for_ever = queue.enqueue(jobs.add, 1, result_ttl=-1)
    kept_not = queue.enqueue(jobs.add, 1, result_ttl=0)
    failed = queue.enqueue(jobs.divide, 1, 0, failure_ttl=200)
    slow = queue.enqueue(jobs.sleep, 30, job_timeout=1)
    notes = queue.enqueue(jobs.note_as_rq, "progress", 50)
    queue.enqueue(jobs.write_line, str(ran), "second")
    queue.enqueue(jobs.write_line, str(ran), "first", at_front=True)
    if len(queues) > 1:
        get_queue("high").enqueue(jobs.write_line, str(ran), "before them")

    rq_burst(*queues, kind=kind)

    assert plain.return_value() == 5
    assert large.return_value() == "x" * 5000
    assert method.return_value() == "Hello, you"
    assert nothing.return_value() is None
    assert notes.return_value() == {"progress": 50}
    assert notes.get_meta() == {"progress": 50}
    assert ran.read_text().splitlines() == ["before them", "first", "second"][-len(queues) - 1 :]
    for job in (plain, large, method, nothing, short, for_ever, notes):
        read = Job.fetch(job.id)
        assert read.is_finished
        assert read.exc_info is None
        assert read.args == job.args
        assert read.description == job.description
        assert read.worker_name
        assert read.created_at == job.created_at or read.created_at
        assert read.enqueued_at == job.enqueued_at
        assert read.started_at
        assert read.ended_at
        assert redis.hexists(job.key, "x_sig")
        assert job.id in queue.finished_job_registry.get_job_ids()
    assert Job.fetch(nothing.id).meta == {"mine": 1}
    for job, why in ((failed, "ZeroDivisionError"), (slow, "JobTimeoutException")):
        read = Job.fetch(job.id)
        assert read.is_failed
        assert why in (read.exc_info or "")
        assert read.return_value() is None
        assert redis.hexists(job.key, "x_sig")
        assert job.id in queue.failed_job_registry.get_job_ids()
    assert lasts(redis, plain.key, 500)
    assert lasts(redis, short.key, 100)
    assert lasts(redis, failed.key, 200)
    assert lasts(redis, slow.key, YEAR)
    assert redis.ttl(for_ever.key) == -1
    assert not Job.exists(kept_not.id)
    assert queue.count == 0
    assert not redis.exists("rq:queue:default:intermediate")
    assert not keys(redis, *RUNNING)
    # RQ keeps the tracebacks of jobs without a failure_ttl for ever; the others are as asked.
    assert keys_for_ever(redis) == {
        for_ever.key,
        Keys().results(for_ever.id),
        Keys().results(slow.id),
    }


def test_json(redis: redis_py.Redis) -> None:
    queue = Queue("json", connection=redis, serializer="json")
    job = queue.enqueue(jobs.echo, {"a": [1, None]}, meta={"mine": 1})

    rq_burst("json", options=("--serializer", "rq.serializers.JSONSerializer"))

    read = queue.fetch_job(job.id)
    assert read is not None
    assert read.return_value() == {"a": [1, None]}
    assert read.meta == {"mine": 1}


def test_with_signatures_required_what_rq_wrote_is_not_loaded(
    rq_link: redis_py.Redis, settings: Any
) -> None:
    settings.RQ = {**settings.RQ, "REQUIRE_SIGNATURE": True}
    job = get_queue().enqueue(jobs.echo, "here")

    rq_burst("default")

    read = Job.fetch(job.id)
    assert read.is_finished
    assert read.args == ("here",), "our own signature still stands"
    with pytest.raises(SignatureError, match="REQUIRE_SIGNATURE"):
        read.return_value()
    theirs = rq.Queue("default", connection=rq_link).enqueue(jobs.echo, "there")
    with pytest.raises(SignatureError, match="REQUIRE_SIGNATURE"):
        _ = Job.fetch(theirs.id).args


def test_meta_rewritten_by_a_job_on_rq_s_worker_is_refused() -> None:
    job = get_queue().enqueue(jobs.note_as_rq, "progress", 50, meta={"mine": 1})
    # A job that asks django_rqlite finds no job of ours there: it has to ask rq.
    ours = get_queue().enqueue(jobs.note, "progress", 50)

    rq_burst("default")

    assert ours.is_failed
    assert job.return_value() == {"mine": 1, "progress": 50}
    with pytest.raises(SignatureError, match="meta"):
        Job.fetch(job.id).get_meta()


def test_a_job_that_rq_failed_is_requeued_by_us_and_run_by_either(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    queue = get_queue()
    here, there = queue.enqueue(jobs.divide, 1, 0), queue.enqueue(jobs.divide, 1, 0)
    rq_burst("default")
    for job in (here, there):
        job.refresh()
        job.requeue()
    assert queue.get_job_ids() == [here.id, there.id]
    assert queue.failed_job_registry.count == 0

    redis.lrem(queue.key, 0, there.id)
    run_burst(tmp_path, "default")
    redis.rpush(queue.key, there.id)
    rq_burst("default")

    for job in (here, there):
        assert "ZeroDivisionError" in (Job.fetch(job.id).exc_info or "")
        assert redis.xlen(Keys().results(job.id)) == 2
    assert set(queue.failed_job_registry.get_job_ids()) == {here.id, there.id}

    assert redis.ttl(Keys().results(there.id)) == -1, "as RQ keeps it"
    for job in (here, there):
        job.delete()
    assert keys(redis, "rq:results:", "rq:job:") == set()
