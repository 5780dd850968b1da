"""A job as those who enqueued it see it, and as RQ 2.12 does."""

from __future__ import annotations

import pickle
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
import redis as redis_py
import rq
from rq.job import Job as RQJob
from rq.results import Result as RQResult

from django_rqlite import Job, enqueue, get_connection, get_current_job, get_queue
from django_rqlite.exceptions import (
    DeserializationError,
    InvalidJobOperation,
    NoSuchJobError,
    RedisUnavailableError,
    SignatureError,
)
from tests.keyspace import dumped, places
from tests.outcomes_in_redis import fail, finish, run_next, start
from tests.sample_jobs import add, count_in_meta, divide, echo

pytestmark = pytest.mark.usefixtures("redis")

STATES = ["queued", "started", "finished", "failed", "deferred", "scheduled", "stopped", "canceled"]


# Finding


def test_a_fetched_job_is_the_one_enqueued() -> None:
    job = enqueue(divide, 6, b=2, job_timeout=5, result_ttl=6, failure_ttl=7, ttl=80, meta={"a": 1})
    found = Job.fetch(job.id)
    assert found == job
    assert hash(found) == hash(job)
    assert found is not job
    for name in ("origin", "description", "timeout", "result_ttl", "failure_ttl", "ttl", "meta"):
        assert getattr(found, name) == getattr(job, name)
    assert (found.func_name, found.args, found.kwargs) == (
        "tests.sample_jobs.divide",
        (6,),
        {"b": 2},
    )
    assert found.func is divide
    assert found.instance is None
    assert found.enqueued_at == job.enqueued_at
    assert found.started_at is found.ended_at is found.worker_name is None
    assert found.key == f"rq:job:{job.id}"
    assert repr(found) == f"<Job {job.id}: tests.sample_jobs.divide(6, b=2)>"


@pytest.mark.parametrize("job_id", ["no-such-job", "", "with space", "é:x"])
def test_one_that_is_not_there(job_id: str) -> None:
    with pytest.raises(NoSuchJobError, match=repr(job_id)):
        Job.fetch(job_id)
    assert not Job.exists(job_id)
    assert Job.fetch_many([job_id]) == [None]


def test_many_at_once() -> None:
    jobs = [enqueue(add, number) for number in range(3)]
    found = Job.fetch_many([jobs[2].id, "no-such-job", jobs[0].id])
    assert found == [jobs[2], None, jobs[0]]
    assert Job.fetch_many([]) == []
    assert Job.exists(jobs[0].id)


def test_a_server_that_is_not_there(settings: Any) -> None:
    settings.RQ_QUEUES = {"default": {"URL": "redis://localhost:1"}}
    for ask in (Job.exists, Job.fetch, lambda job_id: Job.fetch_many([job_id])):
        with pytest.raises(RedisUnavailableError, match="localhost:1"):
            ask("a")


# State


@pytest.mark.parametrize("state", STATES)
def test_its_state(redis: redis_py.Redis, state: str) -> None:
    job = enqueue(add)
    redis.hset(job.key, "status", state)
    assert job.get_status() == state
    assert [name for name in STATES if getattr(job, f"is_{name}")] == [state]


def test_a_state_that_nobody_knows(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    redis.hset(job.key, "status", "rate_limited")
    assert job.get_status() == "rate_limited"
    assert Job.fetch(job.id).get_status(refresh=False) == "rate_limited"


def test_a_state_not_asked_for_again(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    start()
    assert job.get_status(refresh=False) == "queued"
    assert job.get_status() == "started"


def test_one_that_is_gone() -> None:
    job = enqueue(add)
    job.delete()
    for ask in (job.get_status, job.refresh, job.save_meta, job.requeue):
        with pytest.raises(NoSuchJobError, match=job.id):
            ask()
    job.delete()


def test_refresh() -> None:
    job = enqueue(add, 1)
    finish(start(), 1)
    assert job.ended_at is None
    job.refresh()
    assert job.ended_at is not None
    assert job.ended_at <= datetime.now(UTC)
    assert job.worker_name == "w"


# Outcome


@pytest.mark.parametrize("value", [None, 0, "", [1, {"a": (2,)}], "x" * 5000])
def test_what_it_returned(value: Any) -> None:
    job = enqueue(echo, value)
    assert job.return_value() is None
    run_next()
    assert job.is_finished
    assert job.return_value() == value
    assert job.return_value(refresh=True) == value
    assert job.result == value
    assert job.exc_info is None


def test_what_it_raised() -> None:
    job = enqueue(divide, 1, 0)
    run_next()
    assert job.is_failed
    assert job.return_value() is None
    for seen in (job, Job.fetch(job.id)):
        assert seen.exc_info is not None
        assert seen.exc_info.startswith("Traceback (most recent call last):\n")
        assert seen.exc_info.endswith("ZeroDivisionError: division by zero\n")
        assert "execution.py" not in seen.exc_info


def test_a_result_of_rq_0_5_is_in_the_hash(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    redis.hset(job.key, mapping={"status": "finished", "result": pickle.dumps([1], 2)})
    assert job.return_value() == [1]


def test_a_result_of_rq_2_is_in_the_stream(redis: redis_py.Redis) -> None:
    job = rq.Queue(connection=redis).enqueue("tests.sample_jobs.echo", [1])
    rq.SimpleWorker(["default"], connection=redis).work(burst=True)
    assert not redis.hexists(job.key, "result")
    assert Job.fetch(job.id).return_value() == [1]


def test_a_traceback_of_rq_2_is_in_the_stream(redis: redis_py.Redis) -> None:
    job = rq.Queue(connection=redis).enqueue("tests.sample_jobs.divide", 1, 0)
    rq.SimpleWorker(["default"], connection=redis).work(burst=True)
    assert not redis.hget(job.key, "exc_info")
    assert "ZeroDivisionError" in str(Job.fetch(job.id).exc_info)


@pytest.mark.parametrize("signature", [b"0" * 32, b"", "é".encode()])
@pytest.mark.parametrize("where", ["hash", "stream"])
def test_a_result_that_was_tampered_with(
    redis: redis_py.Redis, signature: bytes, where: str
) -> None:
    job = enqueue(echo, [1])
    run_next()
    if where == "hash":  # as RQ 0.5 keeps it
        redis.delete(f"rq:results:{job.id}")
        redis.hset(job.key, "x_sig_result", signature)
    else:
        returned = {"type": "1", "return_value": "gAVdlEsBYS4=", "x_sig": signature}
        redis.xadd(f"rq:results:{job.id}", returned)
    with pytest.raises(SignatureError, match=rf"result of job {job.id}"):
        job.return_value()


@pytest.mark.parametrize("where", ["hash", "stream"])
def test_a_result_put_in_place_of_ours(redis: redis_py.Redis, settings: Any, where: str) -> None:
    settings.RQ = {"REQUIRE_SIGNATURE": True}
    job = enqueue(echo, [1])
    run_next()
    if where == "hash":
        redis.delete(f"rq:results:{job.id}")
        redis.hset(job.key, "result", pickle.dumps([2]))
    else:
        redis.xadd(f"rq:results:{job.id}", {"type": "1", "return_value": "gAVLAi4="})
    with pytest.raises(SignatureError, match="result"):
        job.return_value()


def test_unsigned_results_are_a_matter_of_settings(redis: redis_py.Redis, settings: Any) -> None:
    job = enqueue(echo, [1])
    run_next()
    redis.delete(f"rq:results:{job.id}")
    redis.hdel(job.key, "x_sig_result")
    assert job.return_value() == [1]
    settings.RQ = {"REQUIRE_SIGNATURE": True}
    with pytest.raises(SignatureError, match="REQUIRE_SIGNATURE"):
        job.return_value()


def test_a_result_that_can_t_be_read(redis: redis_py.Redis) -> None:
    job = enqueue(echo, [1])
    redis.xadd(f"rq:results:{job.id}", {"type": "1", "return_value": "hello"})
    with pytest.raises(DeserializationError, match=r"result of job .*'default'.*SERIALIZER"):
        job.return_value()


def test_data_that_was_tampered_with(redis: redis_py.Redis) -> None:
    other, job = enqueue(echo, 1), enqueue(echo, 2)
    mixed = {name: redis.hget(other.key, name) for name in ("data", "x_sig")}
    redis.hset(job.key, mapping=mixed)  # a signed call, but another job's
    with pytest.raises(SignatureError, match=rf"data of job {job.id}"):
        _ = Job.fetch(job.id).args


@pytest.mark.parametrize(
    "data", [b"", b"garbage", pickle.dumps(7), pickle.dumps((1, 2)), pickle.dumps("abcd")]
)
def test_data_that_can_t_be_read(redis: redis_py.Redis, data: bytes) -> None:
    job = enqueue(echo)
    redis.hset(job.key, "data", data)
    redis.hdel(job.key, "x_sig")
    with pytest.raises(DeserializationError, match=rf"data of job {job.id}"):
        _ = Job.fetch(job.id).func_name


# Requeue and delete


def test_requeue() -> None:
    job = enqueue(add, 1, meta={"a": 1})
    enqueue(add)
    fail(start())
    assert job.requeue(at_front=True) is job
    assert get_queue().job_ids[0] == job.id
    job.refresh()
    assert (job.get_status(), job.ended_at, job.started_at) == ("queued", None, None)
    assert job.meta == {"a": 1}
    finish(start(), 1)
    assert job.return_value() == 1
    assert job.exc_info is None


@pytest.mark.parametrize("end", [None, finish])
def test_requeue_of_what_has_not_failed(redis: redis_py.Redis, end: Any) -> None:
    job = enqueue(add)
    if end:
        end(start())
    before = dumped(redis)
    with pytest.raises(InvalidJobOperation, match=rf"{job.id} is not among the failed"):
        job.requeue()
    assert dumped(redis) == before


@pytest.mark.parametrize("end", [None, start, lambda: finish(start(), 1), lambda: fail(start())])
def test_delete_leaves_nothing(redis: redis_py.Redis, end: Any) -> None:
    job = enqueue(add, ttl=50)
    redis.sadd(f"rq:job:{job.id}:dependents", "b")
    redis.sadd(f"rq:job::{job.id}:dependencies", "c")
    if end:
        end()
    redis.rpush(f"rq:x:log:{job.id}", "a line")
    # What is counted is the queue's.
    redis.delete("rq:worker:w", *redis.keys("rq:x:activity:*"))
    job.delete()
    assert redis.keys() == [b"rq:queues"]


# Meta


def test_meta_is_saved_when_asked(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    assert job.meta == {}
    job.meta["a"] = [1]
    assert Job.fetch(job.id).meta == {}
    job.save_meta()
    assert Job.fetch(job.id).meta == {"a": [1]}
    other = Job.fetch(job.id)
    other.meta = {"b": 2}
    other.save_meta()
    assert job.meta == {"a": [1]}
    assert job.get_meta() == {"b": 2}
    job.meta["c"] = 3
    assert job.get_meta(refresh=False) == {"b": 2, "c": 3}


def test_meta_that_was_tampered_with(redis: redis_py.Redis) -> None:
    job = enqueue(add, meta={"a": 1})
    redis.hset(job.key, "meta", pickle.dumps({"a": 2}))
    found = Job.fetch(job.id)
    for _ in range(2):
        with pytest.raises(SignatureError, match=rf"meta of job {job.id}"):
            _ = found.meta
    with pytest.raises(SignatureError):
        found.save_meta()


@pytest.mark.parametrize("meta", [b"garbage", pickle.dumps([1])])
def test_meta_that_can_t_be_read_is_shown_raw(redis: redis_py.Redis, meta: bytes) -> None:
    job = enqueue(add)
    redis.hset(job.key, "meta", meta)
    assert Job.fetch(job.id).meta == {"unserialized": meta}


def test_the_current_job() -> None:
    assert get_current_job() is None
    job = enqueue(count_in_meta)
    run_next()
    assert job.return_value() == 50
    assert job.get_meta() == {"progress": 50}
    assert get_current_job() is None


def test_a_job_tells_its_connection_and_serializer_by_its_queue(settings: Any) -> None:
    url = settings.RQ_QUEUES["default"]["URL"]
    settings.RQ_QUEUES = {
        "default": {"URL": url},
        "json": {"URL": url, "SERIALIZER": "json", "KEY_PREFIX": "x:rq:"},
    }
    queue = get_queue("json")
    job = queue.enqueue(echo, [1])
    assert job.key == f"x:rq:job:{job.id}"
    with pytest.raises(NoSuchJobError):
        Job.fetch(job.id)
    assert Job.fetch(job.id, connection=get_connection("json")).args == ([1],)


# RQ 2.12 and we, about the same job


def test_rq_reads_a_job_that_waits(redis: redis_py.Redis) -> None:
    ours = enqueue(divide, 6, b=2, job_timeout="1m", result_ttl=7, ttl=80, meta={"a": 1})
    theirs = RQJob.fetch(ours.id, connection=redis)
    assert theirs.get_status() == "queued"
    assert (theirs.func_name, theirs.args, theirs.kwargs) == (ours.func_name, (6,), {"b": 2})
    for name in ("origin", "description", "timeout", "result_ttl", "ttl", "meta", "enqueued_at"):
        theirs_value, ours_value = getattr(theirs, name), getattr(ours, name)
        if isinstance(ours_value, datetime):
            ours_value = ours_value.replace(tzinfo=theirs_value.tzinfo, microsecond=0)
        assert theirs_value == ours_value


def test_rq_reads_a_job_that_finished(redis: redis_py.Redis) -> None:
    ours = enqueue(divide, 6, 2)
    run_next()
    theirs = RQJob.fetch(ours.id, connection=redis)
    assert theirs.is_finished
    assert theirs.return_value() == 3.0
    latest = RQResult.fetch_latest(theirs)
    assert latest is not None
    assert latest.type == RQResult.Type.SUCCESSFUL
    assert latest.return_value == 3.0
    assert latest.worker_name == "w"
    assert rq.registry.FinishedJobRegistry(connection=redis).get_job_ids() == [ours.id]


def test_rq_reads_a_job_that_failed(redis: redis_py.Redis) -> None:
    ours = enqueue(divide, 1, 0)
    run_next()
    theirs = RQJob.fetch(ours.id, connection=redis)
    assert theirs.is_failed
    latest = RQResult.fetch_latest(theirs)
    assert latest is not None
    assert latest.type == RQResult.Type.FAILED
    assert latest.exc_string == ours.exc_info
    assert rq.registry.FailedJobRegistry(connection=redis).get_job_ids() == [ours.id]


def test_rq_requeues_ours_and_runs_it(redis: redis_py.Redis) -> None:
    ours = enqueue(echo, "x")
    fail(start())
    rq.registry.FailedJobRegistry(connection=redis).requeue(ours.id)
    assert places(redis, ours.id) == ["queue:default"]
    rq.SimpleWorker(["default"], connection=redis).work(burst=True)
    assert ours.return_value() == "x"


def test_we_read_what_rq_enqueued(redis: redis_py.Redis) -> None:
    theirs = rq.Queue("high", connection=redis).enqueue(
        "tests.sample_jobs.divide", 6, b=2, job_timeout=60, meta={"a": 1}, description="what"
    )
    ours = Job.fetch(theirs.id)
    assert (ours.func_name, ours.args, ours.kwargs) == (theirs.func_name, (6,), {"b": 2})
    assert (ours.origin, ours.timeout, ours.description) == ("high", 60, "what")
    assert ours.meta == {"a": 1}
    assert ours.is_queued
    assert ours.started_at is None
    assert ours.enqueued_at == theirs.enqueued_at
    assert zlib.decompress(redis.hget(ours.key, "data") or b"")
    run_next("high")
    assert theirs.return_value() == 3.0
    assert RQJob.fetch(theirs.id, connection=redis).is_finished


def test_we_requeue_theirs(redis: redis_py.Redis) -> None:
    theirs = rq.Queue(connection=redis).enqueue("tests.sample_jobs.divide", 1, 0)
    rq.SimpleWorker(["default"], connection=redis).work(burst=True)
    assert Job.fetch(theirs.id).requeue().is_queued
    assert places(redis, theirs.id) == ["queue:default"]
    assert RQJob.fetch(theirs.id, connection=redis).is_queued
