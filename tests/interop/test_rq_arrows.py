"""RQ's client changes jobs that our worker ended, or runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis as redis_py
import rq
from rq.exceptions import InvalidJobOperation
from rq.job import Job as RQJob

from django_rqlite import Job, get_queue
from django_rqlite.broker.broker import Broker
from django_rqlite.engine.engine import Engine, NextClaim
from django_rqlite.protocol.keys import Keys
from django_rqlite.protocol.places import Place
from django_rqlite.queries.queries import Queries
from tests.conftest import wait_until
from tests.interop import jobs
from tests.interop.rq_process import rq_burst, run_rq
from tests.interop.traces import RUNNING, keys, keys_for_ever
from tests.worker_process import run_burst, worker

MIRROR = "rq:queue:failed"


def failed_by_us(folder: Path, *, file: Path, count: int = 1) -> list[Job]:
    """Jobs that failed for want of a file."""
    made = [
        get_queue().enqueue(jobs.read, str(file), meta={"mine": [1]}, ttl=3600)
        for _ in range(count)
    ]
    run_burst(folder, "default")
    assert all(job.is_failed for job in made)
    return made


def test_rq_requeues_and_we_run(
    redis: redis_py.Redis, rq_link: redis_py.Redis, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    (job,) = failed_by_us(tmp_path, file=file)
    file.write_text("text")

    RQJob.fetch(job.id, rq_link).requeue()

    read = Job.fetch(job.id)
    assert read.is_queued
    assert read.args == (str(file),)
    assert read.meta == {"mine": [1]}
    assert get_queue().failed_job_registry.count == 0
    with pytest.raises(InvalidJobOperation):
        RQJob.fetch(job.id, rq_link).requeue()
    run_burst(tmp_path, "default")
    read = Job.fetch(job.id)
    assert read.return_value() == "text"
    assert read.meta == {"mine": [1]}
    assert read.exc_info is None
    results = RQJob.fetch(job.id, rq_link).results()
    assert [result.type for result in results] == [
        rq.results.Result.Type.SUCCESSFUL,
        rq.results.Result.Type.FAILED,
    ]
    assert not keys_for_ever(redis)


def test_rq_requeues_all_with_its_command(
    redis: redis_py.Redis, rq_link: redis_py.Redis, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    made = failed_by_us(tmp_path, file=file, count=3)
    file.write_text("text")

    run_rq("requeue", "--queue", "default", "--all")

    assert set(get_queue().get_job_ids()) == {job.id for job in made}
    rq_burst("default")
    assert [job.return_value() for job in made] == ["text"] * 3


def test_the_error_shown_is_that_of_the_last_run(
    redis: redis_py.Redis, rq_link: redis_py.Redis, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    (job,) = failed_by_us(tmp_path, file=path)
    RQJob.fetch(job.id, rq_link).requeue()
    path.mkdir()

    rq_burst("default")

    monitor = Queries(Broker(redis))
    (row,) = monitor.page("default", Place.FAILED, 0, 10).rows
    detail = monitor.job(job.id)
    assert row.job is not None
    assert detail is not None
    assert row.job.error == detail.job.error == "", "ours tells of the run before"
    assert row.last is not None
    assert "IsADirectoryError" in row.last.exc_string


def test_rq_deletes(redis: redis_py.Redis, rq_link: redis_py.Redis, tmp_path: Path) -> None:
    (failed,) = failed_by_us(tmp_path, file=tmp_path / "none")
    waiting = get_queue().enqueue(jobs.add, 1)

    for job in (failed, waiting):
        RQJob.fetch(job.id, rq_link).delete()

    assert not Job.exists(failed.id)
    assert not Job.exists(waiting.id)
    assert get_queue().count == 0
    assert get_queue().failed_job_registry.count == 0
    # RQ leaves the results where they are. Ours end by themselves.
    assert keys(redis, "rq:results:") == {Keys().results(failed.id)}
    assert not keys_for_ever(redis)


def test_rq_empties_a_queue(redis: redis_py.Redis, rq_link: redis_py.Redis) -> None:
    made = [get_queue().enqueue(jobs.add, 1) for _ in range(3)]

    assert run_rq("empty", "default").startswith("3 jobs removed")

    assert not any(Job.exists(job.id) for job in made)
    assert keys(redis, "rq:") == {"rq:queues"}


def test_rq_deletes_a_job_that_we_run(
    redis: redis_py.Redis, rq_link: redis_py.Redis, tmp_path: Path, pipe: Path
) -> None:
    with worker(tmp_path, "default") as process:
        job = get_queue().enqueue(jobs.block_on, str(pipe))
        wait_until(lambda: job.get_status() == "started", "it runs")
        RQJob.fetch(job.id, rq_link).delete()
        pipe.write_text("go")
        after = get_queue().enqueue(jobs.add, 1, 2)
        wait_until(lambda: after.is_finished, "the next job has run")
        assert process.process.poll() is None
    assert not keys(redis, "rq:job:") - {after.key}
    assert not keys(redis, *RUNNING)


def test_rq_gives_up_a_job_whose_lease_has_ended(
    redis: redis_py.Redis, rq_link: redis_py.Redis, tmp_path: Path, pipe: Path
) -> None:
    with worker(tmp_path, "default") as process:
        job = get_queue().enqueue(jobs.block_on, str(pipe))
        wait_until(lambda: job.get_status() == "started", "it runs")
        (member,) = redis.zrange("rq:wip:default", 0, -1)
        redis.zadd("rq:wip:default", {member: 1})

        rq.registry.StartedJobRegistry("default", rq_link).cleanup()

        pipe.write_text("go")
        after = get_queue().enqueue(jobs.add, 1, 2)
        wait_until(lambda: after.is_finished, "the next job has run")
        assert process.process.poll() is None
    read = Job.fetch(job.id)
    assert read.is_failed, "the late outcome changed nothing"
    assert "AbandonedJobError" in (read.exc_info or "")
    assert read.return_value() is None
    assert not redis.zcard("rq:wip:default")
    read.requeue()
    assert get_queue().get_job_ids() == [job.id]


class TestMirror:
    """RQ knows nothing of the list of failed jobs that we keep for RQ 0.5."""

    @pytest.fixture
    def engine(self, redis: redis_py.Redis) -> Engine:
        return Engine(Broker(redis))

    def test_ids_that_rq_left_in_it_go(
        self,
        redis: redis_py.Redis,
        rq_link: redis_py.Redis,
        tmp_path: Path,
        engine: Engine,
    ) -> None:
        made = failed_by_us(tmp_path, file=tmp_path / "none", count=4)
        requeued, deleted, stopped, failed = made
        RQJob.fetch(requeued.id, rq_link).requeue()
        RQJob.fetch(deleted.id, rq_link).delete()
        redis.hset(stopped.key, "status", "stopped")
        redis.rpush(MIRROR, failed.id)  # requeued by RQ, failed again
        assert redis.llen(MIRROR) == 5

        engine.clean_failed_mirror()

        assert redis.lrange(MIRROR, 0, -1) == [stopped.id.encode(), failed.id.encode()]
        assert get_queue().get_job_ids() == [requeued.id]
        assert set(get_queue().failed_job_registry.get_job_ids()) == {stopped.id, failed.id}

    def test_any_number_goes_at_once(self, redis: redis_py.Redis, engine: Engine) -> None:
        redis.hset("rq:job:failed", mapping={"status": "failed", "origin": "default"})
        redis.set("rq:job:odd", "no hash")
        redis.rpush(MIRROR, *["failed", "odd", *(f"stale-{number}" for number in range(2000))])

        assert engine.clean_failed_mirror() == 2001

        assert redis.lrange(MIRROR, 0, -1) == [b"failed"]

    def test_it_confuses_no_claim(self, redis: redis_py.Redis, engine: Engine) -> None:
        job = get_queue().enqueue(jobs.add, 1)
        redis.rpush(MIRROR, job.id, "gone")

        claim = engine.claim("w", NextClaim("e", ("default",), 60))

        assert claim.hold is not None
        assert claim.hold.job_id == job.id
        assert claim.notes == ()

    def test_foreign_data_in_its_place_is_left_alone(
        self, redis: redis_py.Redis, engine: Engine
    ) -> None:
        redis.set(MIRROR, "foreign")
        assert engine.clean_failed_mirror() == 0
        assert redis.get(MIRROR) == b"foreign"


def test_an_id_of_ours_that_rq_enqueues_anew_is_refused(
    redis: redis_py.Redis, rq_link: redis_py.Redis, tmp_path: Path
) -> None:
    # RQ writes over the hash and leaves what it does not know: the signature of the former call.
    first = get_queue().enqueue(jobs.add, 1, job_id="nightly")
    run_burst(tmp_path, "default")
    assert first.is_finished

    again = rq.Queue("default", connection=rq_link).enqueue(jobs.add, 2, job_id="nightly")
    run_burst(tmp_path, "default")

    assert again.is_failed
    assert "does not bear this project's signature" in again.latest_result().exc_string
    # Deleted first, it runs.
    again.delete()
    again = rq.Queue("default", connection=rq_link).enqueue(jobs.add, 2, job_id="nightly")
    run_burst(tmp_path, "default")
    assert again.return_value() == 2
