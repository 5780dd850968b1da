"""The readers never raise: whatever is stored, they return a record that says what is wrong."""

from __future__ import annotations

import zlib
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from typing import Any

import pytest
import redis as redis_py
from rq import Queue, SimpleWorker

from django_rqlite.protocol import codec
from django_rqlite.protocol.records import JobRecord, JobStatus, read_job
from django_rqlite.protocol.stored_result import ResultRecord, ResultType, read_result
from django_rqlite.protocol.stored_worker import WorkerRecord, read_worker

GARBAGE = [
    *(b"", b"None", b"nan", b"inf", b"-1", b"1.5", b"3m", b"1e999", b"99999999999999999999999"),
    *(b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"2026-02-30T00:00:00Z"),
    *(b"\xff\xfe\x00", b"\x00", "²".encode(), b"x" * 10_000, b"9" * 5000, b"x\x9c", b"[", b"\x80"),
]
WELL = {b"status": b"queued", b"data": b"\x80"}

JOB_FIELDS = [
    *("origin", "status", "created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat"),
    *("description", "timeout", "result_ttl", "failure_ttl", "ttl", "worker_name", "data", "meta"),
    *("result", "exc_info", "x_error", "x_sig", "x_sig_meta", "x_sig_result"),
]
RESULT_FIELDS = [
    *("type", "worker_name", "execution_id", "execution_started_at", "execution_ended_at"),
    *("return_value", "exc_string"),
]
WORKER_FIELDS = [
    *("state", "queues", "hostname", "pid", "birth", "death", "last_heartbeat", "version"),
    *("shutdown_requested_date", "current_job", "current_job_working_time", "python_version"),
    *("successful_job_count", "failed_job_count", "total_working_time"),
]


def values(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields_of(record)}


@pytest.mark.parametrize("garbage", GARBAGE)
def test_no_value_of_any_field_is_too_much(garbage: bytes) -> None:
    for name in JOB_FIELDS:
        assert isinstance(read_job("a", {**WELL, name.encode(): garbage}), JobRecord)
    for name in RESULT_FIELDS:
        assert isinstance(read_result("a", b"1-1", {name.encode(): garbage}), ResultRecord)
    for name in WORKER_FIELDS:
        assert isinstance(read_worker("w", {name.encode(): garbage}), WorkerRecord)
    assert isinstance(read_result("a", garbage, {}), ResultRecord)
    assert read_job(garbage.decode("utf-8", "replace"), WELL)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_field_s_garbage_leaves_the_others_alone(garbage: bytes) -> None:
    whole = values(read_job("a", WELL))
    for name in JOB_FIELDS:
        read = values(read_job("a", {**WELL, name.encode(): garbage}))
        changed = {field for field in read if read[field] != whole[field]}
        own = {"x_error": "error", "x_sig": "signature"}.get(name, name)
        own = {"x_sig_meta": "meta_signature", "x_sig_result": "result_signature"}.get(name, own)
        own = "packed" if name == "data" else own
        assert changed <= {own, "problems"}


# The column "crashes on" of RQ 2.12's reader, as far as the fields are ours.
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, b"None") for name in ("timeout", "result_ttl", "failure_ttl", "ttl")],
        *[("timeout", value) for value in (b"1.5", b"3m")],
        *[(name, b"yesterday") for name in ("created_at", "enqueued_at", "started_at")],
        *[(name, b"1446518555") for name in ("ended_at", "last_heartbeat")],
        *[("status", value) for value in (b"rate_limited", b"QUEUED", b"")],
    ],
)
def test_what_would_end_a_worker_of_rq_is_a_sentence(name: str, value: bytes) -> None:
    record = read_job("a", {**WELL, name.encode(): value})
    (problem,) = record.problems
    assert name in problem
    assert value.decode() in problem


def test_what_is_missing_or_misnamed_is_a_sentence() -> None:
    assert ["status" in problem for problem in read_job("a", {b"data": b""}).problems] == [True]
    assert ["data" in problem for problem in read_job("a", {b"status": b"queued"}).problems] == [
        True
    ]
    assert ["id" in problem for problem in read_job("a:b", WELL).problems] == [True]
    assert len(read_job("", {}).problems) == 3


@pytest.mark.parametrize("status", JobStatus)
def test_every_status_of_rq_is_known(status: JobStatus) -> None:
    assert read_job("a", {**WELL, b"status": status.encode()}).problems == ()


def test_empty_fields_are_absent_ones() -> None:
    empty = {name.encode(): b"" for name in JOB_FIELDS if name not in ("status", "data")}
    record = read_job("a", {**WELL, **empty})
    assert record.problems == ()
    assert record.timeout is record.started_at is record.ttl is None


def test_forms_of_rq_2() -> None:
    record = read_job(
        "a",
        {
            **WELL,
            b"data": zlib.compress(b"\x80the call"),
            b"created_at": b"2026-11-23T06:38:15.813539Z",
            b"exc_info": zlib.compress("Fehler: ä".encode()),
            b"worker_name": b"",
            b"success_callback_name": b"",
        },
    )
    assert record.problems == ()
    assert record.packed is not None
    assert codec.head(record.packed, 5000) == (b"\x80the call", False)
    assert record.created_at == datetime(2026, 11, 23, 6, 38, 15, 813539, UTC)
    assert record.exc_info == "Fehler: ä"


def test_forms_of_rq_0_5() -> None:
    record = read_job(
        "a",
        {
            **WELL,
            b"data": b"\x80\x02the call",
            b"created_at": b"2015-11-03T02:42:35.123456+00:00",
            b"exc_info": b"Traceback",
            b"ttl": b"-1",
        },
    )
    assert record.problems == ()
    assert (record.packed, record.exc_info, record.ttl) == (b"\x80\x02the call", "Traceback", -1)
    assert record.created_at == datetime(2015, 11, 3, 2, 42, 35, 123456, UTC)


def test_a_result_s_time_is_that_of_its_entry() -> None:
    entered = read_result("a", b"1446518555250-3", {}).created_at
    assert entered == datetime(2015, 11, 3, 2, 42, 35, 250_000, UTC)
    assert read_result("a", b"18446744073709551615-1", {}).created_at is None


def test_what_a_worker_of_rq_writes(redis: redis_py.Redis) -> None:
    queue = Queue(connection=redis)
    well = queue.enqueue("tests.sample_jobs.add", 2, b=3)
    badly = queue.enqueue("tests.sample_jobs.divide", 1, 0)
    worker = SimpleWorker([queue], connection=redis, name="rq-worker")
    worker.work(burst=True)

    record = read_job(well.id, redis.hgetall(f"rq:job:{well.id}"))
    assert record.problems == ()
    assert record.status == "finished"
    assert record.packed is not None
    assert codec.head(record.packed, 5000)[0].startswith(b"\x80")
    (entry,) = redis.xrange(f"rq:results:{well.id}")
    result = read_result(well.id, *entry)
    assert result.problems == ()
    assert result.type == ResultType.SUCCESSFUL
    assert result.return_value == b"\x80\x05K\x05."
    assert result.worker_name == "rq-worker"
    assert None not in (result.created_at, result.started_at, result.ended_at)
    assert result.execution_id

    (entry,) = redis.xrange(f"rq:results:{badly.id}")
    result = read_result(badly.id, *entry)
    assert result.type == ResultType.FAILED
    assert result.return_value is None
    assert result.exc_string.endswith("ZeroDivisionError: division by zero\n")

    read = read_worker("rq-worker", redis.hgetall("rq:worker:rq-worker"))
    assert read.problems == ()
    assert (read.queues, read.successful_jobs, read.failed_jobs) == (("default",), 1, 1)
    assert read.total_working_time > 0
    assert read.birth is not None
    assert read.death is not None
    assert read.version.startswith("2.12")


def test_a_worker_of_rq_0_5() -> None:
    fields = {b"birth": b"2015-11-03T02:42:35Z", b"queues": b"high,low", b"state": b"idle"}
    record = read_worker("host.7", fields)
    assert record.problems == ()
    assert (record.queues, record.state) == (("high", "low"), "idle")
    assert (record.pid, record.successful_jobs, record.total_working_time) == (None, 0, 0.0)
