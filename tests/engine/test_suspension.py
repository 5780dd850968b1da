"""Suspended workers and paused queues in the scripts. tests/queues/test_suspension: in workers."""

from __future__ import annotations

import pytest
import redis as redis_py

from django_rqlite import get_queue
from django_rqlite.broker.broker import Broker
from django_rqlite.engine.engine import Claim, Engine, NextClaim, Pause
from tests import sample_jobs

ALL = ("high", "default", "low")


@pytest.fixture
def engine(redis: redis_py.Redis) -> Engine:
    return Engine(Broker(redis))


def claim(engine: Engine, execution: str = "e1") -> Claim:
    return engine.claim("w", NextClaim(execution, ALL, 60))


def test_nothing_leaves_its_queue_while_suspended(redis: redis_py.Redis, engine: Engine) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    assert engine.suspend() is True
    assert engine.suspend() is False, "it was already"

    assert claim(engine) == Claim(pauses=(Pause("", None),))
    assert redis.lrange("rq:queue:default", 0, -1) == [job.id.encode()]

    assert engine.resume() is True
    assert engine.resume() is False
    answer = claim(engine)
    assert answer.hold is not None
    assert (answer.hold.job_id, answer.pauses) == (job.id, ())


def test_a_claim_that_was_made_before_is_answered_again(engine: Engine) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    before = claim(engine)
    engine.suspend()
    engine.pause_queues(["default"])

    assert before.hold is not None
    assert before.hold.job_id == job.id
    assert claim(engine) == before, "its answer was lost, not the job"


def test_paused_queues_are_passed_over(engine: Engine) -> None:
    get_queue("high").enqueue(sample_jobs.add, 1)
    low = get_queue("low").enqueue(sample_jobs.add, 1)
    assert engine.pause_queues(["high", "default"], ttl=90) == 2

    answer = claim(engine)
    assert answer.hold is not None
    assert answer.hold.job_id == low.id

    nothing = claim(engine, "e2")
    assert [pause.queue for pause in nothing.pauses] == ["high", "default"]
    assert all(80 < (pause.ends_in or 0) <= 90 for pause in nothing.pauses)
    assert engine.resume_queues(["high", "low"]) == 1, "low was not paused"
    assert claim(engine, "e2").hold is not None


def test_a_later_call_replaces_the_time(redis: redis_py.Redis, engine: Engine) -> None:
    engine.suspend(100)
    assert 90 < redis.ttl("rq:suspended") <= 100
    engine.suspend()
    assert redis.ttl("rq:suspended") == -1
    engine.suspend(5)
    assert 0 < redis.ttl("rq:suspended") <= 5


def test_an_outcome_is_stored_while_suspended_and_says_so(
    redis: redis_py.Redis, engine: Engine
) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    get_queue().enqueue(sample_jobs.add, 2)
    hold = claim(engine).hold
    assert hold is not None
    engine.suspend()

    settled = engine.finish(
        "w",
        hold,
        worker_name="w",
        result_ttl=500,
        result=b"",
        signature="",
        encoded_result=b"",
        then=NextClaim("e2", ALL, 60),
    )
    assert settled.stored
    assert settled.claim.pauses == (Pause("", None),)
    assert redis.zrange("rq:finished:default", 0, -1) == [job.id.encode()]


def test_every_change_is_announced(redis: redis_py.Redis, engine: Engine) -> None:
    with redis.pubsub() as inbox:
        inbox.subscribe("rq:x:suspension")
        assert inbox.get_message(timeout=5)
        engine.suspend()
        engine.resume()
        engine.pause_queues(["low"])
        engine.resume_queues(["low"])
        heard = [inbox.get_message(timeout=5) for _ in range(4)]
    received = [message["data"] for message in heard if message]
    assert received == [b"suspended", b"resumed", b"suspended", b"resumed"]


def test_foreign_data_under_the_key_counts_as_rq_takes_it(
    redis: redis_py.Redis, engine: Engine
) -> None:
    redis.rpush("rq:suspended", "a list")
    get_queue().enqueue(sample_jobs.add, 1)
    assert claim(engine).pauses == (Pause("", None),)
    assert engine.resume() is True
