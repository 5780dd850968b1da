"""Commands to a running worker. Those of RQ's client are in tests/interop."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import Retry, get_connection, get_queue
from django_rqlite.broker.broker import Broker
from django_rqlite.engine.engine import Engine
from django_rqlite.exceptions import InvalidJobOperation, NoSuchJobError
from django_rqlite.jobs.commands import (
    send_kill_horse_command,
    send_shutdown_command,
    send_stop_job_command,
)
from tests import sample_jobs
from tests.conftest import Server, wait_until
from tests.worker_process import worker

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_running_job_is_stopped_and_not_retried(
    redis: redis_py.Redis, tmp_path: Path, pipe: Path
) -> None:
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe), retry=Retry(3))
    with worker(tmp_path) as process:
        process.prints(job.id)
        send_stop_job_command(get_connection(), job.id)
        wait_until(lambda: job.is_stopped, "the job has stopped")
        following = get_queue().enqueue(sample_jobs.add, 1)
        wait_until(lambda: following.is_finished, "the worker goes on")

    assert redis.zrange("rq:failed:default", 0, -1) == [job.id.encode()]
    assert "Job stopped by user" in (job.exc_info or "")
    assert redis.zcard("rq:wip:default") == 0
    job.requeue()
    assert job.is_queued


def test_only_the_job_that_is_meant_is_stopped(tmp_path: Path) -> None:
    pipes = [tmp_path / "a", tmp_path / "b"]
    for path in pipes:
        os.mkfifo(path)
    jobs = [get_queue().enqueue(sample_jobs.block_on, str(path)) for path in pipes]
    with worker(tmp_path, "--concurrency", "2"):
        wait_until(lambda: all(job.is_started for job in jobs), "both run")
        send_stop_job_command(None, jobs[0].id)
        wait_until(lambda: jobs[0].is_stopped, "one has stopped")
        pipes[1].write_text("done")
        wait_until(lambda: jobs[1].is_finished, "the other has finished")


def test_kill_horse_fails_the_job(tmp_path: Path, pipe: Path) -> None:
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, "--name", "w1") as process:
        process.prints(job.id)
        send_kill_horse_command(get_connection(), "w1")
        wait_until(lambda: job.is_failed, "the job has failed")

    assert "the command kill-horse" in (job.exc_info or "")


def test_shutdown_lets_the_running_job_end(tmp_path: Path, pipe: Path) -> None:
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, "--name", "w1") as process:
        process.prints(job.id)
        send_shutdown_command(get_connection(), "w1")
        process.prints("warm shut down requested")
        pipe.write_text("done")
        assert process.ends() == 0

    assert job.return_value() == "done"


def test_nonsense_is_logged_and_ignored(redis: redis_py.Redis, tmp_path: Path) -> None:
    with worker(tmp_path, "--name", "w1") as process:
        process.ready()
        wait_until(lambda: redis.pubsub_numsub("rq:pubsub:w1")[0][1], "it has subscribed")
        for nonsense in ("", "[]", '{"command": "dance"}', "\xff", "[" * 10_000):
            redis.publish("rq:pubsub:w1", nonsense)
        redis.publish("rq:x:scheduled:default", "soon")
        process.prints("can't be read", times=4)
        job = get_queue().enqueue(sample_jobs.add, 1)
        wait_until(lambda: job.is_finished, "the worker goes on")


def test_what_does_not_run_cannot_be_stopped() -> None:
    job = get_queue().enqueue(sample_jobs.add, 1)
    with pytest.raises(InvalidJobOperation, match="is queued"):
        send_stop_job_command(None, job.id)
    with pytest.raises(NoSuchJobError):
        send_stop_job_command(None, "gone")


@pytest.fixture
def other_database(server: Server) -> Iterator[redis_py.Redis]:
    """A client of another database of the same server, where a worker of that name may live."""
    with server.client() as client:
        options = client.connection_pool.connection_kwargs
        options["db"] = int(options.get("db") or 0) + 1
        yield client


def test_a_command_is_for_one_database(
    redis: redis_py.Redis, other_database: redis_py.Redis, tmp_path: Path, pipe: Path
) -> None:
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, "--name", "w1") as process:
        process.prints(job.id)
        send_shutdown_command(other_database, "w1")
        send_kill_horse_command(other_database, "w1")
        Engine(Broker(other_database)).send_command("w1", "stop-job", job_id=job.id)
        # RQ's commands name no database, and are obeyed. They come in their order.
        redis.publish("rq:pubsub:w1", json.dumps({"command": "stop-job", "job_id": job.id}))
        wait_until(lambda: job.is_stopped, "the job has stopped")
        following = get_queue().enqueue(sample_jobs.add, 1)
        wait_until(lambda: following.is_finished, "the worker goes on")
        assert process.output.count("received") == 1
        send_shutdown_command(redis, "w1")
        assert process.ends() == 0


def test_what_rq_s_workers_read_of_a_command(redis: redis_py.Redis) -> None:
    with redis.pubsub() as subscription:
        subscription.subscribe("rq:pubsub:w1")
        subscription.get_message(timeout=20)
        send_shutdown_command(redis, "w1")
        message = subscription.get_message(timeout=20)
    assert message is not None
    database = redis.connection_pool.connection_kwargs.get("db") or 0
    assert json.loads(message["data"]) == {"command": "shutdown", "x_database": database}
