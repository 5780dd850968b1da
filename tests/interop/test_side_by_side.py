"""Our worker and RQ's on the same queues at the same time."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
import redis as redis_py
import rq

from django_rqlite import Job, get_queue
from tests.conftest import wait_until
from tests.interop import jobs
from tests.interop.rq_process import SIMPLE_WORKER, WORKER, rq_worker
from tests.interop.traces import RUNNING, keys
from tests.worker_process import worker


@pytest.mark.parametrize(
    ("kind", "queues"),
    [(WORKER, ("default",)), (SIMPLE_WORKER, ("default", "high"))],
    ids=["forking, one queue", "simple, two queues"],
)
def test_each_job_runs_once(
    redis: redis_py.Redis,
    rq_link: redis_py.Redis,
    tmp_path: Path,
    kind: str,
    queues: tuple[str, ...],
) -> None:
    ran = tmp_path / "ran"
    ours = get_queue("default")
    theirs = rq.Queue("default", connection=rq_link)
    with worker(tmp_path, *queues) as process, rq_worker(tmp_path, *queues, kind=kind):
        process.ready()
        # Each of them takes one of these, so that both are at work when the others come.
        pipes = [tmp_path / "pipe-1", tmp_path / "pipe-2"]
        for path in pipes:
            os.mkfifo(path)
        blocked = [ours.enqueue(jobs.block_on, str(path)) for path in pipes]
        wait_until(lambda: redis.zcard("rq:wip:default") == 2, "both have taken one")
        ids = [
            (ours.enqueue if number % 2 else theirs.enqueue)(
                jobs.write_line, str(ran), str(number)
            ).id
            for number in range(200)
        ]
        for path in pipes:
            path.write_text("go")
        wait_until(lambda: redis.zcard("rq:finished:default") == 202, "all have run", 60)

    assert Counter(ran.read_text().split()) == Counter(map(str, range(200)))
    runners = {job.worker_name for job in Job.fetch_many([job.id for job in blocked]) if job}
    assert len(runners) == 2
    done = Job.fetch_many(ids)
    assert all(job and job.is_finished for job in done)
    assert {job.worker_name for job in done if job} <= runners
    assert not keys(redis, *RUNNING)
    assert not redis.llen("rq:queue:default")
    assert not redis.llen("rq:queue:default:intermediate")
