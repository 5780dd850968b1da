"""A worker that was stopped for longer than its lease finds that it has lost its jobs."""

from __future__ import annotations

import signal
from pathlib import Path

import redis as redis_py

from django_rqlite import get_queue
from tests import sample_jobs
from tests.chaos.places import all_ended, misplaced, read_places
from tests.conftest import wait_until
from tests.worker_process import worker

LEASE = {"RQ_TEST_LEASE": "1"}


def test_each_of_several_jobs_has_one_outcome(redis: redis_py.Redis, tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    queue = get_queue()
    held = [queue.enqueue(sample_jobs.wait_for, str(go_on)) for _ in range(3)]
    waiting = [queue.enqueue(sample_jobs.nothing) for _ in range(3)]
    jobs = [*held, *waiting]
    ids = [job.id for job in jobs]
    arguments = ("default", "--concurrency", "3")
    with worker(tmp_path, *arguments, "--name", "paused", environment=LEASE) as paused:
        for job in held:
            paused.prints(job.id)
        paused.signal(signal.SIGSTOP)
        with worker(tmp_path, *arguments, "--name", "other", environment=LEASE) as other:
            for job in held:
                other.prints(f"({job.id})")
            go_on.touch()
            wait_until(
                lambda: all_ended(read_places(redis, ("default",)), ids), "the other ends them"
            )
            before = [redis.dump(job.key) for job in jobs]
            paused.signal(signal.SIGCONT)
            paused.prints("was dropped", times=len(held))
        last = queue.enqueue(sample_jobs.add, 1)
        wait_until(lambda: last.is_finished, "the one that was stopped works on")

    assert [redis.dump(job.key) for job in jobs] == before
    assert not misplaced(read_places(redis, ("default",)), ids)
    assert [redis.xlen(f"rq:results:{job.id}") for job in jobs] == [1] * len(jobs)
    assert {redis.hget(job.key, "worker_name") for job in held} == {b"other"}
    assert not list(redis.scan_iter("rq:execution*"))
