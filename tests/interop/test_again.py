"""Jobs that run more than once, and later: RQ's for our worker and ours for RQ's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis as redis_py
import rq
from rq.job import Job as RQJob
from rq.results import Result

from django_rqlite import Job, get_queue
from django_rqlite.jobs.policies import Repeat, Retry
from tests.interop import jobs
from tests.interop.rq_process import rq_burst
from tests.interop.traces import RUNNING, keys
from tests.worker_process import run_burst

PAST = datetime.now(UTC) - timedelta(minutes=1)
FUTURE = datetime(2200, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def theirs(rq_link: redis_py.Redis) -> rq.Queue:
    return rq.Queue("default", connection=rq_link)


def kinds(job: RQJob) -> list[Result.Type]:
    """The outcomes of all its runs, the latest first."""
    return [result.type for result in job.results()]


def test_rq_s_retries_and_repeats_on_our_worker(
    redis: redis_py.Redis, theirs: rq.Queue, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    retried = theirs.enqueue(jobs.divide, 1, 0, retry=rq.Retry(max=2))
    later = theirs.enqueue(jobs.divide, 1, 0, retry=rq.Retry(max=2, interval=[60, 120]))
    repeated = theirs.enqueue(jobs.write_line, str(ran), "ran", repeat=rq.Repeat(times=2))

    run_burst(tmp_path, "default")

    assert retried.get_status() == "failed"
    assert kinds(retried) == [Result.Type.FAILED, Result.Type.RETRIED, Result.Type.RETRIED]
    assert "ZeroDivisionError" in retried.results()[-1].exc_string
    assert later.get_status() == "scheduled"
    assert RQJob.fetch(later.id, theirs.connection).retries_left == 1
    assert theirs.scheduled_job_registry.get_job_ids() == [later.id]
    assert ran.read_text().splitlines() == ["ran"] * 3
    assert repeated.get_status() == "finished"
    assert not keys(redis, *RUNNING, "rq:queue:default")


def test_our_retries_and_repeats_on_rq_s_worker(redis: redis_py.Redis, tmp_path: Path) -> None:
    queue = get_queue()
    ran = tmp_path / "ran"
    retried = queue.enqueue(jobs.divide, 1, 0, retry=Retry(max=2))
    later = queue.enqueue(jobs.divide, 1, 0, retry=Retry(max=2, interval=[60, 120], jitter=0.1))
    repeated = queue.enqueue(jobs.write_line, str(ran), "ran", repeat=Repeat(times=2))

    rq_burst("default")

    assert Job.fetch(retried.id).is_failed
    assert "ZeroDivisionError" in (Job.fetch(retried.id).exc_info or "")
    assert Job.fetch(retried.id).retries_left == 0
    assert Job.fetch(later.id).is_scheduled
    assert Job.fetch(later.id).retries_left == 1
    assert queue.scheduled_job_registry.get_job_ids() == [later.id]
    assert ran.read_text().splitlines() == ["ran"] * 3
    assert repeated.is_finished
    assert not keys(redis, *RUNNING, "rq:queue:default")


def test_either_goes_on_where_the_other_left_off(
    redis: redis_py.Redis, theirs: rq.Queue, tmp_path: Path
) -> None:
    job = get_queue().enqueue(jobs.divide, 1, 0, retry=Retry(max=2, interval=60))
    due = {job.id: PAST.timestamp()}

    run_burst(tmp_path, "default")
    assert job.is_scheduled
    redis.zadd("rq:scheduled:default", due, xx=True)
    rq_burst("default", options=("--with-scheduler",))
    assert job.is_scheduled
    assert Job.fetch(job.id).retries_left == 0
    redis.zadd("rq:scheduled:default", due, xx=True)
    run_burst(tmp_path, "default")

    assert job.is_failed
    assert not keys(redis, *RUNNING, "rq:queue:default", "rq:scheduled:")


def test_rq_schedules_and_we_run(redis: redis_py.Redis, theirs: rq.Queue, tmp_path: Path) -> None:
    due = theirs.enqueue_at(PAST, jobs.add, 1, 2)
    waits = theirs.enqueue_at(FUTURE, jobs.add, 1, 2)

    run_burst(tmp_path, "default")

    assert due.return_value() == 3
    assert waits.get_status() == "scheduled"
    assert get_queue().scheduled_job_registry.get_job_ids() == [waits.id]
    assert redis.zscore("rq:scheduled:default", waits.id) == FUTURE.timestamp()


def test_we_schedule_and_rq_runs(redis: redis_py.Redis, theirs: rq.Queue) -> None:
    due = get_queue().enqueue_at(PAST, jobs.add, 1, 2)
    waits = get_queue().enqueue_at(FUTURE, jobs.add, 1, 2)
    assert theirs.scheduled_job_registry.get_scheduled_time(waits.id) == FUTURE

    rq_burst("default", options=("--with-scheduler",))

    assert due.return_value() == 3
    assert waits.is_scheduled
    RQJob.fetch(waits.id, theirs.connection).delete()
    assert not keys(redis, *RUNNING, "rq:queue:default", "rq:scheduled:default")


def test_a_retry_of_rq_s_returned_to_our_worker(theirs: rq.Queue, tmp_path: Path) -> None:
    job = theirs.enqueue(jobs.ask_for_retry, str(tmp_path / "ran"), 3)

    run_burst(tmp_path, "default")

    assert job.return_value() == 3
    assert kinds(job) == [Result.Type.SUCCESSFUL, Result.Type.RETRIED, Result.Type.RETRIED]
