"""Queries for the jobs that workers run, and the jobs that dead workers still hold.

A job names its worker, and a started registry has the end of each lease, but no key lists the jobs
of a worker. So these queries read the leases that expire first, which include those of dead
workers. Broken data is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from ..protocol import codec
from ..protocol.codec import decode
from ..protocol.keys import Keys
from ..protocol.places import job_id_of
from ..protocol.records import JobRecord, JobStatus, read_job
from .pipeline import Command, execute, members

#: The maximum number of leases that are read in all queues together. Each queue gets an equal share
#: of them, but never less than the second number.
MOST = 1000
LEAST_OF_A_QUEUE = 100

#: The maximum number of current jobs of workers that are read.
MOST_CURRENT = 500

_FIELDS = ("status", "worker_name", "description", "started_at", "x_span", "timeout", "origin")


@dataclass(frozen=True, slots=True)
class Lease:
    """An entry of a started registry.

    Attributes:
        execution: '' if the entry does not contain it, as in RQ 0.5.
        until: when it expires, in unix seconds. Another tool may have written any number.
    """

    job_id: str
    queue: str
    until: float
    execution: str = ""


@dataclass(frozen=True, slots=True)
class StartedJob:
    """A job with the status ``started``, and its lease."""

    #: A summary.
    job: JobRecord
    queue: str
    #: Unix seconds at which the lease expires. Then the job is queued again, or fails.
    until: float


@dataclass(frozen=True, slots=True)
class WorkerJobs:
    """The jobs of workers."""

    #: Summaries of the current jobs, by id. Jobs without a hash are missing.
    current: Mapping[str, JobRecord]
    #: The started jobs by the worker's name. The lease that expires first comes first.
    started: Mapping[str, Sequence[StartedJob]]


def commands(keys: Keys, queues: Sequence[str]) -> list[Command]:
    """One command for each queue, for the leases that expire first."""
    most = most_of_a_queue(len(queues))
    return [("ZRANGE", keys.started(queue), 0, most - 1, "WITHSCORES") for queue in queues]


def most_of_a_queue(queues: int) -> int:
    """The most leases that are read of each queue, given the number of queues."""
    return max(MOST // max(queues, 1), LEAST_OF_A_QUEUE)


def read_each(queues: Sequence[str], answers: Sequence[Any]) -> list[Lease]:
    """The leases of all queues, in the answers to :func:`commands`."""
    found = []
    for queue, answer in zip(queues, answers, strict=False):
        for member, until in members(answer):
            name = decode(member)
            found.append(Lease(job_id_of(name), queue, float(until), name.rpartition(":")[2]))
    return found


def worker_jobs(
    connection: redis.Redis, keys: Keys, current: Sequence[str], leases: Sequence[Lease]
) -> WorkerJobs:
    """The current jobs with these ids, and the started jobs of each worker. One round trip."""
    wanted = [job_id for job_id in dict.fromkeys(current) if job_id][:MOST_CURRENT]
    first = _first(leases)
    answers = execute(
        connection,
        [*(_summary(keys, job_id) for job_id in wanted), *_started_commands(keys, first)],
    )
    jobs = {}
    for job_id, fields in zip(wanted, answers, strict=False):
        if job := _read_job(job_id, fields):
            jobs[job_id] = job
    return WorkerJobs(jobs, by_worker(_read_started(first, answers[len(wanted) :])))


def started_jobs(connection: redis.Redis, keys: Keys, leases: Sequence[Lease]) -> list[StartedJob]:
    """The jobs of these leases that are started. One round trip; none without leases."""
    first = _first(leases)
    return _read_started(first, execute(connection, _started_commands(keys, first)))


def by_worker(started: Sequence[StartedJob]) -> dict[str, list[StartedJob]]:
    """Group started jobs by the names of their workers. The order stays."""
    found: dict[str, list[StartedJob]] = {}
    for each in started:
        found.setdefault(each.job.worker_name, []).append(each)
    return found


def _first(leases: Sequence[Lease]) -> list[Lease]:
    return sorted(leases, key=lambda lease: lease.until)[:MOST]


def _started_commands(keys: Keys, leases: Sequence[Lease]) -> list[Command]:
    commands: list[Command] = []
    for lease in leases:
        commands.append(_summary(keys, lease.job_id))
        commands.append(("HGET", keys.execution(lease.job_id, lease.execution), "worker_name"))
    return commands


def _read_started(leases: Sequence[Lease], answers: Sequence[Any]) -> list[StartedJob]:
    found = []
    for lease, fields, execution_worker in zip(leases, answers[::2], answers[1::2], strict=True):
        job = _read_job(lease.job_id, fields)
        if job is None or job.status != JobStatus.STARTED:
            continue
        # A lost execution stays in the registry until a worker removes it. Meanwhile the job may
        # run elsewhere.
        worker = codec.text(execution_worker) if isinstance(execution_worker, bytes) else ""
        if worker in ("", job.worker_name):
            found.append(StartedJob(job, lease.queue, lease.until))
    return found


def _summary(keys: Keys, job_id: str) -> Command:
    return ("HMGET", keys.job(job_id), *_FIELDS)


def _read_job(job_id: str, answer: Any) -> JobRecord | None:
    fields = {
        name.encode(): value
        for name, value in zip(_FIELDS, members(answer), strict=False)
        if value is not None
    }
    return read_job(job_id, fields) if fields else None
