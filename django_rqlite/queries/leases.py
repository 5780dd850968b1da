"""What workers run and what the dead hold, for people.

A job knows its worker's name, and a started registry knows how long the job is held; nothing leads
from a name to its jobs. So leases are read, those that end first: those of the dead are among them.
Nothing in here writes, and broken data is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from ..protocol import codec
from ..protocol.keys import Keys
from ..protocol.records import JobRecord, JobStatus, read_job
from .pipeline import answers, items, name_of
from .places import id_of

#: Leases of all queues together that are looked at; and how many of one queue at the least, however
#: many queues there are.
MOST = 1000
LEAST_OF_A_QUEUE = 100

#: Workers' current jobs that are read at the most.
MOST_CURRENT = 500

_FIELDS = ("status", "worker_name", "description", "started_at", "x_span", "timeout", "origin")


@dataclass(frozen=True, slots=True)
class Lease:
    """An entry of a started registry.

    Attributes:
        execution: '' where the entry does not say it, as those of RQ 0.5.
        until: unix seconds; any number, where somebody else wrote it.
    """

    job_id: str
    queue: str
    until: float
    execution: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A job that stands as started by a worker, and its lease."""

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
    #: By the worker's name, of those that run or hold any; the lease that ends first comes first.
    held: Mapping[str, Sequence[Held]]


def lease_commands(keys: Keys, queues: Sequence[str]) -> list[tuple[Any, ...]]:
    """One for each queue, for the leases that end first."""
    most = most_of_a_queue(len(queues))
    return [("ZRANGE", keys.started(queue), 0, most - 1, "WITHSCORES") for queue in queues]


def most_of_a_queue(queues: int) -> int:
    """How many leases of each of so many queues are read at the most."""
    return max(MOST // max(queues, 1), LEAST_OF_A_QUEUE)


def leases_in(queue: str, answer: Any) -> list[Lease]:
    """The entries in an answer that has a part of a queue's started registry, with scores."""
    found = []
    for member, until in items(answer):
        name = name_of(member)
        found.append(Lease(id_of(name), queue, float(until), name.rpartition(":")[2]))
    return found


def holdings(
    connection: redis.Redis, keys: Keys, current: Sequence[str], leases: Sequence[Lease]
) -> Holdings:
    """What these jobs are, and which workers have these leases. One round trip.

    Args:
        current: ids of jobs.
    """
    wanted = [job_id for job_id in dict.fromkeys(current) if job_id][:MOST_CURRENT]
    first = _first(leases)
    answered = answers(
        connection,
        [*(_summary(keys, job_id) for job_id in wanted), *_held_commands(keys, first)],
    )
    jobs = {job_id: job for job_id, job in map(_job, wanted, answered) if job}
    held = by_worker(_held(first, answered[len(wanted) :]))
    return Holdings(jobs, held)


def running(connection: redis.Redis, keys: Keys, leases: Sequence[Lease]) -> list[Held]:
    """The jobs of these leases that stand as started. One round trip, none without leases."""
    first = _first(leases)
    return _held(first, answers(connection, _held_commands(keys, first)))


def by_worker(held: Sequence[Held]) -> dict[str, list[Held]]:
    """The same by the names of the workers, in the same order."""
    found: dict[str, list[Held]] = {}
    for each in held:
        found.setdefault(each.job.worker_name, []).append(each)
    return found


def _first(leases: Sequence[Lease]) -> list[Lease]:
    return sorted(leases, key=lambda lease: lease.until)[:MOST]


def _held_commands(keys: Keys, leases: Sequence[Lease]) -> list[tuple[Any, ...]]:
    commands: list[tuple[Any, ...]] = []
    for lease in leases:
        commands.append(_summary(keys, lease.job_id))
        commands.append(("HGET", keys.execution(lease.job_id, lease.execution), "worker_name"))
    return commands


def _held(leases: Sequence[Lease], answered: Sequence[Any]) -> list[Held]:
    found = []
    for lease, fields, of_execution in zip(leases, answered[::2], answered[1::2], strict=True):
        _id, job = _job(lease.job_id, fields)
        if job is None or job.status != JobStatus.STARTED:
            continue
        # An execution that was lost stays in the registry until it is swept out; by then the job
        # may run elsewhere.
        worker = codec.text(of_execution) if isinstance(of_execution, bytes) else ""
        if worker in ("", job.worker_name):
            found.append(Held(job, lease.queue, lease.until))
    return found


def _summary(keys: Keys, job_id: str) -> tuple[Any, ...]:
    return ("HMGET", keys.job(job_id), *_FIELDS)


def _job(job_id: str, answer: Any) -> tuple[str, JobRecord | None]:
    fields = {
        name.encode(): value
        for name, value in zip(_FIELDS, items(answer), strict=False)
        if value is not None
    }
    return job_id, read_job(job_id, fields) if fields else None
