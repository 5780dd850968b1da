"""Workers that stand still, by our commands and by RQ's."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_py
from rq.suspension import is_suspended as is_suspended_for_rq
from rq.suspension import resume as rq_resume
from rq.suspension import suspend as rq_suspend

from django_rqlite import get_connection, get_queue
from django_rqlite.exceptions import InvalidDurationError
from django_rqlite.queues.suspension import is_suspended, resume, suspend
from tests import sample_jobs
from tests.command_process import manage
from tests.conftest import Server, wait_until
from tests.worker_process import worker

pytestmark = pytest.mark.usefixtures("redis")

#: A long lease makes heartbeats rare: what happens soon was not noticed with one.
RARE_BEATS = {"RQ_TEST_LEASE": "400"}
FREQUENT_BEATS = {"RQ_TEST_LEASE": "2"}


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.fixture
def elsewhere() -> Iterator[Server]:
    """A second server, for the queue ``elsewhere``."""
    server = Server.start()
    yield server
    server.stop()


def state(redis: redis_py.Redis, name: str = "w1") -> str:
    return (redis.hget(f"rq:worker:{name}", "state") or b"").decode()


def scripts_run(redis: redis_py.Redis) -> int:
    stats = redis.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("eval", "evalsha"))


def test_suspended_workers_wait_and_go_on_when_told(redis: redis_py.Redis, tmp_path: Path) -> None:
    with worker(tmp_path, "--name", "w1", environment=RARE_BEATS) as process:
        process.ready()
        assert "No worker takes a job until rqresume" in manage("rqsuspend").stdout
        process.prints("Worker w1: suspended, run `manage.py rqresume` to resume")
        wait_until(lambda: state(redis) == "suspended", "its record says so")
        job = get_queue().enqueue(sample_jobs.add, 1)
        wait_until(lambda: redis.info("clients")["blocked_clients"] == 2, "one queue woke it")
        assert job.is_queued

        assert "Workers take jobs again" in manage("rqresume").stdout
        wait_until(lambda: job.is_finished, "it goes on at once")
        wait_until(lambda: state(redis) == "idle", "its record says so")
        process.prints("Worker w1: resumed")
        assert "were not suspended" in manage("rqresume").stdout


def test_a_suspended_worker_does_not_spin(redis: redis_py.Redis, tmp_path: Path) -> None:
    suspend(get_connection())
    jobs = [get_queue().enqueue(sample_jobs.add, number) for number in range(20)]
    environment = {"RQ_TEST_LEASE": "4"}
    with worker(tmp_path, "--name", "w1", environment=environment) as process:
        process.ready()
        wait_until(lambda: state(redis) == "suspended", "it stands still")
        redis.config_resetstat()
        beat = redis.hget("rq:worker:w1", "last_heartbeat")
        wait_until(lambda: redis.hget("rq:worker:w1", "last_heartbeat") != beat, "a heartbeat")
        beat = redis.hget("rq:worker:w1", "last_heartbeat")
        wait_until(lambda: redis.hget("rq:worker:w1", "last_heartbeat") != beat, "and another")
        assert redis.info("clients")["blocked_clients"] == 0, "it listens to nothing"
        assert scripts_run(redis) < 60
        resume(get_connection())
        wait_until(lambda: all(job.is_finished for job in jobs), "all run")


def test_running_jobs_go_on(redis: redis_py.Redis, tmp_path: Path, pipe: Path) -> None:
    running = get_queue().enqueue(sample_jobs.block_on, str(pipe))
    with worker(tmp_path, "--name", "w1", environment=RARE_BEATS) as process:
        process.prints(running.id)
        suspend(get_connection())
        waiting = get_queue().enqueue(sample_jobs.add, 1)
        pipe.write_text("done")
        wait_until(lambda: running.is_finished, "the job has finished")
        wait_until(lambda: state(redis) == "suspended", "now it stands still")
        assert waiting.is_queued
        resume(get_connection())
        wait_until(lambda: waiting.is_finished, "it goes on")


def test_the_workers_go_on_by_themselves_after_the_time(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    with worker(tmp_path, "--name", "w1", environment=RARE_BEATS) as process:
        process.ready()
        assert "for 1 seconds" in manage("rqsuspend", "-d", "1").stdout
        job = get_queue().enqueue(sample_jobs.add, 1)
        wait_until(lambda: job.is_finished, "it goes on, long before the next heartbeat", 10)


def test_burst_mode_ends(redis: redis_py.Redis, tmp_path: Path) -> None:
    suspend(get_connection())
    job = get_queue().enqueue(sample_jobs.add, 1)
    with worker(tmp_path, "--burst", "--name", "w1") as process:
        assert process.ends() == 0
        assert "Worker w1: suspended in burst mode, exiting" in process.output
        assert "note: there could still be unfinished jobs on the queue" in process.output
    assert job.is_queued


def test_a_suspended_worker_is_not_idle(redis: redis_py.Redis, tmp_path: Path) -> None:
    suspend(get_connection(), ttl=3)
    arguments = ("--name", "w1", "--max-idle-time", "1")
    with worker(tmp_path, *arguments, environment=RARE_BEATS) as process:
        process.prints("Worker w1: resumed")
        assert process.ends() == 0
        assert process.output.index("resumed") < process.output.index("idle for 1 seconds")


def test_rq_s_own_commands_are_noticed_with_a_heartbeat(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    with worker(tmp_path, "--name", "w1", environment=FREQUENT_BEATS) as process:
        process.ready()
        rq_suspend(redis)
        wait_until(lambda: state(redis) == "suspended", "it stands still")
        job = get_queue().enqueue(sample_jobs.add, 1)
        rq_resume(redis)
        wait_until(lambda: job.is_finished, "it goes on")


def test_rq_sees_what_we_do(redis: redis_py.Redis) -> None:
    connection = get_connection()
    suspend(connection, ttl="2m")
    assert is_suspended_for_rq(redis)
    assert 100 < redis.ttl("rq:suspended") <= 120
    assert is_suspended(connection) is True
    assert resume(connection) == 1
    assert not is_suspended_for_rq(redis)
    assert is_suspended(connection) is False
    assert resume(connection) == 0


def test_a_paused_queue_waits_while_the_others_go_on(redis: redis_py.Redis, tmp_path: Path) -> None:
    with worker(tmp_path, "--name", "w1", environment=RARE_BEATS) as process:
        process.ready()
        manage("rqsuspend", "--queue", "default", "high")
        process.prints("queue default is paused, run `manage.py rqresume --queue default`")
        waiting = [get_queue("default").enqueue(sample_jobs.add, number) for number in range(5)]
        redis.config_resetstat()
        following = [get_queue("low").enqueue(sample_jobs.add, number) for number in range(5)]
        wait_until(lambda: all(job.is_finished for job in following), "low goes on")
        wait_until(lambda: state(redis) == "idle", "it waits")
        assert scripts_run(redis) < 60
        assert all(job.is_queued for job in waiting)
        assert get_queue("default").is_paused

        manage("rqresume", "--queue", "default")
        wait_until(lambda: all(job.is_finished for job in waiting), "they go on at once")
        process.prints("queue default is no longer paused")
        assert not get_queue("default").is_paused
        assert get_queue("high").is_paused


def test_a_queue_pauses_for_a_time(redis: redis_py.Redis, tmp_path: Path) -> None:
    queue = get_queue()
    queue.pause(ttl=1)
    job = queue.enqueue(sample_jobs.add, 1)
    with worker(tmp_path, environment=RARE_BEATS):
        wait_until(lambda: job.is_finished, "it goes on by itself", 10)
    assert queue.resume() is False
    queue.pause()
    assert queue.resume() is True


def test_burst_mode_names_the_paused_queues_it_leaves_alone(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    get_queue("low").pause()
    left = get_queue("low").enqueue(sample_jobs.add, 1)
    run = get_queue("high").enqueue(sample_jobs.add, 1)
    with worker(tmp_path, "--burst") as process:
        assert process.ends() == 0
        assert "jobs may wait in paused queues: low" in process.output
    assert left.is_queued
    assert run.is_finished


def test_all_configured_servers_are_meant(redis: redis_py.Redis, elsewhere: Server) -> None:
    environment = {"RQ_TEST_ELSEWHERE": elsewhere.url}
    with elsewhere.client() as other:
        manage("rqsuspend", "--duration", "1h", environment=environment)
        assert redis.ttl("rq:suspended") > 3500
        assert other.ttl("rq:suspended") > 3500
        manage("rqresume", environment=environment)
        assert not redis.exists("rq:suspended")
        assert not other.exists("rq:suspended")

        manage("rqsuspend", "--queue", "elsewhere", "--queue", "low", environment=environment)
        assert other.keys() == [b"rq:x:paused:elsewhere"]
        assert redis.keys() == [b"rq:x:paused:low"]


def test_one_server_that_is_down_keeps_no_other_from_being_told(redis: redis_py.Redis) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"redis://:secret@127.0.0.1:{probe.getsockname()[1]}/0"
        done = manage("rqsuspend", status=1, environment={"RQ_TEST_ELSEWHERE": url})
    assert redis.exists("rq:suspended")
    assert "Nothing was changed for the queue 'elsewhere'" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize("given", ["0", "-1", "soon", "1.5", ""])
def test_a_duration_that_is_none_is_refused(redis: redis_py.Redis, given: str) -> None:
    assert "--duration is" in manage("rqsuspend", f"--duration={given}", status=1).stderr
    with pytest.raises(InvalidDurationError, match="ttl is"):
        suspend(get_connection(), ttl=given)
    with pytest.raises(InvalidDurationError, match="ttl is"):
        get_queue().pause(ttl=given)
    assert redis.keys() == []


@pytest.mark.parametrize("command", ["rqsuspend", "rqresume"])
def test_a_queue_that_is_not_configured_is_refused(redis: redis_py.Redis, command: str) -> None:
    done = manage(command, "--queue", "low", "defualt", status=1)
    assert "RQ_QUEUES has no queue 'defualt'. Configured queues: 'default'" in done.stderr
    assert redis.keys() == []
