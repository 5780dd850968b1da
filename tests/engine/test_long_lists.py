"""Long lists: ids leave the middle of one, and nothing is searched more than needed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import redis as redis_py

from django_rqlite.broker.broker import Broker
from django_rqlite.engine import list_removal
from django_rqlite.engine.engine import Engine, NextClaim
from tests.keyspace import places
from tests.outcomes_in_redis import engine, fail, start

QUEUE, MIRROR, NOTES = "rq:queue:default", "rq:queue:failed", "rq:x:unmirrored"

#: More than the scripts look at from either end.
LONG = 3000


def waiting(redis: redis_py.Redis, count: int = LONG) -> list[str]:
    """Jobs that wait in a queue."""
    ids = [f"job-{number}" for number in range(count)]
    with redis.pipeline(transaction=False) as pipeline:
        for job_id in ids:
            fields = {"status": "queued", "origin": "default", "data": b"\x80", "timeout": 180}
            pipeline.hset(f"rq:job:{job_id}", mapping=fields)
        pipeline.rpush(QUEUE, *ids)
        pipeline.sadd("rq:queues", QUEUE)
        pipeline.execute()
    return ids


def failed(redis: redis_py.Redis, count: int = LONG) -> list[str]:
    """Jobs that our workers failed."""
    ids = [f"job-{number}" for number in range(count)]
    with redis.pipeline(transaction=False) as pipeline:
        for number, job_id in enumerate(ids):
            fields = {"status": "failed", "origin": "default", "x_mirrored": 1}
            pipeline.hset(f"rq:job:{job_id}", mapping=fields)
            pipeline.zadd("rq:failed:default", {job_id: 4_000_000_000 + number})
        pipeline.rpush(MIRROR, *ids)
        pipeline.execute()
    return ids


def listed(redis: redis_py.Redis, key: str) -> list[str]:
    return [member.decode() for member in redis.lrange(key, 0, -1)]


def command_counts(redis: redis_py.Redis, act: Callable[[], object]) -> dict[str, int]:
    """How often each command ran during ``act()``, in scripts too."""

    def calls() -> dict[str, int]:
        return {name: stats["calls"] for name, stats in redis.info("commandstats").items()}

    before = calls()
    act()
    return {
        name.removeprefix("cmdstat_"): count - before.get(name, 0)
        for name, count in calls().items()
        if count > before.get(name, 0)
    }


# Jobs that wait in the middle of a queue

WHERE = {"first": 0, "near the beginning": 150, "middle": 1400, "near the end": 2900, "last": 2999}


@pytest.mark.parametrize("number", WHERE.values(), ids=WHERE)
def test_one_job_leaves_wherever_it_waits(redis: redis_py.Redis, number: int) -> None:
    ids = waiting(redis)
    gone = ids.pop(number)
    assert engine().delete([gone]) == [True]
    assert listed(redis, QUEUE) == ids
    assert not redis.exists(f"rq:job:{gone}")

    canceled = ids.pop(min(number, len(ids) - 1))
    assert engine().cancel([canceled]) == ["canceled"]
    assert listed(redis, QUEUE) == ids
    assert places(redis, canceled) == ["canceled:default"]


def test_of_one_that_waits_twice_nothing_stays_near_the_ends(redis: redis_py.Redis) -> None:
    ids = waiting(redis)
    redis.linsert(QUEUE, "AFTER", ids[20], ids[10])
    assert engine().delete([ids[10]]) == [True]
    assert listed(redis, QUEUE) == ids[:10] + ids[11:]


def test_one_that_is_in_no_list_can_be_deleted_and_canceled(redis: redis_py.Redis) -> None:
    ids = waiting(redis)
    odd = [ids.pop(1500) for _ in range(30)]
    for job_id in odd:
        redis.lrem(QUEUE, 1, job_id)
    assert engine().cancel(odd[:15]) == ["canceled"] * 15
    assert sum(engine().delete(odd[15:])) == 15
    assert sum(engine().delete(odd[:1])) == 1
    assert listed(redis, QUEUE) == ids
    assert redis.zcard("rq:canceled:default") == 14


@pytest.mark.parametrize("arrow", ["delete", "cancel"])
def test_many_leave_in_one_pass(redis: redis_py.Redis, arrow: str) -> None:
    def take(ids: Sequence[str]) -> Callable[[], object]:
        return lambda: getattr(engine(), arrow)(ids)

    ids = waiting(redis)
    out = random.Random(1).sample(ids, 300)
    counts = command_counts(redis, take(out))
    assert counts["lrem"] <= 60, "not one search for each"
    assert listed(redis, QUEUE) == [job_id for job_id in ids if job_id not in out]
    # In a longer list they cost no more, apart from reading it.
    redis.flushdb()
    ids = waiting(redis, 2 * LONG)
    out = random.Random(1).sample(ids[LONG // 2 : LONG + LONG // 2], 300)
    more = command_counts(redis, take(out))
    assert more["evalsha"] <= counts["evalsha"] + 2
    assert more["lrem"] <= counts["lrem"] + 2


def test_each_has_its_answer(redis: redis_py.Redis) -> None:
    ids = waiting(redis)
    running = start().job_id
    redis.hset("rq:job:ended", mapping={"status": "finished", "origin": "default"})
    redis.set("rq:job:odd", "foreign")
    asked = ["ghost", running, "ended", "odd", *ids[1000:1020], ids[1000]]
    answers = engine().cancel(asked)
    assert answers[:4] == ["missing", "started", "finished", "missing"]
    # The id that was given twice is canceled once.
    assert sorted(answers[4:]) == ["already", *["canceled"] * 20]
    assert sum(engine().delete(["ghost", "odd", *ids[2000:2020], ids[2000]])) == 21
    assert redis.zcard("rq:canceled:default") == 20
    assert redis.llen(QUEUE) == LONG - 1 - 20 - 20
    assert not redis.exists("rq:job:odd")


def test_they_may_wait_in_several_queues(redis: redis_py.Redis) -> None:
    ids = waiting(redis)
    for job_id in ids[::2]:
        redis.hset(f"rq:job:{job_id}", "origin", "high")
    redis.delete(QUEUE)
    redis.rpush(QUEUE, *ids[1::2])
    redis.rpush("rq:queue:high", *ids[::2])
    assert sum(engine().delete(ids[1000:2000])) == 1000
    assert listed(redis, QUEUE) == ids[1:1000:2] + ids[2001::2]
    assert listed(redis, "rq:queue:high") == ids[0:1000:2] + ids[2000::2]


def test_children_that_are_let_run_are_not_mistaken_for_what_leaves(redis: redis_py.Redis) -> None:
    ids = waiting(redis)
    children = []
    for parent in ids[1400:1440]:
        child = f"child-of-{parent}"
        fields = {"data": b"\x80", "timeout": 180}
        engine().defer(child, "default", fields, [parent], minted=True, allow_failure=True)
        children.append(child)
    engine().cancel(ids[1400:1440], release_dependents=True)
    assert listed(redis, QUEUE) == ids[:1400] + ids[1440:] + children


class Meanwhile(redis_py.Redis):
    """A client: whenever it reads a list, others change that list."""

    others: Callable[[], None]

    def lrange(self, *args: Any, **kwargs: Any) -> Any:
        found = super().lrange(*args, **kwargs)
        self.others()
        return found


class Others:
    """Enqueues, takes and deletes jobs at random."""

    def __init__(self, redis: redis_py.Redis, seed: int, theirs: Sequence[str]) -> None:
        self._numbers = random.Random(seed)
        self._redis = redis
        self._theirs = [*theirs]
        self.came: list[str] = []
        self.went: set[str] = set()

    def __call__(self) -> None:
        numbers = self._numbers
        for _ in range(numbers.randrange(12)):
            job_id = f"new-{len(self.came)}"
            fields = {"data": b"\x80", "timeout": 180}
            at_front = numbers.random() < 0.2
            engine().enqueue(job_id, "default", fields, minted=True, at_front=at_front)
            self.came.append(job_id)
        for _ in range(numbers.randrange(12)):
            execution = f"e{numbers.random()}"
            hold = engine().claim("w", NextClaim(execution, ["default"], 60)).hold
            if hold:
                self.went.add(hold.job_id)
        if self._theirs and numbers.random() < 0.5:
            job_id = self._theirs.pop(numbers.randrange(len(self._theirs)))
            engine().delete([job_id])
            self.went.add(job_id)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("arrow", ["delete", "cancel"])
def test_what_comes_and_goes_meanwhile_is_spared(
    redis: redis_py.Redis, monkeypatch: pytest.MonkeyPatch, seed: int, arrow: str
) -> None:
    # Many small slices, so that many ids are missed and have to be found again.
    monkeypatch.setattr(list_removal, "SLICE", 60)
    monkeypatch.setattr(list_removal, "SLACK", 8)
    monkeypatch.setattr(list_removal, "HANDFUL", 7)
    ids = waiting(redis)
    numbers = random.Random(seed)
    out = numbers.sample(ids, 700)
    others = Others(redis, seed, numbers.sample(sorted(set(ids) - set(out)), 100))
    client = Meanwhile(connection_pool=redis.connection_pool)
    client.others = others

    answers = getattr(Engine(Broker(client)), arrow)(out)

    assert others.came
    assert others.went
    left = listed(redis, QUEUE)
    assert len(left) == len(set(left))
    spared = [job_id for job_id in ids if job_id not in out and job_id not in others.went]
    assert [job_id for job_id in left if job_id in ids] == spared, "in their order"
    assert set(left) - set(ids) == set(others.came) - others.went
    if arrow == "delete":
        assert answers == [True] * len(out)
        assert not redis.exists(*(f"rq:job:{job_id}" for job_id in out))
        assert {m.decode().partition(":")[0] for m in redis.zrange("rq:wip:default", 0, -1)} == {
            job_id for job_id in others.went - set(out) if redis.exists(f"rq:job:{job_id}")
        }
    else:
        running = {job_id for job_id in out if job_id in others.went}
        assert [answer == "started" for answer in answers] == [job_id in running for job_id in out]
        stands = {m.decode() for m in redis.zrange("rq:canceled:default", 0, -1)}
        assert stands == set(out) - running


def test_foreign_data_in_the_queue_s_place(redis: redis_py.Redis) -> None:
    ids = waiting(redis, 40)
    redis.set(QUEUE, "foreign")
    assert engine().cancel(ids[:20]) == ["canceled"] * 20
    assert sum(engine().delete(ids)) == 40
    assert redis.get(QUEUE) == b"foreign"


def test_foreign_data_beside_a_parent_keeps_nobody_from_leaving(redis: redis_py.Redis) -> None:
    ids = waiting(redis)
    redis.sadd(f"rq:job::{ids[1510]}:dependencies", "parent")
    redis.set("rq:job:parent:dependents", "foreign")
    assert engine().cancel(ids[1500:1520]) == ["canceled"] * 20
    redis.sadd(f"rq:job::{ids[1710]}:dependencies", "parent")
    assert sum(engine().delete(ids[1700:1720])) == 20
    assert listed(redis, QUEUE) == ids[:1500] + ids[1520:1700] + ids[1720:]


def test_an_id_of_one_s_own_is_no_reason_to_search_a_long_queue(redis: redis_py.Redis) -> None:
    ids = waiting(redis)
    fields = {"data": b"\x80", "timeout": 180}
    counts = command_counts(
        redis, lambda: engine().enqueue("mine", "default", fields, minted=False, unique=False)
    )
    assert "lrem" not in counts
    assert listed(redis, QUEUE) == [*ids, "mine"]
    # A job that waits is found, and is only in its new place.
    engine().enqueue(ids[1500], "default", fields, minted=False)
    assert listed(redis, QUEUE) == [*ids[:1500], *ids[1501:], "mine", ids[1500]]


# The mirror of failed jobs


def leave(redis: redis_py.Redis, how: str, job_id: str) -> None:
    fields = {"data": b"\x80", "timeout": 180}
    if how == "requeue":
        assert engine().requeue([job_id]) == ["queued"]
    elif how == "delete":
        assert engine().delete([job_id]) == [True]
    elif how == "enqueue anew":
        engine().enqueue(job_id, "high", fields, minted=False)
    else:
        redis.delete(f"rq:job:{job_id}")
        redis.zadd("rq:failed:default", {job_id: 1})
        if how == "expire":
            assert engine().trim("default") == 1
        else:
            engine().enqueue(job_id, "default", fields, minted=False)


HOWS = ["requeue", "delete", "enqueue anew", "expire", "expire and enqueue anew"]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("number", WHERE.values(), ids=WHERE)
def test_the_mirror_follows_wherever_the_id_stood(
    redis: redis_py.Redis, number: int, how: str
) -> None:
    ids = failed(redis)
    gone = ids.pop(number)
    leave(redis, how, gone)
    # Near an end an id leaves at once; in the middle it is noted.
    noted = number == WHERE["middle"]
    assert redis.zcard(NOTES) == noted
    assert redis.llen(MIRROR) == LONG - 1 + noted
    engine().clean_failed_mirror()
    assert listed(redis, MIRROR) == ids
    assert not redis.exists(NOTES)


def test_an_id_that_fails_again_stands_there_once(redis: redis_py.Redis) -> None:
    ids = failed(redis)
    for seed in range(3):
        again = random.Random(seed).sample(ids, 40)
        assert engine().requeue(again) == ["queued"] * 40
        for number in range(40):
            assert fail(start(execution=f"e{seed}-{number}"))
        assert sorted(listed(redis, MIRROR)) == sorted(ids)
    engine().clean_failed_mirror()
    assert sorted(listed(redis, MIRROR)) == sorted(ids)


def test_any_number_of_ids_leaves_the_mirror_in_one_pass(redis: redis_py.Redis) -> None:
    ids = failed(redis)
    out = random.Random(1).sample(ids, 1500)
    counts = command_counts(redis, lambda: engine().requeue(out[:750]))
    assert command_counts(redis, lambda: engine().delete(out[750:]))["evalsha"] == 3
    assert counts["evalsha"] == 3
    counts = command_counts(redis, engine().clean_failed_mirror)
    assert counts["lrem"] <= 2 * LONG / 1000 + 2
    assert listed(redis, MIRROR) == [job_id for job_id in ids if job_id not in out]
    assert not redis.exists(NOTES)


def test_for_few_ids_the_pass_reads_and_runs_few_scripts(redis: redis_py.Redis) -> None:
    ids = failed(redis, 3 * LONG)
    engine().requeue([ids.pop(LONG)])
    assert command_counts(redis, engine().clean_failed_mirror)["evalsha"] == 2
    assert listed(redis, MIRROR) == ids


@pytest.mark.parametrize("seed", range(4))
def test_the_mirror_may_change_during_a_pass(redis: redis_py.Redis, seed: int) -> None:
    ids = failed(redis, 2 * LONG)
    numbers = random.Random(seed)

    def meanwhile() -> None:
        engine().requeue(numbers.sample(ids, 30))
        engine().delete(numbers.sample(ids, 5))
        for _ in range(20):
            hold = engine().claim("w", NextClaim(f"e{numbers.random()}", ["default"], 60)).hold
            assert hold is None or fail(hold)

    client = Meanwhile(connection_pool=redis.connection_pool)
    client.others = meanwhile
    meanwhile()
    Engine(Broker(client)).clean_failed_mirror()

    engine().clean_failed_mirror()
    stands = [member.decode() for member in redis.zrange("rq:failed:default", 0, -1)]
    assert sorted(listed(redis, MIRROR)) == sorted(stands)
    assert not redis.exists(NOTES)


def test_what_rq_fails_is_not_noted(redis: redis_py.Redis) -> None:
    ids = failed(redis)
    redis.hset("rq:job:theirs", mapping={"status": "failed", "origin": "default"})
    redis.zadd("rq:failed:default", {"theirs": 4_000_000_000})
    engine().requeue(["theirs"])
    assert not redis.exists(NOTES)
    assert listed(redis, MIRROR) == ids


def test_what_rq_leaves_in_a_long_mirror_goes_within_a_round(redis: redis_py.Redis) -> None:
    ids = failed(redis)
    redis.delete(f"rq:job:{ids[2500]}")
    redis.hset(f"rq:job:{ids[2600]}", "status", "queued")
    for _ in range(3):
        engine().clean_failed_mirror()
    assert listed(redis, MIRROR) == ids[:2500] + ids[2501:2600] + ids[2601:]
    assert not redis.hexists(f"rq:job:{ids[2600]}", "x_mirrored")


def test_what_rq_requeues_and_we_fail_again_stands_there_once(redis: redis_py.Redis) -> None:
    ids = failed(redis)
    redis.zrem("rq:failed:default", ids[1500])
    redis.hset(f"rq:job:{ids[1500]}", "status", "queued")
    redis.rpush(QUEUE, ids[1500])
    assert fail(start())
    assert listed(redis, MIRROR) == ids[:1500] + ids[1501:] + [ids[1500]]


def test_where_one_has_no_place_others_are_looked_for_at_once(redis: redis_py.Redis) -> None:
    ids = failed(redis)
    redis.delete(*(f"rq:job:{job_id}" for job_id in ids[:-10]))
    engine().clean_failed_mirror()
    assert listed(redis, MIRROR) == ids[-10:]


def test_a_look_at_a_mirror_that_is_in_order_costs_what_its_part_costs(
    redis: redis_py.Redis,
) -> None:
    failed(redis)
    counts = command_counts(redis, engine().clean_failed_mirror)
    failed(redis, 3 * LONG)
    assert command_counts(redis, engine().clean_failed_mirror) == counts
    assert counts["evalsha"] == 1


def test_notes_that_nobody_can_serve_are_dropped(redis: redis_py.Redis) -> None:
    ids = failed(redis)
    now = redis.time()[0]
    redis.zadd(NOTES, {"not there": now - 1000, "noted lately": now})
    engine().clean_failed_mirror()
    assert redis.zrange(NOTES, 0, -1) == [b"noted lately"]
    assert listed(redis, MIRROR) == ids
    redis.delete(MIRROR)
    engine().clean_failed_mirror()


@pytest.mark.parametrize("stored", ["1.5", "nan", "-3", "inf", "9" * 30, ""])
def test_any_text_may_be_stored_for_how_far_a_round_has_come(
    redis: redis_py.Redis, stored: str
) -> None:
    ids = failed(redis)
    redis.delete(f"rq:job:{ids[500]}")
    redis.set("rq:x:mirror:looked", stored)
    assert engine().clean_failed_mirror() == 1
    assert listed(redis, MIRROR) == ids[:500] + ids[501:]


@pytest.mark.parametrize("key", [NOTES, "rq:x:mirror:looked", MIRROR])
@pytest.mark.parametrize("value", ["text", "hash"])
def test_foreign_data_stops_nothing(redis: redis_py.Redis, key: str, value: str) -> None:
    ids = failed(redis)
    redis.delete(key)
    if value == "text":
        redis.set(key, "foreign")
    else:
        redis.hset(key, "foreign", "1")
    assert engine().requeue([ids[1500]]) == ["queued"]
    assert engine().delete([ids[1400]]) == [True]
    assert fail(start())
    engine().clean_failed_mirror()
    if key == MIRROR:
        assert redis.type(key) == (b"string" if value == "text" else b"hash")
    else:
        engine().clean_failed_mirror()
        assert sorted(listed(redis, MIRROR)) == sorted(ids[:1400] + ids[1401:])
