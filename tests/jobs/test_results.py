"""What is kept of every execution, who vouches for it, how long, and waiting for it."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import rq
from rq.results import Result as RQResult

from django_rqlite import Job, Repeat, Retry, enqueue, get_connection, get_queue
from django_rqlite.broker.wire import max_block_seconds
from django_rqlite.exceptions import DeserializationError, SignatureError
from django_rqlite.jobs.results import Result
from django_rqlite.protocol.codec import base64_payload
from tests.conftest import Server, wait_until
from tests.keyspace import commands
from tests.outcomes_in_redis import again, engine, fail, finish, run_next, start
from tests.sample_jobs import add, ask_for_retry, divide, echo, fail_at_first
from tests.worker_process import run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")


# What a result tells


def test_every_execution_leaves_one(tmp_path: Path) -> None:
    file = tmp_path / "runs"
    job = enqueue(fail_at_first, str(file), 2, retry=Retry(5), meta={"a": 1})

    run_burst(tmp_path)

    last, second, first = job.results()
    assert [result.type for result in (first, second, last)] == [
        Result.Type.RETRIED,
        Result.Type.RETRIED,
        Result.Type.SUCCESSFUL,
    ]
    assert (last.return_value, last.exc_string) == (3, None)
    assert first.return_value is None
    assert "ValueError: run 1" in str(first.exc_string)
    assert "ValueError: run 2" in str(second.exc_string)
    assert len({result.execution_id for result in job.results()}) == 3
    for result in job.results():
        assert (result.job, result.job_id) == (job, job.id)
        assert result.worker_name == Job.fetch(job.id).worker_name
        assert result.execution_started_at is not None
        assert result.execution_ended_at is not None
        assert result.execution_started_at <= result.execution_ended_at
        assert result.created_at is not None
        assert abs(result.created_at - result.execution_ended_at) < timedelta(seconds=1)
    assert job.latest_result() == last
    assert hash(job.latest_result()) == hash(last)
    assert last != first
    assert last != "last"
    assert repr(last) == f"Result(id={last.id}, type=SUCCESSFUL)"
    assert Result.count(job) == 3


def test_the_types_have_rq_s_numbers() -> None:
    assert {kind.name: kind.value for kind in Result.Type} == {
        kind.name: kind.value for kind in RQResult.Type
    }


def test_a_job_without_an_outcome() -> None:
    job = enqueue(add)
    assert (job.results(), job.latest_result(), Result.count(job)) == ([], None, 0)
    assert Job("unknown").results() == []


def test_a_returned_retry(tmp_path: Path) -> None:
    job = enqueue(ask_for_retry, str(tmp_path / "runs"), 1)
    run_burst(tmp_path)
    assert [result.type for result in job.results()] == [
        Result.Type.SUCCESSFUL,
        Result.Type.RETRIED,
    ]


def test_what_another_tool_wrote(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    redis.xadd(f"rq:results:{job.id}", {"type": "new", "return_value": "hello"})
    redis.xadd(f"rq:results:{job.id}", {"nothing": "of it"})
    odd, new = job.results()
    assert (odd.type, odd.return_value, odd.worker_name, odd.execution_id) == ("", None, "", None)
    assert repr(new).endswith("type='new')")
    with pytest.raises(DeserializationError):
        assert new.return_value


def test_rq_reads_ours_and_we_read_rq_s(redis: redis_py.Redis) -> None:
    ours = enqueue(echo, {"a": 1})
    theirs = rq.Queue("low", connection=redis).enqueue("tests.sample_jobs.divide", 1, 0)
    run_next()
    rq.SimpleWorker(["low"], connection=redis).work(burst=True)

    (seen,) = RQResult.all(rq.job.Job.fetch(ours.id, redis))
    assert (seen.type, seen.return_value) == (RQResult.Type.SUCCESSFUL, {"a": 1})
    (read,) = Job.fetch(theirs.id).results()
    assert read.type is Result.Type.FAILED
    assert "ZeroDivisionError" in str(read.exc_string)
    assert read.id == theirs.latest_result().id


# Who vouches for it


def test_every_value_is_signed_for_itself(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = enqueue(echo, [1], repeat=Repeat(2))
    run_burst(tmp_path)

    entries = redis.xrange(f"rq:results:{job.id}")
    assert len({entry[b"x_sig"] for _, entry in entries}) == 1
    assert redis.hget(job.key, "x_sig_result") == entries[0][1][b"x_sig"]
    assert [result.return_value for result in job.results()] == [[1], [1], [1]]


def test_a_failure_has_nothing_to_sign(redis: redis_py.Redis) -> None:
    job = enqueue(divide, 1, 0)
    run_next()
    ((_, entry),) = redis.xrange(f"rq:results:{job.id}")
    assert b"x_sig" not in entry


def test_one_value_put_there_by_others_leaves_the_rest_alone(
    redis: redis_py.Redis, settings: Any
) -> None:
    job = enqueue(echo, [1])
    run_next()
    evil = base64_payload(pickle.dumps([2], 5))
    redis.xadd(f"rq:results:{job.id}", {"type": "1", "return_value": evil, "x_sig": "0" * 32})
    redis.xadd(f"rq:results:{job.id}", {"type": "1", "return_value": evil})
    unsigned, forged, ours = job.results()

    assert ours.return_value == [1]
    with pytest.raises(SignatureError, match=rf"result of job {job.id}"):
        assert forged.return_value
    assert unsigned.return_value == [2], "as RQ's worker leaves it"
    settings.RQ = {"REQUIRE_SIGNATURE": True}
    assert ours.return_value == [1]
    with pytest.raises(SignatureError, match="REQUIRE_SIGNATURE"):
        assert unsigned.return_value


def test_a_value_of_another_job_is_no_value_of_this_one(redis: redis_py.Redis) -> None:
    first, second = enqueue(echo, 1), enqueue(echo, 2)
    run_next()
    run_next()
    ((_, entry),) = redis.xrange(f"rq:results:{first.id}")
    redis.xadd(f"rq:results:{second.id}", entry)
    with pytest.raises(SignatureError):
        second.return_value()


# Waiting


def after(seconds: float, act: Callable[[], object]) -> Callable[[], object]:
    """To be called in another thread: ``act``, once somebody waits."""

    def later() -> None:
        observer = get_connection()
        wait_until(lambda: observer.info("clients")["blocked_clients"], "somebody waits", seconds)
        act()

    return later


def test_waiting_for_a_worker(tmp_path: Path) -> None:
    with worker(tmp_path) as process:
        process.ready()
        done = enqueue(add, 1, 2).latest_result(timeout=20)
        failed = enqueue(divide, 1, 0).latest_result(timeout=20)
    assert done is not None
    assert done.return_value == 3
    assert failed is not None
    assert "ZeroDivisionError" in str(failed.exc_string)


def test_waiting_asks_only_once(redis: redis_py.Redis) -> None:
    job = enqueue(add, 1, 2)
    assert job.latest_result() is None  # connects
    said = commands(redis, lambda: job.latest_result(timeout=0.3))
    assert said.count("XREAD") == 1
    assert len(said) <= 9  # MULTI, HGET, XREVRANGE, EXEC before and after


def test_an_outcome_between_the_look_and_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    job = enqueue(add, 1, 2)
    hold = start()
    link = job.connection
    xread = link.xread

    def outrun(*args: Any, **kwargs: Any) -> Any:
        finish(hold, 3)
        return xread(*args, **kwargs)

    monkeypatch.setattr(link, "xread", outrun)
    before = time.monotonic()
    result = job.latest_result(timeout=30)
    assert result is not None
    assert result.return_value == 3
    assert time.monotonic() - before < 10


def test_an_outcome_that_is_there(redis: redis_py.Redis) -> None:
    job = enqueue(add, 1, 2)
    run_next()
    said = commands(redis, lambda: job.latest_result(timeout=30))
    assert "XREAD" not in said
    result = job.latest_result(timeout=30)
    assert result is not None
    assert result.return_value == 3


def test_a_retry_is_not_what_is_waited_for() -> None:
    job = enqueue(echo, 7, retry=Retry(1))
    hold = start()

    def go() -> None:
        again(hold)
        wait_until(lambda: get_connection().info("clients")["blocked_clients"], "it waits again")
        finish(start(execution="e2"), 7)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(after(20, go))
        result = job.latest_result(timeout=20)
    assert result is not None
    assert result.return_value == 7


def test_a_requeued_job_s_old_failure_is_not_what_is_waited_for() -> None:
    job = enqueue(divide, 1, 0)
    fail(start())
    job.requeue()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(after(20, lambda: finish(start(execution="e2"), 7)))
        result = job.latest_result(timeout=20)
    assert result is not None
    assert result.return_value == 7


def test_the_time_is_over() -> None:
    job = enqueue(divide, 1, 0)
    before = time.monotonic()
    assert job.latest_result(timeout=0.2) is None
    assert 0.2 <= time.monotonic() - before < 5
    fail(start())
    job.requeue()
    latest = job.latest_result(timeout=0.1)
    assert latest is not None
    assert latest.type is Result.Type.FAILED, "what there is"


def test_no_wait_for_what_can_t_come() -> None:
    gone = enqueue(add)
    gone.delete()
    assert gone.latest_result(timeout=30) is None
    kept_not = enqueue(add, result_ttl=0)
    finish(start(), 1, ttl=0)
    assert kept_not.latest_result(timeout=30) is None


def test_no_wait_for_the_next_run_of_a_repeated_job(tmp_path: Path) -> None:
    job = enqueue(echo, 7, repeat=Repeat(1, interval=3600))
    run_burst(tmp_path)
    assert job.is_scheduled
    result = job.latest_result(timeout=30)
    assert result is not None
    assert result.return_value == 7


def test_a_wait_longer_than_the_socket_s_patience(server: Server, redis: redis_py.Redis) -> None:
    # The server looks ten times a second for those who have waited long enough.
    with redis_py.Redis.from_url(server.url, protocol=2, socket_timeout=1) as impatient:
        assert max_block_seconds(impatient) == pytest.approx(0.5)
        job = Job(enqueue(add).id, impatient)
        before = time.monotonic()
        assert job.latest_result(timeout=1.2) is None
        assert time.monotonic() - before >= 1.2
    with redis_py.Redis.from_url(server.url, socket_timeout=None) as patient:
        assert max_block_seconds(patient) is None


# How long


@pytest.mark.parametrize(("ttl", "kept"), [(None, 500), (100, 100), (-1, -1), (0, None)])
def test_how_long_it_is_kept(
    redis: redis_py.Redis, tmp_path: Path, ttl: int | None, kept: int | None
) -> None:
    job = enqueue(add, 1, 2, result_ttl=ttl)
    run_burst(tmp_path)
    for key in (job.key, f"rq:results:{job.id}"):
        if kept is None:
            assert not redis.exists(key)
        else:
            assert redis.ttl(key) == kept or 0 < kept - redis.ttl(key) < 50
    assert [result.return_value for result in job.results()] == ([] if kept is None else [3])


#: What may stand in Redis without an end: names, places, and what is kept for ever by request.
LASTING = ("rq:queues", "rq:workers", "rq:queue:", "rq:finished:", "rq:failed:", "rq:scheduled:")


def without_an_end(redis: redis_py.Redis) -> set[str]:
    keys = [key.decode() for key in redis.scan_iter() if redis.ttl(key) == -1]
    return {key for key in keys if not key.startswith(LASTING)}


def test_nothing_is_left_behind(redis: redis_py.Redis, tmp_path: Path) -> None:
    queue = get_queue()
    for number in range(5):
        queue.enqueue(add, number, ttl=3600)
        queue.enqueue(divide, number, 0)
        queue.enqueue(echo, number, result_ttl=0)
        queue.enqueue(divide, 1, 0, retry=Retry(2), failure_ttl=100)
        queue.enqueue(echo, number, repeat=Repeat(1))
        queue.enqueue(ask_for_retry, str(tmp_path / f"{number}"), 1)
    deleted = [queue.enqueue(call, 1, 0) for call in (add, divide) for _ in range(3)]

    run_burst(tmp_path)
    for job in deleted:
        job.delete()

    assert without_an_end(redis) == set()
    assert not [key for key in redis.scan_iter() if any(job.id in str(key) for job in deleted)]
    assert redis.llen("rq:queue:default") == 0

    # Kept for ever, by request and no longer than wanted.
    for_ever = queue.enqueue(add, 1, result_ttl=-1)
    failed = queue.enqueue(divide, 1, 0, failure_ttl=-1)
    run_burst(tmp_path)
    assert without_an_end(redis) == {
        f"rq:{kind}:{job.id}" for kind in ("job", "results") for job in (for_ever, failed)
    }
    for_ever.delete()
    failed.requeue()
    get_queue().empty()
    assert without_an_end(redis) == set()


def test_a_retry_that_may_not_wait_for_ever_leaves_nothing(redis: redis_py.Redis) -> None:
    job = enqueue(add, ttl=50)
    hold = start()
    again(hold, delay=60)
    redis.zadd("rq:scheduled:default", {job.id: 1})  # a minute later
    engine().promote(["default"])
    for key in (job.key, f"rq:results:{job.id}"):
        assert 0 < redis.ttl(key) <= 50
    start(execution="e2")
    for key in (job.key, f"rq:results:{job.id}"):
        assert redis.ttl(key) == -1, "it runs, and its history with it"


def test_what_was_retried_leaves_nothing_when_it_is_given_up(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    canceled, deleted = (
        enqueue(divide, 1, 0, retry=Retry(1, interval=3600), unique_key=key, unique_for=60)
        for key in ("a", "b")
    )
    run_burst(tmp_path)
    assert without_an_end(redis) == {
        f"rq:{kind}:{job.id}" for kind in ("job", "results") for job in (canceled, deleted)
    }, "both are still to run"
    canceled.cancel()
    deleted.delete()
    assert {key for key in without_an_end(redis) if "canceled" not in key} == set()
    assert not [key for key in redis.scan_iter() if deleted.id in str(key) or b"unique:b" in key]
