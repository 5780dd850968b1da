"""Several workers under one supervisor."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import get_queue
from tests import sample_jobs
from tests.command_process import manage
from tests.conftest import wait_until
from tests.worker_process import WorkerProcess, alive, later_than_the_same_signal

pytestmark = pytest.mark.usefixtures("redis")


class PoolProcess(WorkerProcess):
    COMMAND = "rqworker-pool"


@contextmanager
def pool(
    folder: Path, *arguments: str, environment: dict[str, str] | None = None
) -> Iterator[WorkerProcess]:
    process = PoolProcess(folder / "pool.log", arguments, environment or {})
    try:
        yield process
    finally:
        process.stop()


def workers(redis: redis_py.Redis) -> dict[str, int]:
    """Process ids of the workers that are listed, by name."""
    found = {}
    for key in redis.smembers("rq:workers"):
        pid = redis.hget(key, "pid")
        if pid is not None and redis.hget(key, "death") is None:
            found[key.decode().removeprefix("rq:worker:")] = int(pid)
    return found


def listening(process: WorkerProcess, times: int) -> None:
    process.prints("*** Listening on", times=times)


def test_the_workers_are_named_and_share_the_work(redis: redis_py.Redis, tmp_path: Path) -> None:
    pipes = [tmp_path / str(number) for number in range(3)]
    for path in pipes:
        os.mkfifo(path)
    jobs = [get_queue().enqueue(sample_jobs.block_on, str(path)) for path in pipes]
    pid_file = tmp_path / "pid"
    arguments = ("default", "--num-workers", "3", "--name", "mail", "--pid", str(pid_file))
    with pool(tmp_path, *arguments) as process:
        wait_until(lambda: all(job.is_started for job in jobs), "each runs a job")
        found = workers(redis)
        assert set(found) == {"mail.1", "mail.2", "mail.3"}
        assert len({process.pid, *found.values()}) == 4
        assert pid_file.read_text() == f"{process.pid}\n"

        process.signal(signal.SIGTERM)
        process.prints("warm shut down requested", times=3)
        for path in pipes:
            path.write_text("done")
        assert process.ends() == 0
    assert all(job.is_finished for job in jobs)
    assert workers(redis) == {}
    assert not pid_file.exists()


def test_a_second_signal_is_passed_on_too(redis: redis_py.Redis, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    job = get_queue().enqueue(sample_jobs.block_on, str(path))
    with pool(tmp_path, "-n", "2") as process:
        process.prints(job.id)
        listening(process, 2)
        process.signal(signal.SIGINT)
        process.prints("Waiting for 1 running job")
        later_than_the_same_signal(process)
        process.signal(signal.SIGINT)
        assert process.ends() == 0
    assert job.is_queued


def test_a_worker_that_dies_is_started_again_with_growing_pauses(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    with pool(tmp_path, "-n", "2", "--name", "w") as process:
        listening(process, 2)
        other = workers(redis)["w.2"]
        for death in (1, 2):
            os.kill(workers(redis)["w.1"], signal.SIGKILL)
            process.prints("signal 9", times=death)
            listening(process, 2 + death)
        assert re.findall(r"worker 1 is started again in (\d+) s", process.output) == ["1", "2"]
        assert workers(redis)["w.2"] == other
        job = get_queue().enqueue(sample_jobs.add, 1)
        wait_until(lambda: job.is_finished, "they work")

        os.kill(workers(redis)["w.1"], signal.SIGKILL)
        process.prints("signal 9", times=3)
        process.signal(signal.SIGTERM)
        assert process.ends(3) == 0, "it does not wait for the next start"


def test_the_workers_end_with_a_killed_supervisor(redis: redis_py.Redis, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    job = get_queue().enqueue(sample_jobs.block_on, str(path))
    with pool(tmp_path, "-n", "2") as process:
        process.prints(job.id)
        listening(process, 2)
        pids = list(workers(redis).values())
        assert len(pids) == 2
        process.signal(signal.SIGKILL)
        said = "got SIGTERM, warm shut down"
        wait_until(lambda: process.output.count(said) == 2, "they were told to end")
        path.write_text("done")
        wait_until(lambda: not any(map(alive, pids)), "the workers have ended")
    assert job.is_finished, "without being run again"


def test_burst_mode_ends_when_all_is_done(redis: redis_py.Redis, tmp_path: Path) -> None:
    jobs = [get_queue().enqueue(sample_jobs.add, number) for number in range(20)]
    with pool(tmp_path, "--burst", "-n", "3") as process:
        assert process.ends() == 0, process.output
        assert process.output.count("done, quitting") == 3
    assert all(job.is_finished for job in jobs)


def test_the_options_of_rqworker_are_passed_on(redis: redis_py.Redis, tmp_path: Path) -> None:
    jobs = [get_queue("low").enqueue(sample_jobs.add, number) for number in range(10)]
    arguments = ("low", "-n", "2", "--max-jobs", "3", "--worker-ttl", "1000", "--concurrency", "2")
    more = ("--max-idle-time", "60", "--grace", "1", "--with-scheduler", "--name", "w")
    with pool(tmp_path, *arguments, *more, "-v", "2") as process:
        process.prints("maximum number of jobs", times=2)
        assert process.ends() == 0, "they ended as they should"
        assert "--with-scheduler" in process.output
        assert "*** Listening on low..." in process.output
    assert sum(job.is_finished for job in jobs) == 6


def test_a_burst_worker_that_dies_is_a_bad_end(redis: redis_py.Redis, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    job = get_queue().enqueue(sample_jobs.block_on, str(path))
    with pool(tmp_path, "--burst", "--name", "w") as process:
        process.prints(job.id)
        os.kill(workers(redis)["w.1"], signal.SIGKILL)
        assert process.ends() == 1
        assert "1 of 1 workers" in process.output
        assert "Traceback" not in process.output


def test_workers_without_redis_are_started_until_there_is_one(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{probe.getsockname()[1]}/0"
        environment = {"RQ_TEST_ELSEWHERE": url}
        with pool(tmp_path, "elsewhere", environment=environment) as process:
            process.prints(" 2 s")
            assert url in process.output
            assert "Traceback" not in process.output
            process.signal(signal.SIGTERM)
            assert process.ends(3) == 0


@pytest.mark.parametrize(
    ("arguments", "name", "status"),
    [
        (["--num-workers", "0"], "'0'", 2),
        (["-n", "many"], "'many'", 2),
        (["--max-jobs", "-1"], "'-1'", 2),
        (["defualt"], "'defualt'", 1),
        (["low", "--worker-class", "tests.sample_jobs.Greeter"], "tests.sample_jobs.Greeter", 1),
        (["--serializer", "no.such"], "no.such", 1),
        (["low", "--pid", "/no/such/folder/pid"], "--pid /no/such/folder/pid", 1),
        (["--dequeue-strategy", "fair"], "'fair'", 2),
        (["default", "elsewhere"], "'elsewhere'", 1),
    ],
)
def test_mistakes_show_at_once(arguments: list[str], name: str, status: int) -> None:
    elsewhere = {"RQ_TEST_ELSEWHERE": "redis://localhost:1/0"}
    done = manage("rqworker-pool", *arguments, status=status, environment=elsewhere)
    assert name in done.stderr
    assert "Listening" not in done.stderr
