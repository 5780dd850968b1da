"""Jobs of dead workers are found by their expired leases."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import Retry, get_queue
from django_rqlite.engine.engine import NextClaim
from django_rqlite.jobs.job import Job
from tests import sample_jobs
from tests.conftest import wait_until
from tests.worker_process import run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")

LEASE = {"RQ_TEST_LEASE": "1"}


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def lose_a_worker(redis: redis_py.Redis, job: Job, *, crashes: int = 0) -> None:
    """Have a job claimed by a worker that is never heard of again."""
    queue = get_queue(job.origin)
    execution = f"of{job.id}"
    claim = queue._engine.claim("dead.1", NextClaim(execution, [job.origin], 60))
    assert claim.hold is not None
    assert claim.hold.job_id == job.id
    redis.zadd(f"rq:wip:{job.origin}", {f"{job.id}:{execution}": 1})
    if crashes:
        redis.hset(job.key, "x_crashes", crashes)


def test_the_job_of_a_killed_worker_runs_again(tmp_path: Path, pipe: Path) -> None:
    first = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, environment=LEASE) as killed:
        killed.prints(first.id)
        killed.signal(signal.SIGKILL)
        killed.ends()
    second = get_queue().enqueue(sample_jobs.add, 1)

    with worker(tmp_path, environment=LEASE) as other:
        other.prints(first.id)
        pipe.write_text("done")
        wait_until(lambda: first.is_finished, "the first job has run again")
        wait_until(lambda: second.is_finished, "and so has the second")

    assert first.return_value() == "done"


def test_no_lease_is_shorter_than_it_says(redis: redis_py.Redis) -> None:
    def server_time() -> float:
        seconds, microseconds = redis.time()
        return int(seconds) + int(microseconds) / 1_000_000

    queue = get_queue()
    queue.enqueue(sample_jobs.nothing)
    # Late in a second, where cutting times to whole seconds costs most.
    wait_until(lambda: server_time() % 1 > 0.9, "a second is nearly over")
    began = server_time()
    queue._engine.claim("silent.1", NextClaim("e1", ["default"], 1))

    wait_until(lambda: queue._engine.reap(["default"], most_crashes=3, patience=90), "reaped")

    assert server_time() - began >= 1


def test_a_job_that_was_lost_goes_to_the_front(redis: redis_py.Redis, tmp_path: Path) -> None:
    lost = get_queue().enqueue(sample_jobs.add, 1)
    lose_a_worker(redis, lost)
    waiting = get_queue().enqueue(sample_jobs.add, 2)

    output = run_burst(tmp_path)

    assert output.index(f"({lost.id})") < output.index(f"({waiting.id})")
    assert redis.hget(lost.key, "x_crashes") == b"1"


def test_the_fourth_worker_to_die_is_the_last(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    lose_a_worker(redis, job, crashes=3)

    output = run_burst(tmp_path)

    assert job.is_failed
    assert "Worker dead.1 died while it ran the job for the 4th time" in (job.exc_info or "")
    assert "died" in output
    assert get_queue().failed_job_registry.get_job_ids() == [job.id]
    assert redis.lrange("rq:queue:failed", 0, -1) == [job.id.encode()]
    assert redis.zcard("rq:wip:default") == 0


def test_on_worker_death_fail(redis: redis_py.Redis, tmp_path: Path) -> None:
    plain = get_queue().enqueue(sample_jobs.add, 1)
    lose_a_worker(redis, plain)
    retried = get_queue().enqueue(sample_jobs.add, 2, retry=Retry(1))
    lose_a_worker(redis, retried)

    run_burst(tmp_path, environment={"RQ_TEST_ON_WORKER_DEATH": "fail"})

    assert plain.is_failed
    assert "Worker dead.1 died while it ran the job" in (plain.exc_info or "")
    assert retried.is_finished


def test_a_worker_of_rq_s_is_given_its_time(redis: redis_py.Redis, tmp_path: Path) -> None:
    server_now = int(redis.time()[0])
    jobs = [get_queue().enqueue(sample_jobs.add, number) for number in range(2)]
    for job, age in zip(jobs, (30, 91), strict=True):
        lose_a_worker(redis, job)
        redis.hdel(f"rq:execution:{job.id}:of{job.id}", "x_lease")
        redis.zadd("rq:wip:default", {f"{job.id}:of{job.id}": server_now - age})

    run_burst(tmp_path)

    assert jobs[0].is_started, "RQ's own worker may still be about to end it"
    assert jobs[1].is_finished


def test_what_rq_s_worker_took_and_never_recorded_comes_back(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    fresh = get_queue().enqueue(sample_jobs.add, 2)
    for _ in range(2):
        redis.lmove("rq:queue:default", "rq:queue:default:intermediate", "LEFT", "RIGHT")
    redis.rpush("rq:queue:default:intermediate", "gone")
    redis.set(f"rq:queue:default:intermediate:first_seen:{job.id}", 1)

    run_burst(tmp_path)

    assert job.is_finished
    assert fresh.is_queued
    assert redis.lrange("rq:queue:default:intermediate", 0, -1) == [fresh.id.encode()]
    assert redis.ttl(f"rq:queue:default:intermediate:first_seen:{fresh.id}") > 0


def test_an_entry_without_a_job_is_swept(redis: redis_py.Redis, tmp_path: Path) -> None:
    redis.zadd("rq:wip:default", {"gone:abc": 1, "bare": 1})

    run_burst(tmp_path)

    assert redis.zcard("rq:wip:default") == 0


def test_a_worker_stopped_past_its_lease_and_continued_changes_nothing(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    file = tmp_path / "go-on"
    job = get_queue().enqueue(sample_jobs.wait_for, str(file))
    with worker(tmp_path, "--name", "paused", environment=LEASE) as paused:
        paused.prints(job.id)
        paused.signal(signal.SIGSTOP)
        with worker(tmp_path, "--name", "other", environment=LEASE) as other:
            other.prints(f"default: {job.description} ({job.id})")
            file.touch()
            wait_until(lambda: job.is_finished, "the other worker has ended the job")
            paused.signal(signal.SIGCONT)
            paused.prints("was dropped")

    assert len(redis.xrange(f"rq:results:{job.id}")) == 1
    assert redis.zrange("rq:finished:default", 0, -1) == [job.id.encode()]
    job.refresh()
    assert job.worker_name == "other"


def test_three_reapers_requeue_once(redis: redis_py.Redis, tmp_path: Path) -> None:
    jobs = [get_queue().enqueue(sample_jobs.nothing) for _ in range(50)]
    for job in jobs:
        lose_a_worker(redis, job)

    with (
        worker(tmp_path, "--burst") as first,
        worker(tmp_path, "--burst") as second,
        worker(tmp_path, "--burst") as third,
    ):
        for process in (first, second, third):
            assert process.ends() == 0, process.output

    assert {redis.xlen(f"rq:results:{job.id}") for job in jobs} == {1}
