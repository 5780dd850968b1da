"""Many jobs in few round trips, each for itself."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import rq
from django.db import transaction

from django_rqlite import Dependency, Job, Queue, Retry, enqueue, get_queue
from django_rqlite.engine.engine import NewJob
from django_rqlite.engine.scripts import Script
from django_rqlite.exceptions import (
    DuplicateJobError,
    InvalidDurationError,
    InvalidFunctionError,
    InvalidJobError,
    InvalidJobIdError,
    RedisUnavailableError,
    UnserializableError,
)
from django_rqlite.queues.bulk import EnqueueData
from django_rqlite.signals import job_enqueued
from tests.chaos.proxy import Cut, Moment, Proxy, Target
from tests.conftest import Server, wait_until
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
    varying = (b"x_sig", b"description", b"created_at", b"enqueued_at", b"x_created")
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


def test_a_hundred_in_each_script(redis: redis_py.Redis) -> None:
    get_queue().enqueue_many(datas(1))
    said = commands(redis, lambda: get_queue().enqueue_many(datas(2550)))
    assert said == ["EVALSHA"] * 26
    assert get_queue().count == 2551
    # A script must not keep the server from others for long.
    large = [*datas(3), *(Queue.prepare_data(echo, (os.urandom(100_000),)) for _ in range(8))]
    assert len(commands(redis, lambda: get_queue().enqueue_many(large))) == 4


def test_in_one_round_trip_for_a_thousand() -> None:
    sizes: list[int] = []
    queue = get_queue()
    many = queue._engine.__class__.enqueue_many

    def counted(self: Any, jobs: Any) -> Any:
        sizes.append(len(jobs))
        return many(self, jobs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queue._engine.__class__, "enqueue_many", counted)
        made = queue.enqueue_many(datas(2500))
    assert sizes == [1000, 1000, 500]
    assert [job.id for job in made] == queue.job_ids
    assert queue.enqueue_many([]) == []


def test_a_server_that_forgot_the_scripts(redis: redis_py.Redis) -> None:
    enqueue(add)
    redis.script_flush()
    jobs = get_queue().enqueue_many(datas(1500))
    assert get_queue().job_ids[1:] == [job.id for job in jobs]


@pytest.mark.parametrize("known", ["enqueue", "enqueue_many", "defer"])
def test_a_server_that_forgot_some_of_the_scripts(redis: redis_py.Redis, known: str) -> None:
    redis.script_flush()
    redis.script_load(Script(known).text)
    mixed = [
        *datas(1),
        *datas(1, job_id="a"),
        *datas(1),
        *datas(1, depends_on="unknown"),
        *datas(1),
    ]
    made = get_queue().enqueue_many(mixed)
    assert get_queue().job_ids == [job.id for job in made]


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


def test_they_enter_in_their_order_whatever_was_said_of_them(redis: redis_py.Redis) -> None:
    given = [
        *datas(150, 0),
        *datas(2, 150, ttl=50),
        *datas(1, 152, ttl=60),
        *datas(1, 153, job_id="a"),
        *datas(2, 154, group_id="g"),
        *datas(1, 156, unique_key="k", unique_for=60),
        *datas(3, 157),
        *datas(2, 200, at_front=True),
    ]
    queue = get_queue()
    made = queue.enqueue_many(given)
    assert [job.args[0] for job in queue.jobs] == [201, 200, *range(160)]
    assert [redis.ttl(made[at].key) for at in (149, 150, 151, 152, 153)] == [-1, 50, 50, 60, -1]
    assert redis.smembers("rq:group:g") == {made[154].id.encode(), made[155].id.encode()}
    assert redis.smembers("rq:groups") == {b"g"}
    assert {job.get_status(refresh=False) for job in made} == {"queued"}
    assert {job.enqueued_at for job in made} == {Job.fetch(job.id).enqueued_at for job in made}
    assert redis.smembers("rq:queues") == {b"rq:queue:default"}


def test_a_generator_may_enqueue_itself() -> None:
    def given() -> Iterator[EnqueueData]:
        for number, data in enumerate(datas(1500)):
            if number % 500 == 0:
                enqueue(add, number)
            yield data

    get_queue("high").enqueue_many(given())
    assert (get_queue().count, get_queue("high").count) == (3, 1500)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_a_generator_raises(error: type[BaseException]) -> None:
    heard: list[Job] = []

    def receiver(job: Job, **_: Any) -> None:
        heard.append(job)

    def given() -> Iterator[EnqueueData]:
        yield from datas(1500)
        raise error("mine")

    job_enqueued.connect(receiver)
    try:
        with pytest.raises(error, match="mine"):
            get_queue().enqueue_many(given())
    finally:
        job_enqueued.disconnect(receiver)
    assert get_queue().count == 1000, "the batch before"
    assert len(heard) == 1000, "who listens hears of what was enqueued"
    assert enqueue(add).is_queued, "no answer is taken for that to something else"


def test_a_slice_sent_again_does_nothing(redis: redis_py.Redis) -> None:
    arrows = get_queue()._engine
    made = [get_queue().create_job(echo, (number,)) for number in range(3)]
    new = [NewJob(job.id, "default", job.to_fields(), True) for job in made]
    first = arrows.enqueue_many(new).outcomes()
    before = dumped(redis)
    assert arrows.enqueue_many(new).outcomes() == first
    assert dumped(redis) == before
    start()  # and meanwhile some may have run and be gone
    redis.delete(made[0].key)
    assert arrows.enqueue_many(new).outcomes() == first
    assert get_queue().job_ids == [job.id for job in made[1:]]


def test_a_generator_that_fails_when_the_batch_before_did(redis: redis_py.Redis) -> None:
    def given() -> Iterator[EnqueueData]:
        yield from datas(1000)
        wait_until(lambda: get_queue().count == 1000, "the first batch is there")
        redis.set("rq:queue:default", "foreign")
        yield from datas(1000)
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine") as caught:
        get_queue().enqueue_many(given())
    assert "WRONGTYPE" in caught.value.__notes__[0]


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


@pytest.mark.parametrize("key", ["rq:queue:default", "rq:queues"])
@pytest.mark.parametrize("at_front", [False, True])
def test_foreign_data_under_the_queue_s_keys_changes_nothing(
    redis: redis_py.Redis, key: str, at_front: bool
) -> None:
    if key == "rq:queues":
        enqueue(add)
    redis.set(key, "foreign")
    before = dumped(redis)
    with pytest.raises(redis_py.ResponseError, match="WRONGTYPE"):
        get_queue().enqueue_many(datas(3, at_front=at_front))
    with pytest.raises(redis_py.ResponseError, match="WRONGTYPE"):
        enqueue(add, at_front=at_front)
    assert dumped(redis) == before


@pytest.mark.parametrize(
    ("at", "moment", "stored"),
    [
        (3, Moment.BEFORE, (0, 200)),
        (3, Moment.AFTER, (100, 1000)),
        (12, Moment.BEFORE, (1000, 1100)),
    ],
)
def test_a_connection_that_breaks_in_the_middle(
    redis: redis_py.Redis,
    settings: Any,
    server: Server,
    tmp_path: Path,
    at: int,
    moment: Moment,
    stored: tuple[int, int],
) -> None:
    with tempfile.TemporaryDirectory(prefix="rqlite-") as folder:
        proxy = Proxy(server.url, Path(folder) / "proxy.sock")
        try:
            settings.RQ_QUEUES = {"default": {"URL": proxy.url}}
            proxy.arm(Cut(None, moment, lambda: None))
            get_queue().enqueue_many(datas(1))
            redis.flushdb()
            proxy.arm(Cut(Target("enqueue_many", at), moment, lambda: None))
            with pytest.raises(RedisUnavailableError):
                get_queue().enqueue_many(datas(1500))
        finally:
            proxy.close()
    least, most = stored
    waiting = redis.lrange("rq:queue:default", 0, -1)
    assert least <= len(waiting) <= most
    assert len(waiting) % 100 == 0, "all of a script's jobs or none"
    assert redis.exists(*(f"rq:job:{found.decode()}" for found in waiting)) == len(waiting)


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
