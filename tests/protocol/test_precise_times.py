"""The times of a job have microseconds; the fields that RQ reads have whole seconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis as redis_py
import rq

from django_rqlite import Job, Queue, Repeat, Retry, get_queue
from django_rqlite.protocol.records import read_job
from tests import sample_jobs
from tests.outcomes_in_redis import again, engine, fail, finish, start
from tests.worker_process import run_burst

pytestmark = pytest.mark.usefixtures("redis")

TIMES = ("created_at", "enqueued_at", "started_at", "ended_at")
WHOLE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def server_time(redis: redis_py.Redis) -> datetime:
    seconds, microseconds = redis.time()
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)


@contextmanager
def within(redis: redis_py.Redis, job: Job, *names: str) -> Iterator[None]:
    """These attributes of the job are set to times within the block."""
    before = server_time(redis)
    yield
    after = server_time(redis)
    found = Job.fetch(job.id)
    for name in names:
        assert before <= getattr(found, name) <= after, name
        assert WHOLE.fullmatch(redis.hget(job.key, name) or b""), "as all releases of RQ read it"


def test_a_short_job_takes_its_time(redis: redis_py.Redis, tmp_path: Path) -> None:
    well = get_queue().enqueue(sample_jobs.sleep, 0.05)
    badly = get_queue().enqueue(sample_jobs.divide, 1, 0)

    run_burst(tmp_path)

    for job in (well, badly):
        found = Job.fetch(job.id)
        assert found.created_at == found.enqueued_at == job.enqueued_at == job.created_at
        assert found.enqueued_at < found.started_at < found.ended_at
        (result,) = found.results()
        assert (found.started_at, found.ended_at) == (
            result.execution_started_at,
            result.execution_ended_at,
        )
        for name in TIMES:
            assert WHOLE.fullmatch(redis.hget(job.key, name) or b""), (
                "as all releases of RQ read it"
            )
    found = Job.fetch(well.id)
    assert timedelta(seconds=0.05) <= found.ended_at - found.started_at < timedelta(seconds=30)


def test_a_finished_job_is_small(redis: redis_py.Redis) -> None:
    job = get_queue().enqueue("shop.orders.jobs.send_receipt", 4711, urgent=True)
    finish(start())
    assert redis.object("ENCODING", job.key) == b"listpack"


def test_each_arrow_notes_its_time(redis: redis_py.Redis) -> None:
    queue = get_queue()
    job = queue.create_job(sample_jobs.add, (1,), retry=Retry(5))
    with within(redis, job, "created_at", "enqueued_at"):
        queue.enqueue_job(job)
    with within(redis, job, "started_at", "last_heartbeat"):
        hold = start(execution="e1")
    with within(redis, job, "enqueued_at"):
        again(hold)
    hold = start(execution="e2")
    again(hold, delay=1)
    with within(redis, job, "enqueued_at"):
        engine().enqueue_now([job.id])
    hold = start(execution="e3")
    with within(redis, job, "ended_at"):
        fail(hold)
    with within(redis, job, "enqueued_at"):
        job.requeue()
    with within(redis, job, "started_at"):
        hold = start(execution="e4")
    with within(redis, job, "ended_at"):
        finish(hold)


def test_jobs_that_wait_for_others_or_for_their_time(redis: redis_py.Redis) -> None:
    queue = get_queue()
    parent = queue.enqueue(sample_jobs.add, 1)
    child = queue.create_job(sample_jobs.add, (1,), depends_on=parent, job_id="child")
    with within(redis, child, "created_at"):
        queue.enqueue_job(child)
    with within(redis, child, "enqueued_at"):
        finish(start())
    before = server_time(redis)
    later = queue.enqueue_in(timedelta(hours=1), sample_jobs.add, 1)
    with within(redis, later, "ended_at"):
        later.cancel()
    assert before <= Job.fetch(later.id).created_at <= Job.fetch(later.id).ended_at
    failed = queue.enqueue(sample_jobs.add, 1, job_id="failed")
    other = queue.enqueue(sample_jobs.add, 1, depends_on=failed)
    start(execution="of the child")
    hold = start(execution="of the failed one")
    with within(redis, other, "ended_at"):
        fail(hold)


ENQUEUE: dict[str, Callable[[], Job]] = {
    "alone": lambda: get_queue().enqueue(sample_jobs.add, 1),
    "with an id": lambda: get_queue().enqueue(sample_jobs.add, 1, job_id="a"),
    "among many": lambda: get_queue().enqueue_many([Queue.prepare_data(sample_jobs.add, (1,))])[0],
}


@pytest.mark.parametrize("enqueue", ENQUEUE.values(), ids=ENQUEUE)
def test_who_enqueues_knows_the_same(redis: redis_py.Redis, enqueue: Callable[[], Job]) -> None:
    before = server_time(redis)
    job = enqueue()
    assert before <= job.enqueued_at <= server_time(redis)
    found = Job.fetch(job.id)
    assert (found.created_at, found.enqueued_at) == (job.created_at, job.enqueued_at)


@pytest.mark.parametrize("function", [sample_jobs.sleep, sample_jobs.divide])
def test_where_the_caller_runs_it(redis: redis_py.Redis, function: Callable[..., object]) -> None:
    arguments = (0.05,) if function is sample_jobs.sleep else (1, 0)
    before = server_time(redis)
    job = get_queue(is_async=False).enqueue(function, *arguments)
    after = server_time(redis)
    assert before <= job.created_at == job.enqueued_at <= job.started_at < job.ended_at <= after
    found = Job.fetch(job.id)
    assert [getattr(found, name) for name in TIMES] == [getattr(job, name) for name in TIMES]


def test_what_rq_has_written_stands(redis: redis_py.Redis) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1, repeat=Repeat(1))
    before = Job.fetch(job.id)
    rq.SimpleWorker(["default"], connection=redis).work(burst=True)
    found = Job.fetch(job.id)
    theirs = rq.job.Job.fetch(job.id, connection=redis)
    assert found.created_at == before.created_at, "which RQ has written again in whole seconds"
    assert (found.started_at, found.ended_at) == (theirs.started_at, theirs.ended_at)
    assert found.enqueued_at <= found.started_at <= found.ended_at


@pytest.mark.parametrize(
    ("field", "ours", "read"),
    [
        ("2026-01-02T03:04:05Z", b"1767323045000321", "2026-01-02T03:04:05.000321+00:00"),
        # Another second, or a fraction of its own: another tool has written the field since.
        ("2026-01-02T03:04:06Z", b"1767323045000321", "2026-01-02T03:04:06+00:00"),
        ("2026-01-02T03:04:05.5Z", b"1767323045000321", "2026-01-02T03:04:05.500000+00:00"),
        # Not a number of microseconds.
        ("2026-01-02T03:04:05Z", b"", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05Z", b"soon", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05Z", b"1 2 3", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05Z", b"9" * 5000, "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05Z", b"-1", "2026-01-02T03:04:05+00:00"),
    ],
)
def test_whole_seconds_decide(field: str, ours: bytes, read: str) -> None:
    for name, own in (
        ("created_at", b"x_created"),
        ("enqueued_at", b"x_enqueued"),
        ("started_at", b"x_span"),
        ("ended_at", b"x_span"),
    ):
        record = read_job(
            "a", {name.encode(): field.encode(), own: ours, b"data": b"", b"status": b"queued"}
        )
        assert getattr(record, name).isoformat() == read
        assert not record.problems
    alone = read_job("a", {b"x_created": ours, b"x_span": ours})
    assert (alone.created_at, alone.started_at, alone.ended_at) == (None, None, None)


def test_a_run_that_lasts_into_another_second() -> None:
    fields = {b"started_at": b"2026-01-02T03:04:05Z", b"ended_at": b"2026-01-02T03:05:06Z"}
    record = read_job("a", fields | {b"x_span": b"1767323045900000 60200000"})
    assert record.started_at == datetime(2026, 1, 2, 3, 4, 5, 900_000, UTC)
    assert record.ended_at == datetime(2026, 1, 2, 3, 5, 6, 100_000, UTC)
