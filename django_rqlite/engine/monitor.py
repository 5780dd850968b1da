"""The read model, for people: what pages, commands and metrics show.

Nothing in here writes, unpickles or imports user code, and every method needs a bounded number of
round trips, whatever the sizes. It is total: a key of the wrong kind is reported, never raised.
The worker never uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import redis

from ..protocol.keys import Keys
from ..protocol.records import (
    JobRecord,
    ResultRecord,
    WorkerRecord,
    read_job,
    read_result,
    read_worker,
)

#: Outcomes of one job that are read at the most.
RESULTS_SHOWN = 50


class Place(StrEnum):
    """Where a job's id can be; each queue has one of each."""

    QUEUED = "queued"
    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"
    DEFERRED = "deferred"
    SCHEDULED = "scheduled"
    CANCELED = "canceled"


#: Places whose newest entry has the highest score; the others are shown lowest score first.
_NEWEST_FIRST = frozenset({Place.FINISHED, Place.FAILED, Place.CANCELED})


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many ids are in each place of a queue, and how many workers listen to it."""

    name: str
    places: Mapping[Place, int]
    workers: int
    #: Keys that hold something other than they should, in sentences.
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One id of a place; ``job`` is None where the id has no hash (it expired, or was deleted)."""

    id: str
    job: JobRecord | None
    #: The sorted set's score, as unix seconds: what it means depends on the place. None: a list.
    score: float | None


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a place."""

    total: int
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class JobDetail:
    """Everything kept about one job."""

    job: JobRecord
    #: Newest first.
    results: Sequence[ResultRecord]
    #: Seconds until the hash expires; None: never.
    expires_in: int | None


class Monitor:
    """Reads one connection below one key prefix."""

    __slots__ = ("connection", "keys")

    def __init__(self, connection: redis.Redis, keys: Keys) -> None:
        self.connection = connection
        self.keys = keys

    def queues(self) -> list[str]:
        """The names of all queues that anything was ever enqueued to, sorted. One round trip."""
        members = _answers(self.connection, [("SMEMBERS", self.keys.queues)])[0]
        return sorted(self.keys.queue_name(_id(key)) for key in _list(members))

    def counts(self, queues: Sequence[str]) -> list[QueueCounts]:
        """How much is where, for each of the queues. One round trip."""
        commands: list[tuple[Any, ...]] = []
        for queue in queues:
            commands.append(("LLEN", self._key(queue, Place.QUEUED)))
            commands.extend(
                ("ZCARD", self._key(queue, place)) for place in Place if place != Place.QUEUED
            )
            commands.append(("SCARD", self.keys.queue_workers(queue)))
        answers = iter(_answers(self.connection, commands))
        found = []
        for queue in queues:
            numbers = [next(answers) for _ in range(len(Place) + 1)]
            problems = tuple(
                f"The key of its {label} can't be read: {number}"
                for label, number in zip([*Place, "workers"], numbers, strict=True)
                if isinstance(number, Exception)
            )
            clean = [0 if isinstance(number, Exception) else int(number) for number in numbers]
            places = dict(zip(Place, clean, strict=False))
            found.append(QueueCounts(queue, places, clean[-1], problems))
        return found

    def page(self, queue: str, place: Place, offset: int, limit: int) -> Page:
        """A slice of a place with the jobs of its ids. Two round trips.

        Queued jobs come in the order in which they will run, scheduled ones by their time, ended
        ones latest first.
        """
        key, last = self._key(queue, place), offset + limit - 1
        if place is Place.QUEUED:
            commands = [("LLEN", key), ("LRANGE", key, offset, last)]
        else:
            range_command = "ZREVRANGE" if place in _NEWEST_FIRST else "ZRANGE"
            commands = [("ZCARD", key), (range_command, key, offset, last, "WITHSCORES")]
        total, members = _answers(self.connection, commands)
        if isinstance(total, Exception):
            return Page(0, ())
        ids: list[str] = []
        scores: list[float | None] = []
        for member in _list(members):
            # Sorted sets answer pairs, lists bare ids.
            name, score = member if isinstance(member, tuple | list) else (member, None)
            text = _id(name)
            ids.append(text.rpartition(":")[0] or text if place is Place.STARTED else text)
            scores.append(None if score is None else float(score))
        jobs = self.jobs(ids)
        rows = [Row(*row) for row in zip(ids, jobs, scores, strict=True)]
        return Page(int(total), rows)

    def jobs(self, job_ids: Iterable[str]) -> list[JobRecord | None]:
        """The records of these ids; None where there is no hash. One round trip."""
        ids = list(job_ids)
        answers = _answers(self.connection, [("HGETALL", self.keys.job(job)) for job in ids])
        return [
            read_job(job_id, fields) if isinstance(fields, dict) and fields else None
            for job_id, fields in zip(ids, answers, strict=True)
        ]

    def job(self, job_id: str) -> JobDetail | None:
        """All about one job, or None where it has no hash. One round trip."""
        fields, entries, expires = _answers(
            self.connection,
            [
                ("HGETALL", self.keys.job(job_id)),
                ("XREVRANGE", self.keys.results(job_id), "+", "-", "COUNT", RESULTS_SHOWN),
                ("TTL", self.keys.job(job_id)),
            ],
        )
        if not isinstance(fields, dict) or not fields:
            return None
        return JobDetail(
            read_job(job_id, fields),
            [read_result(job_id, entry, values or {}) for entry, values in _list(entries)],
            int(expires) if isinstance(expires, int) and expires >= 0 else None,
        )

    def workers(self) -> list[WorkerRecord]:
        """All workers that have a record, by name. Two round trips."""
        members = _answers(self.connection, [("SMEMBERS", self.keys.workers)])[0]
        keys = sorted(_id(key) for key in _list(members))
        answers = _answers(self.connection, [("HGETALL", key) for key in keys])
        return [
            read_worker(self.keys.worker_name(key), fields)
            for key, fields in zip(keys, answers, strict=True)
            if isinstance(fields, dict) and fields
        ]

    def worker(self, name: str) -> WorkerRecord | None:
        """One worker's record, or None. One round trip."""
        fields = _answers(self.connection, [("HGETALL", self.keys.worker(name))])[0]
        return read_worker(name, fields) if isinstance(fields, dict) and fields else None

    def _key(self, queue: str, place: Place) -> str:
        keys = self.keys
        return {
            Place.QUEUED: keys.queue,
            Place.STARTED: keys.started,
            Place.FINISHED: keys.finished,
            Place.FAILED: keys.failed,
            Place.DEFERRED: keys.deferred,
            Place.SCHEDULED: keys.scheduled,
            Place.CANCELED: keys.canceled,
        }[place](queue)


def _answers(connection: redis.Redis, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
    """All answers in one round trip; an error of the server stands in its answer's place."""
    if not commands:
        return []
    with connection.pipeline(transaction=False) as pipeline:
        for name, *arguments in commands:
            # An option tells redis-py to parse the scores, as its own zrange() would.
            options = {"withscores": True} if "WITHSCORES" in arguments else {}
            encoded = [
                part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
                for part in arguments
            ]
            pipeline.execute_command(name, *encoded, **options)
        return list(pipeline.execute(raise_on_error=False))


def _list(answer: Any) -> list[Any]:
    return list(answer) if isinstance(answer, list | set | tuple) else []


def _id(member: bytes) -> str:
    return member.decode("utf-8", "surrogateescape")
