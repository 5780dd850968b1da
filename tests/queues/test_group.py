"""Groups of jobs: who is in them, and that they go with their jobs. RQ sees the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import rq
from django.db import transaction
from rq.group import Group as RQGroup
from rq.job import Job as RQJob

from django_rqlite import Job, Queue, enqueue, get_connection, get_queue
from django_rqlite.exceptions import InvalidJobError, NoSuchGroupError
from django_rqlite.queues.group import Group
from tests.keyspace import commands, dumped
from tests.outcomes_in_redis import engine, finish, start
from tests.sample_jobs import add, echo, nothing
from tests.worker_process import run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")


def grouped(count: int = 3, name: str = "g", **options: Any) -> list[Job]:
    datas = [Queue.prepare_data(echo, (number,), **options) for number in range(count)]
    return Group.create(name=name).enqueue_many(get_queue(), datas)


def ids(jobs: list[Any]) -> set[str]:
    return {job.id for job in jobs}


# Who is in them


def test_jobs_are_members_from_the_moment_they_are_there(redis: redis_py.Redis) -> None:
    group = Group(get_connection(), "g")
    data = [Queue.prepare_data(add, (1,))]
    group.enqueue_many(get_queue(), data)
    assert commands(redis, lambda: group.enqueue_many(get_queue(), data)) == ["EVALSHA"]

    jobs = get_queue().jobs
    assert redis.smembers("rq:groups") == {b"g"}
    assert redis.smembers("rq:group:g") == {job.id.encode() for job in jobs}
    assert {job.group_id for job in jobs} == {"g"}
    assert ids(group.get_jobs()) == ids(jobs) == set(group.get_job_ids())
    assert repr(group) == "Group(id=g)"


def test_in_several_queues_and_all_ways(redis: redis_py.Redis) -> None:
    (first,) = grouped(1)
    second = get_queue("high").enqueue_call(echo, (1,), group_id="g")
    third = get_queue("low").create_job(echo, (2,), group_id="g")
    get_queue("low").enqueue_job(third)
    (fourth,) = grouped(1, depends_on=first)
    in_place = get_queue(is_async=False)
    (fifth,) = Group(name="g").enqueue_many(in_place, [Queue.prepare_data(nothing)])
    assert fifth.is_finished
    assert ids(Group.fetch("g").get_jobs()) == ids([first, second, third, fourth, fifth])


def test_a_function_may_have_an_argument_of_that_name() -> None:
    job = enqueue("tests.queues.test_enqueue.options", group_id=5)
    assert job.kwargs == {"group_id": 5}
    assert job.group_id is None
    with pytest.raises(InvalidJobError, match="group_id must be the name"):
        get_queue().enqueue_call(echo, (1,), group_id="")


def test_names() -> None:
    assert len(Group.create().name) == 32
    assert Group().name != Group().name
    assert Group(name="a") == Group.create(get_connection(), "a")
    assert Group(name="a") != Group(name="b")
    assert Group(name="a") != "a"
    assert len({Group(name="a"), Group(name="a")}) == 1


def test_finding_them(redis: redis_py.Redis) -> None:
    grouped(1, "b")
    grouped(1, "a")
    assert [group.name for group in Group.all()] == ["a", "b"]
    assert Group.fetch("a") == Group(name="a")
    with pytest.raises(NoSuchGroupError, match="no group 'c'"):
        Group.fetch("c")


def test_no_group_without_a_job(redis: redis_py.Redis) -> None:
    group = Group.create(name="g")
    assert group.get_jobs() == []
    assert group.enqueue_many(get_queue(), []) == []
    assert redis.keys() == []


@pytest.mark.django_db(transaction=True)
def test_with_the_commit(redis: redis_py.Redis) -> None:
    with transaction.atomic():
        grouped()
        assert redis.keys() == []
    assert len(Group.fetch("g").get_jobs()) == 3


# How they end


def test_a_deleted_job_leaves(redis: redis_py.Redis) -> None:
    first, second, third = grouped()
    first.delete()
    assert ids(Group(name="g").get_jobs()) == {second.id, third.id}
    second.delete()
    get_queue().empty()
    assert redis.keys("rq:group*") == []


def test_a_job_that_keeps_nothing_leaves(redis: redis_py.Redis) -> None:
    grouped(1, result_ttl=0)
    finish(start(), 1, ttl=0)
    assert redis.keys("rq:group*") == []


def test_a_job_of_the_same_id_takes_its_place(redis: redis_py.Redis) -> None:
    grouped(1, "old", job_id="a")
    grouped(1, "new", job_id="a")
    assert redis.smembers("rq:groups") == {b"new"}
    enqueue(add, job_id="a")
    assert redis.keys("rq:group*") == []


def test_a_job_enqueued_again_is_in_its_group_again() -> None:
    grouped(1)
    job = get_queue().jobs[0]
    finish(start(), 1)
    get_queue().enqueue_job(Job.fetch(job.id))
    assert ids(Group.fetch("g").get_jobs()) == {job.id}


def test_a_job_taken_out(redis: redis_py.Redis) -> None:
    first, second = grouped(2)
    group = Group.fetch("g")
    group.delete_job(first.id)
    assert ids(group.get_jobs()) == {second.id}
    assert Job.fetch(first.id).group_id is None
    assert first.is_queued
    group.delete_job("unknown")
    group.delete_job(second.id)
    assert redis.keys("rq:group*") == []
    # RQ's own deletion fails for a job whose group is gone.
    RQJob.fetch(first.id, redis).delete()


def test_looking_changes_nothing(redis: redis_py.Redis) -> None:
    jobs = grouped()
    redis.delete(jobs[0].key, jobs[1].key)  # as their TTLs would
    redis.sadd("rq:groups", "gone")
    before = dumped(redis)
    group = Group.fetch("g")
    assert ids(group.get_jobs()) == {jobs[2].id}
    assert Group.all() == [group]
    assert dumped(redis) == before

    group.cleanup()
    assert group.get_job_ids() == [jobs[2].id]
    redis.delete(jobs[2].key)
    group.cleanup()
    Group(name="gone").cleanup()
    assert redis.keys("rq:group*") == []


def test_workers_take_out_what_has_expired(redis: redis_py.Redis, tmp_path: Path) -> None:
    kept, gone, _ = grouped()
    grouped(2, "another")
    redis.delete(gone.key)
    for job in Group(name="another").get_jobs():
        redis.delete(job.key)
    run_burst(tmp_path)
    assert redis.smembers("rq:groups") == {b"g"}
    assert gone.id not in Group(name="g").get_job_ids()
    assert kept.id in Group(name="g").get_job_ids()


def test_large_groups_are_tidied_a_part_at_a_time(redis: redis_py.Redis) -> None:
    redis.sadd("rq:groups", "g", *(f"g{number}" for number in range(30)))
    redis.sadd("rq:group:g", *range(3000))
    calls = 0
    while redis.exists("rq:groups"):
        assert engine().clean_groups() <= 500
        calls += 1
        assert calls < 500
    assert calls >= 6
    assert redis.keys() == []


def test_foreign_data(redis: redis_py.Redis) -> None:
    redis.set("rq:group:g", "foreign")
    (job,) = grouped(1)
    job.delete()
    assert engine().clean_groups() == 0
    redis.delete("rq:group:g")
    redis.set("rq:groups", "foreign")
    (job,) = grouped(1)
    job.delete()
    assert engine().clean_groups() == 0
    assert redis.get("rq:groups") == b"foreign"


# With RQ


def test_rq_reads_ours(redis: redis_py.Redis, tmp_path: Path) -> None:
    jobs = grouped()
    theirs = RQGroup.fetch("g", redis)
    assert ids(theirs.get_jobs()) == ids(jobs)
    assert {job.group_id for job in theirs.get_jobs()} == {"g"}
    assert [group.name for group in RQGroup.all(redis)] == ["g"]
    theirs.get_jobs()[0].delete()
    assert len(Group.fetch("g").get_jobs()) == 2
    run_burst(tmp_path)
    assert sorted(job.return_value() for job in theirs.get_jobs())[0] in (0, 1)
    for job in jobs:
        redis.delete(job.key)
    theirs.clean_registries(redis)
    assert redis.keys("rq:group*") == []


def test_we_read_rq_s(redis: redis_py.Redis, tmp_path: Path) -> None:
    theirs = RQGroup.create(redis, "g")
    queue = rq.Queue(connection=redis)
    made = theirs.enqueue_many(
        queue, [rq.Queue.prepare_data("tests.sample_jobs.echo", (number,)) for number in (1, 2)]
    )
    group = Group.fetch("g")
    assert ids(group.get_jobs()) == ids(made)
    assert {job.group_id for job in group.get_jobs()} == {"g"}
    with worker(tmp_path, "--burst") as process:
        assert process.ends() == 0
    assert sorted(job.return_value() for job in group.get_jobs()) == [1, 2]
    for job in group.get_jobs():
        job.delete()
    assert redis.keys("rq:group*") == []
