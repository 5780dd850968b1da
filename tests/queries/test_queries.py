"""The queries, as far as the pages of the admin do not test them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from django_rqlite.broker.broker import Broker
from django_rqlite.protocol.places import Place
from django_rqlite.queries import limits
from django_rqlite.queries.queries import Queries

from ..admin_world import World

if TYPE_CHECKING:
    import redis as redis_py


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


@pytest.fixture
def read(world: World) -> Queries:
    return Queries(Broker(world.redis, world.keys.prefix))


def test_the_overview_keeps_the_order_asked_for(world: World, read: Queries) -> None:
    for name in ("b", "z", "a"):
        world.queued(name)
    found = read.overview(["z", "never used"], [], 0)
    assert [counts.name for counts in found.asked] == ["z", "never used"]
    assert [counts.listed for counts in found.asked] == [True, False]
    assert [counts.name for counts in found.others] == ["a", "b"]
    assert [counts.places[Place.QUEUED] for counts in found.others] == [1, 1]
    assert found.more == 0


def test_what_is_too_much_is_counted(
    world: World, read: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_FOUND", 2)
    for name in ("a", "b", "c", "d", "e"):
        world.queued(name)
        world.worker(name)
    queues, workers = read.overview(["e"], [], 0), read.workers()
    assert [counts.name for counts in queues.others] == ["a", "b"]
    assert queues.more == 2
    assert [record.name for record in workers.found] == ["a", "b"]
    assert workers.more == 3


def test_lists_leave_values_where_they_are(world: World, read: Queries) -> None:
    world.queued(job_id="whole", fields={"meta": b"m", "result": b"r", "exc_info": b"e"})
    row = read.page("default", Place.QUEUED, 0, 10).rows[0]
    assert row.job
    assert (row.job.packed, row.job.meta, row.job.result, row.job.exc_info) == (b"", None, None, "")
    assert row.job.description
    assert row.job.problems == ()
    detail = read.job("whole")
    assert detail
    assert detail.job.packed
    assert (detail.job.meta, detail.job.result) == (b"m", b"r")


def test_a_hash_without_any_known_field_is_there(world: World, read: Queries) -> None:
    world.redis.hset("rq:job:odd", "something", "else")
    assert [job is None for job in read.jobs(["odd", "gone"])] == [False, True]
    assert read.jobs([]) == []


def test_the_order_of_each_place(world: World, read: Queries) -> None:
    for place in Place:
        if place is not Place.QUEUED:
            key = f"rq:{'wip' if place is Place.STARTED else place}:default"
            world.redis.zadd(key, {"early:x" if place is Place.STARTED else "early": 1, "late": 2})
    world.redis.rpush("rq:queue:default", "early", "late")
    newest_first = {Place.FINISHED, Place.FAILED, Place.CANCELED}
    for place in Place:
        page = read.page("default", place, 0, 10)
        expected = ["late", "early"] if place in newest_first else ["early", "late"]
        assert [row.id for row in page.rows] == expected, place
        assert page.total == 2
        assert [row.id for row in read.page("default", place, 1, 1).rows] == expected[1:]
