"""A job may fork: only the worker's child reports the outcome."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from django_rqlite import Job, get_queue
from tests import sample_jobs
from tests.worker_process import ROOT, run_burst

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """The file that callbacks and the receivers of signals write to."""
    return tmp_path / "told"


def kept(redis: redis_py.Redis, job: Job) -> list[str]:
    """What the job logged, without the times and the like."""
    lines = redis.lrange(f"rq:x:log:{job.id}", 0, -1)
    return [line.decode().rpartition("shop.mail: ")[2] for line in lines]


@pytest.mark.parametrize("reused", [(), ("--max-jobs-per-child", "0")], ids=["forked", "reused"])
def test_what_a_job_forks_neither_reports_nor_tells_anybody(
    redis: redis_py.Redis, tmp_path: Path, told: Path, reused: tuple[str, ...]
) -> None:
    ends = {"returns": 0, "raises": 1, "exits": 7}
    callback = "tests.sample_jobs.tell_success"
    jobs = {
        how: get_queue().enqueue(sample_jobs.fork_and, how, on_success=callback) for how in ends
    }

    output = run_burst(
        tmp_path,
        *reused,
        environment={
            "RQ_TEST_TELL": str(told),
            "RQ_TEST_APP": "tests.signal_receivers",
            "RQ_TEST_HANDLER_FILE": str(tmp_path / "handled"),
            "RQ_TEST_JOB_LOGS": "100",
        },
    )

    assert {how: job.return_value() for how, job in jobs.items()} == ends
    expected = []
    for how, job in jobs.items():
        status = f"{job.id} {ends[how]}"
        expected.append(f"started {job.id}")
        expected.append(f"success {status} current={job.id}")
        expected.append(f"finished {status}")
        assert kept(redis, job) == ["sent at once", "sent with the next"]
        assert redis.xlen(f"rq:results:{job.id}") == 1
    assert told.read_text().splitlines() == expected
    assert not (tmp_path / "handled").exists()
    assert output.count("said in part, ") == 3, "what was to be written is written once"
    assert output.count("ValueError: raised in the forked process") == 1
    assert "dropped" not in output


def test_what_multiprocessing_forks(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue(sample_jobs.fork_by_multiprocessing)

    run_burst(tmp_path, environment={"RQ_TEST_JOB_LOGS": "100"})

    assert job.return_value() == 0
    assert kept(redis, job) == ["sent at once", "sent with the next"]


@pytest.mark.parametrize(("value", "status"), [(1, 0), ("raise", 1)])
def test_what_a_callback_forks(tmp_path: Path, told: Path, value: Any, status: int) -> None:
    job = get_queue().enqueue(sample_jobs.echo, value, on_success="tests.sample_jobs.tell_and_fork")

    run_burst(
        tmp_path, environment={"RQ_TEST_TELL": str(told), "RQ_TEST_APP": "tests.signal_receivers"}
    )

    assert job.return_value() == value
    assert told.read_text().splitlines() == [
        f"started {job.id}",
        f"{job.id} forked {status}",
        f"finished {job.id} {value}",
    ]


def test_what_a_failure_callback_and_an_exception_handler_fork(tmp_path: Path, told: Path) -> None:
    job = get_queue().enqueue(
        sample_jobs.divide, 1, 0, on_failure="tests.sample_jobs.tell_and_fork"
    )

    output = run_burst(
        tmp_path,
        environment={
            "RQ_TEST_TELL": str(told),
            "RQ_TEST_HANDLER": "tests.sample_jobs.handle_and_fork",
        },
    )

    assert job.is_failed
    assert told.read_text().splitlines() == [f"{job.id} forked 0"] * 2
    assert output.count("Job failed") == 1


def test_what_a_job_forks_that_its_caller_runs() -> None:
    script = (
        "import django; django.setup(); from django_rqlite import get_queue; "
        "job = get_queue(is_async=False).enqueue('tests.sample_jobs.fork_and', 'returns'); "
        "print('the caller goes on with', job.return_value())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("the caller goes on with 0") == 1
    assert done.stdout.count("said in part, ") == 1
    assert done.stdout.count("the caller goes on") == 1
