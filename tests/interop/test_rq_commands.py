"""RQ's client tells our worker what to do, and ours tells RQ's."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis as redis_py
import rq
from rq.command import send_kill_horse_command, send_shutdown_command, send_stop_job_command

from django_rqlite import get_connection, get_queue
from django_rqlite.jobs import commands as command
from tests.conftest import wait_until
from tests.interop import jobs
from tests.interop.rq_process import rq_worker
from tests.worker_process import WorkerProcess, worker


@pytest.fixture
def theirs(rq_link: redis_py.Redis) -> rq.Queue:
    return rq.Queue("default", connection=rq_link)


def listening(redis: redis_py.Redis, process: WorkerProcess, name: str) -> None:
    process.ready()
    wait_until(lambda: redis.pubsub_numsub(f"rq:pubsub:{name}")[0][1], "it has subscribed")


def test_rq_s_client_stops_a_job_of_our_worker(
    redis: redis_py.Redis, theirs: rq.Queue, tmp_path: Path, pipe: Path
) -> None:
    with worker(tmp_path, "default", "--name", "ours") as process:
        listening(redis, process, "ours")
        job = theirs.enqueue(jobs.block_on, str(pipe))
        process.prints(job.id)
        send_stop_job_command(theirs.connection, job.id)
        wait_until(lambda: job.get_status() == "stopped", "the job has stopped")

    assert theirs.failed_job_registry.get_job_ids() == [job.id]
    assert "Job stopped by user" in job.latest_result().exc_string


def test_rq_s_client_kills_the_horse_of_our_worker(
    redis: redis_py.Redis, theirs: rq.Queue, tmp_path: Path, pipe: Path
) -> None:
    with worker(tmp_path, "default", "--name", "ours") as process:
        listening(redis, process, "ours")
        job = theirs.enqueue(jobs.block_on, str(pipe))
        process.prints(job.id)
        send_kill_horse_command(theirs.connection, "ours")
        wait_until(lambda: job.get_status() == "failed", "the job has failed")


def test_rq_s_client_shuts_our_worker_down(
    redis: redis_py.Redis, theirs: rq.Queue, tmp_path: Path
) -> None:
    with worker(tmp_path, "default", "--name", "ours") as process:
        listening(redis, process, "ours")
        send_shutdown_command(theirs.connection, "ours")
        assert process.ends() == 0


def test_our_client_stops_a_job_of_rq_s_worker(
    redis: redis_py.Redis, tmp_path: Path, pipe: Path
) -> None:
    with rq_worker(tmp_path, "default"):
        job = get_queue().enqueue(jobs.block_on, str(pipe))
        wait_until(lambda: job.is_started, "RQ's worker runs it")
        command.send_stop_job_command(get_connection(), job.id)
        wait_until(lambda: job.is_stopped, "the job has stopped")
