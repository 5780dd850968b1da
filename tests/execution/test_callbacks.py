"""What is called when a job has ended, and the signals that Django code can listen to."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
from django.db import transaction

from django_rqlite import Callback, Retry, get_queue, signals
from django_rqlite.exceptions import InvalidFunctionError, InvalidJobError
from django_rqlite.execution.run import perform
from tests import sample_jobs
from tests.conftest import wait_until
from tests.worker.maintenance.test_reaper import lose_a_worker
from tests.worker_process import run_burst, worker

pytestmark = pytest.mark.usefixtures("redis")


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """The file that ``sample_jobs.tell_*`` write to."""
    return tmp_path / "told"


@pytest.fixture
def listening(told: Path) -> dict[str, str]:
    """The environment of a worker whose callbacks write to that file."""
    return {"RQ_TEST_TELL": str(told), "RQ_TEST_TIMEOUT_GRACE": "1", "RQ_TEST_LEASE": "2"}


CALLED = {
    "on_success": Callback("tests.sample_jobs.tell_success"),
    "on_failure": Callback(sample_jobs.tell_failure),
    "on_stopped": sample_jobs.tell_stopped,
}


def test_success(tmp_path: Path, told: Path, listening: dict[str, str]) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1, b=2, **CALLED)

    run_burst(tmp_path, environment=listening)

    assert told.read_text() == f"success {job.id} 3 current={job.id}\n"


def test_failure_of_every_attempt(tmp_path: Path, told: Path, listening: dict[str, str]) -> None:
    job = get_queue().enqueue(sample_jobs.divide, 1, 0, retry=Retry(1), **CALLED)

    run_burst(tmp_path, environment=listening)

    assert (
        told.read_text() == f"failure {job.id} ZeroDivisionError division by zero traceback\n" * 2
    )


@pytest.mark.parametrize(
    ("function", "arguments", "timeout", "cause"),
    [
        (sample_jobs.leave, (3,), 180, "exit code 3"),
        (sample_jobs.swallow_timeouts, (30,), 1, "ran longer than its timeout"),
    ],
)
def test_a_process_that_died_has_its_failure_callback_called(
    tmp_path: Path,
    told: Path,
    listening: dict[str, str],
    function: Any,
    arguments: tuple[Any, ...],
    timeout: int,
    cause: str,
) -> None:
    callback = Callback(sample_jobs.tell_failure, timeout=1)
    job = get_queue().enqueue(function, *arguments, job_timeout=timeout, on_failure=callback)

    with worker(tmp_path, environment=listening):
        wait_until(told.exists, "the callback has been called")
        wait_until(lambda: "traceback" in told.read_text(), "and has written")

    assert told.read_text().startswith(f"failure {job.id} JobDiedError")
    assert cause in told.read_text()


def test_a_worker_that_died_once_too_often(
    redis: redis_py.Redis, tmp_path: Path, told: Path, listening: dict[str, str]
) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1, on_failure=sample_jobs.tell_failure)
    lose_a_worker(redis, job, crashes=3)
    with worker(tmp_path, environment=listening):
        wait_until(lambda: told.exists() and told.read_text(), "the callback has been called")
    assert "died while it ran the job" in told.read_text()


def test_stopped(tmp_path: Path, told: Path, listening: dict[str, str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe), **CALLED)
    with worker(tmp_path, environment=listening) as process:
        process.prints(job.id)
        job.cancel()
        wait_until(lambda: told.exists() and told.read_text(), "the callback has been called")

    assert told.read_text() == f"stopped {job.id} stopped\n"


def test_a_success_callback_that_fails_fails_the_job(tmp_path: Path) -> None:
    job = get_queue().enqueue(sample_jobs.add, 1, on_success="tests.sample_jobs.raise_unshowable")
    run_burst(tmp_path)
    assert job.is_failed


def test_other_callbacks_that_fail_change_nothing(tmp_path: Path) -> None:
    job = get_queue().enqueue(sample_jobs.divide, 1, 0, on_failure="tests.no.such.function")
    output = run_burst(tmp_path)
    assert "ZeroDivisionError" in (job.exc_info or "")
    assert "The failure callback of job" in output


def test_a_callback_that_takes_too_long(tmp_path: Path) -> None:
    slow = Callback(sample_jobs.take_long, timeout="1s")
    job = get_queue().enqueue(sample_jobs.add, 1, on_success=slow)
    run_burst(tmp_path)
    assert "JobTimeoutException" in (job.exc_info or "")


def test_a_timeout_that_the_job_swallowed_is_told(
    tmp_path: Path, told: Path, listening: dict[str, str]
) -> None:
    handled = tmp_path / "handled"
    job = get_queue().enqueue(sample_jobs.swallow_timeouts, 1.3, job_timeout=1, **CALLED)

    run_burst(
        tmp_path,
        environment={
            **listening,
            "RQ_TEST_APP": "tests.signal_receivers",
            "RQ_TEST_HANDLER_FILE": str(handled),
        },
    )

    assert job.is_failed
    started, failure, failed = told.read_text().splitlines()
    assert started == f"started {job.id}"
    assert failure.startswith(f"failure {job.id} JobTimeoutException The job ran longer than")
    assert failed == f"failed {job.id} JobTimeoutException"
    assert handled.read_text().startswith("JobTimeoutException in ")


@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize(
    ("function", "arguments", "ends"),
    [
        (sample_jobs.add, (1, 2), ["finished finished 3 3 True"]),
        (sample_jobs.divide, (1, 0), ["failed failed None None True"]),
        # Where the callback fails the job fails, and what it returned is not its result.
        (sample_jobs.echo, (5,), ["finished finished 5 5 True", "failed failed None None True"]),
    ],
)
def test_a_callback_sees_what_its_job_has_come_to(
    tmp_path: Path,
    told: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_async: bool,
    function: Any,
    arguments: tuple[Any, ...],
    ends: list[str],
) -> None:
    monkeypatch.setenv("RQ_TEST_TELL", str(told))
    fails = function is sample_jobs.echo
    job = get_queue(is_async=is_async).enqueue(
        *(function, *arguments),
        on_success=sample_jobs.tell_state_and_fail if fails else sample_jobs.tell_state,
        on_failure=sample_jobs.tell_state,
    )
    if is_async:
        run_burst(tmp_path)

    assert told.read_text().splitlines() == [f"{job.id} {end}" for end in ends]
    assert job.get_status() == ends[-1].split()[0]
    assert job.return_value() == (None if job.is_failed else 3)


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_callback_sees_how_long_its_job_took_whatever_the_clocks_say(
    told: Path, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    monkeypatch.setenv("RQ_TEST_TELL", str(told))
    job = get_queue().create_job(sample_jobs.sleep, (0.01,), on_success=sample_jobs.tell_state)
    job.started_at = datetime.now(UTC) + ahead  # by the server's clock
    perform(job)
    assert told.exists()
    assert job.ended_at is not None
    assert timedelta(seconds=0.01) <= job.ended_at - job.started_at < timedelta(minutes=1)


def test_a_callback_of_a_stopped_job_sees_that_it_has_ended(
    tmp_path: Path, told: Path, listening: dict[str, str]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    job = get_queue().enqueue(sample_jobs.block_on, str(pipe), on_stopped=sample_jobs.tell_state)
    with worker(tmp_path, environment=listening) as process:
        process.prints(job.id)
        job.cancel()
        wait_until(lambda: told.exists() and told.read_text(), "the callback has been called")

    assert told.read_text() == f"{job.id} stopped stopped None None True\n"


def test_signals_where_the_caller_runs_the_job() -> None:
    seen: list[tuple[str, str, str]] = []

    def note(name: str) -> Any:
        def receiver(job: Any, **_: Any) -> None:
            seen.append((name, str(job.get_status()), str(job.get_status(refresh=False))))

        return receiver

    names = ("job_enqueued", "job_started", "job_finished", "job_failed")
    receivers = {name: note(name) for name in names}
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver)
    try:
        get_queue(is_async=False).enqueue(sample_jobs.add, 1)
        get_queue(is_async=False).enqueue(sample_jobs.divide, 1, 0)
    finally:
        for name, receiver in receivers.items():
            getattr(signals, name).disconnect(receiver)

    assert seen == [
        ("job_enqueued", "started", "started"),
        ("job_started", "started", "started"),
        ("job_finished", "finished", "finished"),
        ("job_enqueued", "started", "started"),
        ("job_started", "started", "started"),
        ("job_failed", "failed", "failed"),
    ]


def test_what_can_not_be_called_back_is_refused(redis: redis_py.Redis) -> None:
    for nonsense in (lambda *_: None, sample_jobs.Greeter("x").greet, 5):
        with pytest.raises((InvalidFunctionError, InvalidJobError)):
            get_queue().enqueue(sample_jobs.add, 1, on_success=nonsense)
    assert redis.dbsize() == 0


def test_signals_in_the_job_s_process(
    tmp_path: Path, told: Path, listening: dict[str, str]
) -> None:
    well = get_queue().enqueue(sample_jobs.add, 1, b=2)
    badly = get_queue().enqueue(sample_jobs.divide, 1, 0)

    run_burst(tmp_path, environment={**listening, "RQ_TEST_APP": "tests.signal_receivers"})

    assert told.read_text().splitlines() == [
        f"started {well.id}",
        f"finished {well.id} 3",
        f"started {badly.id}",
        f"failed {badly.id} ZeroDivisionError",
    ]


@pytest.mark.django_db(transaction=True)
def test_job_enqueued_is_sent_once_the_job_is_there() -> None:
    seen = []

    def receiver(sender: type, job: Any, **_: Any) -> None:
        seen.append((sender, job.id, str(job.get_status())))

    signals.job_enqueued.connect(receiver)
    try:
        with transaction.atomic():
            job = get_queue().enqueue(sample_jobs.add, 1)
            assert not seen
        assert seen == [(type(job), job.id, "queued")]
    finally:
        signals.job_enqueued.disconnect(receiver)


def test_a_receiver_that_fails_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def receiver(**_: Any) -> None:
        raise ValueError("not now")

    signals.job_enqueued.connect(receiver)
    try:
        assert get_queue().enqueue(sample_jobs.add, 1).is_queued
        assert get_queue(is_async=False).enqueue(sample_jobs.add, 1).is_finished
    finally:
        signals.job_enqueued.disconnect(receiver)
    assert "The receiver" in caplog.text
