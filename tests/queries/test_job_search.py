"""The jobs that a search reads, filters and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from django_rqlite.broker.broker import Broker
from django_rqlite.protocol import codec
from django_rqlite.protocol.places import Place
from django_rqlite.queries.found_jobs import Filter, Found, grouped
from django_rqlite.queries.job_search import JobSearch, shared

from ..admin_world import World

if TYPE_CHECKING:
    import redis as redis_py


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


@pytest.fixture
def search(world: World) -> JobSearch:
    return JobSearch(Broker(world.redis, world.keys.prefix))


def test_places_share_what_is_read() -> None:
    assert shared([1_000_000], 2000) == [1000]
    assert shared([5000, 10, 5000, 5000], 2000) == [663, 10, 663, 664]
    assert sum(shared([7] * 5000, 2000)) <= 2000


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("newest", [True, False])
def test_the_end_that_is_asked_for(
    world: World, search: JobSearch, place: Place, newest: bool
) -> None:
    ids = [f"j{number:04}" for number in range(1500)]
    if place is Place.QUEUED:
        world.redis.rpush("rq:queue:default", *ids)
    else:
        key = f"rq:{'wip' if place is Place.STARTED else place}:default"
        ending = ":x" if place is Place.STARTED else ""
        world.redis.zadd(key, {id_ + ending: number for number, id_ in enumerate(ids)})
    window = search.window(["default", "empty"], list(Place), newest=newest)
    expected = ids[::-1][:1000] if newest else ids[:1000]
    assert [found.id for found in window.jobs] == expected
    assert all(found.job is None for found in window.jobs)
    (searched,) = window.searched
    assert (searched.queue, searched.place) == ("default", place)
    assert (searched.read, searched.total) == (1000, 1500)


@pytest.mark.parametrize(
    ("field", "packed"),
    [("exc_info", False), ("exc_info", True), ("exc_string", True)],
)
def test_the_error_wherever_it_is_kept(
    world: World, search: JobSearch, field: str, packed: bool
) -> None:
    world.redis.zadd("rq:failed:default", {"j": 1})
    world.redis.hset("rq:job:j", "description", "shop.jobs.send(1)")
    text = "Traceback:\n" + "  line\n" * 500 + "shop.Lost: it is"
    if field == "exc_string":
        world.redis.xadd("rq:results:j", {"type": "2", field: codec.base64_traceback(text)})
    else:
        stored = codec.compress(text.encode()) if packed else text.encode()
        world.redis.hset("rq:job:j", field, stored)
    (found,) = search.window(["default"], [Place.FAILED]).jobs
    assert (found.error, found.error_class) == ("shop.Lost: it is", "shop.Lost")
    assert found.function == "shop.jobs.send"


def test_long_fields_are_cut_and_wrong_kinds_told(world: World, search: JobSearch) -> None:
    world.redis.rpush("rq:queue:default", "long", "list")
    world.redis.hset("rq:job:long", mapping={"description": b"\xff" * 1_000_000, "data": b"x"})
    world.redis.rpush("rq:job:list", "x")
    world.redis.set("rq:failed:default", "x")
    window = search.window(["default"], list(Place))
    by_id = {found.id: found.job for found in window.jobs}
    long, other = by_id["long"], by_id["list"]
    assert long
    assert len(long.description) == 4 * 500
    assert other
    assert "WRONGTYPE" in other.problems[0]
    assert "WRONGTYPE" in window.problems[0]


def test_what_a_filter_takes(world: World, search: JobSearch) -> None:
    world.failed(job_id="a", reason="ValueError: x")
    world.failed(job_id="b", reason="KeyError: x", fields={"description": "shop.other()"})

    def taken(**wanted: str) -> list[str]:
        found = search.window(["default"], [Place.FAILED]).jobs
        return sorted(each.id for each in found if Filter(**wanted).matches(each))  # type: ignore[arg-type]

    assert taken() == ["a", "b"]
    assert taken(error="Value") == ["a"]
    assert taken(error="alue") == []
    assert taken(function="shop.jobs.send") == taken(function="send") == ["a"]
    assert taken(function="end") == []
    assert taken(text="OTHER") == ["b"]
    world.redis.hset("rq:job:b", "x_tags", b'["import","customer:17"]')
    assert taken(tag="customer:17") == ["b"]
    assert taken(tag="customer") == taken(tag="CUSTOMER:17") == []


def test_failed_jobs_by_function_and_error(world: World, search: JobSearch) -> None:
    for number in range(3):
        world.failed(reason=f"ValueError: {number}")
    world.failed(reason="KeyError: x")
    world.redis.zadd("rq:failed:default", {"gone": 1})
    groups = grouped(search.window(["default"], [Place.FAILED]).jobs)
    told = [(group.function, group.error_class, group.count) for group in groups]
    assert told == [("shop.jobs.send", "ValueError", 3), ("shop.jobs.send", "KeyError", 1)]
    assert groups[0].first
    assert groups[0].last
    assert grouped([Found("gone", "default", Place.FAILED, None)]) == []
