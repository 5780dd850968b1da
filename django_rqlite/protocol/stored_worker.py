"""The record of a worker, and how it is read from its hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from .stored_fields import FieldReader


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """The values of a worker's hash."""

    name: str
    #: ``started``, ``idle``, ``busy``, ``suspended``; empty if nothing is recorded.
    state: str
    queues: tuple[str, ...]
    hostname: str
    pid: int | None
    birth: datetime | None
    death: datetime | None
    last_heartbeat: datetime | None
    shutdown_requested_at: datetime | None
    current_job: str
    #: Seconds.
    current_job_working_time: float | None
    successful_jobs: int
    failed_jobs: int
    #: Seconds.
    total_working_time: float
    #: Bytes of resident memory at its last heartbeat, and the peak of the process that ran the last
    #: ended job. None: unknown, because RQ's workers do not report it.
    memory: int | None
    child_memory: int | None
    #: The version of RQ or of django_rqlite that it runs.
    version: str
    python_version: str
    #: How many jobs it runs at once.
    concurrency: int
    problems: tuple[str, ...]


def read_worker(name: str, fields: Mapping[bytes, bytes]) -> WorkerRecord:
    """Return the record of a worker's hash. Never raises; ``problems`` says what is unreadable."""
    read = FieldReader(fields)
    return WorkerRecord(
        name=name,
        state=read.text("state"),
        queues=tuple(filter(None, read.text("queues").split(","))),
        hostname=read.text("hostname"),
        pid=read.whole("pid"),
        birth=read.moment("birth"),
        death=read.moment("death"),
        last_heartbeat=read.moment("last_heartbeat"),
        shutdown_requested_at=read.moment("shutdown_requested_date"),
        current_job=read.text("current_job"),
        current_job_working_time=read.number("current_job_working_time"),
        successful_jobs=read.whole("successful_job_count") or 0,
        failed_jobs=read.whole("failed_job_count") or 0,
        total_working_time=read.number("total_working_time") or 0.0,
        memory=read.whole("x_memory"),
        child_memory=read.whole("x_child_memory"),
        version=read.text("version"),
        python_version=read.text("python_version"),
        # RQ's workers run one job at a time and do not report the field.
        concurrency=max(read.whole("x_concurrency") or 1, 1),
        problems=tuple(read.problems),
    )
