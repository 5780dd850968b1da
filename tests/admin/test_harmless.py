"""Pages change nothing, run nothing, cost little, and show whatever Redis holds."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from django_rqlite.protocol import codec

from ..admin_world import (
    JOBS,
    JOBS_ACTION,
    QUEUES,
    SCHEDULE,
    WORKER,
    WORKERS,
    World,
    job_delete,
    job_page,
    queue_action,
    queue_page,
    worker_page,
)

if TYPE_CHECKING:
    from pathlib import Path

    import redis as redis_py
    from django.test import Client

pytestmark = pytest.mark.django_db

PLACES = ["queued", "started", "finished", "failed", "deferred", "scheduled", "canceled"]


@pytest.fixture
def world(redis: redis_py.Redis) -> World:
    return World(redis)


class Bomb:
    """Its pickle makes a folder when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def keyspace(connection: redis_py.Redis) -> dict[bytes, tuple[object, bool, object]]:
    """Every key with its type, whether it expires, and its value in bytes.

    The fields of a hash are sorted, since the server may reorder a large one while it is read.
    """
    found = {}
    for key in connection.keys("*"):
        kind = connection.type(key)
        value = connection.hgetall(key) if kind == b"hash" else connection.dump(key)
        found[key] = (kind, connection.ttl(key) == -1, value)
    return found


def everything(world: World) -> list[str]:
    """The address of a page of each kind, with content on each."""
    world.failed("low", "broken")
    world.finished("low", "done", result={"a": 1})
    world.queued("high", "waits")
    world.queued("stray", "strays")
    world.worker(WORKER, "default", "low")
    world.worker("gone")
    world.redis.delete("rq:worker:gone")
    world.started("default", "runs")
    world.redis.rpush("rq:queue:high", "vanished")
    world.cron("nightly")
    for place in PLACES[4:]:
        world.redis.hset(f"rq:job:{place}", mapping={"status": place, "origin": "high"})
        world.redis.zadd(f"rq:{place}:high", {place: 2e9})
    jobs = ["broken", "done", "waits", "strays", "runs", "deferred", "scheduled", "canceled"]
    return [
        *(QUEUES, f"{QUEUES}?span=day", SCHEDULE, JOBS, WORKERS),
        *(f"{JOBS}?q=broken", f"{JOBS}?q=nothing"),
        *(f"{QUEUES}stats.json", f"{QUEUES}metrics"),
        *(f"{JOBS}?state=failed&group=1", f"{JOBS}?queue=high&function=send&error=V&since=1h"),
        *(queue_page(name, each) for name in ("default", "high", "low") for each in PLACES),
        *(queue_page("stray"), worker_page(WORKER), worker_page("gone"), job_page("vanished")),
        *(job_page(each) for each in jobs),
        job_delete("broken"),
    ]


def test_no_page_writes(world: World, admin_client: Client) -> None:
    pages = everything(world)
    before = keyspace(world.redis)
    assert len(before) > 20
    for page in pages:
        assert admin_client.get(page).status_code in (200, 302, 404), page
    confirmation = {"action": "delete", "_selected_action": ["broken", "nothing"]}
    asked = admin_client.post(queue_action("low", "failed"), confirmation)
    assert "Are you sure" in asked.content.decode()
    for address in (queue_action("low", "failed"), f"{JOBS_ACTION}?state=failed"):
        asked = admin_client.post(address, {"action": "requeue", "all": "1"})
        assert "1 of 1 job matches." in asked.text
    assert keyspace(world.redis) == before


def test_a_page_costs_few_round_trips(
    world: World, admin_client: Client, round_trips: list[int]
) -> None:
    pages = everything(world)
    for number in range(300):
        world.redis.rpush("rq:queue:high", f"job-{number}")
        world.redis.hset(f"rq:job:job-{number}", "status", "queued")
        world.redis.sadd("rq:queues", f"rq:queue:other-{number}")
        world.redis.sadd("rq:workers", f"rq:worker:w-{number}")
        world.redis.hset(f"rq:worker:w-{number}", "birth", "2026-01-02T03:04:05Z")
        world.cron(f"entry-{number}")
    admin_client.get(QUEUES)  # connects
    costs = {}
    for page in pages:
        round_trips.clear()
        admin_client.get(page)
        costs[page] = len(round_trips)
    assert costs[QUEUES] == 3
    assert costs[SCHEDULE] == 3
    assert costs[WORKERS] == 3
    assert costs[job_page("broken")] == 1
    assert costs[queue_page("high")] == 3
    assert costs[JOBS] == 4
    assert max(costs.values()) <= 5


def test_no_page_loads_a_pickle(world: World, admin_client: Client, tmp_path: Path) -> None:
    path = tmp_path / "made"
    bomb = pickle.dumps(Bomb(path))
    call = pickle.dumps(("m.f", Bomb(path), (Bomb(path),), {"a": Bomb(path)}))
    world.failed("low", "bomb", call=call, fields={"meta": bomb})
    for place in ("finished", "failed"):
        world.redis.zadd(f"rq:{place}:low", {"bomb": 2e9})
    world.redis.hset("rq:job:bomb", mapping={"result": bomb, "status": "finished"})
    outcome = {"type": "1", "return_value": codec.base64_payload(bomb)}
    world.redis.xadd("rq:results:bomb", outcome)
    for page in (*(queue_page("low", place) for place in PLACES), job_delete("bomb")):
        assert admin_client.get(page).status_code == 200
    shown = admin_client.get(job_page("bomb")).content.decode()
    assert shown.count("mkdir(") == 6  # instance, argument, keyword, meta, result, history
    assert not path.exists()
    # Loading the pickle makes the folder, so the test can fail.
    pickle.loads(bomb)
    assert path.exists()


SCRIPT = "<script>alert(1)</script>"
HOSTILE = {
    "markup": SCRIPT.encode(),
    "long": b"y" * 1_000_000 + SCRIPT.encode(),
    "no UTF-8": b"\xff\xfe\x80 " + SCRIPT.encode(),
    "controls": b"\0\r\n\x1b[31m\xe2\x80\xae" + SCRIPT.encode(),
    "empty": b"",
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("place", PLACES)
def test_whatever_is_stored_can_be_looked_at(
    world: World, admin_client: Client, kind: str, place: str
) -> None:
    evil = HOSTILE[kind]
    fields = (
        *("status", "origin", "description", "created_at", "enqueued_at", "started_at", "ended_at"),
        *("timeout", "ttl", "result_ttl", "data", "meta", "result", "exc_info", "x_error"),
        *("worker_name", "last_heartbeat"),
    )
    job, queue = "evil", "default"
    key = f"rq:{'wip' if place == 'started' else place}:{queue}"
    for id_ in (job.encode(), evil):
        if place == "queued":
            world.redis.rpush(f"rq:queue:{queue}", id_)
        else:
            world.redis.zadd(key, {id_ + (b":x" if place == "started" else b""): 1e300})
        world.redis.hset(b"rq:job:" + id_, mapping=dict.fromkeys(fields, evil))
    world.redis.hset("rq:job:evil", "status", place)
    outcome = ("type", "worker_name", "return_value", "exc_string", "execution_started_at")
    world.redis.xadd("rq:results:evil", dict.fromkeys(outcome, evil))
    world.redis.sadd("rq:queues", b"rq:queue:" + evil)
    for worker in (b"w", evil):
        record = ("queues", "state", "current_job", "version", "hostname", "pid", "last_heartbeat")
        record += ("x_memory", "x_child_memory", "x_lease")
        world.redis.hset(b"rq:worker:" + worker, mapping=dict.fromkeys(record, evil))
        world.redis.sadd("rq:workers", b"rq:worker:" + worker)
    entry = ("schedule", "queue", "func", "source", "last_tick", "next_tick", "last_job", "since")
    more = ("enqueued_at", "announced_at", "paused_at")
    for name in (b"nightly", evil):
        key = b"rq:x:cron:entry:" + name
        world.redis.hset(key, mapping=dict.fromkeys((*entry, *more), evil))
        world.redis.zadd("rq:x:cron:entries", {name: 1})
    text = evil.decode("utf-8", "surrogateescape")
    pages = [QUEUES, SCHEDULE, WORKERS, worker_page("w"), job_page(job), queue_page(queue, place)]
    pages += [job_delete(job), JOBS, f"{JOBS}?state=failed&group=1", f"{JOBS}?q=%3Cscript"]
    if kind != "long":
        pages += [queue_page(text), job_page(text), worker_page(text), job_delete(text)]
    for page in pages:
        answer = admin_client.get(page)
        assert answer.status_code == 200, page
        content = answer.content.decode()
        assert SCRIPT not in content, page
        assert len(content) < 150_000, page
    selected = {"action": "delete", "_selected_action": ["evil", "_3Cscript_3E", "_FF"]}
    answer = admin_client.post(queue_action(queue, place), selected)
    assert SCRIPT not in answer.content.decode()


@pytest.mark.parametrize("kind", ["string", "list", "set", "hash", "zset", "stream"])
def test_keys_of_any_kind(world: World, admin_client: Client, kind: str) -> None:
    make = {
        "string": lambda key: world.redis.set(key, "x"),
        "list": lambda key: world.redis.rpush(key, "rq:worker:w", "j"),
        "set": lambda key: world.redis.sadd(key, "rq:worker:w", "j"),
        "hash": lambda key: world.redis.hset(key, "j", "x"),
        "zset": lambda key: world.redis.zadd(key, {"rq:worker:w": 1, "j": 2}),
        "stream": lambda key: world.redis.xadd(key, {"j": "x"}),
    }[kind]
    for name in ("queues", "workers", "workers:default", "queue:default", "job:j", "results:j"):
        make(f"rq:{name}")
    for name in ("wip", "finished", "failed", "deferred", "scheduled", "canceled"):
        make(f"rq:{name}:default")
    make("rq:worker:w")
    make("rq:x:cron:entries")
    make("rq:x:cron:entry:j")
    for page in (
        QUEUES,
        SCHEDULE,
        JOBS,
        WORKERS,
        *(queue_page("default", place) for place in PLACES),
    ):
        assert admin_client.get(page).status_code == 200, page
    expected = 200
    for page in (job_page("j"), worker_page("w")):
        assert admin_client.get(page).status_code == expected, page
    if kind != "list":
        shown = admin_client.get(queue_page("default")).content.decode()
        assert "The key of its queued can&#x27;t be read: WRONGTYPE" in shown


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_ends_of_the_calendar(
    world: World, admin_client: Client, settings: Any, moment: str
) -> None:
    world.queued(job_id="old", fields={"created_at": moment})
    for settings.TIME_ZONE in ("America/Los_Angeles", "Asia/Tokyo"):
        for page in (job_page("old"), queue_page("default")):
            answer = admin_client.get(page)
            assert answer.status_code == 200
            assert moment[:4] in answer.content.decode()
