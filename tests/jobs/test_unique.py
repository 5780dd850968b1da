"""Jobs of which there may be one: by their id, or by a key while they are to run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import rq
from django.core.signals import request_finished, request_started
from django.db import transaction

from django_rqlite import Job, Repeat, Retry, enqueue, get_queue, job
from django_rqlite.exceptions import (
    DuplicateJobError,
    InvalidDurationError,
    InvalidJobError,
)
from tests.conftest import wait_until
from tests.keyspace import commands, dumped, places
from tests.outcomes_in_redis import fail, finish, start
from tests.sample_jobs import add, echo, fail_at_first
from tests.worker_process import run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")

HOUR = timedelta(hours=1)
LOCK = "rq:x:unique:sync-42"


@job
def decorated(value: int) -> int:
    return value


@job(unique_key="sync-42", unique_for="10m")
def one_at_a_time() -> None: ...


def parent() -> str:
    """The id of a job that is yet to run."""
    return get_queue("low").enqueue(add, 1).id


#: Every call that enqueues, with the status of what it makes.
CALLS: dict[str, tuple[Callable[..., Job], str]] = {
    "enqueue": (lambda **said: enqueue(echo, 1, **said), "queued"),
    "enqueue_call": (lambda **said: get_queue().enqueue_call(echo, (1,), **said), "queued"),
    "enqueue_in": (lambda **said: get_queue().enqueue_in(HOUR, echo, 1, **said), "scheduled"),
    "delay": (lambda **said: decorated.delay(1, **said), "queued"),
    "depends_on": (lambda **said: enqueue(echo, 1, depends_on=parent(), **said), "deferred"),
    "in place": (lambda **said: get_queue(is_async=False).enqueue(echo, 1, **said), "finished"),
}
each_call = pytest.mark.parametrize("call", CALLS)


# By its id


@each_call
def test_the_only_one_of_its_id(redis: redis_py.Redis, call: str) -> None:
    make, status = CALLS[call]
    assert make(job_id="a", unique=True).get_status() == status
    for other, _ in CALLS.values():
        redis.delete("rq:queue:low")
        before = redis.dump("rq:job:a"), places(redis, "a")
        with pytest.raises(DuplicateJobError, match=rf"a job 'a' already \(it is {status}\)"):
            other(job_id="a", unique=True)
        assert (redis.dump("rq:job:a"), places(redis, "a")) == before


def test_whatever_its_state(redis: redis_py.Redis) -> None:
    enqueue(add, job_id="a")
    hold = start()
    for end in (None, finish, fail):
        if end:
            end(hold)
        with pytest.raises(DuplicateJobError):
            enqueue(add, job_id="a", unique=True)
    Job.fetch("a").delete()
    assert enqueue(add, job_id="a", unique=True).is_queued


def test_rq_means_the_same(redis: redis_py.Redis) -> None:
    theirs = rq.Queue(connection=redis)
    enqueue(add, job_id="a")
    with pytest.raises(rq.exceptions.DuplicateJobError):
        theirs.enqueue("tests.sample_jobs.add", job_id="a", unique=True)
    theirs.enqueue("tests.sample_jobs.add", job_id="b", unique=True)
    with pytest.raises(DuplicateJobError, match="'b' already"):
        enqueue(add, job_id="b", unique=True)


def test_a_job_object() -> None:
    queue = get_queue()
    made = queue.create_job(add, (1,), job_id="a")
    queue.enqueue_job(made, unique=True)
    with pytest.raises(DuplicateJobError):
        queue.enqueue_job(made, unique=True)
    queue.enqueue_job(made)
    assert queue.job_ids == ["a"]


def test_one_of_many_at_once() -> None:
    def attempt(number: int) -> bool:
        try:
            enqueue(add, number, job_id="a", unique=True)
        except DuplicateJobError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(40))) == 1


# By a key


def keyed(call: str = "enqueue", **said: Any) -> Job:
    return CALLS[call][0](**{"unique_key": "sync-42", "unique_for": 600, **said})


def refused(holder: Job) -> bool:
    try:
        keyed()
    except DuplicateJobError as exc:
        return f"Job {holder.id!r} has the unique key 'sync-42'" in str(exc)
    return False


@each_call
def test_the_only_one_of_its_key(redis: redis_py.Redis, call: str) -> None:
    holder = keyed(call)
    assert redis.get(LOCK) == holder.id.encode()
    assert 590 < redis.ttl(LOCK) <= 600
    if call == "in place":  # it has ended
        assert not refused(holder)
        return
    for other in CALLS:
        redis.delete("rq:queue:low")
        with pytest.raises(DuplicateJobError, match=rf"Job '{holder.id}' has the unique key"):
            keyed(other)
    assert redis.get(LOCK) == holder.id.encode()
    assert keyed(unique_key="sync-43").is_queued
    assert enqueue(echo, 1).is_queued


def test_a_refusal_changes_nothing(redis: redis_py.Redis) -> None:
    keyed(job_id="a")
    before = dumped(redis)
    for said in ({}, {"job_id": "a"}, {"job_id": "b"}):
        with pytest.raises(DuplicateJobError):
            keyed(**said)
    assert dumped(redis) == before


def test_in_every_queue_of_the_connection() -> None:
    holder = keyed()
    with pytest.raises(DuplicateJobError, match=holder.id):
        get_queue("high").enqueue(echo, 1, unique_key="sync-42", unique_for=600)


def test_in_one_command(redis: redis_py.Redis) -> None:
    enqueue(add)
    assert commands(redis, keyed) == ["EVALSHA"]


def test_it_holds_while_it_waits_and_runs(tmp_path: Path) -> None:
    fifo = tmp_path / "runs"
    holder = keyed("enqueue_in")
    assert refused(holder)
    holder.delete()
    holder = get_queue().enqueue(
        fail_at_first, str(fifo), 1, retry=Retry(2, [3600]), unique_key="sync-42", unique_for=600
    )
    hold = start()
    assert holder.is_started
    assert refused(holder)
    get_queue()._engine.release("w", hold)
    run_burst(tmp_path)
    assert holder.is_scheduled
    assert refused(holder), "a retry holds it"


@pytest.mark.parametrize(
    "end", ["finish", "fail", "stop", "delete", "cancel", "empty", "keep nothing", "vanish"]
)
def test_it_ends_with_the_job(redis: redis_py.Redis, tmp_path: Path, end: str) -> None:
    endings: dict[str, Callable[[], object]] = {
        "finish": lambda: finish(start()),
        "keep nothing": lambda: finish(start(), ttl=0),
        "fail": lambda: fail(start()),
        "delete": lambda: holder.delete(),
        "cancel": lambda: holder.cancel(),
        "empty": lambda: get_queue().empty(),
        "vanish": lambda: redis.delete(holder.key),
    }
    if end == "stop":
        holder = enqueue("time.sleep", 60, unique_key="sync-42", unique_for=600)
        with worker(tmp_path) as process:
            process.ready()
            wait_until(lambda: holder.is_started, "it runs")
            assert refused(holder)
            holder.stop()
            wait_until(lambda: holder.is_stopped, "it is stopped")
    else:
        holder = keyed()
        assert refused(holder)
        endings[end]()
    assert not refused(holder)
    if end in ("delete", "empty", "keep nothing"):
        assert redis.get(LOCK) != holder.id.encode()


def test_a_deleted_job_takes_no_other_s_key_along(redis: redis_py.Redis) -> None:
    former = keyed()
    finish(start())
    holder = keyed()
    former.delete()
    assert redis.get(LOCK) == holder.id.encode()
    assert refused(holder)


def test_after_the_seconds_whatever_the_job_does(redis: redis_py.Redis) -> None:
    first = keyed(unique_for=1)
    assert refused(first)
    wait_until(lambda: not redis.exists(LOCK), "the second is over")
    second = keyed()
    assert first.is_queued
    assert refused(second)
    finish(start())
    assert refused(second), "the first one's end is none of the second's"


def test_a_requeued_job_has_it_again_unless_it_is_taken(redis: redis_py.Redis) -> None:
    holder = keyed()
    fail(start())
    holder.requeue()
    assert refused(holder)
    fail(start(execution="e2"))
    other = keyed()
    holder.requeue()
    assert holder.is_queued
    assert refused(other)


def test_a_repeated_job_holds_it_between_its_runs(tmp_path: Path) -> None:
    holder = keyed(repeat=Repeat(1, interval=3600))
    run_burst(tmp_path)
    assert holder.is_scheduled
    assert refused(holder)


def test_a_job_enqueued_again_takes_it_again(redis: redis_py.Redis) -> None:
    holder = keyed()
    finish(start())
    again = Job.fetch(holder.id)
    assert (again.unique_key, again.unique_for) == ("sync-42", 600)
    get_queue().enqueue_job(again)
    assert refused(again)


def test_a_call_whose_answer_was_lost_may_be_repeated() -> None:
    fields = get_queue().create_job(add, unique_key="sync-42", unique_for=9).to_fields()
    for _ in range(2):
        get_queue()._engine.enqueue("minted", "default", fields, minted=True)
    assert get_queue().job_ids == ["minted"]


def test_a_job_ended_by_rq_s_worker_holds_nothing(redis: redis_py.Redis) -> None:
    holder = keyed()
    rq.SimpleWorker(["default"], connection=redis).work(burst=True)
    assert holder.is_finished
    assert not refused(holder)


def test_the_decorator_may_say_it() -> None:
    one_at_a_time.delay()
    with pytest.raises(DuplicateJobError):
        one_at_a_time.delay()
    assert one_at_a_time.delay(unique_key="another").is_queued


def test_foreign_data_under_the_key_is_in_nobody_s_way(redis: redis_py.Redis) -> None:
    redis.lpush(LOCK, "foreign")
    assert refused(keyed())
    redis.set(LOCK, "no job of ours")
    redis.lpush("rq:job:no job of ours", "foreign")
    assert keyed().is_queued


def test_any_text_will_do() -> None:
    for key in ("é:\n", "x" * 500, "{tag}", "\x00"):
        holder = keyed(unique_key=key)
        with pytest.raises(DuplicateJobError, match=holder.id):
            keyed(unique_key=key)


# What is refused before anything is written


@pytest.mark.parametrize(
    ("said", "error", "why"),
    [
        ({"unique": True}, InvalidJobError, "needs a job_id"),
        ({"unique_key": "a"}, InvalidJobError, "unique_key='a' needs unique_for"),
        ({"unique_for": 5}, InvalidJobError, "unique_key must be non-empty text, not None"),
        ({"unique_key": "", "unique_for": 5}, InvalidJobError, "non-empty text"),
        ({"unique_key": 7, "unique_for": 5}, InvalidJobError, "not 7"),
        ({"unique_key": "a", "unique_for": 0}, InvalidDurationError, "unique_for is 0"),
        ({"unique_key": "a", "unique_for": -1}, InvalidDurationError, "unique_for is -1"),
        ({"unique_key": "a", "unique_for": "soon"}, InvalidDurationError, "unique_for is 'soon'"),
    ],
)
def test_options_that_make_no_sense(
    redis: redis_py.Redis, said: dict[str, Any], error: type[Exception], why: str
) -> None:
    for call, _ in CALLS.values():
        with pytest.raises(error, match=why):
            call(**said)
        redis.delete("rq:queue:low")
    assert not redis.keys("rq:x:*")
    assert get_queue().count == 0


# With transactions


@pytest.mark.django_db(transaction=True)
def test_a_duplicate_at_the_commit_is_dropped_and_logged(
    redis: redis_py.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []
    with transaction.atomic():
        first, second = keyed(), keyed()
        named = enqueue(echo, 1, job_id="a", unique=True)
        enqueue(echo, 2, job_id="a", unique=True)
        transaction.on_commit(lambda: ran.append("other hooks"))
        assert redis.keys() == []
    assert ran == ["other hooks"]
    assert get_queue().job_ids == [first.id, "a"]
    assert (named.args, Job.fetch("a").args) == ((1,), (1,))
    assert second.get_status() == "created"
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert f"dropped when its transaction had committed: Job {first.id!r} has the" in messages[0]
    assert "a job 'a' already" in messages[1]
    assert caplog.records[0].levelno == logging.WARNING
    assert caplog.records[0].name == "django_rqlite.commit"


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_it_is_the_caller_s() -> None:
    keyed()
    with pytest.raises(DuplicateJobError):
        keyed()


@pytest.mark.django_db(transaction=True)
def test_nor_does_the_end_of_a_request_raise(settings: Any) -> None:
    settings.RQ = {"COMMIT_MODE": "request_finished"}
    request_started.send(sender=None)
    first, _ = keyed(), keyed()
    request_finished.send(sender=None)
    assert get_queue().job_ids == [first.id]
