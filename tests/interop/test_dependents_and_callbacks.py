"""Dependencies and callbacks across the two: whoever ends the parent releases the child."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis as redis_py
import rq
from rq.job import Dependency as RQDependency

from django_rqlite import Callback, Dependency, Repeat, Retry, get_queue
from tests.interop import jobs
from tests.interop.rq_process import rq_burst
from tests.interop.traces import RUNNING, keys
from tests.worker_process import run_burst


@pytest.fixture
def theirs(rq_link: redis_py.Redis) -> rq.Queue:
    return rq.Queue("default", connection=rq_link)


def test_rq_s_dependents_on_our_worker(
    redis: redis_py.Redis, theirs: rq.Queue, tmp_path: Path
) -> None:
    parents = [theirs.enqueue(jobs.add, number) for number in range(2)]
    child = theirs.enqueue(jobs.add, 1, b=2, depends_on=parents)
    failing = theirs.enqueue(jobs.divide, 1, 0)
    lenient = theirs.enqueue(
        jobs.add, 3, depends_on=RQDependency(jobs=[failing], allow_failure=True)
    )
    strict = theirs.enqueue(jobs.add, 4, depends_on=failing)
    assert child.get_status() == "deferred"

    run_burst(tmp_path, "default")

    assert child.return_value() == 3
    assert lenient.return_value() == 3
    assert strict.get_status() == "canceled"
    assert theirs.canceled_job_registry.get_job_ids() == [strict.id]
    assert not keys(redis, *RUNNING, "rq:queue:default", "rq:deferred:default")


@pytest.mark.parametrize("queues", [("default",), ("default", "low")])
def test_our_dependents_on_rq_s_worker(redis: redis_py.Redis, queues: tuple[str, ...]) -> None:
    queue = get_queue()
    parents = [queue.enqueue(jobs.add, number) for number in range(2)]
    child = queue.enqueue(jobs.add, 1, b=2, depends_on=parents)
    failing = queue.enqueue(jobs.divide, 1, 0)
    lenient = queue.enqueue(jobs.add, 3, depends_on=Dependency([failing], allow_failure=True))

    rq_burst(*queues)

    assert child.return_value() == 3
    assert lenient.return_value() == 3
    assert not keys(redis, *RUNNING, "rq:queue:default")


def test_callbacks_of_rq_s_client_on_our_worker(theirs: rq.Queue, tmp_path: Path) -> None:
    told = tmp_path / "told"
    callback = {
        "on_success": rq.Callback(jobs.tell_success),
        "on_failure": rq.Callback(jobs.tell_failure, timeout=10),
    }
    theirs.enqueue(jobs.echo, str(told), **callback)
    theirs.enqueue(jobs.divide, 1, 0, meta={"told": str(told)}, **callback)

    run_burst(tmp_path, "default")

    assert told.read_text().splitlines() == ["success", "failure ZeroDivisionError"]


def test_our_callbacks_on_rq_s_worker(redis: redis_py.Redis, tmp_path: Path) -> None:
    told = tmp_path / "told"
    get_queue().enqueue(jobs.echo, str(told), on_success=Callback(jobs.tell_success))

    rq_burst("default")

    assert told.read_text() == "success\n"


def test_a_job_of_ours_that_rq_has_written_anew_is_still_trusted(
    rq_link: redis_py.Redis, tmp_path: Path
) -> None:
    """RQ writes all fields that it knows, in its own way, whenever it saves a job."""
    told = tmp_path / "told"
    job = get_queue().enqueue(
        jobs.echo,
        str(told),
        on_success=Callback(jobs.tell_success),
        on_failure=Callback(jobs.tell_failure, timeout="1m"),
        on_stopped=Callback(jobs.tell_failure, timeout=5),
        retry=Retry(2, interval=[1, 2], enqueue_at_front=True),
        repeat=Repeat(1),
        meta={"some": "notes"},
    )
    rq.job.Job.fetch(job.id, rq_link).save()

    run_burst(tmp_path, environment={"RQ_TEST_REQUIRE_SIGNATURE": "1"})

    assert job.is_finished, job.exc_info
    assert told.read_text() == "success\n" * 2
