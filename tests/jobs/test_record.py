"""A job's attributes read its record, and to set them replaces it."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from django_rqlite import Callback, Job, Retry, get_queue
from django_rqlite.exceptions import SignatureError
from django_rqlite.jobs.record import JobBase
from django_rqlite.protocol.records import JobRecord
from tests.sample_jobs import echo

if TYPE_CHECKING:
    import redis as redis_py

#: Attributes that jobs have in another form, or not at all.
ELSEWHERE = {
    *("id", "status", "packed", "meta", "result", "exc_info", "error", "problems", "signature"),
    *("meta_signature", "result_signature", "attempts", "repeats_done", "crashes"),
}
ATTRIBUTES = {field.name: field.type for field in fields(JobRecord) if field.name not in ELSEWHERE}
VALUES: dict[str, Any] = {
    "str": "text",
    "int | None": 5,
    "bool": True,
    "datetime | None": datetime(2026, 11, 28, tzinfo=UTC),
    "tuple[int, ...]": [1, 2],
    "tuple[str, ...]": ["a", "b"],
}


def test_jobs_have_the_attributes_of_records() -> None:
    assert [name for name in ATTRIBUTES if not isinstance(vars(JobBase)[name], property)] == []


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_can_be_set(name: str) -> None:
    job, value = Job("a"), VALUES[str(ATTRIBUTES[name])]
    unset, record = getattr(job, name), job._record
    setattr(job, name, value)
    assert getattr(job, name) == value
    assert job._record is not record
    assert getattr(record, name) == getattr(JobRecord("a"), name) or name == "created_at"
    setattr(job, name, unset)
    assert getattr(job, name) == unset


def test_what_was_not_said_is_none_as_in_rq() -> None:
    job = Job("a")
    assert (job.description, job.worker_name, job.group_id, job.retry_intervals) == (None,) * 4
    assert (job.timeout, job.result_ttl, job.retries_left, job.success_callback_name) == (None,) * 4
    assert (job.dependency_ids, job.tags, job.origin) == ([], [], "")


def test_what_was_set_is_stored_and_signed(redis: redis_py.Redis) -> None:
    queue = get_queue()
    queue.enqueue(echo, 1, job_id="a", on_failure=Callback(echo))
    job = Job.fetch("a")
    job.timeout, job.description, job.tags = 7, "other", ["t"]
    job.retries_left, job.retry_intervals, job.success_callback_name = 2, [3], "a.b"
    queue.enqueue_job(job)
    again = Job.fetch("a")
    assert (again.timeout, again.description, again.tags) == (7, "other", ["t"])
    assert (again.retries_left, again.retries_max, again.retry_intervals) == (2, 2, [3])
    assert (again.success_callback_name, again.failure_callback_name) == (
        "a.b",
        job._record.failure_callback_name,
    )
    assert again.args == (1,)


def test_setting_terms_does_not_hide_that_others_have_changed_them(redis: redis_py.Redis) -> None:
    queue = get_queue()
    made = queue.enqueue(echo, 1, on_failure=Callback(echo))
    redis.hset(made.key, "failure_callback_name", "os.getcwd")
    job = Job.fetch(made.id)
    job.failure_callback_name = made.failure_callback_name
    with pytest.raises(SignatureError):
        _ = job.args
    with pytest.raises(SignatureError):
        job.to_fields()


def test_a_counter_that_others_have_raised_counts_for_no_more_than_at_first(
    redis: redis_py.Redis,
) -> None:
    made = get_queue().enqueue(echo, 1, retry=Retry(max=2))
    redis.hset(made.key, "retries_left", 99)
    job = Job.fetch(made.id)
    assert (job.retries_left, job.to_fields()["retries_left"]) == (2, 2)
    job.retries_left = 5
    fields = job.to_fields()
    assert (job.retries_left, fields["retries_left"], fields["x_retries_max"]) == (5, 5, 5)
    job.retries_left = 1
    fields = job.to_fields()
    assert (fields["retries_left"], fields["x_retries_max"]) == (1, 5)


def test_a_record_has_only_what_differs() -> None:
    made = get_queue().create_job(echo, (1,))
    assert len(vars(made._record)) <= 10
    read = made.to_record()
    assert read == JobRecord(**vars(read))
    assert read.changed(timeout=9) != read
    assert read.timeout != 9
