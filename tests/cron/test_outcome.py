"""The outcome of a cron entry's last job stays in the entry's record."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from django_rqlite import Job
from django_rqlite.broker.broker import Broker
from django_rqlite.engine.engine import Engine
from django_rqlite.protocol.keys import Keys
from tests.conftest import wait_until
from tests.outcomes_in_redis import engine, fail, finish, start
from tests.worker_process import worker

if TYPE_CHECKING:
    import redis as redis_py

KEYS = Keys()
ENTRY = KEYS.cron_entry("nightly")


def server_time(redis: redis_py.Redis) -> int:
    return int(redis.time()[0])


def ticked(redis: redis_py.Redis, ago: int = 0) -> str:
    """The job of a tick some seconds ago."""
    job_id, tick = uuid.uuid4().hex, server_time(redis) - ago
    fields = {"data": b"", "x_cron": "nightly"}
    Engine(Broker(redis)).cron_tick("nightly", tick, tick + 60, job_id, "default", fields)
    return job_id


def stored(redis: redis_py.Redis) -> tuple[str | None, ...]:
    """The job, its outcome and its error, as the entry's record has them."""
    values = redis.hmget(ENTRY, "last_job", "last_outcome", "last_error")
    return tuple(None if value is None else value.decode() for value in values)


@pytest.mark.parametrize("ttl", [500, 0, -1])
def test_a_job_that_finished(redis: redis_py.Redis, ttl: int) -> None:
    job_id = ticked(redis)
    assert stored(redis) == (job_id, None, None), "nothing is known of it yet"
    begin = server_time(redis)
    assert finish(start(), 7, ttl)
    assert stored(redis) == (job_id, "finished", "")
    assert begin <= int(redis.hget(ENTRY, "last_ended_at") or 0) <= server_time(redis)


@pytest.mark.parametrize("status", ["failed", "stopped"])
def test_a_job_that_did_not(redis: redis_py.Redis, status: str) -> None:
    job_id = ticked(redis)
    assert fail(start(), status=status)
    assert stored(redis) == (job_id, status, "ValueError: no")


def test_a_job_that_was_canceled(redis: redis_py.Redis) -> None:
    job_id = ticked(redis)
    Job.fetch(job_id).cancel()
    assert stored(redis) == (job_id, "canceled", "")


def test_the_next_tick_begins_anew(redis: redis_py.Redis) -> None:
    ticked(redis, ago=60)
    fail(start())
    job_id = ticked(redis)
    assert stored(redis) == (job_id, None, None)
    assert not redis.hexists(ENTRY, "last_ended_at")


def test_an_older_job_that_ends_later_is_not_told_of(redis: redis_py.Redis) -> None:
    ticked(redis, ago=60)
    older = start(execution="e1")
    newer = ticked(redis)
    finish(start(execution="e2"))
    assert fail(older)
    assert stored(redis) == (newer, "finished", "")


def test_an_execution_that_lost_its_job_says_nothing(redis: redis_py.Redis) -> None:
    job_id = ticked(redis)
    hold = start()
    redis.zrem(KEYS.started("default"), f"{job_id}:e1")
    assert not finish(hold)
    assert not fail(hold)
    assert stored(redis) == (job_id, None, None)


def test_a_long_error_is_cut_between_characters(redis: redis_py.Redis) -> None:
    ticked(redis)
    fail(start(), reason="e" + "ü" * 5000)
    assert stored(redis)[2] == "e" + "ü" * 599


@pytest.mark.parametrize("foreign", ["text", "list", "nothing", "another hash"])
def test_what_stands_in_the_record_s_place_is_left_alone(
    redis: redis_py.Redis, foreign: str
) -> None:
    for end in (finish, fail):
        redis.flushdb()
        job_id = ticked(redis)
        hold = start()
        redis.delete(ENTRY)
        if foreign == "text":
            redis.set(ENTRY, job_id)
        elif foreign == "list":
            redis.rpush(ENTRY, job_id)
        elif foreign == "another hash":
            redis.hset(ENTRY, "field", "value")
        before = redis.dump(ENTRY)
        assert end(hold)
        assert redis.dump(ENTRY) == before
        expected = "finished" if end is finish else "failed"
        assert Job.fetch(job_id).get_status() == expected


def test_a_retry_is_no_end(redis: redis_py.Redis) -> None:
    job_id = ticked(redis)
    hold = start()
    answer = engine().retry_or_repeat(
        "w",
        hold,
        worker_name="w",
        delay=0,
        at_front=False,
        counter="retries_left",
        change=-1,
        tally="x_tries",
        kind="3",
        payload_field="exc_string",
        payload=b"",
        headline="ValueError: no",
        succeeded=False,
    )
    assert answer.stored
    assert stored(redis) == (job_id, None, None)
    finish(start(execution="e2"))
    assert stored(redis) == (job_id, "finished", "")


def test_a_job_that_lost_its_worker(redis: redis_py.Redis) -> None:
    job_id = ticked(redis)
    hold = start()
    redis.zadd(KEYS.started("default"), {f"{job_id}:e1": 1})
    (reaped,) = engine().reap(["default"], most_crashes=1, patience=0)
    assert reaped.verdict == "requeued"
    assert stored(redis) == (job_id, None, None), "it will run again"
    assert not finish(hold), "the worker was only slow"
    assert stored(redis) == (job_id, None, None)

    hold = start(execution="e2")
    redis.zadd(KEYS.started("default"), {f"{job_id}:e2": 1})
    (reaped,) = engine().reap(["default"], most_crashes=1, patience=0)
    assert reaped.verdict == "spent"
    fail(hold, reason="its worker died")
    assert stored(redis) == (job_id, "failed", "its worker died")


def test_a_job_that_was_requeued(redis: redis_py.Redis) -> None:
    job_id = ticked(redis)
    fail(start())
    Job.fetch(job_id).requeue()
    finish(start(execution="e2"))
    assert stored(redis) == (job_id, "finished", "")


def test_a_job_that_is_run_beside_the_ticks_is_the_last(redis: redis_py.Redis) -> None:
    ticked(redis)
    fail(start())
    ticks = redis.hmget(ENTRY, "last_tick", "next_tick", "enqueued_at")
    arrows, fields = Engine(Broker(redis)), {"data": b"", "x_cron": "nightly"}
    for _try in range(2):  # an answer was lost
        arrows.cron_run("nightly", "extra", "default", fields, ttl=90)
    assert redis.lrange(KEYS.queue("default"), 0, -1) == [b"extra"]
    assert 80 < redis.ttl(KEYS.job("extra")) <= 90
    assert redis.smembers(KEYS.queues) == {KEYS.queue("default").encode()}
    assert stored(redis) == ("extra", None, None)
    assert redis.hmget(ENTRY, "last_tick", "next_tick", "enqueued_at") == ticks
    finish(start(execution="e2"))
    assert stored(redis) == ("extra", "finished", "")


@pytest.mark.parametrize("foreign", [True, False])
def test_a_job_runs_beside_the_ticks_of_no_record(redis: redis_py.Redis, foreign: bool) -> None:
    if foreign:
        redis.set(ENTRY, "x")
    fields = {"data": b"", "x_cron": "nightly"}
    Engine(Broker(redis)).cron_run("nightly", "extra", "default", fields)
    assert redis.lrange(KEYS.queue("default"), 0, -1) == [b"extra"]
    assert redis.type(ENTRY) == (b"string" if foreign else b"none")


def test_a_real_worker(redis: redis_py.Redis, tmp_path: Path) -> None:
    entry = {"func": "tests.sample_jobs.divide", "args": [1, 0], "cron": "0 3 * * *"}
    good = {"func": "tests.sample_jobs.add", "args": [1, 2], "interval": "1h", "result_ttl": 0}
    for name, schedule in (("nightly", "0 3 * * * UTC"), ("hourly", "every 3600 s")):
        record = {"schedule": schedule, "since": 1, "last_tick": server_time(redis) - 10 * 86400}
        redis.hset(KEYS.cron_entry(name), mapping=record)
    entry["timezone"] = "UTC"
    environment = {"RQ_TEST_CRON": json.dumps({"nightly": entry, "hourly": good})}
    with worker(tmp_path, environment=environment) as process:
        for name in ("nightly", "hourly"):
            key = KEYS.cron_entry(name)
            wait_until(lambda key=key: redis.hexists(key, "last_outcome"), "its outcome is stored")
        assert process.process.poll() is None, process.output
    job_id, *outcome = stored(redis)
    assert outcome == ["failed", "ZeroDivisionError: division by zero"]
    redis.delete(KEYS.job(job_id or ""))
    assert stored(redis) == (job_id, *outcome)
    hourly = redis.hgetall(KEYS.cron_entry("hourly"))
    assert hourly[b"last_outcome"] == b"finished"
    assert not redis.exists(KEYS.job(hourly[b"last_job"].decode()))
