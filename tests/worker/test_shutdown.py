"""How a worker ends: by itself, when asked to, and when asked twice."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import Worker, get_queue
from tests import sample_jobs
from tests.conftest import wait_until
from tests.worker_process import alive, later_than_the_same_signal, run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe for ``sample_jobs.block_on``."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_burst_runs_all_that_waits_and_ends(tmp_path: Path) -> None:
    jobs = [get_queue(name).enqueue(sample_jobs.add, 1) for name in ("low", "default", "high")]

    output = run_burst(tmp_path, "high", "default", "low")

    assert all(job.is_finished for job in jobs)
    positions = [output.index(job.id) for job in reversed(jobs)]
    assert positions == sorted(positions), "queues are served in the order given"


def test_without_names_all_configured_queues_are_served(tmp_path: Path) -> None:
    jobs = [get_queue(name).enqueue(sample_jobs.add, 1) for name in ("low", "default", "high")]

    output = run_burst(tmp_path)

    assert "*** Listening on default, high, low..." in output
    assert all(job.is_finished for job in jobs)


def test_max_jobs(tmp_path: Path) -> None:
    queue = get_queue()
    for _ in range(3):
        queue.enqueue(sample_jobs.add, 1)
    with worker(tmp_path, "--max-jobs", "2") as process:
        assert process.ends() == 0

    assert queue.count == 1
    assert queue.finished_job_registry.count == 2


def test_max_idle_time(tmp_path: Path) -> None:
    get_queue().enqueue(sample_jobs.add, 1)
    with worker(tmp_path, "--max-idle-time", "1") as process:
        assert process.ends() == 0
        assert "Job OK" in process.output
        assert "idle for 1 seconds" in process.output


def test_several_jobs_at_once(tmp_path: Path) -> None:
    pipes = [tmp_path / f"pipe-{number}" for number in range(3)]
    for path in pipes:
        os.mkfifo(path)
    jobs = [get_queue().enqueue(sample_jobs.block_on, str(path)) for path in pipes]

    with worker(tmp_path, "--burst", "--concurrency", "3") as process:
        wait_until(lambda: all(job.is_started for job in jobs), "all three jobs run")
        for path in reversed(pipes):
            path.write_text("go on")
        assert process.ends() == 0

    assert [job.return_value() for job in jobs] == ["go on"] * 3


def test_a_child_can_be_used_again(tmp_path: Path) -> None:
    jobs = [get_queue().enqueue(os.getpid) for _ in range(6)]

    run_burst(tmp_path, "--max-jobs-per-child", "3")

    pids = [job.return_value() for job in jobs]
    assert pids[:3] == [pids[0]] * 3
    assert pids[3:] == [pids[3]] * 3
    assert pids[0] != pids[3]


def test_every_job_has_a_process_of_its_own(tmp_path: Path) -> None:
    jobs = [get_queue().enqueue(os.getpid) for _ in range(4)]

    run_burst(tmp_path)

    assert len({job.return_value() for job in jobs}) == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_worker_ends_at_once_when_asked(
    redis: redis_py.Redis, tmp_path: Path, number: int
) -> None:
    with worker(tmp_path) as process:
        process.ready().signal(number)
        assert process.ends() == 0

    assert redis.smembers("rq:workers") == set()
    assert "warm shut down requested" in process.output


def test_a_running_job_may_end_and_no_other_is_begun(tmp_path: Path, pipe: Path) -> None:
    running = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    waiting = get_queue().enqueue(sample_jobs.add, 1)
    with worker(tmp_path) as process:
        process.prints(running.id)
        process.signal(signal.SIGTERM)
        process.prints("warm shut down requested")
        pipe.write_text("done")
        assert process.ends() == 0

    assert running.return_value() == "done"
    assert waiting.is_queued


def test_the_record_says_that_a_worker_takes_no_more(tmp_path: Path, pipe: Path) -> None:
    running = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, "--concurrency", "2", "--name", "w") as process:
        process.prints(running.id)
        listed = Worker.find_by_key("rq:worker:w")
        assert listed is not None
        assert listed.shutdown_requested_date is None

        process.signal(signal.SIGTERM)

        def says_so() -> bool:
            found = Worker.find_by_key("rq:worker:w")
            return found is not None and found.shutdown_requested_date is not None

        wait_until(says_so, "the record says that the worker was asked to end")
        pipe.write_text("done")
        assert process.ends() == 0


def test_after_the_grace_period_the_job_goes_back_to_the_front(
    redis: redis_py.Redis, tmp_path: Path, pipe: Path
) -> None:
    running = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    waiting = get_queue().enqueue(sample_jobs.add, 1)
    with worker(tmp_path, "--grace", "1") as process:
        process.prints(running.id)
        process.signal(signal.SIGTERM)
        assert process.ends() == 0

    assert get_queue().job_ids == [running.id, waiting.id]
    assert running.is_queued
    assert redis.zcard("rq:wip:default") == 0
    assert re.search(rf"put back .*\({running.id}\)", process.output)
    assert get_queue().failed_job_registry.count == 0


def test_a_second_signal_puts_the_job_back_at_once(tmp_path: Path, pipe: Path) -> None:
    running = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path) as process:
        process.prints(running.id)
        process.signal(signal.SIGINT)
        process.prints("warm shut down requested")
        later_than_the_same_signal(process)
        process.signal(signal.SIGINT)
        process.prints("cold shut down")
        assert process.ends() == 0

    assert get_queue().job_ids == [running.id]


def test_the_same_signal_sent_twice_is_one(tmp_path: Path, pipe: Path) -> None:
    running = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path) as process:
        process.prints(running.id)
        process.signal(signal.SIGINT)
        process.signal(signal.SIGTERM)
        process.prints("warm shut down requested")
        pipe.write_text("done")
        assert process.ends() == 0

    assert running.return_value() == "done"


def test_a_job_dies_with_its_worker(tmp_path: Path, pipe: Path) -> None:
    file = tmp_path / "pid"
    job = get_queue().enqueue(sample_jobs.write_pid_and_hang, str(file))
    with worker(tmp_path) as process:
        wait_until(lambda: file.exists() and file.read_text(), "the job runs")
        process.signal(signal.SIGKILL)
        process.ends()

    wait_until(lambda: not alive(int(file.read_text())), "the job's process is gone")
    # Its lease is what the job will be found by.
    assert get_queue().started_job_registry.get_job_ids() == [job.id]


def test_the_pid_file_is_there_while_the_worker_is(tmp_path: Path) -> None:
    file = tmp_path / "worker.pid"
    with worker(tmp_path, "--pid", str(file)) as process:
        process.ready()
        assert file.read_text() == f"{process.pid}\n"
        process.signal(signal.SIGTERM)
        process.ends()

    assert not file.exists()
