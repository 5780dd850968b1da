"""What keeps workers from taking jobs, as the scripts see it. Real workers: test_suspension."""

from __future__ import annotations

import pytest
import redis as redis_py

from django_rqlite import get_queue
from django_rqlite.broker.broker import Broker
from django_rqlite.engine.engine import Claim, Engine, NextClaim, Pause
from tests import sample_jobs

ALL = ("high", "default", "low")


@pytest.fixture
def arrows(redis: redis_py.Redis) -> Engine:
    return Engine(Broker(redis))


@pytest.fixture
def transitions(redis: redis_py.Redis) -> Engine:
    return Engine(Broker(redis))


def claim(transitions: Engine, execution: str = "e1") -> Claim:
    return transitions.claim("w", NextClaim(execution, ALL, 60))


def test_nothing_leaves_its_queue_while_suspended(
    redis: redis_py.Redis, arrows: Engine, transitions: Engine
) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    assert arrows.suspend() is True
    assert arrows.suspend() is False, "it was already"

    assert claim(transitions) == Claim(pauses=(Pause("", None),))
    assert redis.lrange("rq:queue:default", 0, -1) == [job.id.encode()]

    assert arrows.resume() is True
    assert arrows.resume() is False
    answer = claim(transitions)
    assert answer.hold is not None
    assert (answer.hold.job_id, answer.pauses) == (job.id, ())


def test_a_claim_that_was_made_before_is_answered_again(
    arrows: Engine, transitions: Engine
) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    before = claim(transitions)
    arrows.suspend()
    arrows.pause_queues(["default"])

    assert before.hold is not None
    assert before.hold.job_id == job.id
    assert claim(transitions) == before, "its answer was lost, not the job"


def test_paused_queues_are_passed_over(arrows: Engine, transitions: Engine) -> None:
    get_queue("high").enqueue(sample_jobs.add, 1)
    low = get_queue("low").enqueue(sample_jobs.add, 1)
    assert arrows.pause_queues(["high", "default"], ttl=90) == 2

    answer = claim(transitions)
    assert answer.hold is not None
    assert answer.hold.job_id == low.id

    nothing = claim(transitions, "e2")
    assert [pause.queue for pause in nothing.pauses] == ["high", "default"]
    assert all(80 < (pause.ends_in or 0) <= 90 for pause in nothing.pauses)
    assert arrows.resume_queues(["high", "low"]) == 1, "low was not paused"
    assert claim(transitions, "e2").hold is not None


def test_a_later_call_replaces_the_time(redis: redis_py.Redis, arrows: Engine) -> None:
    arrows.suspend(100)
    assert 90 < redis.ttl("rq:suspended") <= 100
    arrows.suspend()
    assert redis.ttl("rq:suspended") == -1
    arrows.suspend(5)
    assert 0 < redis.ttl("rq:suspended") <= 5


def test_an_outcome_is_stored_while_suspended_and_says_so(
    redis: redis_py.Redis, arrows: Engine, transitions: Engine
) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    get_queue().enqueue(sample_jobs.add, 2)
    hold = claim(transitions).hold
    assert hold is not None
    arrows.suspend()

    settled = transitions.finish(
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


def test_every_change_is_announced(redis: redis_py.Redis, arrows: Engine) -> None:
    with redis.pubsub() as inbox:
        inbox.subscribe("rq:x:suspension")
        assert inbox.get_message(timeout=5)
        arrows.suspend()
        arrows.resume()
        arrows.pause_queues(["low"])
        arrows.resume_queues(["low"])
        heard = [inbox.get_message(timeout=5) for _ in range(4)]
    said = [message["data"] for message in heard if message]
    assert said == [b"suspended", b"resumed", b"suspended", b"resumed"]


def test_foreign_data_under_the_key_counts_as_rq_takes_it(
    redis: redis_py.Redis, transitions: Engine, arrows: Engine
) -> None:
    redis.rpush("rq:suspended", "a list")
    get_queue().enqueue(sample_jobs.add, 1)
    assert claim(transitions).pauses == (Pause("", None),)
    assert arrows.resume() is True
