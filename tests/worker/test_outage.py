"""Workers outlive every kind of outage of Redis."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import Queue, get_queue
from tests.conftest import Server, wait_until
from tests.worker_process import WorkerProcess, later_than_the_same_signal, worker


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this test's own, with a log on disk, that may be killed and started again."""
    server = Server.start(append_only=True)
    yield server
    server.stop()


@pytest.fixture
def listening(own_server: Server, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker of that server."""
    environment = {"RQ_TEST_URL": own_server.url}
    with worker(tmp_path, environment=environment) as process:
        yield process.ready()


def enqueue(server: Server, function: str, *args: object) -> str:
    """Enqueue on that server; gives the job's id."""
    return Queue("default", connection=server.client()).enqueue(function, *args).id


def status(server: Server, job_id: str) -> bytes | None:
    return server.client().hget(f"rq:job:{job_id}", "status")


def runs_a_job(server: Server) -> None:
    job_id = enqueue(server, "tests.sample_jobs.add", 1)
    wait_until(lambda: status(server, job_id) == b"finished", "the worker runs a job again")


def test_the_server_is_restarted_while_the_worker_waits(
    own_server: Server, listening: WorkerProcess
) -> None:
    own_server.kill()
    listening.prints("Lost Redis at unix://")
    own_server.start_again()

    runs_a_job(own_server)
    assert re.search(r"unix://.* again\b", listening.output)
    assert listening.output.count("Lost Redis") == 1, "said once, however often it was tried"


def test_the_server_is_restarted_while_a_job_runs(
    own_server: Server, listening: WorkerProcess, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job_id = enqueue(own_server, "tests.sample_jobs.block_on", str(pipe))
    listening.prints(job_id)
    own_server.kill()
    pipe.write_text("done while Redis was away")
    listening.prints("Job OK")
    listening.prints("Lost Redis at unix://")
    own_server.start_again()

    wait_until(lambda: status(own_server, job_id) == b"finished", "the outcome is stored")
    runs_a_job(own_server)


def test_all_connections_are_cut(own_server: Server, listening: WorkerProcess) -> None:
    with own_server.client() as client:
        for kind in ("normal", "pubsub"):
            client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")

    runs_a_job(own_server)
    assert listening.process.poll() is None


def test_the_server_hangs(own_server: Server, tmp_path: Path) -> None:
    environment = {"RQ_TEST_URL": own_server.url + "?socket_timeout=1", "RQ_TEST_LEASE": "2"}
    with worker(tmp_path, environment=environment) as process:
        process.ready()
        assert own_server.process is not None
        own_server.process.send_signal(signal.SIGSTOP)
        process.prints("Lost Redis at unix://")
        own_server.process.send_signal(signal.SIGCONT)
        runs_a_job(own_server)


def test_the_server_becomes_a_replica_and_a_primary_again(
    own_server: Server, listening: WorkerProcess
) -> None:
    with own_server.client() as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        listening.prints("Lost Redis at unix://")
        client.execute_command("REPLICAOF", "NO", "ONE")
    runs_a_job(own_server)


def test_the_server_s_memory_is_full(own_server: Server, listening: WorkerProcess) -> None:
    job_id = enqueue(own_server, "tests.sample_jobs.sleep", 0.2)
    listening.prints(job_id)
    with own_server.client() as client:
        client.config_set("maxmemory", 1)
        listening.prints("Lost Redis at unix://")
        assert status(own_server, job_id) == b"started"
        client.config_set("maxmemory", 0)
    wait_until(lambda: status(own_server, job_id) == b"finished", "the outcome is stored")


def test_scripts_forgotten_by_the_server_are_sent_again(
    own_server: Server, listening: WorkerProcess
) -> None:
    runs_a_job(own_server)
    own_server.client().script_flush()
    runs_a_job(own_server)
    assert "Lost Redis" not in listening.output


def test_a_worker_asked_to_end_during_an_outage_ends_when_asked_again(
    own_server: Server, listening: WorkerProcess, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job_id = enqueue(own_server, "tests.sample_jobs.block_on", str(pipe))
    listening.prints(job_id)
    own_server.kill()
    pipe.write_text("done")
    listening.prints("Lost Redis at unix://")
    listening.signal(signal.SIGTERM)
    listening.prints("warm shut down requested")

    later_than_the_same_signal(listening)
    listening.signal(signal.SIGTERM)
    listening.prints("cold shut down")
    assert listening.ends() == 0
    assert "could not be unregistered" in listening.output
    own_server.start_again()
    assert own_server.client().zcard("rq:wip:default") == 1, "the lease keeps the job"


def test_no_server_at_the_start(tmp_path: Path) -> None:
    url = "redis://user:secret@127.0.0.1:1/0"
    with worker(tmp_path, environment={"RQ_TEST_URL": url}) as process:
        assert process.ends() == 1
    assert "redis://127.0.0.1:1/0" in process.output
    assert "secret" not in process.output
    assert "Traceback" not in process.output


@pytest.mark.parametrize("key", ["rq:queue:default", "rq:wip:default"])
def test_foreign_data_under_one_queue_s_key_stops_no_other_queue(
    redis: redis_py.Redis, tmp_path: Path, key: str
) -> None:
    if key != "rq:queue:default":
        held_up = get_queue().enqueue("tests.sample_jobs.add", 1)
    redis.set(key, "something else")
    with worker(tmp_path, "default", "high", environment={"RQ_TEST_LEASE": "2"}) as process:
        process.ready()
        job = get_queue("high").enqueue("tests.sample_jobs.add", 1)
        wait_until(lambda: job.is_finished, "the job of the other queue runs")
        process.prints(key)
        redis.delete(key)
        if key == "rq:queue:default":
            held_up = get_queue().enqueue("tests.sample_jobs.add", 1)
        wait_until(lambda: held_up.is_finished, "the queue works once the key is gone")
