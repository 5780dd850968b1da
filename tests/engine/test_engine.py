"""Each change of state moves an id in one step, and only if the caller may do so."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from django_rqlite import Job, enqueue, get_queue
from django_rqlite.engine import scripts
from django_rqlite.engine.base import BATCH
from django_rqlite.engine.engine import Hold, NextClaim, Owner
from tests.keyspace import dumped, places
from tests.outcomes_in_redis import engine, fail, finish, start
from tests.sample_jobs import add

pytestmark = pytest.mark.usefixtures("redis")

QUEUES = ("default", "high", "low")


def claim(*queues: str, execution: str = "e1", worker: str = "w", lease: int = 60) -> Any:
    return engine().claim(worker, NextClaim(execution, queues or ("default",), lease))


def mirror(redis: redis_py.Redis) -> list[str]:
    return [member.decode() for member in redis.lrange("rq:queue:failed", 0, -1)]


def ttls(redis: redis_py.Redis) -> dict[str, int]:
    return {key.decode(): redis.ttl(key) for key in redis.scan_iter()}


# The fence


ENDINGS: dict[str, Callable[[Hold], object]] = {
    "finish": finish,
    "fail": fail,
    "release": lambda hold: engine().release("w", hold),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("state", ["queued", "started", "finished", "failed", "deleted"])
def test_an_execution_that_does_not_hold_the_job_changes_nothing(
    redis: redis_py.Redis, ending: str, state: str
) -> None:
    job = enqueue(add)
    if state != "queued":
        hold = start(worker="another")
        {"finished": finish, "failed": fail}.get(state, bool)(hold)
    if state == "deleted":
        job.delete()
    before = dumped(redis), ttls(redis)
    for wrong in (Hold(job.id, "default", "e9"), Hold(job.id, "high", "e1"), Hold("b", "low", "")):
        assert not ENDINGS[ending](wrong)
        assert (dumped(redis), ttls(redis)) == before


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_execution_ends_once(redis: redis_py.Redis, ending: str) -> None:
    enqueue(add)
    hold = start()
    assert ENDINGS[ending](hold)
    before = dumped(redis)
    for again in ENDINGS.values():
        assert not again(hold)
    assert dumped(redis) == before


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_former_life_has_no_hold_on_the_next(redis: redis_py.Redis, ending: str) -> None:
    job = enqueue(add, job_id="a")
    former = start(execution="former")
    job.delete()
    enqueue(add, job_id="a")
    for _ in range(2):
        before = dumped(redis)
        assert not ENDINGS[ending](former)
        # The worker's own record may change: the job is no longer its current one.
        after = dumped(redis)
        assert {key for key in before if before[key] != after[key]} <= {b"rq:worker:w"}
        start(execution="next", worker="w2")


def test_heartbeats_are_fenced(redis: redis_py.Redis) -> None:
    enqueue(add, job_id="a")
    enqueue(add, job_id="b")
    mine, other = start(execution="e1"), start(execution="e2", worker="w2")
    redis.zadd("rq:wip:default", {"a:e1": 1, "b:e2": 1})
    redis.delete("rq:worker:w")
    wrong = Hold(other.job_id, "default", "e9")
    before = dumped(redis), ttls(redis)
    assert engine().heartbeat("w", "busy", [wrong], ttl=9, lease=9) == (False, {"e9"})
    assert (dumped(redis), ttls(redis)) == before

    listed, lost = engine().heartbeat("w", "busy", [mine, wrong], ttl=9, lease=500)
    assert (listed, lost) == (False, {"e9"})
    now = redis.time()[0]
    assert now + 490 < redis.zscore("rq:wip:default", "a:e1") <= now + 500
    assert redis.zscore("rq:wip:default", "b:e2") == 1
    assert redis.ttl("rq:execution:a:e1") > 500
    assert redis.ttl("rq:executions:a") > 500


# Claiming


def test_a_claim_moves_the_job(redis: redis_py.Redis) -> None:
    job = enqueue(add, ttl=50)
    answer = claim(lease=70)
    assert answer.hold == Hold(job.id, "default", "e1")
    assert answer.fields[b"status"] == b"started"
    assert answer.fields == redis.hgetall(job.key)
    assert (answer.notes, answer.more) == ((), False)
    assert places(redis, job.id) == ["wip:default"]
    now = redis.time()[0]
    assert now + 60 < redis.zscore("rq:wip:default", f"{job.id}:e1") <= now + 70
    assert redis.ttl(job.key) == -1, "while it runs, it must not expire"
    found = Job.fetch(job.id)
    assert found.started_at is not None
    assert found.worker_name == "w"
    record = redis.hgetall("rq:worker:w")
    assert (record[b"state"], record[b"current_job"]) == (b"busy", job.id.encode())
    execution = redis.hgetall(f"rq:execution:{job.id}:e1")
    assert execution.keys() >= {b"id", b"created_at", b"last_heartbeat", b"worker_name"}


def test_nothing_to_claim(redis: redis_py.Redis) -> None:
    answer = claim(*QUEUES)
    assert (answer.hold, answer.fields, answer.notes, answer.more) == (None, {}, (), False)
    assert redis.keys() == []


def test_queues_in_order() -> None:
    jobs = [get_queue(name).enqueue(add) for name in ("low", "default", "high", "low")]
    claimed = [claim("high", "default", "low", execution=str(n)).hold.job_id for n in range(4)]
    assert claimed == [jobs[2].id, jobs[1].id, jobs[0].id, jobs[3].id]


def test_a_claim_may_be_repeated(redis: redis_py.Redis) -> None:
    jobs = [enqueue(add) for _ in range(3)]
    first = claim(execution="e1")
    before = dumped(redis)
    assert claim(execution="e1") == first
    assert dumped(redis) == before
    assert claim(execution="e2").hold.job_id == jobs[1].id
    assert get_queue().job_ids == [jobs[2].id]


def test_so_may_an_outcome_that_claims(redis: redis_py.Redis) -> None:
    jobs = [enqueue(add) for _ in range(3)]
    hold, then = start(execution="e1"), NextClaim("e2", ["default"], 60)
    outcome: dict[str, Any] = {"worker_name": "w", "result_ttl": 500, "result": b"r"}
    outcome |= {"signature": "s", "encoded_result": b"cg==", "then": then}
    stored = engine().finish("w", hold, **outcome)
    again = engine().finish("w", hold, **outcome)
    assert (stored.stored, again.stored, again.repeated) == (True, False, True)
    assert redis.xlen(f"rq:results:{jobs[0].id}") == 1
    assert stored.claim.hold == again.claim.hold == Hold(jobs[1].id, "default", "e2")
    assert get_queue().job_ids == [jobs[2].id]
    assert redis.hget("rq:worker:w", "current_job") == jobs[1].id.encode()


def test_so_may_a_retry_whose_worker_claims_the_same_job_again(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    hold, then = start(execution="e1"), NextClaim("e2", ["default"], 60)
    retry: dict[str, Any] = {"worker_name": "w", "delay": 0, "at_front": False}
    retry |= {"counter": "retries_left", "change": -1, "tally": "x_attempts", "kind": "3"}
    retry |= {"payload_field": "exc_string", "payload": b"", "headline": "", "succeeded": False}
    engine().retry_or_repeat("w", hold, **retry, then=then)
    record = redis.hgetall("rq:worker:w")
    assert (record[b"state"], record[b"current_job"]) == (b"busy", job.id.encode())
    before = dumped(redis)
    again = engine().retry_or_repeat("w", hold, **retry, then=then)
    assert again.repeated
    assert again.claim.hold == Hold(job.id, "default", "e2")
    assert dumped(redis) == before


def test_no_job_is_claimed_twice(redis: redis_py.Redis) -> None:
    ids = [enqueue(add).id for _ in range(100)]
    claimed: list[str] = []

    def work(worker: int) -> None:
        number = 0
        while hold := claim(execution=f"{worker}-{number}", worker=f"w{worker}").hold:
            claimed.append(hold.job_id)
            number += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(ids)


def test_what_can_t_be_run_is_dropped_and_noted(redis: redis_py.Redis) -> None:
    running, finished, failed = (enqueue(add, job_id=name) for name in ("run", "fin", "fai"))
    start(execution="e1")
    finish(start(execution="e2"))
    fail(start(execution="e3"))
    redis.set("rq:job:text", "foreign")
    for name in (running.id, finished.id, failed.id, "text", "ghost", b"\xff"):
        redis.rpush("rq:queue:default", name)
    before = [places(redis, name) for name in ("run", "fin", "fai")]
    job = enqueue(add)

    answer = claim(execution="e4")

    assert answer.hold.job_id == job.id
    assert answer.notes == (
        "job run dropped from queue default: it is running already",
        "job fin dropped from queue default: it is finished already",
        "job fai dropped from queue default: it is failed already",
        "job text dropped from queue default: its key holds a string, not a hash",
        "job ghost dropped from queue default: its hash is gone",
        "job \udcff dropped from queue default: its hash is gone",
    )
    assert not redis.exists("rq:queue:default")
    assert [places(redis, name) for name in ("run", "fin", "fai")] == [
        [place for place in found if not place.startswith("queue")] for found in before
    ]


def test_much_to_drop_takes_several_calls(redis: redis_py.Redis) -> None:
    redis.rpush("rq:queue:default", *range(250))
    job = enqueue(add)
    answers = [claim() for _ in range(3)]
    assert [(len(answer.notes), answer.more) for answer in answers] == [
        (100, True),
        (100, True),
        (50, False),
    ]
    assert answers[2].hold.job_id == job.id


@pytest.mark.parametrize("status", ["", "created", "deferred", "no such status"])
def test_a_job_in_an_odd_state_is_claimed(redis: redis_py.Redis, status: str) -> None:
    """The worker that claims it can read the record and fail the job with the reason."""
    job = enqueue(add)
    redis.hset(job.key, "status", status)
    assert claim().hold.job_id == job.id


# Foreign data


@pytest.mark.parametrize("key", ["rq:queue:default", "rq:wip:default"])
def test_foreign_data_under_one_queue_s_key_leaves_the_others(
    redis: redis_py.Redis, key: str
) -> None:
    if key != "rq:queue:default":
        enqueue(add)
    job = get_queue("low").enqueue(add)
    redis.set(key, "foreign")
    before = redis.dump("rq:queue:default")
    answer = claim("default", "low")
    assert answer.hold.job_id == job.id
    assert len(answer.notes) == 1
    assert key in answer.notes[0]
    assert redis.dump("rq:queue:default") == before


def test_foreign_data_under_a_job_s_keys(redis: redis_py.Redis) -> None:
    job = enqueue(add, job_id="a")
    redis.set("rq:executions:a", "foreign")
    hold = start()
    redis.set("rq:executions:a", "foreign")
    redis.set("rq:results:a", "foreign")
    assert finish(hold, 1)
    assert places(redis, "a") == ["finished:default"]
    assert job.return_value() == 1


@pytest.mark.parametrize("key", ["rq:queue:failed", "rq:canceled:default", "rq:scheduled:default"])
def test_foreign_data_where_the_job_is_not(redis: redis_py.Redis, key: str) -> None:
    redis.set(key, "foreign")
    job = enqueue(add)
    fail(start())
    job.requeue()
    fail(start())
    job.delete()
    assert redis.get(key) == b"foreign"
    assert not Job.exists(job.id)


def test_a_job_s_key_of_another_type_can_be_deleted(redis: redis_py.Redis) -> None:
    redis.set("rq:job:a", "foreign")
    assert engine().delete(["a", "b"]) == [True, False]
    assert redis.keys() == []


@pytest.mark.parametrize("ttl", [10**30, 2**63, -7])
def test_any_number_may_stand_in_a_job_s_ttls(redis: redis_py.Redis, ttl: int) -> None:
    for end, place in ((finish, "finished"), (fail, "failed")):
        job = enqueue(add)
        assert end(start(), ttl=ttl)
        assert places(redis, job.id) == [f"{place}:default"]
        assert redis.ttl(job.key) == (-1 if ttl < 0 else pytest.approx(100 * 365 * 86400, abs=10))


# Ends


def test_finish(redis: redis_py.Redis) -> None:
    job = enqueue(add)
    redis.hset("rq:worker:w", mapping={"birth": "2026-11-03T00:00:00Z"})
    finish(start(), [1], ttl=300)
    now = redis.time()[0]
    assert places(redis, job.id) == ["finished:default"]
    assert now + 290 < redis.zscore("rq:finished:default", job.id) <= now + 300
    assert 290 < redis.ttl(job.key) <= 300
    assert 290 < redis.ttl(f"rq:results:{job.id}") <= 300
    record = redis.hgetall("rq:worker:w")
    assert (record[b"successful_job_count"], record[b"state"]) == (b"1", b"idle")
    assert float(record[b"total_working_time"]) >= 0
    assert b"current_job" not in record


@pytest.mark.parametrize(("end", "place"), [(finish, "finished"), (fail, "failed")])
def test_kept_for_ever(redis: redis_py.Redis, end: Any, place: str) -> None:
    job = enqueue(add)
    end(start(), ttl=-1)
    assert redis.ttl(job.key) == redis.ttl(f"rq:results:{job.id}") == -1
    assert redis.zscore(f"rq:{place}:default", job.id) == {"finished": float("inf")}.get(place, -1)
    assert engine().trim("default") == 0


def test_kept_not_at_all(redis: redis_py.Redis) -> None:
    enqueue(add)
    finish(start(), 1, ttl=0)
    redis.delete("rq:worker:w", *redis.keys("rq:x:activity:*"))
    assert redis.keys() == [b"rq:queues"]


def test_fail(redis: redis_py.Redis) -> None:
    jobs = [enqueue(add) for _ in range(2)]
    redis.hset("rq:worker:w", mapping={"birth": "2026-11-03T00:00:00Z"})
    for job in jobs:
        fail(start(), "Traceback: \ud800\nValueError: é")
        fields = redis.hgetall(job.key)
        assert fields[b"exc_info"] == "Traceback: ?\nValueError: é".encode()
        assert fields[b"x_error"] == "ValueError: é".encode()
        assert fields[b"ttl"] == b"-1"
        assert places(redis, job.id) == ["failed:default"]
    assert mirror(redis) == [job.id for job in jobs]
    assert redis.smembers("rq:queues") == {b"rq:queue:default"}
    assert redis.hget("rq:worker:w", "failed_job_count") == b"2"


def test_release(redis: redis_py.Redis) -> None:
    first, second = enqueue(add), enqueue(add)
    assert engine().release("w", start())
    assert get_queue().job_ids == [first.id, second.id]
    assert places(redis, first.id) == ["queue:default"]
    fields = redis.hgetall(first.key)
    assert fields[b"status"] == b"queued"
    assert not fields.keys() & {b"started_at", b"worker_name", b"last_heartbeat"}
    assert redis.ttl("rq:worker:w") > 0
    assert not redis.hexists("rq:worker:w", "current_job")
    assert not redis.exists(f"rq:executions:{first.id}", f"rq:execution:{first.id}:e1")


# The mirror of failed jobs


def test_the_mirror_follows(redis: redis_py.Redis) -> None:
    jobs = [enqueue(add) for _ in range(5)]
    ids = [job.id for job in jobs]
    for number in range(5):
        fail(start(execution=str(number)))
    assert mirror(redis) == ids
    jobs[1].requeue()
    assert mirror(redis) == [ids[0], *ids[2:]]
    jobs[2].delete()
    assert mirror(redis) == [ids[0], *ids[3:]]
    get_queue("low").enqueue(add, job_id=ids[3])
    assert mirror(redis) == [ids[0], ids[4]]
    redis.zadd("rq:failed:default", {ids[0]: 1})
    redis.delete(jobs[0].key)
    assert engine().trim("default") == 1
    assert mirror(redis) == [ids[4]]
    assert get_queue().failed_job_registry.get_job_ids() == [ids[4]]


def test_requeued_twice_queued_once(redis: redis_py.Redis) -> None:
    jobs = [enqueue(add) for _ in range(2)]
    fail(start())
    assert engine().requeue([jobs[0].id, jobs[0].id, jobs[1].id, "ghost"]) == [
        "queued",
        "not failed",
        "not failed",
        "missing",
    ]
    assert get_queue().job_ids == [jobs[1].id, jobs[0].id]
    fields = redis.hgetall(jobs[0].key)
    assert not fields.keys() & {b"exc_info", b"x_error", b"ended_at", b"started_at", b"worker_name"}
    assert redis.ttl(jobs[0].key) == -1
    assert redis.xlen(f"rq:results:{jobs[0].id}") == 1


def test_many_are_requeued_and_deleted_in_batches(redis: redis_py.Redis) -> None:
    ids = [f"job-{number}" for number in range(BATCH + 3)]
    with redis.pipeline(transaction=False) as pipeline:
        for job_id in ids:
            pipeline.hset(f"rq:job:{job_id}", mapping={"status": "failed", "origin": "default"})
            pipeline.zadd("rq:failed:default", {job_id: -1})
        pipeline.execute()
    assert engine().requeue(ids) == ["queued"] * len(ids)
    assert get_queue().job_ids == ids
    assert engine().delete([*ids, "ghost"]) == [*[True] * len(ids), False]
    assert redis.keys() == [b"rq:queues"]


def test_a_job_s_key_of_another_type_does_not_stop_a_batch(redis: redis_py.Redis) -> None:
    redis.set("rq:job:text", "foreign")
    job = enqueue(add)
    fail(start())
    assert engine().requeue(["text", job.id]) == ["missing", "queued"]


def test_trim_takes_what_has_expired_only(redis: redis_py.Redis) -> None:
    now = redis.time()[0]
    scores = {"old": 1, "new": now + 100, "for ever": float("inf")}
    redis.zadd("rq:finished:default", scores)
    redis.zadd("rq:failed:default", {**scores, "kept": -1})
    assert engine().trim("default") == 2
    assert redis.zrange("rq:finished:default", 0, -1) == [b"new", b"for ever"]
    assert redis.zrange("rq:failed:default", 0, -1) == [b"kept", b"new", b"for ever"]


# Meta


def test_meta_of_a_job_that_is_gone_does_not_bring_it_back(redis: redis_py.Redis) -> None:
    assert not engine().save("a", {"meta": b"m"})
    assert redis.keys() == []


# What expires


def test_everything_expires_but_names_places_and_what_is_still_to_run(
    redis: redis_py.Redis,
) -> None:
    for name in QUEUES:
        for number in range(4):
            get_queue(name).enqueue(add, job_id=f"{name}-{number}")
        finish(start(name, execution=f"{name}0"), 1)
        fail(start(name, execution=f"{name}1"))
        start(name, execution=f"{name}2")
    register(name="w2")
    engine().unregister_worker("w2", ["default"])
    register(name="w3")
    engine().heartbeat("w3", "idle", [], ttl=50, lease=50)

    lasting = {key for key, ttl in ttls(redis).items() if ttl == -1}
    assert lasting == {
        *("rq:queues", "rq:queue:failed", "rq:workers", "rq:workers:default"),
        *(f"rq:queue:{name}" for name in QUEUES),
        *(f"rq:{place}:{name}" for name in QUEUES for place in ("wip", "finished", "failed")),
        *(f"rq:job:{name}-{number}" for name in QUEUES for number in (2, 3)),
    }


# Workers


def register(**changes: Any) -> Owner | None:
    arguments: dict[str, Any] = {
        "name": "w",
        "queues": ["default"],
        "fields": {"version": "1", "x_lease": 60},
        "hostname": "host",
        "pid": 7,
        "ttl": 100,
        "silence": 60,
    }
    return engine().register_worker(**arguments | changes)


def test_a_worker_is_listed_and_retired(redis: redis_py.Redis) -> None:
    assert register(queues=["default", "high"]) is None
    record = redis.hgetall("rq:worker:w")
    assert (record[b"hostname"], record[b"pid"], record[b"version"]) == (b"host", b"7", b"1")
    for key in ("rq:workers", "rq:workers:default", "rq:workers:high"):
        assert redis.smembers(key) == {b"rq:worker:w"}
    assert 90 < redis.ttl("rq:worker:w") <= 100
    engine().unregister_worker("w", ["default", "high"])
    assert not redis.exists("rq:workers", "rq:workers:default", "rq:workers:high")
    assert redis.hexists("rq:worker:w", "death")
    assert 0 < redis.ttl("rq:worker:w") <= 60
    assert register(hostname="another") is None


def test_a_live_worker_keeps_its_name(redis: redis_py.Redis) -> None:
    register()
    before = dumped(redis)
    for other in ({"hostname": "another"}, {"pid": 8}, {"pid": 8, "dead": "9"}):
        owner = register(**other)
        assert owner is not None
        assert (owner.hostname, owner.pid) == ("host", "7")
        assert (owner.instance, owner.process) == ("", "")
        assert owner.last_heartbeat
        assert dumped(redis) == before


LONG_AGO = "2015-11-03T02:42:35Z"


@pytest.mark.parametrize(
    ("record", "other", "taken_over"),
    [
        ({}, {}, False),  # the same process id, perhaps in another container
        ({}, {"pid": 8, "dead": "7"}, True),
        ({}, {"pid": 8, "hostname": "another", "dead": "7"}, False),
        ({"x_instance": "i"}, {"dead": "i"}, True),
        ({"x_instance": "i"}, {"dead": "j"}, False),
        ({"x_instance": "i"}, {"dead": "7"}, False),
        ({"x_instance": "i"}, {"hostname": "another", "dead": "i"}, False),
        ({"death": LONG_AGO}, {"hostname": "another"}, True),
        ({"last_heartbeat": LONG_AGO}, {"hostname": "another"}, True),
        # RQ's workers send fewer heartbeats, so their silence does not mean that they are dead.
        ({"last_heartbeat": LONG_AGO, "x_lease": None}, {"hostname": "another"}, False),
        ({"birth": None}, {"hostname": "another"}, True),
    ],
)
def test_dead_records_are_taken_over(
    redis: redis_py.Redis, record: dict[str, str | None], other: dict[str, Any], taken_over: bool
) -> None:
    register(fields={"x_lease": 60, "old": 1})
    for name, value in record.items():
        if value is None:
            redis.hdel("rq:worker:w", name)
        else:
            redis.hset("rq:worker:w", name, value)
    assert (register(**other) is None) is taken_over
    assert redis.hexists("rq:worker:w", "old") is not taken_over


def test_foreign_data_under_a_worker_s_key_is_replaced(redis: redis_py.Redis) -> None:
    redis.set("rq:worker:w", "foreign")
    assert register() is None


def test_a_heartbeat_tells_when_the_record_is_gone(redis: redis_py.Redis) -> None:
    assert engine().heartbeat("w", "idle", [], ttl=9, lease=9) == (False, frozenset())
    assert redis.keys() == []
    register()
    fields = {"x_memory": 4711}
    assert engine().heartbeat("w", "busy", [], fields, ttl=9, lease=9) == (True, frozenset())
    assert redis.hget("rq:worker:w", "x_memory") == b"4711"
    assert redis.hget("rq:worker:w", "state") == b"busy"
    assert 0 < redis.ttl("rq:worker:w") <= 9


# The clock


def test_stamps_are_the_calendar_s(redis: redis_py.Redis) -> None:
    lua = (Path(scripts.__file__).parent / "lua" / "shared" / "timestamp.lua").read_text()
    numbers = random.Random(1)
    seconds = [0, 951_782_400, 951_868_800, 4_107_542_400, 1_446_518_555]
    seconds += [numbers.randrange(253_402_300_800) for _ in range(500)]
    body = "local r = {} for i, s in ipairs(ARGV) do r[i] = timestamp(tonumber(s)) end return r"
    for moment, stamp in zip(seconds, redis.eval(f"{lua}\n{body}", 0, *seconds), strict=True):
        assert stamp.decode() == datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# All together


class Chaos:
    """Random changes to a few jobs, also by executions that have lost theirs."""

    def __init__(self, seed: int) -> None:
        self.numbers = random.Random(seed)
        self.holds: list[Hold] = [Hold("a", "default", "never")]
        self.executions = 0

    def step(self) -> str:
        arrow = self.numbers.choice([name for name in dir(self) if name.startswith("arrow_")])
        getattr(self, arrow)()
        return arrow

    def _id(self) -> str:
        return self.numbers.choice("abcd")

    def _queue(self) -> str:
        return self.numbers.choice(QUEUES)

    def _hold(self) -> Hold:
        return self.numbers.choice(self.holds[-6:])

    def _next(self) -> NextClaim:
        self.executions += 1
        queues = self.numbers.sample(QUEUES, self.numbers.randint(1, 3))
        return NextClaim(f"e{self.executions}", queues, 60)

    def arrow_enqueue(self) -> None:
        fields = {"data": b"\x80", "timeout": 180}
        queue, at_front = self._queue(), self.numbers.random() < 0.5
        try:
            engine().enqueue(self._id(), queue, fields, minted=False, at_front=at_front)
        except ValueError as running:
            assert "is running" in str(running)  # noqa: PT017

    def arrow_claim(self) -> None:
        hold = engine().claim("w", self._next()).hold
        if hold:
            self.holds.append(hold)

    arrow_claim_2 = arrow_claim

    def arrow_finish(self) -> None:
        finish(self._hold(), 1, ttl=self.numbers.choice((500, -1, 0)))

    def arrow_fail(self) -> None:
        fail(self._hold(), ttl=self.numbers.choice((500, -1)))

    def arrow_release(self) -> None:
        engine().release("w", self._hold())

    def arrow_requeue(self) -> None:
        engine().requeue([self._id(), self._id()])

    def arrow_move(self) -> None:
        engine().move([self._id(), self._id()], self._queue())

    def arrow_delete(self) -> None:
        if self.numbers.random() < 0.4:
            engine().delete([self._id()])

    def arrow_empty(self) -> None:
        if self.numbers.random() < 0.2:
            engine().empty(self._queue())

    def arrow_expire(self) -> None:
        """The hash of a job expires."""
        if self.numbers.random() < 0.3:
            job_id, link = self._id(), engine().connection
            if link.hget(f"rq:job:{job_id}", "status") in (b"finished", b"failed"):
                link.delete(f"rq:job:{job_id}", f"rq:results:{job_id}")
                for queue in QUEUES:
                    for place in ("finished", "failed"):
                        link.zadd(f"rq:{place}:{queue}", {job_id: 1}, xx=True)
                    engine().trim(queue)


IN_STATE = {"queued": "queue", "started": "wip", "finished": "finished", "failed": "failed"}


@pytest.mark.parametrize("seed", range(12))
def test_a_job_is_in_exactly_one_place_whatever_happens(redis: redis_py.Redis, seed: int) -> None:
    chaos, steps = Chaos(seed), []
    for _ in range(60):
        steps.append(chaos.step())
        failed = []
        for job_id in "abcd":
            status = redis.hget(f"rq:job:{job_id}", "status")
            found = places(redis, job_id)
            if status is None:
                assert found == [], steps
            else:
                origin = redis.hget(f"rq:job:{job_id}", "origin")
                assert origin is not None
                assert found == [f"{IN_STATE[status.decode()]}:{origin.decode()}"], steps
                failed += [job_id] * (status == b"failed")
        assert sorted(mirror(redis)) == failed, steps
    assert redis.smembers("rq:queues") <= {f"rq:queue:{name}".encode() for name in QUEUES}
