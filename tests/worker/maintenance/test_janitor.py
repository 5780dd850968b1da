"""Periodic cleaning, with registries of any size."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis as redis_py

from django_rqlite import get_connection
from django_rqlite.broker.broker import Broker
from django_rqlite.engine.base import BATCH
from django_rqlite.engine.engine import Engine, NextClaim
from django_rqlite.engine.removal import MOST_TRIMMED
from django_rqlite.worker.maintenance import janitor, reaper
from tests.engine.test_long_lists import listed, waiting
from tests.keyspace import commands
from tests.outcomes_in_redis import engine

QUEUES = ("default", "high", "low")
FAR = 4_000_000_000


def reap(*queues: str) -> list[tuple[str, str, str]]:
    found = engine().reap(queues, most_crashes=3, patience=90)
    return [(each.hold.queue, each.hold.job_id, each.verdict) for each in found]


def lose_workers(redis: redis_py.Redis, queue: str, *ids: str) -> None:
    """Jobs of workers that are never heard of again."""
    for job_id in ids:
        fields = {"data": b"\x80", "timeout": 180}
        engine().enqueue(job_id, queue, fields, minted=True)
        engine().claim("dead", NextClaim(f"of-{job_id}", (queue,), 60))
        redis.zadd(f"rq:wip:{queue}", {f"{job_id}:of-{job_id}": 1}, xx=True)


SWEEPS: dict[str, Callable[[Engine, list[str]], object]] = {
    "reap": lambda link, queues: reaper.reap(link, queues, requeue=True),
    "rescue": reaper.rescue,
    "place": reaper.place,
    "foreign keys": lambda link, queues: link.wrong_type_keys(queues, 0, []),
    **janitor.SWEEPS,
}


@pytest.mark.parametrize("sweep", SWEEPS)
def test_many_queues_take_as_many_commands_as_one(redis: redis_py.Redis, sweep: str) -> None:
    link = Engine(Broker.of(get_connection()))
    SWEEPS[sweep](link, ["default"])  # which sends the scripts
    one = commands(redis, lambda: SWEEPS[sweep](link, ["default"]))
    many = commands(redis, lambda: SWEEPS[sweep](link, [f"q{number}" for number in range(20)]))
    assert many == one
    assert set(one) == {"EVALSHA"}


# Leases that have ended


def test_jobs_go_back_to_their_own_queues(redis: redis_py.Redis) -> None:
    for queue in QUEUES:
        lose_workers(redis, queue, f"a-{queue}", f"b-{queue}")
    redis.hset("rq:job:b-high", "x_crashes", 3)
    assert reap("low", "high") == [
        ("low", "a-low", "requeued"),
        ("low", "b-low", "requeued"),
        ("high", "a-high", "requeued"),
        ("high", "b-high", "spent"),
    ]
    assert listed(redis, "rq:queue:low") == ["b-low", "a-low"]
    assert listed(redis, "rq:queue:high") == ["a-high"]
    assert not redis.exists("rq:queue:default")
    assert reap(*QUEUES)[0] == ("default", "a-default", "requeued")


@pytest.mark.parametrize("key", ["rq:wip:default", "rq:queue:default"])
def test_foreign_data_in_one_queue_leaves_the_others_to_be_reaped(
    redis: redis_py.Redis, key: str
) -> None:
    for queue in QUEUES:
        lose_workers(redis, queue, f"a-{queue}")
    redis.set(key, "foreign")
    assert reap(*QUEUES) == [("high", "a-high", "requeued"), ("low", "a-low", "requeued")]
    assert redis.get(key) == b"foreign"


def test_a_great_loss_is_met_in_several_calls(redis: redis_py.Redis) -> None:
    gone = {f"gone-{number}:e": 1 for number in range(BATCH)}
    redis.zadd("rq:wip:default", gone)
    lose_workers(redis, "high", "a")
    assert len(reap(*QUEUES)) == BATCH
    assert reap(*QUEUES) == [("high", "a", "requeued")]


def test_one_call_searches_a_long_queue_once(redis: redis_py.Redis) -> None:
    # RQ's workers died between their two steps; what the last one took stands in the queue again.
    ids = waiting(redis)
    for number in range(3):
        redis.hset(f"rq:job:lost-{number}", mapping={"status": "queued", "origin": "default"})
        redis.zadd("rq:wip:default", {f"lost-{number}:e": number + 1})
    redis.zadd("rq:wip:default", {f"{ids[1500]}:e": 4})
    redis.rpush("rq:queue:default:intermediate", *(f"lost-{number}" for number in range(3)))

    assert [reap("default") for _ in range(5)] == [
        [("default", "lost-0", "requeued")],
        [("default", "lost-1", "requeued")],
        [("default", "lost-2", "requeued")],
        [("default", ids[1500], "gone")],
        [],
    ]

    assert listed(redis, "rq:queue:default") == ["lost-2", "lost-1", "lost-0", *ids]
    assert not redis.exists("rq:queue:default:intermediate")


# What RQ's workers took


def test_ids_are_put_back_into_their_own_queues(redis: redis_py.Redis) -> None:
    for queue in QUEUES:
        redis.hset(f"rq:job:of-{queue}", mapping={"status": "queued", "origin": queue})
        redis.rpush(f"rq:queue:{queue}:intermediate", f"of-{queue}")
        redis.set(f"rq:queue:{queue}:intermediate:first_seen:of-{queue}", 1)
    redis.delete("rq:queue:high:intermediate")
    redis.set("rq:queue:high:intermediate", "foreign")
    found = engine().clean_intermediate_queues(QUEUES, patience=60)
    assert found == [("default", "of-default"), ("low", "of-low")]
    assert listed(redis, "rq:queue:low") == ["of-low"]
    assert redis.get("rq:queue:high:intermediate") == b"foreign"


# Registries


def test_all_that_has_expired_goes_however_much(redis: redis_py.Redis) -> None:
    old = [f"old-{number}" for number in range(BATCH + 50)]
    redis.zadd("rq:failed:default", dict.fromkeys(old, 5) | {"kept": -1, "new": FAR})
    redis.rpush("rq:queue:failed", *old, "kept", "new")
    many = [f"old-{number}" for number in range(MOST_TRIMMED + 50)]
    redis.zadd("rq:finished:high", dict.fromkeys(many, 5) | {"new": FAR, "ever": float("inf")})
    redis.zadd("rq:canceled:low", {"long ago": 1, "lately": redis.time()[0]})

    assert engine().trim(*QUEUES) == len(old) + len(many) + 1

    assert redis.zrange("rq:failed:default", 0, -1) == [b"kept", b"new"]
    assert listed(redis, "rq:queue:failed") == ["kept", "new"]
    assert redis.zrange("rq:finished:high", 0, -1) == [b"new", b"ever"]
    assert redis.zrange("rq:canceled:low", 0, -1) == [b"lately"]


def test_one_call_takes_no_more_than_it_may(redis: redis_py.Redis) -> None:
    for queue in QUEUES:
        redis.zadd(f"rq:failed:{queue}", {f"old-{number}": 1 for number in range(BATCH - 50)})
    calls = commands(redis, lambda: engine().trim(*QUEUES))
    assert [call for call in calls if call.startswith("EVAL")] == calls[-3:]
    assert len(calls) >= 3


@pytest.mark.parametrize("place", ["finished", "failed", "canceled"])
def test_a_foreign_registry_leaves_the_others_to_be_trimmed(
    redis: redis_py.Redis, place: str
) -> None:
    redis.set(f"rq:{place}:default", "foreign")
    redis.zadd(f"rq:{place}:high", {"old": 1})
    assert engine().trim("default", "high") == 1
    assert redis.get(f"rq:{place}:default") == b"foreign"


# What is due


def test_what_is_due_in_many_queues_is_moved_a_batch_at_a_time(redis: redis_py.Redis) -> None:
    due = BATCH - 50
    for queue in QUEUES:
        with redis.pipeline(transaction=False) as pipeline:
            for number in range(due):
                job_id = f"{queue}-{number}"
                pipeline.hset(f"rq:job:{job_id}", mapping={"origin": queue, "data": b"\x80"})
                pipeline.zadd(f"rq:scheduled:{queue}", {job_id: number + 1})
            pipeline.execute()
    redis.hset("rq:job:later", mapping={"origin": "low", "data": b"\x80"})
    redis.zadd("rq:scheduled:low", {"later": FAR})
    promoted = [engine().promote(QUEUES) for _ in range(3)]
    assert [each.moved for each in promoted] == [BATCH, BATCH, 3 * due - 2 * BATCH]
    assert promoted[0].next_due == 1, "of those that are left"
    assert promoted[2].next_due == FAR
    for queue in QUEUES:
        assert listed(redis, f"rq:queue:{queue}") == [f"{queue}-{n}" for n in range(due)]


def test_no_time_is_too_early_to_be_due(redis: redis_py.Redis) -> None:
    redis.hset("rq:job:a", mapping={"origin": "default", "data": b"\x80"})
    redis.zadd("rq:scheduled:default", {"a": -5, "gone": float("-inf"), "never": float("inf")})
    promoted = engine().promote(["default"])
    assert listed(redis, "rq:queue:default") == ["a"]
    assert promoted.moved == 1
    assert promoted.next_due == float("inf")


# Groups


def test_a_large_group_is_tidied_in_several_calls(redis: redis_py.Redis) -> None:
    redis.sadd("rq:groups", "g", "gone", "foreign")
    redis.sadd("rq:group:g", *range(3000))
    redis.set("rq:group:foreign", "foreign")
    for number in range(0, 3000, 3):
        redis.hset(f"rq:job:{number}", "status", "finished")
    tidied: list[int] = []
    calls = commands(redis, lambda: tidied.append(engine().clean_groups("g", "gone", "foreign")))
    assert tidied == [2000]
    assert len([call for call in calls if call.startswith("EVAL")]) >= 3000 / BATCH / 4
    assert redis.smembers("rq:group:g") == {str(number).encode() for number in range(0, 3000, 3)}
    assert redis.smembers("rq:groups") == {b"g", b"foreign"}
    assert redis.get("rq:group:foreign") == b"foreign"


# Workers whose records have expired


def register(name: str, *queues: str) -> None:
    fields = {"queues": ",".join(queues)}
    engine().register_worker(name, queues, fields, hostname="h", pid=1, ttl=1000, silence=60)


def test_who_ended_without_leave_is_listed_no_more(redis: redis_py.Redis) -> None:
    for name in ("alive", "gone"):
        register(name, "default", "other")
    redis.sadd("rq:queues", "rq:queue:other")
    redis.delete("rq:worker:gone")
    # RQ lists a worker as it writes its record.
    redis.hset("rq:worker:of-rq", "birth", "2026-01-02T03:04:05Z")
    redis.sadd("rq:workers", "rq:worker:of-rq", "nonsense")
    assert engine().clean_worker_registry("default") == 1
    assert redis.smembers("rq:workers") == {b"rq:worker:alive", b"rq:worker:of-rq", b"nonsense"}
    for queue in ("default", "other"):
        assert redis.smembers(f"rq:workers:{queue}") == {b"rq:worker:alive"}
    assert engine().clean_worker_registry("default") == 0


def test_what_a_queue_alone_lists_goes_too(redis: redis_py.Redis) -> None:
    redis.sadd("rq:workers:default", "rq:worker:gone")
    assert engine().clean_worker_registry("default") == 1
    assert not redis.exists("rq:workers:default")


def test_who_holds_a_job_stays_until_it_is_taken(redis: redis_py.Redis) -> None:
    register("dead", "elsewhere")
    lose_workers(redis, "elsewhere", "job")
    redis.delete("rq:worker:dead")
    assert engine().clean_worker_registry("default") == 0
    assert reap("elsewhere") == [("elsewhere", "job", "requeued")]
    assert engine().clean_worker_registry("default") == 1
    assert not redis.exists("rq:workers", "rq:workers:elsewhere")


def test_so_many_that_one_call_leaves_some(redis: redis_py.Redis) -> None:
    redis.sadd("rq:workers", *(f"rq:worker:host.{number}" for number in range(250)))
    assert [engine().clean_worker_registry() for _ in range(4)] == [100, 100, 50, 0]


@pytest.mark.parametrize("key", ["rq:workers", "rq:workers:default", "rq:wip:default", "rq:queues"])
def test_keys_of_workers_that_are_something_else(redis: redis_py.Redis, key: str) -> None:
    for name in ("rq:workers", "rq:workers:default"):
        redis.sadd(name, "rq:worker:gone")
    redis.delete(key)
    redis.set(key, "x")
    assert engine().clean_worker_registry("default") == 1
    assert redis.get(key) == b"x"
