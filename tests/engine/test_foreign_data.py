"""Keys of the wrong type: no call of a worker fails, and no id loses its place."""

from __future__ import annotations

import json
import signal
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis as redis_py
from django.test import Client
from django.urls import reverse

from django_rqlite import Queue, get_connection, get_queue
from django_rqlite.broker.broker import Broker
from django_rqlite.engine import wrong_type_keys
from django_rqlite.engine.cron import Announcement
from django_rqlite.engine.engine import Engine, Hold, NextClaim
from django_rqlite.protocol.keys import Keys
from django_rqlite.worker.maintenance import janitor
from tests import sample_jobs
from tests.conftest import Server, wait_until
from tests.outcomes_in_redis import again, engine, fail, finish
from tests.worker_process import worker

KEYS = Keys()
QUEUES = ("default", "high")
FOREVER = 100_000

#: What anybody might write, by what ``TYPE`` calls it.
VALUES: Mapping[str, tuple[object, ...]] = {
    "string": ("SET", "foreign"),
    "list": ("RPUSH", "foreign"),
    "set": ("SADD", "foreign"),
    "zset": ("ZADD", 1, "foreign"),
    "hash": ("HSET", "foreign", "data"),
    "stream": ("XADD", "*", "foreign", "data"),
}


def place_foreign(redis: redis_py.Redis, key: str, kind: str) -> None:
    command, *arguments = VALUES[kind]
    redis.delete(key)
    redis.execute_command(command, key, *arguments)  # type: ignore[no-untyped-call]


# Two queues with something to do for each call


def build_world(redis: redis_py.Redis) -> None:
    link = engine()
    cron = Engine(Broker(get_connection()))
    for queue in QUEUES:
        fields = {"data": b"\x80", "timeout": 180}

        def started(name: str, worker: str, queue: str = queue) -> None:
            job_id = f"{name}-{queue}"
            tied = {"group_id": f"g-{queue}", "x_unique": job_id, "x_unique_for": 9000}
            tied |= {"data": b"\x80", "x_cron": f"tick-{queue}"}
            link.enqueue(job_id, queue, tied, minted=True)
            claimed = link.claim(worker, NextClaim(f"e-{job_id}", (queue,), FOREVER))
            assert claimed.hold == Hold(job_id, queue, f"e-{job_id}")

        link.register_worker("w", QUEUES, {}, hostname="h", pid=1, ttl=FOREVER, silence=FOREVER)
        started("failed", "w")
        fail(Hold(f"failed-{queue}", queue, f"e-failed-{queue}"))
        redis.zadd(KEYS.failed(queue), {f"failed-{queue}": 1})
        redis.delete(KEYS.job(f"failed-{queue}"))
        started("dead", "dead")
        redis.zadd(KEYS.started(queue), {f"dead-{queue}:e-dead-{queue}": 1})
        started("running", "w")
        redis.xadd(KEYS.results(f"running-{queue}"), {"type": "1"})
        redis.zadd(KEYS.finished(queue), {f"expired-{queue}": 1})
        redis.zadd(KEYS.canceled(queue), {f"canceled-{queue}": 1})
        link.schedule(f"due-{queue}", queue, fields, minted=True, due=1)
        parents = [f"running-{queue}"]
        named = fields | {"dependency_ids": json.dumps(parents)}
        link.defer(f"child-{queue}", queue, named, parents, minted=True, allow_failure=False)
        link.enqueue(f"taken-{queue}", queue, fields, minted=True)
        redis.rpush(KEYS.intermediate(queue), redis.rpop(KEYS.queue(queue)))
        redis.set(KEYS.first_seen(queue, f"taken-{queue}"), 1)
        link.enqueue(f"waiting-{queue}", queue, fields, minted=True)
        cron.cron_announce([announcement(queue)])
    redis.zadd(KEYS.unmirrored, {"nobody": 1})
    redis.set(KEYS.mirror_looked, 0)
    cron.register_cron_scheduler("c", {"pid": 1}, ttl=FOREVER)


def announcement(queue: str) -> Announcement:
    return Announcement(f"tick-{queue}", "60", queue, "f", "settings", 4_000_000_000)


HOUR = "the hour"  # a new one may begin during the test

#: Each key that workers touch, and the type that it should have.
TOUCHED: Mapping[str, str] = {
    KEYS.queues: "set",
    KEYS.workers: "set",
    KEYS.groups: "set",
    KEYS.failed_mirror: "list",
    KEYS.unmirrored: "zset",
    KEYS.mirror_looked: "string",
    KEYS.unnotified: "hash",
    KEYS.scratch: "",
    KEYS.cron_entries: "zset",
    KEYS.cron_schedulers: "zset",
    KEYS.cron_scheduler("c"): "hash",
    KEYS.cron_entry("tick-default"): "hash",
    KEYS.queue("default"): "list",
    KEYS.intermediate("default"): "list",
    KEYS.first_seen("default", "taken-default"): "string",
    KEYS.started("default"): "zset",
    KEYS.finished("default"): "zset",
    KEYS.failed("default"): "zset",
    KEYS.deferred("default"): "zset",
    KEYS.scheduled("default"): "zset",
    KEYS.canceled("default"): "zset",
    KEYS.queue_workers("default"): "set",
    HOUR: "hash",
    KEYS.worker("w"): "hash",
    KEYS.group("g-default"): "set",
    KEYS.unique("running-default"): "string",
    KEYS.job("waiting-default"): "hash",
    KEYS.job("running-default"): "hash",
    KEYS.job("dead-default"): "hash",
    KEYS.job("due-default"): "hash",
    KEYS.job("taken-default"): "hash",
    KEYS.job("child-default"): "hash",
    KEYS.dependents("running-default"): "set",
    KEYS.dependencies("child-default"): "set",
    KEYS.results("running-default"): "stream",
    KEYS.executions("running-default"): "zset",
    KEYS.execution("running-default", "e-running-default"): "hash",
    KEYS.executions("dead-default"): "zset",
    KEYS.execution("dead-default", "e-dead-default"): "hash",
    KEYS.executions("waiting-default"): "zset",
    KEYS.execution("waiting-default", "next"): "hash",
    KEYS.job_log("running-default"): "list",
}

#: Those that belong to one job, worker or process alone, which may be replaced.
OWN = ("rq:job", "rq:results", "rq:execution", "rq:x:log", "rq:x:unique", "rq:worker:")
OURS = (
    *(KEYS.unmirrored, KEYS.mirror_looked, KEYS.scratch, KEYS.unnotified),
    KEYS.cron_scheduler("c"),
)


def may_be_replaced(key: str) -> bool:
    return key.startswith(OWN) or key in OURS or "first_seen" in key


# What workers call

RUNNING = Hold("running-default", "default", "e-running-default")
OTHER = Hold("running-high", "high", "e-running-high")


def tick() -> None:
    seconds = get_connection().time()[0]
    fields = {"data": b"\x80"}
    for queue in QUEUES:
        # The caller leaves out an entry whose record or queue has the wrong type.
        with suppress(redis_py.ResponseError) if queue == "default" else nullcontext():
            Engine(Broker(get_connection())).cron_tick(
                *(f"tick-{queue}", seconds + 1, seconds + 60),
                *(f"ticked-{queue}", queue, fields),
            )


def take_all() -> None:
    claims = [engine().claim("w", NextClaim("next", QUEUES, 60))]
    while claims[-1].hold is not None:
        claims.append(engine().claim("w", NextClaim(f"e{len(claims)}", QUEUES, 60)))


def beat() -> None:
    listed, lost = engine().heartbeat("w", "busy", [RUNNING, OTHER], ttl=9000, lease=9000)
    assert OTHER.execution not in lost
    if not listed:
        register()


def register() -> None:
    owner = engine().register_worker(
        "w", QUEUES, {}, hostname="h", pid=1, ttl=99, silence=FOREVER, dead="1"
    )
    assert owner is None


CALLS: Mapping[str, Callable[[], object]] = {
    "claim": take_all,
    "finish": lambda: [finish(RUNNING, 1), finish(OTHER, 1)],
    "finish, keeping nothing": lambda: [finish(RUNNING, ttl=0), finish(OTHER, ttl=0)],
    "fail": lambda: [fail(RUNNING), fail(OTHER)],
    "retry_or_repeat": lambda: [again(RUNNING, 0), again(OTHER, 0)],
    "again, later": lambda: [again(RUNNING, 60), again(OTHER, 60)],
    "release": lambda: [engine().release("w", RUNNING), engine().release("w", OTHER)],
    "promote": lambda: engine().promote(QUEUES),
    "reap": lambda: engine().reap(QUEUES, most_crashes=3, patience=90),
    "clean_intermediate_queues": lambda: engine().clean_intermediate_queues(QUEUES, patience=60),
    "promote_deferred": lambda: engine().promote_deferred(QUEUES),
    "sweep": lambda: [tidy(engine(), QUEUES) for tidy in janitor.SWEEPS.values()],
    "wrong_type_keys": lambda: engine().wrong_type_keys(QUEUES, 1, ["tick-default"]),
    "heartbeat": beat,
    "register_worker": register,
    "unregister_worker": lambda: engine().unregister_worker("w", QUEUES),
    "append_log": lambda: engine().append_log("running-default", [b"line"], 10),
    "cron_announce": lambda: Engine(Broker(get_connection())).cron_announce(
        [announcement(queue) for queue in QUEUES]
    ),
    "cron_tick": tick,
    "register_cron_scheduler": lambda: Engine(Broker(get_connection())).register_cron_scheduler(
        "c", {"pid": 1}, ttl=9
    ),
    "unregister_cron_scheduler": lambda: Engine(Broker(get_connection())).unregister_cron_scheduler(
        "c"
    ),
}

#: Of the other queue: what each of these has done, as places of ids, whatever stands where.
DONE_ELSEWHERE: Mapping[str, Mapping[str, list[str]]] = {
    "claim": {"waiting-high": ["wip"]},
    "finish": {"running-high": ["finished"], "child-high": ["queue"]},
    "finish, keeping nothing": {"running-high": [], "child-high": ["queue"]},
    "fail": {"running-high": ["failed"], "child-high": ["canceled"]},
    "retry_or_repeat": {"running-high": ["queue"]},
    "again, later": {"running-high": ["scheduled"]},
    "release": {"running-high": ["queue"]},
    "promote": {"due-high": ["queue"]},
    "reap": {"dead-high": ["queue"]},
    "clean_intermediate_queues": {"taken-high": ["queue"]},
    "sweep": {"expired-high": [], "failed-high": [], "canceled-high": []},
    "cron_tick": {"ticked-high": ["queue"]},
}


PLACES = ("queue", "wip", "finished", "failed", "deferred", "scheduled", "canceled")
LOOK = """
local found = {}
for i, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  local members = kind == 'list' and redis.call('LRANGE', key, 0, -1)
    or kind == 'zset' and redis.call('ZRANGE', key, 0, -1) or {}
  for _, member in ipairs(members) do
    local id = string.match(member, '^[^:]*')
    found[#found + 1] = {id, ARGV[i], redis.call('TYPE', 'rq:job:' .. id).ok}
  end
end
return found
"""


def look(redis: redis_py.Redis) -> tuple[dict[str, list[str]], set[str]]:
    """The places of each id, and which ids have jobs."""
    asked = {f"rq:{place}:{queue}": place for queue in QUEUES for place in PLACES}
    asked |= {KEYS.intermediate(queue): "intermediate" for queue in QUEUES}
    places = defaultdict(list)
    jobs = set()
    for found in redis.eval(LOOK, len(asked), *asked, *asked.values()):
        job_id, place, kind = (part.decode() for part in found)
        if job_id != "foreign":
            places[job_id].append(place)
            jobs |= {job_id} if kind == "hash" else set()
    return places, jobs


@pytest.fixture(scope="module")
def world(server: object) -> dict[bytes, bytes]:
    redis = get_connection()
    redis.flushdb()
    build_world(redis)
    return {key: redis.dump(key) for key in redis.scan_iter()}


@pytest.fixture
def restore(redis: redis_py.Redis, world: dict[bytes, bytes]) -> Callable[[], None]:
    def restored() -> None:
        with redis.pipeline(transaction=False) as pipeline:
            pipeline.flushdb()
            for key, value in world.items():
                pipeline.restore(key, 0, value)
            pipeline.execute()

    return restored


@pytest.mark.parametrize(
    ("key", "kind"),
    [(key, kind) for key, right in TOUCHED.items() for kind in VALUES if kind != right],
)
def test_no_call_of_a_worker_fails_and_no_id_loses_its_place(
    redis: redis_py.Redis, restore: Callable[[], None], key: str, kind: str
) -> None:
    if key == HOUR:
        key = KEYS.activity("default", redis.time()[0] // 3600)
    restore()
    place_foreign(redis, key, kind)
    dumped = redis.dump(key)
    before, _ = look(redis)
    for name, call in CALLS.items():
        restore()
        place_foreign(redis, key, kind)

        call()

        after, jobs = look(redis)
        if not may_be_replaced(key):
            assert redis.type(key).decode() == kind, f"{name} left the key alone"
            assert kind == "stream" or redis.dump(key) == dumped
        for job_id in before.keys() & jobs:
            assert len(after[job_id]) == 1, f"{name}: {job_id} was in {before[job_id]}"
        twice = {job_id: where for job_id, where in after.items() if len(where) > 1}
        assert not twice, name
        for job_id, where in DONE_ELSEWHERE.get(name, {}).items():
            assert after[job_id] == where, f"{name}: {job_id}"


@pytest.mark.parametrize(
    ("call", "key", "job_id", "meanwhile", "then", "status"),
    [
        ("finish", "finished", "running", "wip", "finished", b"finished"),
        ("fail", "failed", "running", "wip", "failed", b"failed"),
        ("retry_or_repeat", "queue", "running", "wip", "queue", b"queued"),
        ("release", "queue", "running", "wip", "queue", b"queued"),
        ("promote", "queue", "due", "scheduled", "queue", b"queued"),
        ("finish", "queue", "child", "deferred", "queue", b"queued"),
        ("fail", "canceled", "child", "deferred", "canceled", b"canceled"),
    ],
)
def test_what_had_no_place_gets_it_once_the_key_is_mended(
    redis: redis_py.Redis,
    restore: Callable[[], None],
    call: str,
    key: str,
    job_id: str,
    meanwhile: str,
    then: str,
    status: bytes,
) -> None:
    job_id = f"{job_id}-default"
    restore()
    place_foreign(redis, f"rq:{key}:default", "string")

    def tend() -> None:
        # As if the time of the next try had come.
        redis.zadd(KEYS.started("default"), {f"{job_id}:": -1}, xx=True)
        engine().promote(QUEUES)
        engine().reap(QUEUES, most_crashes=3, patience=90)
        engine().promote_deferred(QUEUES)

    CALLS[call]()
    for _ in range(2):
        assert look(redis)[0][job_id] == [meanwhile]
        tend()
    redis.delete(f"rq:{key}:default")
    for _ in range(2):
        tend()
        assert look(redis)[0][job_id] == [then]

    assert redis.hget(KEYS.job(job_id), "status") == status
    assert not redis.hexists(KEYS.job(job_id), "x_crashes"), "no worker has died"
    if then in ("finished", "failed"):
        expires = redis.time()[0] + redis.ttl(KEYS.job(job_id))
        assert redis.zscore(f"rq:{then}:default", job_id) == pytest.approx(expires, abs=2)


def test_a_retry_that_can_not_be_scheduled_waits_as_long(
    redis: redis_py.Redis, restore: Callable[[], None]
) -> None:
    restore()
    place_foreign(redis, KEYS.scheduled("default"), "string")
    assert again(RUNNING, 60)
    member = "running-default:"
    due = redis.zscore(KEYS.started("default"), member)
    assert -due == pytest.approx(redis.time()[0] + 60, abs=2)
    engine().reap(QUEUES, most_crashes=3, patience=90)
    assert look(redis)[0]["running-default"] == ["wip"]
    redis.zadd(KEYS.started("default"), {member: -1})
    engine().reap(QUEUES, most_crashes=3, patience=90)
    assert look(redis)[0]["running-default"] == ["queue"]


# A real worker


def test_a_worker_serves_every_other_queue_and_says_once_what_is_wrong(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    wanted = wrong_type_keys.types_of_shared_keys(KEYS) | wrong_type_keys.types_of_places(
        KEYS, ["low"]
    )
    del wanted[KEYS.scheduled("low")]
    jobs = [get_queue().enqueue(sample_jobs.add, number) for number in range(3)]
    due = get_queue("low").enqueue_at(datetime(2020, 1, 1, tzinfo=UTC), sample_jobs.add, 1)
    for key in wanted:
        place_foreign(redis, key, "string")

    with worker(tmp_path, "low", "default") as process:
        wait_until(lambda: all(job.is_finished for job in jobs), "the other queue's jobs run")
        process.signal(signal.SIGTERM)
        assert process.ends() == 0

    for key, kind in wanted.items():
        assert process.output.count(f"the key {key} holds a string, not a {kind}") == 1
        assert redis.get(key) == b"foreign"
    assert "Lost Redis" not in process.output
    assert redis.zscore(KEYS.scheduled("low"), due.id) is not None
    assert due.is_scheduled


def test_jobs_run_once_the_key_of_their_queue_is_mended(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    parent = get_queue().enqueue(sample_jobs.add, 1)
    child = get_queue("low").enqueue(sample_jobs.add, 2, depends_on=parent)
    due = get_queue("low").enqueue_at(datetime(2020, 1, 1, tzinfo=UTC), sample_jobs.add, 3)
    place_foreign(redis, KEYS.queue("low"), "hash")
    with worker(tmp_path, "low", "default", environment={"RQ_TEST_LEASE": "2"}) as process:
        wait_until(lambda: parent.is_finished, "the parent has run")
        assert child.is_deferred
        assert due.is_scheduled
        redis.delete(KEYS.queue("low"))
        wait_until(lambda: child.is_finished and due.is_finished, "both have run")
        assert f"job {child.id} is in its place now" in process.output


def test_a_sweep_that_the_server_refuses_keeps_no_job_from_running(tmp_path: Path) -> None:
    server = Server.start()
    try:
        server.kill()
        # Some providers do so with commands that they do not offer.
        server.command += ["--rename-command", "SRANDMEMBER", "HIDDEN"]
        server.start_again()
        job = Queue("default", connection=server.client()).enqueue(sample_jobs.add, 1)
        with worker(tmp_path, environment={"RQ_TEST_URL": server.url}) as process:
            wait_until(lambda: job.is_finished, "the job runs")
            for sweep in ("cleaning groups", "unregistering dead workers"):
                process.prints(f"{sweep} failed")
    finally:
        server.stop()


# The admin


@pytest.mark.django_db
def test_the_overview_names_the_keys(redis: redis_py.Redis, admin_client: Client) -> None:
    for key in (KEYS.workers, KEYS.groups, KEYS.intermediate("low")):
        place_foreign(redis, key, "string")
    shown = admin_client.get(reverse("admin:django_rqlite_queue_changelist")).content.decode()
    for key, kind in {"rq:workers": "set", "rq:queue:low:intermediate": "list"}.items():
        assert f"The key “{key}” holds a string instead of a {kind}" in shown
