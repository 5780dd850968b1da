"""Queues and their registries."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import redis as redis_py
import rq

from django_rqlite import Job, Queue, enqueue, get_connection, get_queue
from django_rqlite.exceptions import (
    ConfigurationError,
    InvalidJobOperation,
    NoSuchJobError,
    UnknownQueueError,
)
from django_rqlite.queues.registries import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from tests.keyspace import commands, dumped, places
from tests.outcomes_in_redis import engine, fail, finish, start
from tests.sample_jobs import add

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.usefixtures("redis")


class ShoutingJob(Job):
    """A job class of a project's own."""


class OwnQueue(Queue):
    """A queue class of a project's own."""

    default_job_class = ShoutingJob


# Looking


def test_what_waits() -> None:
    queue = get_queue()
    assert (queue.count, len(queue), queue.job_ids, queue.jobs) == (0, 0, [], [])
    assert queue.is_empty()
    assert queue
    jobs = [enqueue(add, number) for number in range(4)]
    ids = [job.id for job in jobs]
    assert (queue.count, len(queue), queue.job_ids, queue.jobs) == (4, 4, ids, jobs)
    assert not queue.is_empty()
    assert queue.get_job_ids(1, 2) == ids[1:3]
    assert queue.get_job_ids(2) == ids[2:]
    assert queue.get_job_ids(0, 0) == queue.get_job_ids(9) == []
    assert queue.get_jobs(3, 5) == jobs[3:]
    assert [queue.get_job_position(job) for job in jobs] == [0, 1, 2, 3]
    assert queue.get_job_position(ids[2]) == 2
    assert queue.get_job_position("no-such-job") is None
    assert queue.key == "rq:queue:default"
    assert repr(queue) == "Queue('default')"


def test_ids_without_jobs_are_listed_but_are_no_jobs(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    redis.lpush("rq:queue:default", "gone", b"\xff")
    assert get_queue().job_ids == ["\\xff", "gone", job.id]
    assert get_queue().jobs == [job]


def test_a_job_is_found_in_its_own_queue_only() -> None:
    job = enqueue(add)
    assert get_queue().fetch_job(job.id) == job
    assert get_queue("high").fetch_job(job.id) is None
    assert get_queue().fetch_job("no-such-job") is None
    fail(start())
    assert get_queue().fetch_job(job.id) == job


# Deleting


def test_empty_takes_what_waits_and_nothing_else(redis: redis_py.Redis) -> None:
    running = enqueue(add)
    hold = start()
    failed = enqueue(add)
    fail(start(execution="e2"))
    other = get_queue("high").enqueue(add)
    waiting = enqueue(add, meta={"a": 1})
    redis.sadd(f"rq:job:{waiting.id}:dependents", "b")
    before = dumped(redis)

    # Ids of jobs that are elsewhere, as other tools may leave them.
    redis.rpush("rq:queue:default", running.id, failed.id, other.id, "gone")
    assert get_queue().empty() == 1

    after = dumped(redis)
    gone = {f"rq:job:{waiting.id}", f"rq:job:{waiting.id}:dependents", "rq:queue:default"}
    assert {key.decode() for key in before.keys() - after.keys()} == gone
    assert {key: before[key] for key in after} == after
    assert finish(hold)
    assert get_queue().empty() == 0


def test_empty_takes_what_was_moved_here(redis: redis_py.Redis) -> None:
    job = get_queue("high").enqueue(add)
    redis.lmove("rq:queue:high", "rq:queue:default", "LEFT", "LEFT")
    assert get_queue().empty() == 1
    assert not Job.exists(job.id)


def test_empty_takes_many_in_batches(redis: redis_py.Redis) -> None:
    fields = get_queue().create_job(add).to_fields()
    for number in range(1203):
        engine().enqueue(f"job-{number}", "default", fields, minted=True)
    queue = get_queue()
    calls = commands(redis, queue.empty)
    assert [call for call in calls if call.startswith("EVAL")][-3:] == ["EVALSHA"] * 3
    assert redis.keys() == [b"rq:queues"]


def test_delete(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    queue = get_queue()
    before = dumped(redis)
    with pytest.raises(InvalidJobOperation, match=r"'default'.*1 jobs wait.*delete_jobs=True"):
        queue.delete(delete_jobs=False)
    assert dumped(redis) == before
    queue.delete()
    assert redis.keys() == []
    assert not Job.exists(job.id)
    queue.delete(delete_jobs=False)
    enqueue(add)
    assert redis.smembers("rq:queues") == {b"rq:queue:default"}


# Registries


@pytest.mark.parametrize(
    ("name", "registry"),
    [
        ("started", StartedJobRegistry),
        ("finished", FinishedJobRegistry),
        ("failed", FailedJobRegistry),
        ("deferred", DeferredJobRegistry),
        ("scheduled", ScheduledJobRegistry),
        ("canceled", CanceledJobRegistry),
    ],
)
def test_registries(redis: redis_py.Redis, name: str, registry: Any) -> None:
    of_queue = getattr(get_queue("high"), f"{name}_job_registry")
    assert isinstance(of_queue, registry)
    assert of_queue.key == registry("high").key == registry(queue=get_queue("high")).key
    assert (of_queue.count, len(of_queue), of_queue.get_job_ids()) == (0, 0, [])
    redis.zadd(of_queue.key, {"b": 2, "a": 1, "c": 3})
    assert of_queue.get_job_ids() == ["a", "b", "c"]
    assert of_queue.get_job_ids(1, 2, desc=True) == ["b", "a"]
    assert of_queue.count == 3
    assert "a" in of_queue
    assert Job("b") in of_queue
    assert "d" not in of_queue


def test_members_of_the_started_registry_are_executions(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    hold = start()
    registry = get_queue().started_job_registry
    assert redis.zrange(registry.key, 0, -1) == [f"{job.id}:{hold.execution}".encode()]
    redis.zadd(registry.key, {"old": 1})
    assert registry.get_job_ids() == ["old", job.id]
    assert job in registry
    assert "old" in registry


def test_reading_registries_writes_nothing(redis: redis_py.Redis) -> None:
    redis.zadd("rq:failed:default", {"expired": 1})
    redis.zadd("rq:wip:default", {"lost:e": 1})
    before = dumped(redis)
    queue = get_queue()
    assert queue.failed_job_registry.count == queue.started_job_registry.count == 1
    assert dumped(redis) == before


def test_requeue_from_the_registry() -> None:
    job = enqueue(add)
    enqueue(add)
    fail(start())
    registry = get_queue().failed_job_registry
    assert registry.requeue(job, at_front=True).is_queued
    assert get_queue().job_ids[0] == job.id
    with pytest.raises(InvalidJobOperation, match=job.id):
        registry.requeue(job.id)
    with pytest.raises(NoSuchJobError, match="no-such-job"):
        registry.requeue("no-such-job")


# Configured ones


def test_a_queue_costs_nothing(redis: redis_py.Redis) -> None:
    assert commands(redis, lambda: [get_queue() for _ in range(10)]) == []
    assert get_queue().connection is get_queue("high").connection is get_connection()
    assert get_queue() is not get_queue()


def test_a_forked_process_has_a_client_of_its_own() -> None:
    ours = get_queue().connection
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, b"%d" % (get_queue().connection is ours))
        os._exit(0)
    os.wait()
    assert os.read(read, 10) == b"0"
    os.close(read)
    os.close(write)


def test_unknown_queues() -> None:
    with pytest.raises(UnknownQueueError, match=r"'hihg'.*'high'"):
        get_queue("hihg")
    with pytest.raises(UnknownQueueError):
        Queue("hihg")


@pytest.mark.parametrize("name", ["failed", "", "a:intermediate"])
def test_names_that_would_be_other_keys(name: str) -> None:
    with pytest.raises(ConfigurationError, match=repr(name)):
        Queue(name, connection=get_connection())


def test_what_is_said_in_the_call_wins(settings: Any) -> None:
    url = settings.RQ_QUEUES["default"]["URL"]
    given = {"URL": url, "ASYNC": False, "DEFAULT_TIMEOUT": 5, "SERIALIZER": "json"}
    settings.RQ_QUEUES = {"default": given}
    queue = get_queue()
    assert not queue.is_async
    assert queue.serializer.dumps([1]) == b"[1]"
    queue = get_queue(is_async=True, default_timeout="1m", serializer="pickle")
    assert queue.is_async
    assert queue.enqueue(add).timeout == 60
    assert queue.serializer.dumps(None).startswith(b"\x80")


def test_classes_of_the_project(settings: Any) -> None:
    url = settings.RQ_QUEUES["default"]["URL"]
    settings.RQ_QUEUES = {
        "default": {"URL": url, "QUEUE_CLASS": "tests.queues.test_queue.OwnQueue"},
        "high": {"URL": url, "JOB_CLASS": "tests.queues.test_queue.ShoutingJob"},
        "low": {"URL": url},
    }
    assert type(get_queue()) is OwnQueue
    assert type(get_queue().enqueue(add)) is ShoutingJob
    assert type(get_queue("high")) is Queue
    job = get_queue("high").enqueue(add)
    assert type(job) is ShoutingJob
    assert type(get_queue("high").fetch_job(job.id)) is ShoutingJob
    assert type(get_queue("high").jobs[0]) is ShoutingJob
    assert type(get_queue("low").enqueue(add)) is Job
    assert type(get_queue("low", queue_class=OwnQueue)) is OwnQueue
    assert type(get_queue("low", job_class=ShoutingJob).enqueue(add)) is ShoutingJob
    assert type(ShoutingJob.fetch(job.id)) is ShoutingJob


def test_requeued_jobs_are_of_the_queue_s_class() -> None:
    queue = get_queue(job_class=ShoutingJob)
    job = queue.enqueue(add)
    fail(start())
    assert type(queue.failed_job_registry.requeue(job)) is ShoutingJob


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"queue_class": "tests.queues.test_queue.NoSuch"},
            r"QUEUE_CLASS.*NoSuch.*can't be imported",
        ),
        ({"queue_class": "tests.sample_jobs.Greeter"}, r"QUEUE_CLASS.*does not inherit.*Queue"),
        ({"job_class": "tests.sample_jobs.add"}, r"JOB_CLASS.*does not inherit.*Job"),
        ({"job_class": rq.job.Job}, r"JOB_CLASS.*does not inherit from django_rqlite\.Job"),
        ({"job_class": "nodots"}, r"JOB_CLASS.*can't be imported"),
    ],
)
def test_wrong_classes(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        get_queue(**wrong)


def test_what_rq_sees(redis: redis_py.Redis) -> None:
    jobs = [enqueue(add), get_queue("high").enqueue(add)]
    theirs = {queue.name: queue for queue in rq.Queue.all(connection=redis)}
    assert theirs.keys() == {"default", "high"}
    assert theirs["default"].job_ids == [jobs[0].id]
    assert [job.id for job in theirs["high"].jobs] == [jobs[1].id]
    theirs["default"].empty()
    assert places(redis, jobs[0].id) == []


class CountedQueue(Queue):
    made = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        type(self).made += 1


def test_each_call_of_get_queue_gives_a_queue_of_its_own(settings: SettingsWrapper) -> None:
    first, second = get_queue(), get_queue()
    assert first == second
    assert first is not second
    assert first.connection is second.connection
    settings.RQ = {**settings.RQ, "COMMIT_MODE": "auto"}
    assert (get_queue().commit_mode, first.commit_mode) == ("auto", "on_db_commit")
    default = {**settings.RQ_QUEUES["default"], "ASYNC": False}
    settings.RQ_QUEUES = {**settings.RQ_QUEUES, "default": default}
    assert not get_queue().is_async
    assert first.is_async


def test_a_queue_class_with_its_own_init_is_made_each_time(settings: SettingsWrapper) -> None:
    default = {**settings.RQ_QUEUES["default"], "QUEUE_CLASS": CountedQueue}
    settings.RQ_QUEUES = {**settings.RQ_QUEUES, "default": default}
    get_queue(), get_queue()
    assert CountedQueue.made == 2
