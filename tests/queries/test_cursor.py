"""A cursor sees each job of a place once, whatever happens between two chunks."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from django_rqlite.broker.broker import Broker
from django_rqlite.protocol.places import Place
from django_rqlite.queries.cursor import PlaceCursor, Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis as redis_py


def walked(
    redis: redis_py.Redis, place: Place, most: int, leave: Callable[[list[str]], list[str]]
) -> Iterator[str]:
    """Every id that the cursor sees. ``leave`` gets a chunk of ids and returns those it left."""
    cursor, position = PlaceCursor(Broker(redis)), Position()
    while True:
        chunk = cursor.fetch("default", place, position, most)
        seen = [found.id for found in chunk.jobs]
        if not seen:
            return
        yield from seen
        position = chunk.next(leave(seen))


@pytest.mark.parametrize("scores", ["all the same", "inf", "few", "many"])
def test_a_sorted_set_is_seen_whole_while_members_leave(redis: redis_py.Redis, scores: str) -> None:
    numbers = random.Random(1)
    ids = [f"{numbers.randrange(10**6)}\udc80\udcff{number}" for number in range(300)]
    draw = {
        "all the same": lambda: 1.5,
        "inf": lambda: float("inf"),
        "few": lambda: numbers.randrange(3) - 1,
        "many": lambda: numbers.random() * 1e9,
    }[scores]
    key = "rq:failed:default"
    for job_id in ids:
        redis.zadd(key, {job_id.encode("utf-8", "surrogateescape"): draw()})

    def leave(seen: list[str]) -> list[str]:
        gone = [job_id for job_id in seen if numbers.random() < 0.7]
        redis.zrem(key, *[job_id.encode("utf-8", "surrogateescape") for job_id in gone])
        return [job_id for job_id in seen if job_id not in gone]

    seen = list(walked(redis, Place.FAILED, 7, leave))
    assert sorted(seen) == sorted(ids)


def test_a_list_is_seen_whole_while_its_first_entries_are_claimed(redis: redis_py.Redis) -> None:
    numbers, key = random.Random(2), "rq:queue:default"
    ids = [f"job-{number}" for number in range(300)]
    redis.rpush(key, *ids)
    claimed: set[str] = set()

    def leave(seen: list[str]) -> list[str]:
        gone = [job_id for job_id in seen if numbers.random() < 0.5]
        for job_id in gone:
            redis.lrem(key, 1, job_id)
        for _ in range(2):
            first = redis.lpop(key)
            claimed.update([first.decode()] if isinstance(first, bytes) else [])
        return [job_id for job_id in seen if job_id not in gone]

    seen = list(walked(redis, Place.QUEUED, 11, leave))
    assert set(ids) - set(seen) <= claimed
    assert len(seen) == len(set(seen))


def test_a_walk_ends_when_nobody_takes_anything(redis: redis_py.Redis) -> None:
    redis.rpush("rq:queue:default", *[f"job-{number}" for number in range(25)])
    assert len(list(walked(redis, Place.QUEUED, 10, lambda seen: seen))) == 25


def test_what_comes_after_is_told_of_a_list(redis: redis_py.Redis) -> None:
    redis.rpush("rq:queue:default", *"abcdef")
    cursor = PlaceCursor(Broker(redis))
    assert cursor.fetch("default", Place.QUEUED, Position("", "b"), 2).behind == 2
    # It was claimed, so all before it were claimed too.
    redis.ltrim("rq:queue:default", 2, -1)
    chunk = cursor.fetch("default", Place.QUEUED, Position("", "b"), 2)
    assert [found.id for found in chunk.jobs] == ["c", "d"]


def test_running_jobs_are_seen_by_their_ids(redis: redis_py.Redis) -> None:
    redis.zadd("rq:wip:default", {"a:b:execution": 10})
    chunk = PlaceCursor(Broker(redis)).fetch("default", Place.STARTED, Position(), 5)
    assert [found.id for found in chunk.jobs] == ["a:b"]
    again = PlaceCursor(Broker(redis)).fetch("default", Place.STARTED, chunk.next(["a:b"]), 5)
    assert again.jobs == []
