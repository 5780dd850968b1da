"""Jobs that run again: because they failed, because they asked to, because they were told to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from django_rqlite import Job, Repeat, Retry, get_queue
from django_rqlite.jobs.policies import after_failure, after_retry_request, after_success, path_of
from django_rqlite.protocol.records import JobRecord, read_job
from django_rqlite.protocol.stored_result import ResultType, read_result
from tests import sample_jobs
from tests.conftest import wait_until
from tests.worker_process import run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")


def outcomes(redis: redis_py.Redis, job: Job) -> list[str]:
    """Kinds of the entries in the results stream, oldest first."""
    entries = redis.xrange(f"rq:results:{job.id}")
    return [read_result(job.id, *entry).type for entry in entries]


def record(job: Job) -> JobRecord:
    return read_job(job.id, get_queue().connection.hgetall(job.key))


def test_a_job_that_fails_is_retried_until_it_succeeds(
    redis: redis_py.Redis, tmp_path: Path
) -> None:
    file = tmp_path / "runs"
    job = get_queue().enqueue(sample_jobs.fail_at_first, str(file), 2, retry=Retry(5))

    run_burst(tmp_path)

    assert job.return_value() == 3
    assert outcomes(redis, job) == [ResultType.RETRIED, ResultType.RETRIED, ResultType.SUCCESSFUL]
    assert record(job).retries_left == 3
    first = read_result(job.id, *redis.xrange(f"rq:results:{job.id}")[0])
    assert "ValueError: run 1" in first.exc_string, "every attempt leaves its traceback"


def test_when_all_retries_have_failed_the_job_has(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue(sample_jobs.divide, 1, 0, retry=Retry(2))

    run_burst(tmp_path)

    assert job.is_failed
    assert outcomes(redis, job) == [ResultType.RETRIED, ResultType.RETRIED, ResultType.FAILED]
    assert get_queue().failed_job_registry.get_job_ids() == [job.id]


def test_a_retry_later_waits_among_the_scheduled(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue(sample_jobs.divide, 1, 0, retry=Retry(1, interval=3600))

    run_burst(tmp_path)

    assert job.is_scheduled
    assert get_queue().scheduled_job_registry.get_job_ids() == [job.id]
    due = redis.zscore("rq:scheduled:default", job.id)
    assert 3500 < due - redis.time()[0] <= 3600
    assert redis.zcard("rq:wip:default") == 0
    assert redis.hget(job.key, "x_error") == b"ZeroDivisionError: division by zero"


def test_a_retry_soon_runs_when_it_is_due(tmp_path: Path) -> None:
    file = tmp_path / "runs"
    job = get_queue().enqueue(sample_jobs.fail_at_first, str(file), 1, retry=Retry(1, interval=1))
    with worker(tmp_path):
        wait_until(lambda: job.is_finished, "the retry has run")


def test_a_dead_process_is_retried_too(tmp_path: Path) -> None:
    job = get_queue().enqueue(sample_jobs.leave, 3, retry=Retry(1))

    output = run_burst(tmp_path)

    assert output.count("exit code 3") == 2
    assert job.is_failed


def test_only_some_errors(tmp_path: Path) -> None:
    queue = get_queue()
    jobs = {
        "on its class": (Retry(1, on=[ZeroDivisionError]), True),
        "on a base": (Retry(1, on=["builtins.ArithmeticError"]), True),
        "on another": (Retry(1, on=[KeyError]), False),
        "not on its class": (Retry(1, not_on=[ZeroDivisionError]), False),
        "not on another": (Retry(1, not_on=[KeyError]), True),
    }
    made = {
        name: queue.enqueue(sample_jobs.divide, 1, 0, retry=retry)
        for name, (retry, _) in jobs.items()
    }

    run_burst(tmp_path)

    retried = {name: record(job).attempts == 1 for name, job in made.items()}
    assert retried == {name: expected for name, (_, expected) in jobs.items()}


def test_a_job_may_ask_for_another_run(redis: redis_py.Redis, tmp_path: Path) -> None:
    file = tmp_path / "runs"
    job = get_queue().enqueue(sample_jobs.ask_for_retry, str(file), 2)
    never_satisfied = get_queue().enqueue(sample_jobs.ask_for_retry, str(tmp_path / "x"), 99)

    run_burst(tmp_path)

    assert job.return_value() == 3
    assert outcomes(redis, job) == ["4", "4", "1"]
    assert never_satisfied.is_failed
    assert "asked for another run more than 3 times" in (never_satisfied.exc_info or "")


def test_repeat(redis: redis_py.Redis, tmp_path: Path) -> None:
    file = tmp_path / "runs"
    job = get_queue().enqueue(sample_jobs.write, str(file), "x", repeat=Repeat(2))

    run_burst(tmp_path)

    assert file.read_text() == "xxx"
    assert outcomes(redis, job) == ["1", "1", "1"]
    assert job.is_finished


def test_a_repeat_is_in_one_place(redis: redis_py.Redis, tmp_path: Path) -> None:
    job = get_queue().enqueue(sample_jobs.nothing, repeat=Repeat(2, interval=3600))

    run_burst(tmp_path)

    assert job.is_scheduled
    assert redis.zcard("rq:finished:default") == 0
    assert redis.ttl(job.key) == -1


def with_fields(**fields: Any) -> JobRecord:
    return read_job("x", {name.encode(): str(value).encode() for name, value in fields.items()})


@pytest.mark.parametrize(
    ("retry", "waits"),
    [
        (Retry(4), [0, 0, 0, 0]),
        (Retry(4, interval=5), [5, 5, 5, 5]),
        (Retry(4, interval=[1, 2]), [1, 2, 2, 2]),
        (Retry(5, interval=10, backoff=2), [10, 20, 40, 80, 160]),
        (Retry(4, interval=10, backoff=10, max_interval=500), [10, 100, 500, 500]),
    ],
)
def test_waits_before_retries(retry: Retry, waits: list[int]) -> None:
    found = []
    for attempt in range(retry.max):
        decision = after_failure(
            with_fields(
                retries_left=retry.max - attempt,
                retry_intervals=json.dumps(retry.intervals),
                x_attempts=attempt,
            ),
            (),
        )
        assert decision is not None
        found.append(decision.delay)
    assert found == waits
    assert after_failure(with_fields(retries_left=0), ()) is None
    assert after_failure(with_fields(), ()) is None


def test_jitter_scatters_within_its_bounds() -> None:
    retry = Retry(1, interval=1000, jitter=0.1)
    fields = {"retries_left": 1, "retry_intervals": "[1000]", "x_retry": retry.extras()}
    waits = {after_failure(with_fields(**fields), ()).delay for _ in range(200)}  # type: ignore[union-attr]
    assert len(waits) > 10
    assert min(waits) >= 900
    assert max(waits) <= 1100


def test_waits_before_repeats_come_in_their_order() -> None:
    waits = [
        after_success(
            with_fields(repeats_left=3 - done, repeat_intervals="[10, 20, 30]", x_repeats=done)
        ).delay  # type: ignore[union-attr]
        for done in range(3)
    ]
    assert waits == [10, 20, 30]


def test_waits_of_a_job_that_asks() -> None:
    waits = [
        after_retry_request(with_fields(number_of_retries=done), 3, (1, 2), False).delay  # type: ignore[union-attr]
        for done in range(3)
    ]
    assert waits == [1, 2, 2]
    assert after_retry_request(with_fields(number_of_retries=3), 3, (1, 2), False) is None


def test_foreign_words_in_our_field_stop_nothing() -> None:
    for words in ("nonsense", "[]", '{"on": 3}'):
        after_failure(with_fields(retries_left=1, x_retry=words), ("a.B",))


@pytest.mark.parametrize(
    "arguments",
    [
        {"max": 0},
        {"max": 1, "interval": -1},
        {"max": 1, "interval": []},
        {"max": 1, "jitter": 2},
        {"max": 3, "interval": [1, 2], "backoff": 2},
        {"max": 3, "interval": 1, "backoff": 0.5},
    ],
)
def test_policies_that_make_no_sense_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^Retry\("):
        Retry(**arguments)


def test_paths_name_classes() -> None:
    assert path_of(ZeroDivisionError) == "builtins.ZeroDivisionError"
    assert path_of("some.Error") == "some.Error"
