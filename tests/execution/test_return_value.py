"""A result that can't be kept: the job is finished, and its page says what it was, and why."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from django_rqlite import Callback, Job, Repeat, Retry, get_queue
from django_rqlite.execution.outcome import Failed, Succeeded
from django_rqlite.execution.return_value import LONGEST_REASON, kept
from django_rqlite.execution.run import perform
from django_rqlite.jobs.results import Result
from django_rqlite.queues.queue import Queue
from tests import sample_jobs
from tests.admin_world import job_page
from tests.worker_process import run_burst

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django.fixtures import SettingsWrapper

pytestmark = [pytest.mark.usefixtures("redis"), pytest.mark.django_db]

#: RQ's words (rq/defaults.py).
UNSERIALIZABLE = "Unserializable return value"
TOO_LARGE = "Return value too large"


@pytest.fixture
def queue() -> Queue:
    """A queue that does not wait for the test's own transaction to commit."""
    return get_queue(commit_mode="auto")


def test_a_result_that_cannot_be_serialized(
    queue: Queue, tmp_path: Path, admin_client: Client
) -> None:
    told, runs = tmp_path / "told", tmp_path / "runs"
    job = queue.enqueue(
        sample_jobs.run_and_return_lock,
        str(runs),
        retry=Retry(2),
        on_success=Callback(sample_jobs.tell_success),
        on_failure=Callback(sample_jobs.tell_failure),
    )

    output = run_burst(tmp_path, environment={"RQ_TEST_TELL": str(told)})

    assert job.get_status() == "finished"
    assert runs.read_text() == "x", "the work was done once"
    assert told.read_text().startswith(f"success {job.id} <unlocked _thread.lock object"), "live"
    assert job.return_value() == UNSERIALIZABLE
    latest = job.latest_result()
    assert latest is not None
    assert latest.type is Result.Type.SUCCESSFUL
    assert latest.return_value == UNSERIALIZABLE
    why = latest.not_kept or ""
    assert why.startswith("The job returned <unlocked _thread.lock object")
    assert "of the type _thread.lock, which can't be serialized (TypeError: cannot pickle" in why
    assert f"the result of job {job.id} is not kept. The job returned" in output
    page = admin_client.get(job_page(job.id)).content.decode()
    assert page.count("The result is not kept. The job returned &lt;unlocked _thread.lock") == 2
    assert "TypeError: cannot pickle" in page


def test_a_result_that_is_too_large(queue: Queue, tmp_path: Path, admin_client: Client) -> None:
    large = queue.enqueue(sample_jobs.make_bytes, 3_000_000, retry=Retry(2))
    next_one = queue.enqueue(sample_jobs.make_bytes, 900)

    run_burst(tmp_path, environment={"RQ_TEST_MAX_RESULT_SIZE": "1000"})

    assert large.get_status() == "finished"
    assert large.return_value() == TOO_LARGE
    latest = large.latest_result()
    assert latest is not None
    why = latest.not_kept or ""
    assert why.startswith("The job returned b'xxx")
    assert "of the type bytes, which has 3,000,0" in why
    assert why.endswith("bytes when serialized. RQ['MAX_RESULT_SIZE'] is 1,000.")
    assert len(why) <= LONGEST_REASON
    assert "MAX_RESULT_SIZE" in admin_client.get(job_page(large.id)).content.decode()
    kept_one = next_one.latest_result()
    assert kept_one is not None
    assert (kept_one.return_value, kept_one.not_kept) == (b"x" * 900, None)


def test_each_run_of_a_job_that_repeats_says_so(queue: Queue, tmp_path: Path) -> None:
    job = queue.enqueue(
        sample_jobs.run_and_return_lock, str(tmp_path / "runs"), repeat=Repeat(1, interval=0)
    )

    run_burst(tmp_path)

    results = job.results()
    assert [result.return_value for result in results] == [UNSERIALIZABLE] * 2
    assert all("cannot pickle" in (result.not_kept or "") for result in results)


def test_in_place() -> None:
    queue = get_queue(is_async=False, serializer="json", commit_mode="auto")
    job = queue.enqueue(sample_jobs.make_set, 3)
    assert job.get_status() == "finished"
    assert job.return_value() == UNSERIALIZABLE
    latest = job.latest_result()
    assert latest is not None
    assert "returned {0, 1, 2}, of the type set, which can't be" in (latest.not_kept or "")


class TakesLong:
    """Takes longer than a timeout of one second to be serialized."""

    def __reduce__(self) -> Any:
        time.sleep(30)


def test_a_timeout_while_the_result_is_serialized_is_a_timeout() -> None:
    job = Job.create("tests.execution.test_return_value.TakesLong", timeout=1)
    outcome = perform(job)
    assert isinstance(outcome, Failed)
    assert "JobTimeoutException: " in outcome.headline
    assert "swallowed" not in outcome.reason


class Raises:
    """Neither a repr nor a pickle."""

    def __repr__(self) -> str:
        raise LookupError("no repr")

    def __reduce__(self) -> Any:
        raise Untold


class Untold(Exception):
    def __str__(self) -> str:
        raise LookupError("no text")


def unserializable(value: object) -> object:
    """A dictionary that begins with a value, and can't be serialized."""
    return defaultdict(lambda: None, {"key": value})


def nested(depth: int) -> list[Any]:
    outer: list[Any] = []
    for _ in range(depth):
        outer = [outer]
    return outer


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (Raises, "returned <Raises instance at 0x"),
        (Raises, "(Untold)"),
        (lambda: unserializable("x" * 10_000_000), "of the type collections.defaultdict"),
        (lambda: unserializable(b"x" * 10_000_000), "of the type collections.defaultdict"),
        (lambda: unserializable(10**10_000), "of the type collections.defaultdict"),
        (lambda: unserializable(list(range(1_000_000))), "[0, 1, 2, 3, 4, 5, ...]"),
        (lambda: nested(100_000), "[[[[...]]]], of the type list, which can't be"),
    ],
)
def test_what_it_was_is_told_within_bounds(make: Callable[[], object], says: str) -> None:
    payload, why = kept(Job.create(sample_jobs.add), make())
    assert UNSERIALIZABLE.encode() in payload
    assert says in why
    assert len(why) <= LONGEST_REASON


class TakesNoText:
    """A serializer of a project's own."""

    @staticmethod
    def dumps(value: object) -> bytes:
        raise TypeError("no text, please")

    @staticmethod
    def loads(payload: bytes) -> object:
        return payload


def test_a_serializer_that_takes_no_text() -> None:
    payload, why = kept(Job("x", serializer=TakesNoText), 5)
    assert payload == b""
    assert "no text, please" in why


def test_what_can_be_kept_is_kept(settings: SettingsWrapper) -> None:
    job = Job.create(sample_jobs.add)
    assert kept(job, None) == (b"", "")
    payload, why = kept(job, "value")
    assert (job.serializer.loads(payload), why) == ("value", "")
    settings.RQ = {"MAX_RESULT_SIZE": len(payload)}
    assert kept(job, "value") == (payload, "")
    settings.RQ = {"MAX_RESULT_SIZE": len(payload) - 1}
    assert isinstance(perform(Job.create(sample_jobs.echo, ("value",))), Succeeded)
    assert f"has {len(payload)} bytes when" in kept(job, "value")[1]
