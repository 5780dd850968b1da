"""One script decides about each tick, however many processes propose it."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

import pytest
import redis as redis_py

from django_rqlite.broker.broker import Broker
from django_rqlite.engine.cron import Announcement, PauseResult, Verdict
from django_rqlite.engine.engine import Engine
from django_rqlite.protocol.keys import Keys

if TYPE_CHECKING:
    from tests.conftest import Server

KEYS = Keys()


@pytest.fixture
def arrows(redis: redis_py.Redis) -> Engine:
    return Engine(Broker(redis))


def server_time(redis: redis_py.Redis) -> int:
    return int(redis.time()[0])


def propose(arrows: Engine, tick: int, name: str = "nightly") -> Verdict:
    job_id = uuid.uuid4().hex
    fields = {"data": b"", "x_cron": name, "description": str(tick)}
    return arrows.cron_tick(name, tick, tick + 60, job_id, "default", fields).verdict


def announce(arrows: Engine, schedule: str = "every 60 s", name: str = "nightly") -> int:
    entry = Announcement(name, schedule, "default", "a.b", "settings", 2**31)
    return arrows.cron_announce([entry]).floors[name]


def queued(redis: redis_py.Redis) -> list[bytes]:
    return redis.lrange(KEYS.queue("default"), 0, -1)


def test_a_tick_enqueues_its_job_once(redis: redis_py.Redis, arrows: Engine) -> None:
    now = server_time(redis)

    assert propose(arrows, now) is Verdict.QUEUED
    assert propose(arrows, now) is Verdict.SETTLED

    (job_id,) = queued(redis)
    job = redis.hgetall(KEYS.job(job_id.decode()))
    assert job[b"status"] == b"queued"
    assert job[b"origin"] == b"default"
    assert job[b"x_cron"] == b"nightly"
    record = redis.hgetall(KEYS.cron_entry("nightly"))
    assert record[b"last_tick"] == str(now).encode()
    assert record[b"next_tick"] == str(now + 60).encode()
    assert record[b"last_job"] == job_id
    assert redis.smembers(KEYS.queues) == {KEYS.queue("default").encode()}


def test_ten_that_propose_the_same_ticks(redis: redis_py.Redis, server: Server) -> None:
    now = server_time(redis)
    ticks = range(now - 49, now + 1)
    start = threading.Barrier(10)
    verdicts: list[Verdict] = []

    def propose_all() -> None:
        with server.client() as client:
            mine = Engine(Broker(client))
            start.wait()
            verdicts.extend([propose(mine, tick) for tick in ticks])

    threads = [threading.Thread(target=propose_all) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(verdicts) == 10 * len(ticks)
    assert verdicts.count(Verdict.QUEUED) == len(ticks)
    described = [redis.hget(KEYS.job(job_id.decode()), "description") for job_id in queued(redis)]
    assert described == [str(tick).encode() for tick in ticks], "each tick once, in their order"


def test_what_is_older_than_the_last_tick_is_settled(redis: redis_py.Redis, arrows: Engine) -> None:
    now = server_time(redis)
    propose(arrows, now)
    assert propose(arrows, now - 60) is Verdict.SETTLED
    assert len(queued(redis)) == 1


def test_what_lies_ahead_is_early(redis: redis_py.Redis, arrows: Engine) -> None:
    assert propose(arrows, server_time(redis) + 30) is Verdict.EARLY
    assert redis.keys() == []


def test_a_tick_stays_decided_when_the_record_was_lost(
    redis: redis_py.Redis, arrows: Engine
) -> None:
    now = server_time(redis)
    propose(arrows, now)
    redis.delete(KEYS.cron_entry("nightly"))
    assert propose(arrows, now) is Verdict.SETTLED


def test_entries_tick_apart(redis: redis_py.Redis, arrows: Engine) -> None:
    now = server_time(redis)
    assert propose(arrows, now, "a") is Verdict.QUEUED
    assert propose(arrows, now, "b") is Verdict.QUEUED


def test_nothing_changes_when_foreign_data_is_in_the_way(
    redis: redis_py.Redis, arrows: Engine
) -> None:
    now = server_time(redis)
    redis.set(KEYS.queue("default"), "foreign")
    with pytest.raises(redis_py.ResponseError):
        propose(arrows, now)
    assert redis.keys() == [KEYS.queue("default").encode()]

    redis.delete(KEYS.queue("default"))
    assert propose(arrows, now) is Verdict.QUEUED, "the tick is not lost"


def test_everything_expires(redis: redis_py.Redis, arrows: Engine) -> None:
    now = server_time(redis)
    announce(arrows)
    propose(arrows, now + 1)  # within the skew
    assert 50 <= redis.ttl(KEYS.cron_tick(now + 1, "nightly")) <= 61
    assert redis.ttl(KEYS.cron_entry("nightly")) > 0


def test_a_new_entry_owes_nothing_of_the_past(redis: redis_py.Redis, arrows: Engine) -> None:
    now = server_time(redis)
    assert announce(arrows) >= now
    assert propose(arrows, now - 1) is Verdict.SETTLED


def test_an_entry_that_is_known_keeps_its_last_tick(redis: redis_py.Redis, arrows: Engine) -> None:
    now = server_time(redis)
    propose(arrows, now - 3600)
    redis.hset(KEYS.cron_entry("nightly"), mapping={"schedule": "every 60 s", "since": now - 7200})

    assert announce(arrows) == now - 3600
    assert propose(arrows, now) is Verdict.QUEUED


def test_another_schedule_begins_anew(redis: redis_py.Redis, arrows: Engine) -> None:
    now = server_time(redis)
    redis.hset(KEYS.cron_entry("nightly"), mapping={"schedule": "every 60 s", "since": now - 7200})
    assert announce(arrows) == now - 7200
    assert announce(arrows, "every 50 s") >= now


def long_known(redis: redis_py.Redis, since: int) -> None:
    """An entry that began to be evaluated then."""
    redis.hset(KEYS.cron_entry("nightly"), mapping={"schedule": "every 60 s", "since": since})


def test_a_paused_entry_enqueues_nothing_and_owes_nothing_when_it_is_resumed(
    redis: redis_py.Redis, arrows: Engine
) -> None:
    now = server_time(redis)
    long_known(redis, now - 7200)
    assert propose(arrows, now - 120) is Verdict.QUEUED
    last = redis.hgetall(KEYS.cron_entry("nightly"))[b"last_job"]

    assert arrows.cron_pause("nightly") is PauseResult.CHANGED
    for tick in (now - 60, now - 60, now):
        assert propose(arrows, tick) is Verdict.PAUSED
    assert propose(arrows, now - 120) is Verdict.SETTLED
    assert propose(arrows, now + 30) is Verdict.EARLY
    assert queued(redis) == [last]
    record = redis.hgetall(KEYS.cron_entry("nightly"))
    assert record[b"last_tick"] == str(now - 120).encode()
    assert record[b"next_tick"] == str(now + 60).encode(), "it is known when it would be"
    assert redis.keys(KEYS.cron_tick("*", "nightly")) == [
        KEYS.cron_tick(now - 120, "nightly").encode()
    ]

    assert arrows.cron_resume("nightly") is PauseResult.CHANGED
    for tick in (now - 60, now):
        assert propose(arrows, tick) is Verdict.SETTLED
    redis.hincrby(KEYS.cron_entry("nightly"), "since", -1)  # a second later
    assert propose(arrows, server_time(redis)) is Verdict.QUEUED
    assert len(queued(redis)) == 2


def test_to_pause_and_to_resume_again_changes_nothing(
    redis: redis_py.Redis, arrows: Engine
) -> None:
    key = KEYS.cron_entry("nightly")
    long_known(redis, 5)
    assert arrows.cron_resume("nightly") is PauseResult.UNCHANGED
    assert redis.hget(key, "since") == b"5"
    assert arrows.cron_pause("nightly") is PauseResult.CHANGED
    redis.hset(key, "paused_at", 7)
    assert arrows.cron_pause("nightly") is PauseResult.UNCHANGED
    assert redis.hget(key, "paused_at") == b"7", "since when stays"
    arrows.cron_resume("nightly")
    redis.hset(key, "since", 5)
    assert arrows.cron_resume("nightly") is PauseResult.UNCHANGED
    assert redis.hget(key, "since") == b"5", "no tick is lost by it"


def test_a_pause_outlives_announcements_and_another_schedule(
    redis: redis_py.Redis, arrows: Engine
) -> None:
    announce(arrows)
    arrows.cron_pause("nightly")
    for schedule in ("every 60 s", "every 50 s"):
        redis.expire(KEYS.cron_entry("nightly"), 10)
        announce(arrows, schedule)
        assert redis.ttl(KEYS.cron_entry("nightly")) > 29 * 86400
    redis.hset(KEYS.cron_entry("nightly"), "since", 5)
    assert propose(arrows, server_time(redis)) is Verdict.PAUSED


@pytest.mark.parametrize("stored", [None, "text", "hash"])
def test_only_an_entry_is_paused(redis: redis_py.Redis, arrows: Engine, stored: str | None) -> None:
    key = KEYS.cron_entry("nightly")
    if stored == "text":
        redis.set(key, "foreign")
    elif stored == "hash":
        redis.hset(key, "foreign", "x")
    before = redis.dump(key)
    assert arrows.cron_pause("nightly") is PauseResult.MISSING
    assert arrows.cron_resume("nightly") is PauseResult.MISSING
    assert redis.dump(key) == before


def test_foreign_data_in_the_place_of_a_record(redis: redis_py.Redis, arrows: Engine) -> None:
    redis.set(KEYS.cron_entry("nightly"), "foreign")
    entry = Announcement("nightly", "s", "default", "a.b", "settings", 2**31)
    other = Announcement("other", "s", "default", "a.b", "settings", 2**31)
    assert list(arrows.cron_announce([entry, other]).floors) == ["other"]


def test_a_scheduler_is_listed_and_unlisted(redis: redis_py.Redis, arrows: Engine) -> None:
    redis.zadd(KEYS.cron_schedulers, {"long silent": 5})
    arrows.register_cron_scheduler("host:1:abc", {"name": "host:1:abc", "pid": "1"}, ttl=120)
    assert redis.zrange(KEYS.cron_schedulers, 0, -1) == [b"host:1:abc"]
    assert 0 < redis.ttl(KEYS.cron_scheduler("host:1:abc")) <= 120

    arrows.unregister_cron_scheduler("host:1:abc")
    assert redis.keys() == []
