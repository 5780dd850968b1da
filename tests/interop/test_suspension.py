"""Workers of both kinds stand still, by the commands of either."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import get_queue
from tests.command_process import manage
from tests.conftest import wait_until
from tests.interop import jobs
from tests.interop.rq_process import SIMPLE_WORKER, WORKER, rq_burst, run_rq
from tests.worker_process import run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")

BURST = ("suspended in burst mode, exiting", "there could still be unfinished jobs on the queue")


@pytest.mark.parametrize("kind", [WORKER, SIMPLE_WORKER])
def test_rq_s_workers_heed_our_commands(kind: str) -> None:
    job = get_queue().enqueue(jobs.add, 1)
    manage("rqsuspend")
    with pytest.raises(AssertionError, match="RQ is currently suspended"):
        rq_burst("default", kind=kind)
    assert job.is_queued

    manage("rqresume")
    rq_burst("default", kind=kind)
    assert job.is_finished


def test_our_workers_heed_rq_s_commands(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue(jobs.add, 1)
    run_rq("suspend")
    said = run_burst(tmp_path)
    assert all(words in said for words in BURST), "RQ's words"
    with worker(tmp_path, environment={"RQ_TEST_LEASE": "2"}) as process:
        process.prints("suspended, run")
        assert "suspended" in run_rq("info", "--only-workers"), "RQ's own word for the state"
        assert job.is_queued
        run_rq("resume")
        wait_until(lambda: job.is_finished, "it goes on")


def test_for_a_time(redis: redis_py.Redis, tmp_path: Path) -> None:
    run_rq("suspend", "--duration", "1")
    job = get_queue().enqueue(jobs.add, 1)
    with worker(tmp_path, environment={"RQ_TEST_LEASE": "400"}):
        wait_until(lambda: job.is_finished, "it goes on, long before the next heartbeat", 10)
