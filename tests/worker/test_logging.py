"""Worker logs keep to the levels of ``LOGGING``, and each failure is logged once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from django_rqlite import Retry, get_queue
from tests.command_process import manage
from tests.recording_handler import logging_of
from tests.sample_jobs import (
    add,
    divide,
    fail_at_first,
    kill_itself,
    raise_unshowable,
    swallow_timeouts,
)
from tests.worker_process import run_burst

pytestmark = pytest.mark.usefixtures("redis")

Record = dict[str, Any]


def records(path: Path) -> list[Record]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def run(folder: Path, *arguments: str, logging: str | None = None) -> list[Record]:
    """Have a worker run what waits; gives what its handler was given."""
    path = folder / "records"
    environment = {"RQ_TEST_RECORDS": str(path), "RQ_TEST_LOGGING": logging or logging_of()}
    run_burst(folder, *arguments, environment=environment)
    return records(path)


def levels(found: list[Record]) -> set[str]:
    return {record["level"] for record in found}


# How loud


def test_a_level_of_the_project_stands(tmp_path: Path) -> None:
    get_queue().enqueue(add, 1)
    get_queue().enqueue(divide, 1, 0)
    assert levels(run(tmp_path, logging=logging_of(level="ERROR"))) == {"ERROR"}


def test_a_level_below_ours_stands_too(tmp_path: Path) -> None:
    assert "DEBUG" in levels(run(tmp_path, "--with-scheduler", logging=logging_of(level="DEBUG")))


def test_a_level_of_a_part_stands(tmp_path: Path) -> None:
    get_queue().enqueue(add, 1)
    logging = logging_of("django_rqlite.worker", level="WARNING")
    assert run(tmp_path, logging=logging) == []


def test_without_a_level_what_happens_is_told(tmp_path: Path) -> None:
    get_queue().enqueue(add, 1)
    assert levels(run(tmp_path)) == {"INFO"}


@pytest.mark.parametrize(
    ("logger", "flag", "heard"),
    [
        ("django_rqlite", "--verbosity=2", {"INFO", "DEBUG"}),
        ("django_rqlite.worker", "-v1", {"INFO"}),
        ("django_rqlite", "-v0", set()),
    ],
)
def test_a_flag_that_is_given_wins(tmp_path: Path, logger: str, flag: str, heard: set[str]) -> None:
    logging = logging_of(logger, level="DEBUG" if flag == "-v0" else "ERROR")
    assert levels(run(tmp_path, "--with-scheduler", flag, logging=logging)) == heard


@pytest.mark.parametrize(("flag", "loud"), [([], False), (["--logging-level", "INFO"], True)])
def test_rqcron(tmp_path: Path, flag: list[str], loud: bool) -> None:
    path = tmp_path / "records"
    config = tmp_path / "cron_config.py"
    config.write_text("import logging\nlogging.getLogger('django_rqlite.cron').info('read')\n")
    environment = {"RQ_TEST_RECORDS": str(path), "RQ_TEST_LOGGING": logging_of(level="ERROR")}
    # A file without entries is refused, after it was read.
    manage("rqcron", str(config), *flag, status=1, environment=environment)
    assert bool(records(path)) is loud


def test_rqworker_pool(tmp_path: Path) -> None:
    path = tmp_path / "records"
    environment = {"RQ_TEST_RECORDS": str(path), "RQ_TEST_LOGGING": logging_of(level="ERROR")}
    manage("rqworker-pool", "--burst", environment=environment)
    assert records(path) == []


# Failures


def failures(found: list[Record]) -> list[Record]:
    return [record for record in found if record["level"] == "ERROR"]


def test_failures_are_logged_where_they_are_and_once(redis: Any, tmp_path: Path) -> None:
    enqueue = get_queue().enqueue
    raised = enqueue(divide, 1, 0)
    retried = enqueue(fail_at_first, str(tmp_path / "runs"), 2, retry=Retry(max=3))
    swallowed = enqueue(swallow_timeouts, 1.5, job_timeout=1)
    not_found = enqueue("tests.sample_jobs.gone")
    unshowable = enqueue(raise_unshowable)
    died = enqueue(kill_itself)
    unreadable = enqueue(add, 1)
    redis.hdel(unreadable.key, "data")
    found = run(tmp_path)
    worker = next(record["pid"] for record in found if "Listening" in record["message"])
    failed = {
        job.id: [record for record in failures(found) if record["job_id"] == job.id]
        for job in (raised, retried, swallowed, not_found, unshowable, died, unreadable)
    }
    assert sum(map(len, failed.values())) == len(failures(found))

    (first,) = failed[raised.id]
    assert first["exception"] == "ZeroDivisionError"
    assert first["function"] == "divide"
    assert first["logger"] == "django_rqlite.worker"
    assert first["queue"] == "default"
    assert first["message"] == f"default: Job failed ({raised.id})"
    assert first["pid"] != worker
    assert [record["text"] for record in failed[retried.id]] == [
        "ValueError: run 1",
        "ValueError: run 2",
    ]
    assert [r["exception"] for r in failed[swallowed.id]] == ["JobTimeoutException"]
    assert ["gone" in record["text"] for record in failed[not_found.id]] == [True]
    assert [r["exception"] for r in failed[unshowable.id]] == ["Unshowable"]
    # Nobody but the worker has anything to tell of these.
    (by_signal,) = failed[died.id]
    assert "SIGKILL" in by_signal["message"]
    assert by_signal["pid"] == worker
    (without_data,) = failed[unreadable.id]
    assert without_data["pid"] == worker


def test_failures_of_a_process_that_stays(tmp_path: Path) -> None:
    jobs = [get_queue().enqueue(divide, 1, 0) for _ in range(2)]
    first, second = failures(run(tmp_path, "--max-jobs-per-child", "0"))
    assert [first["job_id"], second["job_id"]] == [job.id for job in jobs]
    assert first["pid"] == second["pid"]
    assert first["exception"] == second["exception"] == "ZeroDivisionError"


def test_a_mistake_of_the_projects_logging_does_not_stop_the_job(tmp_path: Path) -> None:
    """The failure is stored, and what went wrong is on the standard error stream."""
    job = get_queue().enqueue(divide, 1, 0)
    logging = json.loads(logging_of())
    logging["loggers"]["django_rqlite"]["filters"] = []
    logging["loggers"]["django_rqlite.worker"] = {"filters": ["raising"]}
    run(tmp_path, logging=json.dumps(logging))
    assert job.is_failed
    job.refresh()
    assert "ZeroDivisionError" in str(job.exc_info)


def test_a_job_run_in_place_is_logged_with_its_exception(caplog: pytest.LogCaptureFixture) -> None:
    job = get_queue(is_async=False).enqueue(divide, 1, 0)
    (record,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError
    assert job.id in record.getMessage()
