"""Jobs that move to another queue, and scheduled jobs that are enqueued before their time."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
import redis as redis_py

from django_rqlite import enqueue, get_queue
from tests.keyspace import dumped, places
from tests.outcomes_in_redis import engine, fail, finish, start
from tests.sample_jobs import add

pytestmark = pytest.mark.usefixtures("redis")


def listed(redis: redis_py.Redis, queue: str) -> list[str]:
    return [member.decode() for member in redis.lrange(f"rq:queue:{queue}", 0, -1)]


def test_what_waits_comes_last_in_the_other_queue_in_its_order(redis: redis_py.Redis) -> None:
    ids = [enqueue(add).id for _ in range(4)]
    there = get_queue("high").enqueue(add).id
    assert engine().move([*ids[:3], "ghost", ids[0]], "high") == [
        *["moved"] * 3,
        "missing",
        "there",
    ]
    assert listed(redis, "default") == ids[3:]
    assert listed(redis, "high") == [there, *ids[:3]]
    assert redis.hget(f"rq:job:{ids[0]}", "origin") == b"high"


def test_a_moved_job_runs_from_the_other_queue(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    assert engine().move([job.id], "never seen") == ["moved"]
    assert b"rq:queue:never seen" in redis.smembers("rq:queues")
    assert start("never seen").job_id == job.id


def test_every_other_place_keeps_its_score(redis: redis_py.Redis) -> None:
    due = get_queue().enqueue_in(timedelta(hours=1), add).id
    child = enqueue(add, depends_on=enqueue(add)).id
    fail(start(), ttl=500)
    failed = enqueue(add).id
    fail(start(), ttl=500)
    finished = enqueue(add).id
    finish(start(), 1, ttl=500)
    canceled = enqueue(add)
    canceled.cancel()
    stand = {
        "scheduled": due,
        "canceled": child,  # since its parent failed
        "failed": failed,
        "finished": finished,
    }
    before = {place: redis.zscore(f"rq:{place}:default", id_) for place, id_ in stand.items()}
    assert engine().move([*stand.values(), canceled.id], "low") == ["moved"] * 5
    for place, job_id in stand.items():
        assert places(redis, job_id) == [f"{place}:low"]
        assert redis.zscore(f"rq:{place}:low", job_id) == before[place]
    # It is requeued in its new queue.
    assert engine().requeue([failed]) == ["queued"]
    assert places(redis, failed) == ["queue:low"]


def test_one_that_waits_for_another_is_queued_where_it_went(redis: redis_py.Redis) -> None:
    parent = enqueue(add)
    child = enqueue(add, depends_on=parent).id
    assert engine().move([child], "low") == ["moved"]
    assert places(redis, child) == ["deferred:low"]
    finish(start(), 1, ttl=500)
    assert places(redis, child) == ["queue:low"]


def test_what_runs_stays(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    start()
    before = dumped(redis)
    assert engine().move([job.id], "low") == ["started"]
    assert {key for key, value in dumped(redis).items() if before.get(key) != value} <= {
        b"rq:queues"
    }


@pytest.mark.parametrize("key", ["rq:queue:low", "rq:failed:low", "rq:scheduled:low"])
def test_foreign_data_in_the_other_queue_changes_nothing(redis: redis_py.Redis, key: str) -> None:
    job = enqueue(add)
    redis.set(key, "foreign")
    before = dumped(redis)
    with pytest.raises(redis_py.ResponseError, match="WRONGTYPE"):
        engine().move([job.id], "low")
    assert dumped(redis) == before


@pytest.mark.parametrize("hint", [0, 1000, 2500, 9999])
def test_many_from_the_middle_of_a_long_queue(redis: redis_py.Redis, hint: int) -> None:
    """They are found whatever the caller says about the entries behind them."""
    queue = get_queue(commit_mode="auto")
    ids = [job.id for job in queue.enqueue_many([queue.prepare_data(add)] * 4000)]
    out = sorted(random.Random(1).sample(range(500, 1500), 300))
    moved = [ids[number] for number in out]
    assert engine().move(moved, "high", behind=hint) == ["moved"] * 300
    assert sorted(listed(redis, "high")) == sorted(moved)
    if hint == 2500:
        assert listed(redis, "high") == moved, "in their order"
    gone = set(moved)
    assert listed(redis, "default") == [job_id for job_id in ids if job_id not in gone]


def test_several_are_hastened(redis: redis_py.Redis) -> None:
    due = [get_queue().enqueue_in(timedelta(hours=1), add).id for _ in range(2)]
    waits = enqueue(add).id
    redis.set("rq:job:odd", "foreign")
    assert engine().enqueue_now([*due, waits, "ghost", "odd", due[0]]) == [
        "queued",
        "queued",
        "not scheduled",
        "missing",
        "missing",
        "not scheduled",
    ]
    assert listed(redis, "default") == [waits, *due]
    assert redis.zcard("rq:scheduled:default") == 0
