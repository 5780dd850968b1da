"""The worker's record and its leases, as monitoring tools see them."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import Retry, get_queue
from tests import sample_jobs
from tests.conftest import wait_until
from tests.worker_process import worker

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def record(redis: redis_py.Redis, name: str) -> dict[str, str]:
    stored = redis.hgetall(f"rq:worker:{name}")
    return {key.decode(): value.decode() for key, value in stored.items()}


def test_the_record_of_a_worker_that_runs_the_same_job_again_at_once(
    redis: redis_py.Redis, tmp_path: Path, pipe: Path
) -> None:
    runs = tmp_path / "runs"
    with worker(tmp_path, "--name", "w1") as process:
        process.ready()
        job = get_queue().enqueue(
            sample_jobs.fail_at_first_then_block, str(runs), str(pipe), retry=Retry(1)
        )
        wait_until(lambda: runs.exists() and len(runs.read_text()) == 2, "it runs again")
        busy = record(redis, "w1")
        assert (busy["state"], busy.get("current_job")) == ("busy", job.id)
        assert busy["failed_job_count"] == "1"

        pipe.write_text("done")
        wait_until(lambda: record(redis, "w1")["state"] == "idle", "the worker is idle again")
        assert "current_job" not in record(redis, "w1")


def test_the_record_while_idle_while_busy_and_after(
    redis: redis_py.Redis, tmp_path: Path, pipe: Path
) -> None:
    with worker(tmp_path, "high", "default", "--name", "w1") as process:
        process.ready()
        assert redis.smembers("rq:workers") == {b"rq:worker:w1"}
        assert redis.smembers("rq:workers:high") == {b"rq:worker:w1"}
        assert redis.smembers("rq:workers:default") == {b"rq:worker:w1"}
        assert redis.smembers("rq:workers:low") == set()
        idle = record(redis, "w1")
        assert idle["state"] == "idle"
        assert idle["queues"] == "high,default"
        assert idle["pid"] == str(process.pid)
        assert idle["hostname"] == socket.gethostname()
        assert idle["version"].startswith("django_rqlite ")
        assert redis.ttl("rq:worker:w1") > 420
        assert 1_000_000 < int(idle["x_memory"]) < 10**10

        job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
        process.prints(job.id)
        busy = record(redis, "w1")
        assert (busy["state"], busy["current_job"]) == ("busy", job.id)
        job.refresh()
        assert job.worker_name == "w1"

        pipe.write_text("done")
        process.prints("Job OK")
        wait_until(lambda: record(redis, "w1")["state"] == "idle", "the worker is idle again")
        after = record(redis, "w1")
        assert "current_job" not in after
        assert after["successful_job_count"] == "1"
        assert float(after["total_working_time"]) > 0

        get_queue().enqueue(sample_jobs.divide, 1, 0)
        wait_until(lambda: record(redis, "w1").get("failed_job_count") == "1", "it has failed")

        process.signal(signal.SIGTERM)
        process.ends()
    assert "death" in record(redis, "w1")
    assert 0 < redis.ttl("rq:worker:w1") <= 60
    for key in ("rq:workers", "rq:workers:high", "rq:workers:default"):
        assert redis.smembers(key) == set()


def test_the_lease_is_renewed_while_the_job_runs(
    redis: redis_py.Redis, tmp_path: Path, pipe: Path
) -> None:
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, "--burst", environment={"RQ_TEST_LEASE": "2"}) as process:
        wait_until(lambda: redis.zcard("rq:wip:default"), "the job is started")
        ((member, first),) = redis.zrange("rq:wip:default", 0, -1, withscores=True)
        assert member.decode().startswith(f"{job.id}:")
        wait_until(
            lambda: redis.zscore("rq:wip:default", member) >= first + 3,
            "the lease has been renewed beyond its first end",
        )
        (execution,) = redis.zrange(f"rq:executions:{job.id}", 0, -1)
        described = redis.hgetall(f"rq:execution:{job.id}:{execution.decode()}")
        assert described.keys() >= {b"id", b"created_at", b"last_heartbeat", b"worker_name"}
        assert float(described[b"last_heartbeat"]) > float(described[b"created_at"])
        pipe.write_text("done")
        assert process.ends() == 0

    assert job.return_value() == "done"
    assert not redis.exists(f"rq:executions:{job.id}")


def test_memory_is_told_with_heartbeats(redis: redis_py.Redis, tmp_path: Path) -> None:
    get_queue().enqueue(sample_jobs.keep_memory, 100)
    with worker(tmp_path, "--name", "w1", environment={"RQ_TEST_LEASE": "2"}) as process:
        process.prints("Job OK")
        redis.hset("rq:worker:w1", "x_memory", 0)
        wait_until(lambda: "x_child_memory" in record(redis, "w1"), "it has told of its child")
        wait_until(lambda: record(redis, "w1")["x_memory"] != "0", "it has told of itself")
    told = record(redis, "w1")
    assert int(told["x_child_memory"]) > 100 << 20
    assert 1 << 20 < int(told["x_memory"]) < int(told["x_child_memory"])


def test_a_name_that_a_live_worker_bears_is_refused(tmp_path: Path) -> None:
    with worker(tmp_path, "--name", "w1") as first:
        first.ready()
        with worker(tmp_path, "--name", "w1") as second:
            assert second.ends() == 1
            assert "'w1'" in second.output
            assert "--name" in second.output


def test_the_record_of_a_killed_worker_is_taken_over(redis: redis_py.Redis, tmp_path: Path) -> None:
    with worker(tmp_path, "--name", "w1") as first:
        first.ready().signal(signal.SIGKILL)
        first.ends()
    assert record(redis, "w1")["state"] == "idle", "a killed worker can't say good-bye"

    with worker(tmp_path, "--name", "w1") as second:
        second.ready()
        assert record(redis, "w1")["pid"] == str(second.pid)


@pytest.mark.parametrize(
    ("found", "taken_over"),
    [
        ({"hostname": "elsewhere", "pid": "1", "last_heartbeat": "2026-01-01T00:00:00Z"}, False),
        (
            {
                "hostname": "elsewhere",
                "pid": "1",
                "x_lease": "60",
                "last_heartbeat": "2026-01-01T00:00:00Z",
            },
            True,
        ),
        ({"hostname": "elsewhere", "pid": "1", "death": "2026-01-01T00:00:00Z"}, True),
    ],
    ids=["of RQ, elsewhere, silent", "of ours, elsewhere, silent", "said good-bye"],
)
def test_which_records_are_dead(
    redis: redis_py.Redis, tmp_path: Path, found: dict[str, str], taken_over: bool
) -> None:
    redis.hset("rq:worker:w1", mapping={"birth": "2026-01-01T00:00:00Z", **found})
    with worker(tmp_path, "--name", "w1", "--burst") as process:
        assert process.ends() == (0 if taken_over else 1), process.output


def test_a_record_that_was_flushed_comes_back(redis: redis_py.Redis, tmp_path: Path) -> None:
    with worker(tmp_path, "--name", "w1", environment={"RQ_TEST_LEASE": "2"}) as process:
        process.ready()
        redis.flushdb()
        wait_until(lambda: redis.sismember("rq:workers", "rq:worker:w1"), "it is listed again")
        job = get_queue().enqueue(sample_jobs.add, 1)
        wait_until(lambda: job.is_finished, "it still works")


def test_registries_are_swept(redis: redis_py.Redis, tmp_path: Path) -> None:
    redis.zadd("rq:finished:default", {"old": 1, "kept": float("inf")})
    redis.zadd("rq:failed:default", {"older": 1, "for-ever": -1})
    redis.zadd("rq:canceled:default", {"long ago": 1, "lately": redis.time()[0]})
    redis.rpush("rq:queue:failed", "older", "for-ever")
    redis.hset("rq:job:for-ever", "status", "failed")
    with worker(tmp_path) as process:
        process.ready()
        wait_until(lambda: redis.zcard("rq:finished:default") == 1, "what has expired is gone")

    assert redis.zrange("rq:finished:default", 0, -1) == [b"kept"]
    assert redis.zrange("rq:failed:default", 0, -1) == [b"for-ever"]
    assert redis.zrange("rq:canceled:default", 0, -1) == [b"lately"]
    assert redis.lrange("rq:queue:failed", 0, -1) == [b"for-ever"]
