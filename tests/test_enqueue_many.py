"""Many jobs in few round trips, each for itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import rq
from django.db import transaction

from django_rqlite import Dependency, Job, Queue, Retry, enqueue, get_queue
from django_rqlite.batches import EnqueueData
from django_rqlite.exceptions import (
    DuplicateJobError,
    InvalidDurationError,
    InvalidFunctionError,
    InvalidJobError,
    InvalidJobIdError,
    RedisUnavailableError,
    UnserializableError,
)
from django_rqlite.signals import job_enqueued
from tests.keyspace import commands, dumped, places
from tests.outcomes_in_redis import start
from tests.sample_jobs import add, divide, echo
from tests.worker_process import run_burst

pytestmark = pytest.mark.usefixtures("redis")


def datas(count: int, first: int = 0, **options: Any) -> Iterator[EnqueueData]:
    for number in range(first, first + count):
        yield Queue.prepare_data(echo, (number,), **options)


def test_they_are_jobs_like_any_other(redis: redis_py.Redis, tmp_path: Path) -> None:
    queue = get_queue()
    made = queue.enqueue_many(
        [
            queue.prepare_data(add, (1,), {"b": 2}, "5m", 7, 80, 9, "adds"),
            Queue.prepare_data("tests.sample_jobs.divide", (1, 0), retry=Retry(1), job_id="a"),
            Queue.prepare_data(echo, [1], meta={"a": 1}, at_front=True),
        ]
    )
    first, second, third = made
    assert queue.job_ids == [third.id, first.id, "a"]
    one = enqueue(add, 1, b=2, job_timeout="5m", result_ttl=7, ttl=80, failure_ttl=9, job_id="c")
    fields = redis.hgetall(first.key)
    assert fields.pop(b"description") == b"adds"
    alike = redis.hgetall(one.key)
    varying = (b"x_sig", b"description", b"created_at", b"enqueued_at")
    for name in varying:
        fields.pop(name, None)
        alike.pop(name)
    assert fields == alike
    assert 0 < redis.ttl(first.key) <= 80
    assert first.get_status(refresh=False) == "queued"
    assert first.enqueued_at == Job.fetch(first.id).enqueued_at

    run_burst(tmp_path)

    assert first.return_value() == 3
    assert [result.type.name for result in second.results()] == ["FAILED", "RETRIED"]  # type: ignore[union-attr]
    assert (third.return_value(), third.meta) == (1, {"a": 1})


def test_in_one_round_trip_for_a_thousand(redis: redis_py.Redis) -> None:
    enqueue(add)
    said = commands(redis, lambda: get_queue().enqueue_many(datas(2500)))
    assert set(said) == {"EVALSHA"}
    assert get_queue().count == 2501
    sizes: list[int] = []
    queue = get_queue()
    many = queue._transitions.__class__.enqueue_many

    def counted(self: Any, jobs: Any) -> Any:
        sizes.append(len(jobs))
        return many(self, jobs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queue._transitions.__class__, "enqueue_many", counted)
        made = queue.enqueue_many(datas(2500))
    assert sizes == [1000, 1000, 500]
    assert [job.id for job in made] == queue.job_ids[2501:]
    assert queue.enqueue_many([]) == []


def test_a_server_that_forgot_the_scripts(redis: redis_py.Redis) -> None:
    enqueue(add)
    redis.script_flush()
    jobs = get_queue().enqueue_many(datas(3))
    assert get_queue().job_ids[1:] == [job.id for job in jobs]


def test_a_generator_is_read_a_batch_at_a_time(redis: redis_py.Redis) -> None:
    waiting: list[int] = []

    def watched() -> Iterator[EnqueueData]:
        for data in datas(2500):
            waiting.append(redis.llen("rq:queue:default"))
            yield data

    get_queue().enqueue_many(watched())
    # While one batch is read, the server may still work on the one before, but on no other.
    assert waiting[999] == 0
    assert waiting[1000] <= 1000 <= waiting[2000] <= 2000
    assert get_queue().count == 2500


# What is refused


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (lambda: Queue.prepare_data(lambda: 1), InvalidFunctionError),
        (lambda: Queue.prepare_data(echo, (threading.Lock(),)), UnserializableError),
        (lambda: Queue.prepare_data(echo, "args"), InvalidJobError),
        (lambda: Queue.prepare_data(echo, job_id="a:b"), InvalidJobIdError),
        (lambda: Queue.prepare_data(echo, timeout="soon"), InvalidDurationError),
        (lambda: Queue.prepare_data(echo, unknown=1), InvalidJobError),
        (lambda: echo, InvalidJobError),
        (lambda: rq.Queue.prepare_data(echo), InvalidJobError),
    ],
)
def test_nothing_of_a_batch_is_written_when_something_is_wrong(
    redis: redis_py.Redis, bad: Any, error: type[Exception]
) -> None:
    def given() -> Iterator[EnqueueData]:
        yield from datas(1500)
        yield bad()

    with pytest.raises(error):
        get_queue().enqueue_many(given())
    assert get_queue().count == 1000, "the batch before"


def test_a_pipeline_of_one_s_own(redis: redis_py.Redis) -> None:
    with pytest.raises(InvalidJobError, match="pipeline"):
        get_queue().enqueue_many(datas(1), pipeline=redis.pipeline())  # type: ignore[arg-type]


def test_a_server_that_is_not_there(settings: Any) -> None:
    settings.RQ_QUEUES = {"default": {"URL": "redis://localhost:1"}}
    with pytest.raises(RedisUnavailableError):
        get_queue().enqueue_many(datas(1))


def test_foreign_data_is_said(redis: redis_py.Redis) -> None:
    redis.set("rq:job:a", "foreign")
    with pytest.raises(redis_py.ResponseError, match="WRONGTYPE"):
        get_queue().enqueue_many([*datas(1), *datas(1, job_id="a"), *datas(1)])
    assert get_queue().count == 2, "one job's trouble is none of the others'"


# Duplicates


def test_duplicates_leave_the_others_alone(redis: redis_py.Redis) -> None:
    queue = get_queue()
    mixed = [*datas(1), *datas(2, 1, unique_key="k", unique_for=60), *datas(1, 3)]
    mixed += [*datas(2, 4, job_id="a", unique=True), *datas(1, 6)]
    with pytest.raises(DuplicateJobError, match=r"2 jobs were refused .* unique key 'k'"):
        queue.enqueue_many(mixed)
    assert [job.args[0] for job in queue.jobs] == [0, 1, 3, 4, 6]
    queue.empty()

    made = queue.enqueue_many(mixed, ignore_duplicates=True)
    assert [job.args[0] for job in made] == [0, 1, 3, 4, 6]
    assert [job.id for job in made] == queue.job_ids

    before = dumped(redis)
    with pytest.raises(DuplicateJobError, match="a job 'a' already"):
        queue.enqueue_many(datas(1, job_id="a", unique=True))
    assert dumped(redis) == before


def test_the_same_id_without_unique_replaces() -> None:
    made = get_queue().enqueue_many(datas(2, job_id="a"))
    assert [job.id for job in made] == ["a", "a"]
    assert get_queue().job_ids == ["a"]
    assert Job.fetch("a").args == (1,)


def test_one_that_runs() -> None:
    get_queue().enqueue_many(datas(1, job_id="a"))
    start()
    with pytest.raises(DuplicateJobError, match="'a' is running"):
        get_queue().enqueue_many([*datas(1, job_id="a"), *datas(1)])
    assert get_queue().count == 1


# Beside everything else


def test_they_may_wait_for_each_other(redis: redis_py.Redis, tmp_path: Path) -> None:
    first, second, third = get_queue().enqueue_many(
        [
            Queue.prepare_data(echo, (1,), job_id="a"),
            Queue.prepare_data(echo, (2,), depends_on="a"),
            Queue.prepare_data(echo, (3,), depends_on=Dependency(["unknown"])),
        ]
    )
    assert places(redis, second.id) == ["deferred:default"]
    assert second.get_status(refresh=False) == "deferred"
    assert third.get_status(refresh=False) == "queued"
    run_burst(tmp_path)
    assert [job.return_value() for job in (first, second, third)] == [1, 2, 3]


def test_signals() -> None:
    seen: list[str] = []

    def receiver(job: Job, **_: Any) -> None:
        seen.append(job.id)

    job_enqueued.connect(receiver)
    try:
        made = get_queue().enqueue_many(datas(3))
    finally:
        job_enqueued.disconnect(receiver)
    assert seen == [job.id for job in made]


def test_in_place() -> None:
    queue = get_queue(is_async=False)
    first, second = queue.enqueue_many([*datas(1), Queue.prepare_data(divide, (1, 0))])
    assert first.return_value() == 0
    assert second.is_failed
    many = [*datas(2, job_id="a", unique=True)]
    with pytest.raises(DuplicateJobError):
        queue.enqueue_many(many)
    assert len(queue.enqueue_many([*datas(1), *many], ignore_duplicates=True)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_async", [True, False])
def test_with_the_commit(redis: redis_py.Redis, is_async: bool) -> None:
    queue = get_queue(is_async=is_async)
    with transaction.atomic():
        made = queue.enqueue_many(datas(3))
        assert redis.keys() == []
        assert len(made) == 3
    if is_async:
        assert queue.job_ids == [job.id for job in made]
    assert {job.get_status() for job in made} == {"queued" if is_async else "finished"}
    redis.flushdb()
    with transaction.atomic():
        queue.enqueue_many(datas(3))
        transaction.set_rollback(True)
    assert redis.keys() == []


@pytest.mark.django_db(transaction=True)
def test_duplicates_at_the_commit_are_dropped_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with transaction.atomic():
        get_queue().enqueue_many([*datas(3, unique_key="k", unique_for=60), *datas(1)])
    assert get_queue().count == 2
    assert "2 jobs were refused as duplicates" in caplog.text


def test_rq_s_worker_runs_them(redis: redis_py.Redis) -> None:
    made = get_queue().enqueue_many(datas(20))
    rq.SimpleWorker(["default"], connection=redis).work(burst=True)
    assert [job.return_value() for job in made] == list(range(20))


# Where it stands


def test_the_position_in_the_queue() -> None:
    first, second = get_queue().enqueue_many(datas(2))
    urgent = enqueue(add, at_front=True)
    assert [job.get_position() for job in (urgent, first, second)] == [0, 1, 2]
    assert get_queue().get_job_position(second) == 2
    start()
    assert urgent.get_position() is None
    assert first.get_position() == 0
    assert Job("unknown").get_position() is None
