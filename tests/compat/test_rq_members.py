"""Members of RQ's jobs, queues and registries that have no tests elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import redis as redis_py
import rq

from django_rqlite import Job, Queue, get_connection, get_queue
from django_rqlite.exceptions import InvalidJobOperation, InvalidQueueError, NoSuchJobError
from django_rqlite.queues.registries import (
    CanceledJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from tests import sample_jobs
from tests.keyspace import dumped, places
from tests.outcomes_in_redis import fail, finish, start

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture
def queue() -> Queue:
    return get_queue()


# Jobs


def test_saving_a_job(queue: Queue, redis: redis_py.Redis) -> None:
    job = queue.enqueue(sample_jobs.add, 1, meta={"a": 1}, failure_ttl=9)
    job.description, job.timeout, job.result_ttl, job.failure_ttl = "new", 7, -1, None
    job.meta["b"] = 2
    before = redis.hgetall(job.key)
    job.save()
    found = Job.fetch(job.id)
    assert (found.description, found.timeout, found.result_ttl, found.failure_ttl) == (
        *("new", 7, -1),
        9,  # None leaves what was stored
    )
    assert found.meta == {"a": 1, "b": 2}
    after = redis.hgetall(job.key)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {b"description", b"timeout", b"result_ttl", b"meta", b"x_sig_meta"}
    assert places(redis, job.id) == ["queue:default"]
    assert rq.job.Job.fetch(job.id, redis).description == "new"


def test_saving_keeps_meta_that_was_not_read(queue: Queue, redis: redis_py.Redis) -> None:
    job = Job.fetch(queue.enqueue(sample_jobs.add, 1, meta={"a": 1}).id)
    other = Job.fetch(job.id)
    other.meta["b"] = 2
    other.save_meta()
    job.description = "new"
    job.save()
    assert Job.fetch(job.id).meta == {"a": 1, "b": 2}


def test_saving_does_not_create_a_job(queue: Queue, redis: redis_py.Redis) -> None:
    job = queue.create_job(sample_jobs.add, (1,))
    with pytest.raises(NoSuchJobError, match=f"Job {job.id} is gone"):
        job.save()
    assert dumped(redis) == {}


def test_the_call_of_a_job(queue: Queue, redis: redis_py.Redis) -> None:
    job = Job.fetch(queue.enqueue(sample_jobs.add, 1, b=2, description="other").id)
    assert job.get_call_string() == "tests.sample_jobs.add(1, b=2)"
    assert job.data == rq.job.Job.fetch(job.id, redis).data
    assert Job("new").data == b""


def test_the_position_of_a_job(queue: Queue) -> None:
    first, second = queue.enqueue(sample_jobs.add, 1), queue.enqueue(sample_jobs.add, 2)
    assert [job.get_position() for job in (first, second)] == [0, 1]
    start()
    assert [job.get_position() for job in (first, second)] == [None, 0]


def test_whether_parents_are_met(queue: Queue) -> None:
    parent = queue.enqueue(sample_jobs.add, 1)
    child = queue.enqueue(sample_jobs.add, 2, depends_on=parent)
    assert parent.dependencies_are_met()
    assert not child.dependencies_are_met()
    finish(start())
    assert child.dependencies_are_met()
    parent.delete()
    assert child.dependencies_are_met()


def test_deleting_dependents(queue: Queue, redis: redis_py.Redis) -> None:
    parent = queue.enqueue(sample_jobs.add, 1)
    child = queue.enqueue(sample_jobs.add, 2, depends_on=parent)
    grandchild = queue.enqueue(sample_jobs.add, 3, depends_on=child)
    parent.delete_dependents()
    assert not Job.exists(child.id)
    assert grandchild.get_status() == "canceled"
    assert places(redis, parent.id) == ["queue:default"]
    assert parent.dependent_ids == []

    child = queue.enqueue(sample_jobs.add, 2, depends_on=parent)
    parent.delete(delete_dependents=True)
    assert Job.fetch_many([parent.id, child.id]) == [None, None]
    grandchild.delete()
    assert set(dumped(redis)) == {b"rq:queues"}


# Queues


def test_all_queues(redis: redis_py.Redis) -> None:
    for name in ("low", "unheard of"):
        Queue(name, get_connection()).enqueue(sample_jobs.add, 1)
    redis.sadd("rq:queues", "rq:queue:failed", "rq:queue:a:intermediate", "nonsense")
    found = Queue.all()
    assert [queue.name for queue in found] == ["low", "unheard of"]
    assert [queue.count for queue in found] == [1, 1]
    assert [type(queue) for queue in Queue.all(redis, job_class=Job)] == [Queue, Queue]


def test_a_queue_by_its_key(redis: redis_py.Redis) -> None:
    queue = Queue.from_queue_key("rq:queue:low")
    assert (queue.name, queue.connection) == ("low", get_connection())
    assert Queue.from_queue_key(queue.key, redis).connection is redis
    for key in ("low", "rq:job:low", "rq:queue:", "rq:queue:failed"):
        with pytest.raises(InvalidQueueError, match=f"'{key}' is not the key of a queue"):
            Queue.from_queue_key(key)


def test_the_connection_comes_second_as_in_rq(redis: redis_py.Redis) -> None:
    assert Queue("low", redis).connection is redis
    assert rq.Queue("low", redis).connection is redis


def test_queues_are_compared_by_their_names(redis: redis_py.Redis) -> None:
    queues = [Queue(name, get_connection()) for name in ("low", "default", "low")]
    theirs = [rq.Queue(name, redis) for name in ("low", "default", "low")]
    for low, default, again in (queues, theirs):
        assert low == again
        assert low != default
        assert default < low
        assert low >= again
        assert len({low, default, again}) == 2
        assert sorted([low, default]) == [default, low]
    assert queues[0] != "low"
    assert queues[0] not in ["low", None]
    with pytest.raises(TypeError):
        assert queues[0] < "low"


# Registries


def test_registries_are_compared_by_what_they_hold(redis: redis_py.Redis, queue: Queue) -> None:
    registry = FailedJobRegistry(queue=queue)
    assert registry == queue.failed_job_registry == FailedJobRegistry("default", redis)
    assert len({registry, queue.failed_job_registry}) == 1
    assert registry != FailedJobRegistry("low")
    assert registry != FinishedJobRegistry("default")
    assert registry != FailedJobRegistry("default", redis_py.Redis(port=1))
    assert registry != "default"


def test_how_long_jobs_are_kept(queue: Queue, redis: redis_py.Redis) -> None:
    ids = [
        queue.enqueue(sample_jobs.add, 1, result_ttl=ttl, failure_ttl=ttl).id for ttl in (50, -1)
    ] * 2
    times = []
    for number, job_id in enumerate(ids):
        if number == 2:
            times += [queue.finished_job_registry.get_expiration_time(id) for id in ids[:2]]
            for id in ids[:2]:
                queue.enqueue(sample_jobs.add, 1, job_id=id)
        hold = start(execution=f"e{number}")
        assert hold.job_id == job_id
        if number < 2:
            finish(hold, ttl=(50, -1)[number])
        else:
            fail(hold, ttl=(50, -1)[number - 2])
    times += [queue.failed_job_registry.get_expiration_time(id) for id in ids[:2]]
    now = datetime.now(UTC)
    assert times[1] is times[3] is None
    for kept_until in (times[0], times[2]):
        assert kept_until is not None
        assert abs(kept_until - now - timedelta(seconds=50)) < timedelta(seconds=10)
    with pytest.raises(NoSuchJobError, match="not among the finished jobs of 'default'"):
        queue.finished_job_registry.get_expiration_time(ids[0])


def test_when_jobs_are_due(queue: Queue) -> None:
    due = datetime(2100, 1, 2, tzinfo=UTC)
    job = queue.enqueue_at(due, sample_jobs.add, 1)
    registry = ScheduledJobRegistry("default", get_connection())
    assert registry.get_scheduled_time(job) == registry.get_scheduled_time(job.id) == due
    with pytest.raises(NoSuchJobError, match="Job other is not among the scheduled jobs"):
        registry.get_scheduled_time("other")


def test_started_jobs(queue: Queue, redis: redis_py.Redis) -> None:
    job = queue.enqueue(sample_jobs.add, 1)
    registry = StartedJobRegistry(queue=queue)
    assert job not in registry
    start(execution="e1")
    assert registry.get_job_and_execution_ids() == [(job.id, "e1")]
    assert job in registry
    lease = registry.get_expiration_time(job)
    assert lease is not None
    assert lease > datetime.now(UTC)
    redis.zadd(registry.key, {"old": 1})  # as RQ 0.5 writes it
    assert registry.get_job_and_execution_ids(0, 0) == [("old", "")]
    assert "old" in registry


def test_cleaning_up_and_counting_change_nothing(queue: Queue, redis: redis_py.Redis) -> None:
    job = queue.enqueue(sample_jobs.add, 1)
    fail(start())
    redis.zadd("rq:failed:default", {"expired": 1})
    registry = FailedJobRegistry(name="default", connection=redis)
    before = dumped(redis)
    registry.cleanup()
    assert registry.get_job_count(cleanup=True) == registry.count == 2
    assert registry.get_job_ids(cleanup=True, desc=True) == [job.id, "expired"]
    assert dumped(redis) == before


def test_requeueing_what_was_canceled(queue: Queue, redis: redis_py.Redis) -> None:
    job = queue.enqueue(sample_jobs.add, 1)
    job.cancel()
    assert CanceledJobRegistry(queue=queue).requeue(job.id) == job
    assert places(redis, job.id) == ["queue:default"]
    with pytest.raises(InvalidJobOperation, match=r"not among the .*canceled jobs"):
        CanceledJobRegistry(queue=queue).requeue(job.id)


def test_no_job_is_removed_from_a_registry_and_kept(queue: Queue, redis: redis_py.Redis) -> None:
    job = queue.enqueue(sample_jobs.add, 1)
    finish(start())
    registry = FinishedJobRegistry(queue=queue)
    with pytest.raises(InvalidJobOperation, match="delete_job=True"):
        registry.remove(job)
    assert places(redis, job.id) == ["finished:default"]
    registry.remove(job, delete_job=True)
    counts = redis.keys("rq:x:activity:*")
    assert set(dumped(redis)) == {b"rq:queues", b"rq:worker:w", *counts}


def test_a_registry_has_the_serializer_that_it_was_given(queue: Queue) -> None:
    job = get_queue(serializer="json").enqueue(sample_jobs.add, 1)
    fail(start())
    registry = FailedJobRegistry("default", get_connection(), serializer="json")
    assert registry.requeue(job.id).args == (1,)
