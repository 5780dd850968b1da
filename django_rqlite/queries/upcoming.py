"""Queries about what comes next: the scheduled jobs of all queues, and cron entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

from ..protocol.codec import decode
from ..protocol.cron_records import CronRecord
from ..protocol.problems import Problem
from ..protocol.records import JobRecord
from . import cron_entries, limits
from .jobs import JobQueries
from .pipeline import Command, members
from .queues import queue_names


@dataclass(frozen=True, slots=True)
class UpcomingJob:
    """A scheduled job."""

    queue: str
    id: str
    #: Unix seconds at which the job is due. Another tool may have written any number.
    due: float
    #: A summary, as in :class:`.snapshots.Row`. None if the job is gone.
    job: JobRecord | None


@dataclass(frozen=True, slots=True)
class CronEntries:
    """The cron entries of one server."""

    #: How many were announced in the last month.
    total: int
    #: By name. If a record is gone or cannot be read, its ``problems`` say so.
    found: Sequence[CronRecord]
    #: The last job of each entry, by id. None if the job is gone.
    last_jobs: Mapping[str, JobRecord | None]


@dataclass(frozen=True, slots=True)
class Schedule:
    """What comes next on one server."""

    #: The job that is due first comes first.
    upcoming: Sequence[UpcomingJob]
    #: How many jobs are scheduled in all queues that were read.
    scheduled: int
    #: Keys of the wrong type, in sentences.
    problems: Sequence[str]
    entries: CronEntries


class UpcomingQueries(JobQueries):
    """Queries about what comes next."""

    __slots__ = ()

    def schedule(
        self, queues: Sequence[str], *, jobs: int, entries: int = limits.MOST_FOUND
    ) -> Schedule:
        """The next scheduled jobs of all queues, and the cron entries. Three round trips.

        Args:
            queues: these are read in any case, and up to :data:`.limits.MOST_FOUND` of the others
                that the server knows.
            jobs, entries: the most jobs and entries that are read.
        """
        keys = self.keys
        listed, names, *first = self._execute(
            [
                ("SMEMBERS", keys.queues),
                ("ZRANGE", keys.cron_entries, 0, -1),
                *self._scheduled_commands(queues, jobs),
            ]
        )
        others = [name for name in queue_names(keys, listed) if name not in queues]
        others = others[: limits.MOST_FOUND]
        known = sorted(map(decode, members(names)))
        chosen = known[: min(entries, limits.MOST_FOUND)]
        rest = self._execute(
            [*self._scheduled_commands(others, jobs), *cron_entries.commands(keys, chosen)]
        )
        scheduled, due, problems = _read_scheduled(
            [*queues, *others], [*first, *rest[: 2 * len(others)]], jobs
        )
        records = cron_entries.read_each(chosen, rest[2 * len(others) :])
        last_ids = list(dict.fromkeys(record.last_job for record in records if record.last_job))
        found = self.jobs([*(job_id for _, job_id, _ in due), *last_ids])
        upcoming = [
            UpcomingJob(queue, job_id, score, job)
            for (queue, job_id, score), job in zip(due, found, strict=False)
        ]
        last_jobs = dict(zip(last_ids, found[len(due) :], strict=True))
        return Schedule(upcoming, scheduled, problems, CronEntries(len(known), records, last_jobs))

    def cron_entry(self, name: str) -> CronRecord | None:
        """One cron entry's record, or None if it was not announced in a month. One round trip."""
        keys = self.keys
        fields, listed = self._execute(
            [("HGETALL", keys.cron_entry(name)), ("ZSCORE", keys.cron_entries, name)]
        )
        known = fields if listed is None or isinstance(listed, Exception) else True
        return cron_entries.read(name, fields) if known else None

    def _scheduled_commands(self, queues: Sequence[str], jobs: int) -> list[Command]:
        commands: list[Command] = []
        for queue in queues:
            key = self.keys.scheduled(queue)
            commands += [("ZCARD", key), ("ZRANGE", key, 0, jobs - 1, "WITHSCORES")]
        return commands


def _read_scheduled(
    queues: Sequence[str], answers: Sequence[Any], jobs: int
) -> tuple[int, list[tuple[str, str, float]], list[str]]:
    """The number of scheduled jobs; queue, id and score of the first ones; and problems."""
    total, found = 0, []
    problems: list[str] = []
    for queue, count, range_ in zip(queues, answers[::2], answers[1::2], strict=True):
        if isinstance(count, Exception):
            problems.append(
                Problem(
                    "the scheduled jobs of %(queue)s can't be read: %(error)s",
                    queue=queue,
                    error=count,
                )
            )
            continue
        total += int(count)
        found += [(queue, decode(member), float(score)) for member, score in members(range_)]
    return total, nsmallest(jobs, found, key=lambda each: each[2]), problems
