"""Jobs that wait for their time, and workers that find them when it has come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
from django.db import transaction

from django_rqlite import get_queue
from django_rqlite.exceptions import InvalidJobError
from tests import sample_jobs
from tests.conftest import Server, wait_until
from tests.worker_process import run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")


def test_a_scheduled_job_is_in_one_place(redis: redis_py.Redis) -> None:
    when = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    job = get_queue().enqueue_at(when, sample_jobs.add, 1, b=2, job_timeout="5m")

    assert job.is_scheduled
    assert redis.zscore("rq:scheduled:default", job.id) == when.timestamp()
    assert redis.smembers("rq:queues") == {b"rq:queue:default"}
    assert redis.llen("rq:queue:default") == 0
    assert redis.hget(job.key, "timeout") == b"300"
    assert redis.ttl(job.key) == -1
    assert get_queue().scheduled_job_registry.get_job_ids() == [job.id]


@pytest.mark.parametrize("use_tz", [True, False])
def test_a_naive_time_is_the_local_one_with_and_without_use_tz(settings: Any, use_tz: bool) -> None:
    settings.USE_TZ, settings.TIME_ZONE = use_tz, "Asia/Kolkata"
    queue = get_queue()
    naive = queue.enqueue_at(datetime(2035, 7, 1, 17, 30), sample_jobs.nothing)
    aware = queue.enqueue_at(datetime(2035, 7, 1, 12, tzinfo=UTC), sample_jobs.nothing)

    due = datetime(2035, 7, 1, 12, tzinfo=UTC)
    registry = queue.scheduled_job_registry
    assert [registry.get_scheduled_time(each) for each in (naive, aware)] == [due, due]
    found = queue.fetch_job(naive.id)
    assert found is not None
    assert found.created_at is not None
    assert found.created_at.tzinfo is UTC, "the attributes of a job are aware in either case"


def test_enqueue_in_counts_by_the_server_s_clock(redis: redis_py.Redis) -> None:
    job = get_queue().enqueue_in(timedelta(hours=1), sample_jobs.add, 1)
    due = redis.zscore("rq:scheduled:default", job.id)
    assert 3590 <= due - redis.time()[0] <= 3601


def test_a_job_runs_when_it_is_due_while_the_worker_sleeps(tmp_path: Path) -> None:
    with worker(tmp_path) as process:
        process.ready()
        job = get_queue("low").enqueue_in(timedelta(seconds=1), sample_jobs.add, 1)
        wait_until(lambda: job.is_finished, "the job has run", seconds=4)


def test_an_idle_worker_asks_no_more_because_of_a_time_with_a_fraction(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    """Whatever the clock of its host says."""

    def calls() -> int:
        return int(redis.info("commandstats")["cmdstat_evalsha"]["calls"])

    with ExitStack() as stack:
        workers = {
            queue: stack.enter_context(
                worker(tmp_path, queue, environment={"RQ_TEST_CLOCK_SKEW": skew})
            )
            for queue, skew in {"default": "0", "high": "30", "low": "-30"}.items()
        }
        for process in workers.values():
            process.ready()
        seconds, _ = redis.time()
        before = calls()
        due = datetime.fromtimestamp(seconds + 2, UTC) + timedelta(milliseconds=100)
        jobs = [get_queue(name).enqueue_at(due, sample_jobs.nothing) for name in workers]
        wait_until(lambda: all(job.is_finished for job in jobs), "the jobs have run")
        # Each worker looks when it is told of the job and when that is due, claims, and finishes.
        assert calls() - before < 100


def test_overdue_jobs_run_in_the_order_of_their_times(tmp_path: Path) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    later = get_queue().enqueue_at(past + timedelta(minutes=1), sample_jobs.add, 1)
    earlier = get_queue().enqueue_at(past, sample_jobs.add, 2)
    future = get_queue().enqueue_in(timedelta(hours=1), sample_jobs.add, 3)

    output = run_burst(tmp_path)

    assert output.index(earlier.id) < output.index(later.id)
    assert future.is_scheduled


def test_at_front_holds_when_it_is_due(tmp_path: Path) -> None:
    waiting = get_queue().enqueue(sample_jobs.add, 1)
    past = datetime.now(UTC) - timedelta(hours=1)
    urgent = get_queue().enqueue_at(past, sample_jobs.add, 2, at_front=True)

    output = run_burst(tmp_path)

    assert output.index(urgent.id) < output.index(waiting.id)


def test_many_promoters_promote_once(server: Server, redis: redis_py.Redis) -> None:
    queue = get_queue()
    past = datetime.now(UTC) - timedelta(hours=1)
    ids = {queue.enqueue_at(past, sample_jobs.nothing).id for _ in range(1000)}

    def promote(_: int) -> int:
        moved = 0
        while count := queue._engine.promote(["default"]).moved:
            moved += count
        return moved

    with ThreadPoolExecutor(10) as threads:
        moved = sum(threads.map(promote, range(10)))

    assert moved == 1000
    assert sorted(queue.job_ids) == sorted(ids)
    assert redis.zcard("rq:scheduled:default") == 0


def test_ten_workers_run_a_thousand_due_jobs_once(redis: redis_py.Redis, tmp_path: Path) -> None:
    queue = get_queue()
    past = datetime.now(UTC) - timedelta(hours=1)
    ids = [queue.enqueue_at(past, sample_jobs.nothing).id for _ in range(1000)]

    with ExitStack() as stack:
        # Reused processes, to spend the time on promoting rather than on forking.
        options = ("default", "--burst", "--max-jobs-per-child", "0")
        workers = [stack.enter_context(worker(tmp_path, *options)) for _ in range(10)]
        for process in workers:
            assert process.ends(60) == 0, process.output

    with redis.pipeline(transaction=False) as pipeline:
        for job_id in ids:
            pipeline.xlen(f"rq:results:{job_id}")
        assert set(pipeline.execute()) == {1}
    assert redis.zcard("rq:finished:default") == 1000


def test_an_id_without_a_job_leaves(redis: redis_py.Redis, tmp_path: Path) -> None:
    redis.zadd("rq:scheduled:default", {"gone": 1})
    redis.set("rq:scheduled:high", "foreign data")

    run_burst(tmp_path)

    assert redis.zcard("rq:scheduled:default") == 0


def test_the_worker_tells_when_the_next_one_is_due() -> None:
    queue = get_queue()
    when = datetime(2030, 1, 2, tzinfo=UTC)
    queue.enqueue_at(when + timedelta(days=1), sample_jobs.add, 1)
    queue.enqueue_at(when, sample_jobs.add, 1)
    assert queue._engine.promote(["default", "high"]).next_due == when.timestamp()


@pytest.mark.django_db(transaction=True)
def test_in_a_transaction_it_is_scheduled_on_commit(redis: redis_py.Redis) -> None:
    with transaction.atomic():
        job = get_queue().enqueue_in(timedelta(hours=1), sample_jobs.add, 1)
        assert job.id
        assert not redis.exists(job.key)
    assert job.is_scheduled
    with transaction.atomic():
        job = get_queue().enqueue_in(timedelta(hours=1), sample_jobs.add, 1)
        transaction.set_rollback(True)
    assert not redis.exists(job.key)


def test_the_same_id_again_moves_it(redis: redis_py.Redis) -> None:
    queue = get_queue()
    queue.enqueue(sample_jobs.add, 1, job_id="one")
    queue.enqueue_in(timedelta(hours=1), sample_jobs.add, 2, job_id="one")
    assert queue.count == 0
    assert queue.scheduled_job_registry.get_job_ids() == ["one"]
    queue.enqueue(sample_jobs.add, 3, job_id="one")
    assert queue.job_ids == ["one"]
    assert redis.zcard("rq:scheduled:default") == 0


def test_what_is_no_time_is_refused(redis: redis_py.Redis) -> None:
    with pytest.raises(InvalidJobError, match="enqueue_at\\(\\) needs a datetime first"):
        get_queue().enqueue_at(sample_jobs.add, 1)  # type: ignore[arg-type]
    with pytest.raises(InvalidJobError, match="enqueue_in\\(\\) needs a timedelta first"):
        get_queue().enqueue_in(5, sample_jobs.add, 1)  # type: ignore[arg-type]
    assert not redis.keys()


def test_a_time_in_the_past_is_due_at_once(redis: redis_py.Redis, tmp_path: Path) -> None:
    jobs = [
        get_queue().enqueue_at(moment, sample_jobs.add, 1)
        for moment in (datetime(1960, 1, 1, tzinfo=UTC), datetime.min.replace(tzinfo=UTC))
    ]
    jobs.append(get_queue().enqueue_in(timedelta.min, sample_jobs.add, 1))
    run_burst(tmp_path)
    assert [job.get_status() for job in jobs] == ["finished"] * 3


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime.min, r"enqueue_at\(\) was given datetime\.datetime\(1, 1, 1.*local time zone"),
        (datetime.max, r"enqueue_at\(\) was given datetime\.datetime\(9999, 12, 31"),
        (datetime.max.replace(tzinfo=UTC), r"end of the year 9998"),
        (timedelta.max, r"enqueue_in\(\) was given datetime\.timedelta.*hundred years"),
    ],
)
def test_a_time_that_can_not_be_kept_is_refused(
    redis: redis_py.Redis, moment: datetime | timedelta, said: str
) -> None:
    queue = get_queue()
    enqueue: Any = queue.enqueue_in if isinstance(moment, timedelta) else queue.enqueue_at
    with pytest.raises(InvalidJobError, match=said):
        enqueue(moment, sample_jobs.add, 1)
    assert redis.keys() == []


def test_the_last_time_that_can_be_kept(redis: redis_py.Redis) -> None:
    last = datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)
    queue = get_queue()
    job = queue.enqueue_at(last, sample_jobs.add, 1)
    found = queue.scheduled_job_registry.get_scheduled_time(job)
    assert abs(found - last) < timedelta(seconds=1)
    # What another tool wrote is no reason to fail.
    redis.zadd("rq:scheduled:default", {job.id: 1e300})
    assert queue.scheduled_job_registry.get_scheduled_time(job) == datetime.max.replace(tzinfo=UTC)
