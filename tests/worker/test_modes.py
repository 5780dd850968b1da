"""Outcomes are the same with a process for each job, reused processes and several at once."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import get_connection, get_queue
from django_rqlite.jobs.commands import send_stop_job_command
from tests import sample_jobs
from tests.conftest import wait_until
from tests.worker_process import alive, run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")

MODES = {
    "a process for each": (),
    "two at once": ("--concurrency", "2"),
    "one process for all": ("--max-jobs-per-child", "0"),
    "two processes for all": ("--concurrency", "2", "--max-jobs-per-child", "0"),
}


@pytest.fixture(params=MODES.values(), ids=MODES)
def mode(request: pytest.FixtureRequest) -> tuple[str, ...]:
    arguments: tuple[str, ...] = request.param
    return arguments


def test_each_outcome_is_its_own_job_s(mode: tuple[str, ...], tmp_path: Path) -> None:
    queue = get_queue()
    good = [queue.enqueue(sample_jobs.add, number) for number in range(20)]
    bad = [queue.enqueue(sample_jobs.divide, number, 0) for number in range(5)]

    run_burst(tmp_path, *mode)

    assert [job.return_value() for job in good] == list(range(20))
    assert all(job.is_failed for job in bad)
    assert queue.count == queue.started_job_registry.count == 0


def test_a_timeout_ends_its_job_only(mode: tuple[str, ...], tmp_path: Path) -> None:
    queue = get_queue()
    long = queue.enqueue(sample_jobs.sleep, 60, job_timeout=1)
    after = queue.enqueue(sample_jobs.add, 1)

    run_burst(tmp_path, *mode)

    assert "JobTimeoutException" in (long.exc_info or "")
    assert after.is_finished


def test_a_job_that_will_not_end_is_killed_and_the_next_has_a_process(
    mode: tuple[str, ...], tmp_path: Path
) -> None:
    queue = get_queue()
    stubborn = queue.enqueue(sample_jobs.swallow_timeouts, 60, job_timeout=1)
    after = [queue.enqueue(sample_jobs.add, number) for number in range(3)]

    run_burst(tmp_path, *mode, environment={"RQ_TEST_TIMEOUT_GRACE": "1"})

    assert "ran longer than its timeout of 1 s" in (stubborn.exc_info or "")
    assert [job.return_value() for job in after] == [0, 1, 2]


@pytest.mark.parametrize("end", [sample_jobs.kill_itself, sample_jobs.segfault])
def test_a_job_that_takes_its_process_along_fails_alone(
    mode: tuple[str, ...], tmp_path: Path, end: object
) -> None:
    queue = get_queue()
    before = queue.enqueue(sample_jobs.add, 1)
    crashing = queue.enqueue(end)  # type: ignore[arg-type]
    after = queue.enqueue(sample_jobs.add, 2)

    run_burst(tmp_path, *mode)

    assert (before.return_value(), after.return_value()) == (1, 2)
    assert "was killed by SIG" in (crashing.exc_info or "")


def test_a_job_is_stopped_by_order(mode: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "pid"
    job = get_queue().enqueue(sample_jobs.write_pid_and_hang, str(file))
    with worker(tmp_path, *mode):
        wait_until(lambda: file.exists() and file.read_text(), "the job runs")
        send_stop_job_command(get_connection(), job.id)
        wait_until(lambda: job.is_stopped, "it has stopped")
        wait_until(lambda: not alive(int(file.read_text())), "its process is gone")
        after = get_queue().enqueue(sample_jobs.add, 1)
        wait_until(lambda: after.is_finished, "the worker goes on")


def test_an_outcome_that_comes_too_late_changes_nothing(
    mode: tuple[str, ...], redis: redis_py.Redis, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, *mode) as process:
        process.prints(job.id)
        job.delete()
        pipe.write_text("go on")
        process.prints("was dropped")
        process.signal(signal.SIGTERM)
        assert process.ends() == 0
    assert not [key for key in redis.scan_iter() if job.id.encode() in key]


def test_a_process_that_has_grown_is_replaced(tmp_path: Path) -> None:
    queue = get_queue()
    first = [queue.enqueue(os.getpid) for _ in range(2)]
    greedy = queue.enqueue(sample_jobs.keep_memory, 300)
    then = [queue.enqueue(os.getpid) for _ in range(2)]

    run_burst(tmp_path, "--max-jobs-per-child", "0", "--max-child-memory", "250")

    assert first[0].return_value() == first[1].return_value() == greedy.return_value()
    assert then[0].return_value() == then[1].return_value() != greedy.return_value()


def test_one_that_is_large_from_the_start_still_runs_each_job(tmp_path: Path) -> None:
    jobs = [get_queue().enqueue(os.getpid) for _ in range(3)]

    run_burst(tmp_path, "--max-jobs-per-child", "0", "--max-child-memory", "1")

    assert len({job.return_value() for job in jobs}) == 3


@pytest.mark.parametrize("late", [sample_jobs.sleep, sample_jobs.swallow_timeouts])
def test_a_process_is_replaced_once_a_timeout_has_passed_in_it(
    tmp_path: Path, late: Callable[[float], object]
) -> None:
    before = [get_queue().enqueue(os.getpid) for _ in range(2)]
    get_queue().enqueue(late, 1.5, job_timeout=1)
    after = get_queue().enqueue(os.getpid)

    run_burst(tmp_path, *MODES["one process for all"])

    assert before[0].return_value() == before[1].return_value() != after.return_value()


def test_what_a_job_activates_ends_with_it(tmp_path: Path) -> None:
    kinds = (sample_jobs.look_around, sample_jobs.settle_in, sample_jobs.look_around)
    jobs = [get_queue().enqueue(kind) for kind in kinds]

    run_burst(tmp_path, *MODES["one process for all"])

    before, within, after = (job.return_value() for job in jobs)
    kept = {"process", "cache"}
    assert {key for key in before if before[key] == within[key]} == kept
    assert before == after


def test_a_cache_that_can_t_be_closed_costs_no_outcome(tmp_path: Path) -> None:
    jobs = [get_queue().enqueue(sample_jobs.use_unclosable_cache) for _ in range(2)]

    output = run_burst(tmp_path, *MODES["one process for all"])

    assert jobs[0].return_value() == jobs[1].return_value()
    assert output.count("The cache 'default' could not be closed after a job") == 2
