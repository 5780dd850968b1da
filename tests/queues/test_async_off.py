"""``ASYNC: False``: the caller runs the job, and its outcome is stored as a worker would."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import pytest
import redis as redis_py
from django.db import transaction

from django_rqlite import Job, get_current_job, get_queue
from django_rqlite.exceptions import DuplicateJobError, JobTimeoutException
from django_rqlite.execution.timeout import Deadline
from tests.keyspace import places
from tests.outcomes_in_redis import run_next, start
from tests.sample_jobs import (
    add,
    count_in_meta,
    decorated,
    divide,
    echo,
    swallow_timeouts,
    sys_exit,
)

pytestmark = pytest.mark.usefixtures("redis")

#: What differs by nature: who ran it and when.
VARYING = {b"worker_name", b"created_at", b"enqueued_at", b"started_at", b"ended_at", b"x_sig"}
VARYING |= {b"last_heartbeat", b"x_sig_result", b"x_created", b"x_span"}


def in_place(*args: Any, **kwargs: Any) -> Job:
    return get_queue(is_async=False).enqueue(*args, **kwargs)


def seen(redis: redis_py.Redis, job: Job) -> dict[str, Any]:
    """Everything of a job in a form that can be compared."""
    fields = redis.hgetall(job.key)
    ((_, entry),) = redis.xrange(f"rq:results:{job.id}")
    return {
        "types": {
            key.decode().replace(job.id, "<id>"): redis.type(key)
            for key in redis.scan_iter()
            if not key.startswith(b"rq:worker")
        },
        "ttls": {
            key.decode().replace(job.id, "<id>"): round(redis.ttl(key), -2)
            for key in redis.scan_iter()
        },
        "names": fields.keys(),
        "fields": {name: fields[name] for name in fields.keys() - VARYING},
        "entry names": entry.keys(),
        "outcome": [entry.get(name) for name in (b"type", b"return_value")],
        "places": places(redis, job.id),
        "mirror": redis.llen("rq:queue:failed"),
    }


@pytest.mark.parametrize(
    "call", [(add, 1, 2), (echo, None), (echo, "x" * 9999), (divide, 1, 0), (sys_exit,)]
)
def test_the_outcome_is_stored_as_by_a_worker(redis: redis_py.Redis, call: Any) -> None:
    get_queue().enqueue(*call, job_id="the-job", result_ttl=700, failure_ttl=900)
    worked = seen(redis, run_next())
    redis.flushdb()

    job = in_place(*call, job_id="the-job", result_ttl=700, failure_ttl=900)
    placed = seen(redis, job)
    for outcome in (worked, placed):
        traceback = outcome["fields"].pop(b"exc_info", b"").splitlines()
        outcome["traceback"] = traceback[-1:]
        outcome["ttls"].pop("rq:worker:w", None)
    assert placed == worked


def test_the_job_knows_how_it_went(redis: redis_py.Redis) -> None:
    job = in_place(add, 1, 2)
    assert job.get_status(refresh=False) == "finished"
    assert job.return_value() == 3
    assert None not in (job.enqueued_at, job.started_at, job.ended_at)
    job = in_place(divide, 1, 0)
    assert job.get_status(refresh=False) == "failed"
    assert "ZeroDivisionError" in str(job.exc_info)


def test_a_job_that_keeps_nothing(redis: redis_py.Redis) -> None:
    job = in_place(add, 1, result_ttl=0)
    assert job.get_status(refresh=False) == "finished"
    assert job.ended_at is not None
    (counts,) = redis.keys("rq:x:activity:default:*")
    assert set(redis.keys()) == {b"rq:queues", counts}


def test_the_current_job_is_known() -> None:
    assert in_place(count_in_meta).get_meta() == {"progress": 50}
    assert get_current_job() is None


def nested() -> tuple[str | None, str, str | None]:
    def current() -> str | None:
        job = get_current_job()
        return job and job.id

    return current(), in_place(add, 1, job_id="inner").id, current()


def test_a_job_inside_a_job() -> None:
    assert in_place(nested, job_id="outer").return_value() == ("outer", "inner", "outer")


def test_it_may_be_requeued() -> None:
    job = in_place(divide, 1, 0)
    assert job.requeue().is_queued
    assert get_queue().job_ids == [job.id]


def test_an_id_that_runs(redis: redis_py.Redis) -> None:
    get_queue().enqueue(add, job_id="a")
    start()
    with pytest.raises(DuplicateJobError, match="'a' is running"):
        in_place(add, job_id="a")


def test_an_id_that_waits_or_has_ended_is_replaced(redis: redis_py.Redis) -> None:
    get_queue("high").enqueue(add, 1, job_id="a", meta={"old": 1})
    for number in (2, 3):
        job = in_place(add, number, job_id="a")
        assert job.return_value() == number
        assert places(redis, "a") == ["finished:default"]
        assert not redis.hexists("rq:job:a", "meta")


def test_foreign_data_is_an_error_before_anything_is_written(redis: redis_py.Redis) -> None:
    redis.set("rq:wip:default", "foreign")
    with pytest.raises(redis_py.ResponseError, match="WRONGTYPE"):
        in_place(add, 1)
    assert redis.keys() == [b"rq:wip:default"]


@pytest.mark.django_db(transaction=True)
def test_in_a_transaction_it_runs_with_the_commit(redis: redis_py.Redis) -> None:
    with transaction.atomic():
        job = in_place(add, 1)
        assert redis.keys() == []
    assert job.return_value() == 1


# Timeouts


def test_a_timeout_in_the_main_thread() -> None:
    before = signal.getsignal(signal.SIGALRM)
    job = in_place(time.sleep, 30, job_timeout=1)
    assert job.is_failed
    assert "JobTimeoutException: The job ran longer than its timeout of 1 s" in str(job.exc_info)
    assert signal.getsignal(signal.SIGALRM) is before


def test_a_timeout_that_is_swallowed() -> None:
    job = in_place(swallow_timeouts, 1.3, job_timeout=1)
    assert job.is_failed
    assert "timeout of 1 s, and the exception that should have ended it was swallowed" in str(
        job.exc_info
    )


def test_in_another_thread_there_is_no_limit() -> None:
    jobs: list[Job] = []
    thread = threading.Thread(target=lambda: jobs.append(in_place(time.sleep, 1.1, job_timeout=1)))
    thread.start()
    thread.join()
    assert jobs[0].is_finished


def test_a_limit_inside_a_limit() -> None:
    with Deadline(1) as outer:
        with Deadline(500):
            pass
        with pytest.raises(JobTimeoutException, match="1 s"):
            signal.pause()
    assert outer.passed


def test_an_alarm_of_someone_else_s_goes_on() -> None:
    rung: list[int] = []
    handler = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    left, interval = signal.setitimer(signal.ITIMER_REAL, 50, 7)
    try:
        in_place(add, 1)
        still_left, repeats = signal.getitimer(signal.ITIMER_REAL)
        assert 40 < still_left <= 50
        assert repeats == 7
        signal.raise_signal(signal.SIGALRM)
        assert rung == [signal.SIGALRM]
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, left, interval)


def test_an_outer_limit_that_passed_meanwhile() -> None:
    with Deadline(1) as outer:
        with pytest.raises(JobTimeoutException, match="2 s"), Deadline(2):
            signal.pause()
        with pytest.raises(JobTimeoutException):
            signal.pause()
    assert outer.passed


def test_no_limit() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with Deadline(None):
        assert signal.getsignal(signal.SIGALRM) is before
    assert in_place(add, 1, job_timeout=-1).is_finished


@pytest.mark.parametrize("seconds", [10**9, 3_153_600_000])
def test_a_limit_of_many_years(seconds: int) -> None:
    assert in_place(add, 1, job_timeout=seconds).is_finished


@pytest.fixture
def queue_settings(settings: Any) -> dict[str, Any]:
    """What ``RQ_QUEUES`` says of the queue ``default``, to be changed in place."""
    settings.RQ_QUEUES = {"default": dict(settings.RQ_QUEUES["default"])}
    get_queue().enqueue(add, 1)  # it has been read
    found: dict[str, Any] = settings.RQ_QUEUES["default"]
    return found


def test_switched_off_in_place(queue_settings: dict[str, Any]) -> None:
    queue_settings["ASYNC"] = False
    assert get_queue().enqueue(add, 1, 2).return_value() == 3
    assert decorated.delay(4).return_value() == 8
    queue_settings["ASYNC"] = True
    assert get_queue().enqueue(add, 1, 2).is_queued
