"""Jobs that wait for other jobs: released, canceled and revived with them, never in limbo."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis as redis_py

from django_rqlite import Dependency, Job, Queue, Retry, get_connection, get_queue
from django_rqlite.exceptions import InvalidJobError, InvalidJobOperation
from tests import sample_jobs
from tests.conftest import wait_until
from tests.outcomes_in_redis import fail, finish, start
from tests.worker_process import run_burst, worker

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture
def queue() -> Queue:
    return get_queue()


def states(*jobs: Job) -> list[str]:
    return [str(job.get_status()) for job in jobs]


def test_a_child_waits_for_its_parent(queue: Queue, redis: redis_py.Redis, tmp_path: Path) -> None:
    parent = queue.enqueue(sample_jobs.add, 1)
    child = queue.enqueue(sample_jobs.add, 2, depends_on=parent)

    assert states(parent, child) == ["queued", "deferred"]
    assert queue.job_ids == [parent.id]
    assert queue.deferred_job_registry.get_job_ids() == [child.id]
    assert redis.smembers(f"rq:job:{parent.id}:dependents") == {child.id.encode()}
    assert redis.smembers(f"rq:job::{child.id}:dependencies") == {parent.id.encode()}
    assert parent.dependent_ids == [child.id]
    assert Job.fetch(child.id).dependency_ids == [parent.id]
    assert child.dependency == parent

    output = run_burst(tmp_path)

    assert states(parent, child) == ["finished", "finished"]
    assert output.index(f"({parent.id})") < output.index(f"({child.id})")
    assert not redis.exists(f"rq:job::{child.id}:dependencies")
    assert not redis.exists(f"rq:job:{parent.id}:dependents")


def test_a_child_of_several_across_queues(queue: Queue, tmp_path: Path) -> None:
    parents = [get_queue(name).enqueue(sample_jobs.add, 1) for name in ("low", "default")]
    child = get_queue("high").enqueue(sample_jobs.add, 2, depends_on=[parents[0], parents[1].id])

    run_burst(tmp_path, "low")
    assert states(child) == ["deferred"]
    run_burst(tmp_path, "default")
    assert states(child) == ["queued"]
    assert get_queue("high").job_ids == [child.id]
    run_burst(tmp_path)
    assert states(child) == ["finished"]


def test_parents_that_have_ended_well_or_are_gone_are_met(queue: Queue, tmp_path: Path) -> None:
    ended = queue.enqueue(sample_jobs.add, 1)
    run_burst(tmp_path)

    child = queue.enqueue(sample_jobs.add, 2, depends_on=[ended, "gone"])

    assert states(child) == ["queued"]
    assert queue.job_ids == [child.id]


def test_a_failed_parent_cancels_its_descendants_and_says_so(
    queue: Queue, redis: redis_py.Redis, tmp_path: Path
) -> None:
    parent = queue.enqueue(sample_jobs.divide, 1, 0)
    child = queue.enqueue(sample_jobs.add, 1, depends_on=parent)
    grandchild = get_queue("low").enqueue(sample_jobs.add, 2, depends_on=child)

    run_burst(tmp_path)

    assert states(parent, child, grandchild) == ["failed", "canceled", "canceled"]
    assert queue.canceled_job_registry.get_job_ids() == [child.id]
    assert get_queue("low").canceled_job_registry.get_job_ids() == [grandchild.id]
    assert queue.deferred_job_registry.count == 0
    child.refresh()
    assert child.exc_info == f"Canceled because job {parent.id}, which it depends on, has failed."
    assert redis.ttl(child.key) > 0


def test_requeueing_the_parent_brings_its_descendants_back(queue: Queue, tmp_path: Path) -> None:
    file = tmp_path / "runs"
    parent = queue.enqueue(sample_jobs.fail_at_first, str(file), 1)
    child = queue.enqueue(sample_jobs.add, 1, depends_on=parent)
    grandchild = queue.enqueue(sample_jobs.add, 2, depends_on=child)
    run_burst(tmp_path)

    parent.requeue()

    assert states(parent, child, grandchild) == ["queued", "deferred", "deferred"]
    assert queue.canceled_job_registry.count == 0
    run_burst(tmp_path)
    assert states(parent, child, grandchild) == ["finished"] * 3


def test_a_canceled_child_can_be_requeued_by_itself(queue: Queue, tmp_path: Path) -> None:
    parent = queue.enqueue(sample_jobs.divide, 1, 0)
    child = queue.enqueue(sample_jobs.add, 1, depends_on=parent)
    run_burst(tmp_path)

    child.requeue()
    run_burst(tmp_path)

    assert states(parent, child) == ["failed", "finished"]
    parent.requeue()
    assert states(child) == ["finished"], "it owes its parent nothing any more"


def test_a_child_of_a_job_that_has_failed_already(queue: Queue, tmp_path: Path) -> None:
    parent = queue.enqueue(sample_jobs.divide, 1, 0)
    run_burst(tmp_path)

    child = queue.enqueue(sample_jobs.add, 1, depends_on=parent)
    lenient = queue.enqueue(sample_jobs.add, 1, depends_on=Dependency(parent, allow_failure=True))

    assert states(child, lenient) == ["canceled", "queued"]
    parent.requeue()
    assert states(child) == ["deferred"]


def test_allow_failure_and_at_front(queue: Queue, tmp_path: Path) -> None:
    parent = queue.enqueue(sample_jobs.divide, 1, 0)
    child = queue.enqueue(
        sample_jobs.add,
        1,
        depends_on=Dependency([parent], allow_failure=True, enqueue_at_front=True),
    )
    waiting = queue.enqueue(sample_jobs.add, 2)

    run_burst(tmp_path, "--max-jobs", "1")

    assert queue.job_ids == [child.id, waiting.id]


def test_a_retried_parent_has_not_ended(queue: Queue, tmp_path: Path) -> None:
    file = tmp_path / "runs"
    parent = queue.enqueue(sample_jobs.fail_at_first, str(file), 1, retry=Retry(1, interval=3600))
    child = queue.enqueue(sample_jobs.add, 1, depends_on=parent)

    run_burst(tmp_path)

    assert states(parent, child) == ["scheduled", "deferred"]


@pytest.mark.parametrize("end", ["delete", "cancel", "empty"])
def test_a_parent_taken_away_cancels_its_children(queue: Queue, end: str) -> None:
    parent = queue.enqueue(sample_jobs.add, 1)
    child = queue.enqueue(sample_jobs.add, 1, depends_on=parent)
    lenient = queue.enqueue(sample_jobs.add, 1, depends_on=Dependency(parent, allow_failure=True))

    {"delete": parent.delete, "cancel": parent.cancel, "empty": queue.empty}[end]()

    assert states(child) == ["canceled"]
    if end != "empty":  # which empties the queue of what comes into it meanwhile, too
        assert states(lenient) == ["queued"]
    assert f"which it depends on, was {'canceled' if end == 'cancel' else 'deleted'}" in (
        Job.fetch(child.id).exc_info or ""
    )


def test_a_parent_that_expired_cancels_its_children(
    queue: Queue, redis: redis_py.Redis, tmp_path: Path
) -> None:
    parent = queue.enqueue(sample_jobs.add, 1, ttl=100)
    child = queue.enqueue(sample_jobs.add, 1, depends_on=parent)
    redis.delete(parent.key)

    run_burst(tmp_path)

    assert states(child) == ["canceled"]


def test_result_ttl_0_releases_the_children(queue: Queue, tmp_path: Path) -> None:
    parent = queue.enqueue(sample_jobs.add, 1, result_ttl=0)
    child = queue.enqueue(sample_jobs.add, 1, depends_on=parent)

    run_burst(tmp_path)

    assert states(child) == ["finished"]


def test_a_child_that_is_deleted_is_forgotten_by_its_parent(
    queue: Queue, redis: redis_py.Redis, tmp_path: Path
) -> None:
    parent = queue.enqueue(sample_jobs.add, 1)
    child = queue.enqueue(sample_jobs.add, 1, depends_on=parent)

    child.delete()

    assert not [key for key in redis.scan_iter() if child.id.encode() in key]
    assert not redis.exists(f"rq:job:{parent.id}:dependents")


def test_a_time_and_a_parent(queue: Queue, tmp_path: Path) -> None:
    parent = queue.enqueue(sample_jobs.add, 1)
    soon = queue.enqueue_in(timedelta(0), sample_jobs.add, 1, depends_on=parent)
    later = queue.enqueue_in(timedelta(hours=1), sample_jobs.add, 1, depends_on=parent)
    assert states(soon, later) == ["deferred", "deferred"]

    run_burst(tmp_path)

    assert states(soon, later) == ["finished", "scheduled"]


def enqueue_children(redis: redis_py.Redis, parent: Job, count: int) -> None:
    template = get_queue().enqueue(sample_jobs.nothing, depends_on=parent)
    fields = redis.hgetall(template.key)
    with redis.pipeline(transaction=False) as pipeline:
        for number in range(count - 1):
            job_id = f"{number}-of-{parent.id}"
            pipeline.hset(f"rq:job:{job_id}", mapping=fields)
            pipeline.zadd("rq:deferred:default", {job_id: 1})
            pipeline.sadd(f"rq:job:{parent.id}:dependents", job_id)
            pipeline.sadd(f"rq:job::{job_id}:dependencies", parent.id)
        pipeline.execute()


def tell_the_rest(redis: redis_py.Redis) -> None:
    """As workers do while they wait."""
    for _ in range(100):
        if get_queue()._engine.promote(["default"]).next_due is None:
            break
    assert not redis.exists("rq:x:untold")


def test_ten_thousand_children(queue: Queue, redis: redis_py.Redis, tmp_path: Path) -> None:
    parent = queue.enqueue(sample_jobs.nothing)
    enqueue_children(redis, parent, 10_000)

    run_burst(tmp_path, "--max-jobs", "1")

    assert 250 <= queue.count < 5000, "no script takes long"
    tell_the_rest(redis)
    assert queue.count == 10_000
    assert redis.zcard("rq:deferred:default") == 0
    assert not redis.exists(f"rq:job:{parent.id}:dependents")


def test_a_worker_tells_more_children_than_one_script_may(
    queue: Queue, redis: redis_py.Redis, tmp_path: Path
) -> None:
    parent = queue.enqueue(sample_jobs.nothing)
    for _ in range(600):
        queue.enqueue(sample_jobs.nothing, depends_on=parent)
    run_burst(tmp_path, "--max-jobs-per-child", "0")
    assert queue.finished_job_registry.count == 601
    assert not redis.exists("rq:x:untold")


def test_a_parent_deleted_before_all_are_told_that_it_finished(
    queue: Queue, redis: redis_py.Redis
) -> None:
    parent = queue.enqueue(sample_jobs.nothing)
    enqueue_children(redis, parent, 700)
    finish(start())
    parent.delete()
    tell_the_rest(redis)
    assert queue.count == 700
    assert not redis.exists(f"rq:job:{parent.id}:dependents")


def test_children_outlive_a_parent_that_is_kept_for_a_moment(
    queue: Queue, redis: redis_py.Redis
) -> None:
    parent = queue.enqueue(sample_jobs.nothing)
    enqueue_children(redis, parent, 700)
    fail(start(), ttl=5)
    assert redis.ttl(f"rq:job:{parent.id}:dependents") == -1
    tell_the_rest(redis)
    assert queue.canceled_job_registry.count == 700
    assert 0 < redis.ttl(f"rq:job:{parent.id}:dependents") <= 5


def test_bad_news_reach_more_children_than_one_script_may_tell(
    queue: Queue, redis: redis_py.Redis
) -> None:
    parent = queue.enqueue(sample_jobs.nothing)
    enqueue_children(redis, parent, 700)
    child = Job.fetch(f"0-of-{parent.id}")
    enqueue_children(redis, child, 700)

    fail(start())
    assert 0 < queue.canceled_job_registry.count < 1000
    parent.requeue()
    assert queue.deferred_job_registry.count == 1400, "they wait for it again"
    tell_the_rest(redis)
    assert queue.deferred_job_registry.count == 1400

    parent.delete()
    tell_the_rest(redis)
    assert queue.canceled_job_registry.count == 1400
    assert not redis.exists(f"rq:job:{parent.id}:dependents")


def calls_in_the_server(redis: redis_py.Redis, act: Callable[[], object]) -> int:
    """How many commands run there while ``act()`` does, those of scripts among them."""
    redis.config_resetstat()
    act()
    return sum(each["calls"] for each in redis.info("commandstats").values())


def test_the_ends_of_many_parents_take_no_more_looks_than_there_are_parents(
    queue: Queue, redis: redis_py.Redis
) -> None:
    many = 300
    taken = {}
    for count in (2, many):
        parents = [queue.enqueue(sample_jobs.nothing) for _ in range(count)]
        child = get_queue("low").enqueue(sample_jobs.nothing, depends_on=parents)
        holds = [start(execution=f"e{count}-{number}") for number in range(count)]
        taken[count] = calls_in_the_server(redis, lambda holds=holds: finish(holds[0]))
        rest = calls_in_the_server(redis, lambda holds=holds: [finish(each) for each in holds[1:]])
        assert child.is_queued
    assert taken[many] <= taken[2]
    assert rest < many * (taken[2] + 5)


def test_parents_that_ended_unheard_are_looked_at_once(queue: Queue, redis: redis_py.Redis) -> None:
    parents = queue.enqueue_many([queue.prepare_data(sample_jobs.nothing)] * 5000)
    child = get_queue("low").enqueue(sample_jobs.nothing, depends_on=parents)
    assert redis.scard(f"rq:job::{child.id}:dependencies") == 5000
    assert redis.smembers(f"rq:job:{parents[-1].id}:dependents") == {child.id.encode()}
    first, second = start(execution="e1"), start(execution="e2")
    with redis.pipeline(transaction=False) as pipeline:
        for parent in parents[2:]:
            pipeline.delete(parent.key)
        pipeline.execute()
    finish(first)
    assert child.is_deferred
    finish(second)
    assert child.is_queued
    assert not redis.exists(f"rq:job::{child.id}:dependencies")


@pytest.mark.parametrize("prefix", ["rq:", "all*of->it:"])
def test_each_of_many_parents_is_seen_as_it_is(
    settings: SettingsWrapper, redis: redis_py.Redis, prefix: str
) -> None:
    here = {**settings.RQ_QUEUES["default"], "KEY_PREFIX": prefix}
    settings.RQ_QUEUES = {**settings.RQ_QUEUES, "default": here}
    queue = get_queue()
    ended = queue.enqueue_many([queue.prepare_data(sample_jobs.nothing)] * 40)
    redis.hset(ended[0].key, "status", "finished")
    ended[1].delete()
    redis.rename(ended[2].key, "elsewhere")
    redis.set(ended[2].key, "foreign")

    child = queue.enqueue(sample_jobs.nothing, depends_on=ended)

    waits_for = {
        member.decode() for member in redis.smembers(f"{prefix}job::{child.id}:dependencies")
    }
    assert waits_for == {job.id for job in ended[3:]}
    assert not redis.exists(f"{prefix}x:scratch")
    redis.hset(ended[5].key, "status", "failed")
    assert queue.enqueue(sample_jobs.nothing, depends_on=ended).is_canceled
    for job in ended[3:]:
        redis.hset(job.key, "status", "finished")
    assert queue.enqueue(sample_jobs.nothing, depends_on=ended).is_queued


def test_cycles_are_refused(queue: Queue, redis: redis_py.Redis) -> None:
    with pytest.raises(InvalidJobError, match="can't depend on job 'one'"):
        queue.enqueue(sample_jobs.add, 1, job_id="one", depends_on="one")
    assert redis.dbsize() == 0
    queue.enqueue(sample_jobs.add, 1, job_id="one")
    queue.enqueue(sample_jobs.add, 1, job_id="two", depends_on="one")
    queue.enqueue(sample_jobs.add, 1, job_id="three", depends_on="two")
    with pytest.raises(InvalidJobError, match="'one' can't depend on job 'three'"):
        queue.enqueue(sample_jobs.add, 1, job_id="one", depends_on="three")
    assert queue.job_ids == ["one"]


def test_a_parent_enqueued_again_keeps_its_children(queue: Queue, tmp_path: Path) -> None:
    queue.enqueue(sample_jobs.add, 1, job_id="parent")
    child = queue.enqueue(sample_jobs.add, 1, depends_on="parent")
    queue.enqueue(sample_jobs.add, 2, job_id="parent")

    run_burst(tmp_path)

    assert states(child) == ["finished"]


def test_what_is_no_dependency_is_refused(queue: Queue, redis: redis_py.Redis) -> None:
    for nonsense in (5, [None], "a b", Dependency):
        with pytest.raises(InvalidJobError, match="depends_on"):
            queue.enqueue(sample_jobs.add, 1, depends_on=nonsense)
    assert redis.dbsize() == 0


def test_async_off(queue: Queue) -> None:
    parent = queue.enqueue(sample_jobs.add, 1)
    in_place = get_queue(is_async=False)
    assert states(in_place.enqueue(sample_jobs.add, 1, depends_on=parent)) == ["deferred"]
    ended = in_place.enqueue(sample_jobs.add, 1)
    assert states(in_place.enqueue(sample_jobs.add, 1, depends_on=ended)) == ["finished"]


def test_cancel(queue: Queue, redis: redis_py.Redis, tmp_path: Path) -> None:
    waiting = queue.enqueue(sample_jobs.add, 1)
    scheduled = queue.enqueue_in(timedelta(hours=1), sample_jobs.add, 1)
    other = queue.enqueue(sample_jobs.add, 1)

    waiting.cancel()
    scheduled.cancel()

    assert states(waiting, scheduled, other) == ["canceled", "canceled", "queued"]
    assert queue.job_ids == [other.id]
    assert set(queue.canceled_job_registry.get_job_ids()) == {waiting.id, scheduled.id}
    with pytest.raises(InvalidJobOperation, match="is canceled already"):
        waiting.cancel()
    run_burst(tmp_path)
    assert states(waiting) == ["canceled"]
    with pytest.raises(InvalidJobOperation, match="is finished already"):
        other.cancel()
    waiting.requeue()
    run_burst(tmp_path)
    assert states(waiting) == ["finished"]


def test_cancel_may_let_the_children_run(queue: Queue) -> None:
    parent = queue.enqueue(sample_jobs.add, 1)
    child = queue.enqueue(sample_jobs.add, 1, depends_on=parent)

    parent.cancel(enqueue_dependents=True)

    assert states(parent, child) == ["canceled", "queued"]


def test_canceling_a_running_job_stops_it(queue: Queue, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job = queue.enqueue(sample_jobs.block_on, str(pipe))
    child = queue.enqueue(sample_jobs.add, 1, depends_on=job)
    with worker(tmp_path) as process:
        process.prints(job.id)
        job.cancel()
        wait_until(lambda: job.is_stopped, "it has stopped")
    assert states(child) == ["canceled"]


def test_a_job_of_a_worker_that_does_not_listen_can_not_be_stopped(
    queue: Queue, redis: redis_py.Redis
) -> None:
    job = queue.enqueue(sample_jobs.add, 1)
    redis.hset(job.key, mapping={"status": "started", "worker_name": "dead.1"})
    with pytest.raises(InvalidJobOperation, match=r"runs on worker dead\.1, which does not listen"):
        Job.fetch(job.id, connection=get_connection()).cancel()
