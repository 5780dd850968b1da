"""Each run is counted in the minute in which it ends, with how long it waited and ran."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from django_rqlite import Retry, enqueue
from django_rqlite.engine.engine import Hold
from tests.outcomes_in_redis import fail, finish, start
from tests.sample_jobs import add, divide
from tests.worker_process import run_burst

pytestmark = pytest.mark.usefixtures("redis")


def counts(redis: redis_py.Redis) -> Counter[str]:
    """The counts of the queue ``default``, of all minutes together."""
    found: Counter[str] = Counter()
    for key in redis.keys("rq:x:activity:default:*"):
        for field, count in redis.hgetall(key).items():
            minute, what = field.decode().split(":")
            assert 0 <= int(minute) < 60
            found[what] += int(count)
    return found


def waits(redis: redis_py.Redis) -> int:
    return sum(count for what, count in counts(redis).items() if what.startswith("w"))


def test_runs_are_counted_in_the_minute_they_end(redis: redis_py.Redis, tmp_path: Path) -> None:
    enqueue(add, 1)
    enqueue(add, 2, result_ttl=0)
    enqueue(divide, 1, 0)
    enqueue(divide, 2, 0, retry=Retry(2))

    run_burst(tmp_path)

    found = counts(redis)
    assert (found["done"], found["failed"]) == (2, 4)
    assert waits(redis) == sum(n for what, n in found.items() if what.startswith("r")) == 6


def test_counts_are_kept_for_a_day(redis: redis_py.Redis) -> None:
    enqueue(add)
    finish(start())
    hour = redis.time()[0] // 3600
    (key,) = redis.keys("rq:x:activity:*")
    assert int(key.rpartition(b":")[2]) in (hour, hour - 1)
    assert 25 * 3600 < redis.ttl(key) <= 26 * 3600


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    # Far from the upper ends of the buckets, since the test itself takes time. A run that began in
    # the future, by the server's clock, counts in the lowest bucket.
    [(0.3, "r-1"), (2.2, "r2"), (70, "r7"), (1e9, "r20"), (-5, "r-10")],
)
def test_run_times_fall_into_powers_of_two(
    redis: redis_py.Redis, seconds: float, bucket: str
) -> None:
    enqueue(add)
    hold = start()
    whole, micro = redis.time()
    began(redis, hold, f"{whole + micro / 1e6 - seconds:.6f}")
    finish(hold)
    assert counts(redis)[bucket] == 1


def began(redis: redis_py.Redis, hold: Hold, moment: str) -> None:
    redis.hset(f"rq:execution:{hold.job_id}:{hold.execution}", "created_at", moment)


@pytest.mark.parametrize(
    ("enqueued", "start_at", "bucket"),
    [
        ("2024-02-29T23:59:59Z", 1709251200, "w1"),  # one second before the end of a leap day
        ("2026-01-01T00:00:00Z", 1767225600, "w0"),
        ("2026-12-31T23:00:00.123456Z", 1798758000 + 3599, "w12"),
        ("2000-03-01T00:00:00Z", 951868800 + 7, "w3"),
    ],
)
def test_waits_are_counted_from_what_the_job_says(
    redis: redis_py.Redis, enqueued: str, start_at: int, bucket: str
) -> None:
    job = enqueue(add)
    hold = start()
    redis.hset(job.key, "enqueued_at", enqueued)
    began(redis, hold, f"{start_at}.500000")
    fail(hold)
    assert counts(redis)[bucket] == waits(redis) == 1


@pytest.mark.parametrize("enqueued", [None, "", "yesterday", "2026-13-99", b"\xff"])
def test_a_wait_that_is_not_known_is_left_out(redis: redis_py.Redis, enqueued: Any) -> None:
    job = enqueue(add)
    hold = start()
    if enqueued is None:
        redis.hdel(job.key, "enqueued_at")
    else:
        redis.hset(job.key, "enqueued_at", enqueued)
    assert finish(hold)
    assert (counts(redis)["done"], waits(redis)) == (1, 0)


def test_a_stopped_job_has_not_failed(redis: redis_py.Redis) -> None:
    enqueue(add)
    fail(start(), status="stopped")
    assert not counts(redis)


def test_foreign_data_in_place_of_the_counts_keeps_no_job_from_ending(
    redis: redis_py.Redis,
) -> None:
    job = enqueue(add)
    hold = start()
    hour = redis.time()[0] // 3600
    for each in (hour, hour + 1):
        redis.set(f"rq:x:activity:default:{each}", "not a hash")
    assert finish(hold)
    assert job.is_finished
