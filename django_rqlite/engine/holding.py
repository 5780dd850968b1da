"""What workers run, and what those hold that are dead, for people.

A job knows its worker's name, and a started registry knows how long the job is held; nothing leads
from a name to its jobs. So the leases that end first are read: those of the dead are among them.
Nothing in here writes, and broken data is passed over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from ..protocol.keys import Keys
from ..protocol.records import JobRecord, JobStatus, read_job
from .asking import answers, items, name_of
from .places import id_of, queue_names

#: Leases of one queue, and of all queues together, that are looked at for the dead.
MOST_OF_A_QUEUE = 100
MOST = 1000

#: Jobs of one worker that are told at the most.
MOST_OF_A_WORKER = 20

#: Workers' current jobs that are read at the most.
MOST_CURRENT = 500

_FIELDS = ("status", "worker_name", "description", "started_at", "x_span")


@dataclass(frozen=True, slots=True)
class Held:
    """A job that stands as started by a worker."""

    #: A summary.
    job: JobRecord
    queue: str
    #: Unix seconds at which the lease ends; then the job is queued again, or fails.
    until: float


@dataclass(frozen=True, slots=True)
class Holdings:
    """What was asked for."""

    #: Summaries of the current jobs, by id; those without a hash are missing.
    current: Mapping[str, JobRecord]
    #: By the worker's name, of those that hold any; the lease that ends first comes first.
    held: Mapping[str, Sequence[Held]]


@dataclass(frozen=True, slots=True)
class Lease:
    """An entry of a started registry."""

    job_id: str
    queue: str
    #: Unix seconds.
    until: float


def holdings(
    connection: redis.Redis, keys: Keys, current: Sequence[str], dead: Collection[str]
) -> Holdings:
    """What these jobs are, and what these workers hold. One round trip; three if any are dead.

    Args:
        current: ids of jobs.
        dead: names of workers.
    """
    wanted = [job_id for job_id in dict.fromkeys(current) if job_id][:MOST_CURRENT]
    commands: list[tuple[Any, ...]] = [_summary(keys, job_id) for job_id in wanted]
    commands += [("SMEMBERS", keys.queues)] * bool(dead)
    answered = answers(connection, commands)
    jobs = {job_id: job for job_id, job in map(_job, wanted, answered) if job}
    if not dead:
        return Holdings(jobs, {})
    queues = queue_names(keys, answered[-1])[:MOST]
    ends: list[tuple[Any, ...]] = [
        ("ZRANGE", keys.started(queue), 0, MOST_OF_A_QUEUE - 1, "WITHSCORES") for queue in queues
    ]
    leases = sorted(
        (lease for each in map(leases_in, queues, answers(connection, ends)) for lease in each),
        key=lambda lease: lease.until,
    )[:MOST]
    return Holdings(jobs, held_by(connection, keys, leases, dead))


def lease_commands(keys: Keys, queues: Sequence[str], now: float) -> list[tuple[Any, ...]]:
    """One for each queue, for what should have been renewed and was not: mostly nothing.

    Args:
        now: unix seconds.
    """
    return [
        (
            *("ZRANGEBYSCORE", keys.started(queue), "-inf", f"({int(now)}", "WITHSCORES"),
            *("LIMIT", 0, MOST_OF_A_QUEUE),
        )
        for queue in queues
    ]


def leases_in(queue: str, answer: Any) -> list[Lease]:
    """The entries in an answer that has a part of a queue's started registry, with scores."""
    found = []
    for member, until in items(answer):
        found.append(Lease(id_of(name_of(member)), queue, float(until)))
    return found


def held_by(
    connection: redis.Redis, keys: Keys, leases: Sequence[Lease], names: Collection[str]
) -> dict[str, list[Held]]:
    """Which of these are held by workers of these names. One round trip, none without leases."""
    answered = answers(connection, [_summary(keys, lease.job_id) for lease in leases])
    held: dict[str, list[Held]] = {}
    for lease, fields in zip(leases, answered, strict=True):
        _id, job = _job(lease.job_id, fields)
        if job and job.status == JobStatus.STARTED and job.worker_name in names:
            of_worker = held.setdefault(job.worker_name, [])
            if len(of_worker) < MOST_OF_A_WORKER:
                of_worker.append(Held(job, lease.queue, lease.until))
    return held


def _summary(keys: Keys, job_id: str) -> tuple[Any, ...]:
    return ("HMGET", keys.job(job_id), *_FIELDS)


def _job(job_id: str, answer: Any) -> tuple[str, JobRecord | None]:
    fields = {
        name.encode(): value
        for name, value in zip(_FIELDS, items(answer), strict=False)
        if value is not None
    }
    return job_id, read_job(job_id, fields) if fields else None
