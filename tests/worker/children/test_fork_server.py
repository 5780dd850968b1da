"""The fork server: the process that starts a worker's children and reports their ends."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import redis as redis_py

from django_rqlite import get_queue
from django_rqlite.exceptions import ForkServerError
from django_rqlite.worker.children.fork_server import ChildExited, ForkFailed, ForkServer
from tests import sample_jobs
from tests.conftest import wait_until
from tests.process_tree import children_of, fork_server_of
from tests.worker_process import alive, worker


def as_told(descriptor: int, parent: int) -> NoReturn:
    """The life of a child: exit with the status that it is sent, or die of a signal (negative)."""
    os.setpgid(0, 0)
    with socket.socket(fileno=descriptor) as channel:
        channel.sendall(b"%d" % os.getpid())
        status = int(channel.recv(16) or 0)
    if status < 0:
        os.kill(os.getpid(), -status)
    os._exit(status)


@pytest.fixture
def forks() -> Iterator[ForkServer]:
    started = ForkServer(as_told)
    started.start([])
    yield started
    started.stop()


def child_of(forks: ForkServer) -> tuple[int, socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            return forks.fork(theirs), ours
        except ForkServerError:
            ours.close()
            raise


def answers(forks: ForkServer, count: int) -> list[ChildExited | ForkFailed]:
    heard: list[ChildExited | ForkFailed] = []
    while len(heard) < count:
        wait_until(lambda: heard.extend(forks.read()) or heard, "the fork server answers")
    return heard


def test_a_child_s_end_is_told_with_its_number(forks: ForkServer) -> None:
    numbers = {}
    for status in (0, 3, -9):
        number, channel = child_of(forks)
        numbers[number] = status
        with channel:
            channel.sendall(b"%d" % status)  # before it is born, for all we know
            assert int(channel.recv(16)) > 0
    told = {died.number: died for died in answers(forks, 3) if isinstance(died, ChildExited)}
    assert {n: os.waitstatus_to_exitcode(told[n].status) for n in told} == numbers
    assert all(died.peak > 0 for died in told.values())


def test_a_child_is_killed_by_its_number(forks: ForkServer) -> None:
    (_, kept_channel), (number, channel) = child_of(forks), child_of(forks)
    with kept_channel, channel:
        pid = int(channel.recv(16))
        forks.kill(number)
        (died,) = answers(forks, 1)
        assert isinstance(died, ChildExited)
        assert (died.number, os.WTERMSIG(died.status)) == (number, signal.SIGKILL)
        forks.kill(number)  # has no effect any more
        assert not alive(pid)
        assert alive(int(kept_channel.recv(16)))


def test_many_requests_at_once(forks: ForkServer) -> None:
    made = [child_of(forks) for _ in range(50)]
    for number, channel in made:
        with channel:
            channel.sendall(b"%d" % (number % 100))
            assert int(channel.recv(16)) > 0
    told = answers(forks, 50)
    assert sorted(died.number for died in told) == [number for number, _ in made]
    assert all(
        isinstance(died, ChildExited)
        and os.waitstatus_to_exitcode(died.status) == died.number % 100
        for died in told
    )


def test_stopping_it_ends_its_children(forks: ForkServer) -> None:
    _, channel = child_of(forks)
    with channel:
        pid = int(channel.recv(16))
        forks.stop()
        wait_until(lambda: not alive(pid), "the child has ended")


def test_a_fork_server_that_was_killed_is_missed(forks: ForkServer) -> None:
    os.kill(forks.pid, signal.SIGKILL)
    with pytest.raises(ForkServerError, match="signal 9"):
        wait_until(forks.read, "it answers")
    with pytest.raises(ForkServerError, match="supervisor"):
        child_of(forks)


@pytest.mark.usefixtures("redis")
def test_a_worker_ends_with_its_fork_server_and_loses_no_job(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    lease = {"RQ_TEST_LEASE": "1"}
    with worker(tmp_path, environment=lease) as first:
        first.prints(job.id)
        server = fork_server_of(first.pid)
        wait_until(lambda: children_of(server), "the job has a process")
        jobs = children_of(server)
        os.kill(server, signal.SIGKILL)
        assert first.ends() == 1
        assert "signal 9" in first.output
        assert "Traceback" not in first.output
    wait_until(lambda: not any(map(alive, jobs)), "no child is left")
    assert redis.smembers("rq:workers") == set()

    with worker(tmp_path, environment=lease) as other:
        other.prints(job.id)
        pipe.write_text("done")
        wait_until(lambda: job.is_finished, "the job has run again")
    assert int(redis.hget(job.key, "x_crashes") or 0) == 1


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_lets_the_job_end(tmp_path: Path, number: int) -> None:
    """As a terminal or a supervisor sends it; a job that heeds it itself is another matter."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path) as process:
        process.prints(job.id)
        os.kill(fork_server_of(process.pid), number)
        process.signal(number)
        process.prints("warm shut down requested")
        pipe.write_text("done")
        assert process.ends() == 0
    assert job.return_value() == "done"


@pytest.mark.usefixtures("redis")
def test_nothing_outlives_a_killed_worker(tmp_path: Path) -> None:
    with worker(tmp_path) as process:
        process.ready()
        server = fork_server_of(process.pid)
        wait_until(lambda: children_of(server), "a child waits")
        pids = [server, *children_of(server)]
        process.signal(signal.SIGKILL)
        process.ends()
    wait_until(lambda: not any(map(alive, pids)), "all have ended")
