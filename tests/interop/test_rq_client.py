"""RQ's client enqueues, our worker runs, RQ's client reads what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis as redis_py
import rq
from rq.job import JobStatus
from rq.results import Result
from rq.serializers import JSONSerializer

from tests.interop import jobs
from tests.interop.traces import RUNNING, keys, keys_for_ever, lasts
from tests.worker_process import run_burst, worker

YEAR = 31_536_000


@pytest.fixture
def queue(rq_link: redis_py.Redis) -> rq.Queue:
    return rq.Queue("default", connection=rq_link)


def fresh(job: rq.job.Job) -> rq.job.Job:
    return rq.job.Job.fetch(job.id, job.connection, serializer=job.serializer)


def test_results_and_how_long_they_are_kept(
    queue: rq.Queue, rq_link: redis_py.Redis, tmp_path: Path
) -> None:
    plain = queue.enqueue(jobs.add, 2, b=3)
    named = queue.enqueue("tests.interop.jobs.echo", {"a": (1, b"\xff")}, job_id="my-own_id1")
    method = queue.enqueue(jobs.Greeter("Hello").greet, "you", description="says hello")
    nothing = queue.enqueue(jobs.nothing)
    short = queue.enqueue(jobs.add, 1, result_ttl=100, ttl=3600)
    for_ever = queue.enqueue(jobs.add, 1, result_ttl=-1)
    kept_not = queue.enqueue(jobs.add, 1, result_ttl=0)
    elsewhere = rq.Queue("low", connection=rq_link).enqueue(jobs.add, 4, meta={"mine": [1, 2]})
    assert lasts(rq_link, short.key, 3600)

    run_burst(tmp_path)

    assert plain.return_value() == 5
    assert named.return_value() == {"a": (1, b"\xff")}
    assert method.return_value() == "Hello, you"
    assert nothing.return_value() is None
    assert elsewhere.return_value() == 4
    for job in (plain, named, method, nothing, short, for_ever, elsewhere):
        assert job.get_status() == JobStatus.FINISHED
        read = fresh(job)
        # Our times are whole seconds, RQ's are finer.
        assert read.enqueued_at.replace(microsecond=0) <= read.started_at <= read.ended_at
        assert read.worker_name
        assert read.func_name == job.func_name
        assert read.description == job.description
        assert read.timeout == 180
        latest = job.latest_result()
        assert latest.type is Result.Type.SUCCESSFUL
        assert latest.worker_name == read.worker_name
        assert latest.execution_started_at <= latest.execution_ended_at
        registry = rq.registry.FinishedJobRegistry(job.origin, rq_link)
        assert job.id in registry.get_job_ids()
    assert fresh(method).description == "says hello"
    assert fresh(elsewhere).meta == {"mine": [1, 2]}
    for job, seconds in ((plain, 500), (short, 100)):
        assert lasts(rq_link, job.key, seconds)
        assert lasts(rq_link, Result.get_key(job.id), seconds)
    assert rq_link.ttl(for_ever.key) == rq_link.ttl(Result.get_key(for_ever.id)) == -1
    assert not [key for key in keys(rq_link, "") if kept_not.id in key]
    assert keys_for_ever(rq_link) == {for_ever.key, Result.get_key(for_ever.id)}
    assert not keys(rq_link, *RUNNING)


def test_failures_and_how_long_they_are_kept(
    queue: rq.Queue, rq_link: redis_py.Redis, tmp_path: Path
) -> None:
    plain = queue.enqueue(jobs.divide, 1, 0)
    short = queue.enqueue(jobs.divide, 1, 0, failure_ttl=100)
    slow = queue.enqueue(jobs.sleep, 30, job_timeout=1)
    unknown = queue.enqueue("tests.interop.jobs.there_is_no_such_function")

    run_burst(tmp_path)

    for job, seconds, why in (
        (plain, YEAR, "ZeroDivisionError: division by zero"),
        (short, 100, "ZeroDivisionError: division by zero"),
        (slow, YEAR, "JobTimeoutException"),
        (unknown, YEAR, "there_is_no_such_function"),
    ):
        assert job.get_status() == JobStatus.FAILED
        assert job.is_failed
        latest = job.latest_result()
        assert latest.type is Result.Type.FAILED
        assert why in latest.exc_string
        with pytest.deprecated_call():
            assert why in fresh(job).exc_info
        assert job.return_value() is None
        assert fresh(job).ended_at is not None
        assert lasts(rq_link, job.key, seconds)
        assert lasts(rq_link, Result.get_key(job.id), seconds)
    assert set(queue.failed_job_registry.get_job_ids()) == {
        job.id for job in (plain, short, slow, unknown)
    }
    assert not keys_for_ever(rq_link)
    assert not keys(rq_link, *RUNNING)


def test_the_order_is_the_client_s(queue: rq.Queue, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    high = rq.Queue("high", connection=queue.connection)
    queue.enqueue(jobs.write_line, str(ran), "second")
    queue.enqueue(jobs.write_line, str(ran), "third")
    queue.enqueue(jobs.write_line, str(ran), "first", at_front=True)
    expired = queue.enqueue(jobs.write_line, str(ran), "never", at_front=True)
    queue.connection.delete(expired.key)  # as its ttl would
    high.enqueue(jobs.write_line, str(ran), "before them")

    run_burst(tmp_path, "high", "default")

    assert ran.read_text().splitlines() == ["before them", "first", "second", "third"]


def test_meta_that_jobs_write(queue: rq.Queue, tmp_path: Path) -> None:
    ours = queue.enqueue(jobs.note, "progress", 50, meta={"mine": 1})
    # A job that imports rq finds no job of RQ's here: it has to ask django_rqlite.
    theirs = queue.enqueue(jobs.note_as_rq, "progress", 50)

    run_burst(tmp_path)

    assert ours.get_meta() == {"mine": 1, "progress": 50}
    assert ours.return_value() == {"mine": 1, "progress": 50}
    assert theirs.get_status() == JobStatus.FAILED


def test_json(rq_link: redis_py.Redis, tmp_path: Path) -> None:
    queue = rq.Queue("json", connection=rq_link, serializer=JSONSerializer)
    done = queue.enqueue(jobs.echo, {"a": [1, None]}, meta={"mine": 1})
    failed = queue.enqueue(jobs.echo, "json", job_id="bad")
    rq_link.hset(failed.key, "data", b"\x80\x05N.")  # a pickle

    run_burst(tmp_path, "json", environment={"DJANGO_SETTINGS_MODULE": "tests.interop.settings"})

    assert done.return_value() == {"a": [1, None]}
    assert fresh(done).meta == {"mine": 1}
    assert failed.get_status() == JobStatus.FAILED
    assert "SERIALIZER" in failed.latest_result().exc_string


def test_many_at_once(queue: rq.Queue, rq_link: redis_py.Redis, tmp_path: Path) -> None:
    prepared = [rq.Queue.prepare_data(jobs.add, (number,)) for number in range(20)]
    made = queue.enqueue_many(prepared)

    run_burst(tmp_path)

    assert [job.return_value() for job in made] == list(range(20))


def test_waiting_for_a_result(queue: rq.Queue, tmp_path: Path, pipe: Path) -> None:
    with worker(tmp_path, "default"):
        job = queue.enqueue(jobs.block_on, str(pipe))
        with pipe.open("w") as going:
            going.write("went on")
        assert job.latest_result(timeout=20).return_value == "went on"
