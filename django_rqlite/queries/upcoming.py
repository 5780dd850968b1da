"""What comes next on one server, for people: scheduled jobs of all queues, and cron entries.

Total and bounded, as :mod:`.monitor` is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

from ..protocol.cron_records import CronRecord
from ..protocol.problems import Problem
from ..protocol.records import JobRecord
from . import cron_entries
from .pipeline import answers, items, name_of
from .queries import MOST_FOUND, Queries


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A scheduled job; ``job`` is None where the id has no hash."""

    queue: str
    id: str
    #: Unix seconds at which it is due; any number, where somebody else wrote it.
    due: float
    #: A summary, as in :class:`.monitor.Row`.
    job: JobRecord | None


@dataclass(frozen=True, slots=True)
class CronEntries:
    """The cron entries of one server."""

    #: How many were announced in the last month.
    total: int
    #: By name; ``problems`` says it where the record is gone or can't be read.
    found: Sequence[CronRecord]
    #: By id, their last jobs; None where there is none any more.
    last_jobs: Mapping[str, JobRecord | None]


@dataclass(frozen=True, slots=True)
class Agenda:
    """What comes next on one server."""

    #: The first due comes first.
    upcoming: Sequence[Upcoming]
    #: How many jobs are scheduled in all queues that were read.
    scheduled: int
    #: Keys that hold something other than they should, in sentences.
    problems: Sequence[str]
    entries: CronEntries


def read(
    monitor: Queries, queues: Sequence[str], *, jobs: int, entries: int = MOST_FOUND
) -> Agenda:
    """What comes next. Three round trips.

    Args:
        queues: to read beside those that the server knows, of which no more than
            :data:`MOST_FOUND` are read.
        jobs, entries: how many to read at the most.
    """
    keys = monitor.keys
    members, names, *first = answers(
        monitor.connection,
        [
            ("SMEMBERS", keys.queues),
            ("ZRANGE", keys.cron_entries, 0, -1),
            *_commands(monitor, queues, jobs),
        ],
    )
    others = [name for name in monitor.queue_names(members) if name not in queues][:MOST_FOUND]
    known = sorted(map(name_of, items(names)))
    chosen = known[: min(entries, MOST_FOUND)]
    rest = answers(
        monitor.connection,
        [
            *_commands(monitor, others, jobs),
            *cron_entries.commands(keys, chosen),
        ],
    )
    scheduled, due, problems = _scheduled(
        [*queues, *others], [*first, *rest[: 2 * len(others)]], jobs
    )
    records = cron_entries.read(chosen, rest[2 * len(others) :])
    last_ids = list(dict.fromkeys(record.last_job for record in records if record.last_job))
    found = monitor.jobs([*(job_id for _, job_id, _ in due), *last_ids])
    upcoming = [
        Upcoming(queue, job_id, score, job)
        for (queue, job_id, score), job in zip(due, found, strict=False)
    ]
    last_jobs = dict(zip(last_ids, found[len(due) :], strict=True))
    return Agenda(upcoming, scheduled, problems, CronEntries(len(known), records, last_jobs))


def entry(monitor: Queries, name: str) -> CronRecord | None:
    """One cron entry's record, or None where it was not announced in a month. One round trip."""
    keys = monitor.keys
    fields, listed = answers(
        monitor.connection,
        [("HGETALL", keys.cron_entry(name)), ("ZSCORE", keys.cron_entries, name)],
    )
    known = fields if listed is None or isinstance(listed, Exception) else True
    return cron_entries.record(name, fields) if known else None


def _commands(monitor: Queries, queues: Sequence[str], jobs: int) -> list[tuple[Any, ...]]:
    commands: list[tuple[Any, ...]] = []
    for queue in queues:
        key = monitor.keys.scheduled(queue)
        commands += [("ZCARD", key), ("ZRANGE", key, 0, jobs - 1, "WITHSCORES")]
    return commands


def _scheduled(
    queues: Sequence[str], answered: Sequence[Any], jobs: int
) -> tuple[int, list[tuple[str, str, float]], list[str]]:
    """How many there are; the first of them as queue, id and score; and what can't be read."""
    total, found = 0, []
    problems: list[str] = []
    for queue, count, members in zip(queues, answered[::2], answered[1::2], strict=True):
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
        found += [(queue, name_of(member), float(score)) for member, score in items(members)]
    return total, nsmallest(jobs, found, key=lambda each: each[2]), problems
