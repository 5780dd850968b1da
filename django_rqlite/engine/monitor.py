"""The read model, for people: what pages, commands and metrics show.

Nothing in here writes, unpickles or imports user code, and every method needs a bounded number of
round trips, whatever the sizes. It is total: a key of the wrong kind is reported, never raised.
The worker never uses it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import redis

from ..protocol.keys import Keys
from ..protocol.problems import Problem
from ..protocol.records import (
    JobRecord,
    ResultRecord,
    WorkerRecord,
    read_job,
    read_result,
    read_worker,
)
from . import activity, counting, oldest
from .asking import answers as _answers
from .asking import items as _list
from .asking import name_of as _id
from .blanked import BLANKED
from .holding import MOST, Held, Holdings, Lease, held_by, holdings, lease_commands, leases_in
from .places import NEWEST_FIRST, Place, id_of, key_of, queue_names
from .readings import (
    Expired,
    Figures,
    JobDetail,
    Overview,
    Page,
    QueueCounts,
    QueueFigures,
    Row,
    Workers,
)

__all__ = [
    "Expired",
    "Figures",
    "JobDetail",
    "Monitor",
    "Overview",
    "Page",
    "Place",
    "QueueCounts",
    "QueueFigures",
    "Row",
    "Workers",
]

#: Outcomes of one job that are read at the most.
RESULTS_SHOWN = 50

#: Jobs waiting for one that are read at the most.
DEPENDENTS_SHOWN = 50

#: Lines of a job's log that are read at the most.
LOG_SHOWN = 1000

#: Queues that nobody configured, and workers, that one call reads at the most.
MOST_FOUND = 500

#: What a list of jobs needs. The serialized values, which can be of any size, stay where they are.
_SUMMARY = (
    *("origin", "status", "created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat"),
    *("description", "timeout", "result_ttl", "failure_ttl", "ttl", "worker_name", "x_error"),
    *("x_created", "x_enqueued", "x_span"),
)


class Monitor:
    """Reads one connection below one key prefix."""

    __slots__ = ("connection", "keys")

    def __init__(self, connection: redis.Redis, keys: Keys) -> None:
        self.connection = connection
        self.keys = keys

    def queues(self) -> list[str]:
        """The names of all queues that anything was ever enqueued to, sorted. One round trip."""
        return self.queue_names(_answers(self.connection, [("SMEMBERS", self.keys.queues)])[0])

    def queue_names(self, members: Any) -> list[str]:
        """The names in an answer that has the members of the set of queues, sorted."""
        return queue_names(self.keys, members)

    def overview(self, queues: Sequence[str], hours: Sequence[int], now: float) -> Overview:
        """How it stands with these queues, with all others that the server knows, and its workers.

        Two round trips.

        Args:
            hours: unix seconds // 3600, of which to read what ran.
            now: unix seconds; leases that have ended by then are overdue.
        """
        commands: list[tuple[Any, ...]] = [("SMEMBERS", self.keys.queues)]
        commands += [("SMEMBERS", self.keys.workers), ("EXISTS", self.keys.suspended)]
        commands.append(oldest.command(self.keys, queues))
        for queue in queues:
            commands += activity.commands(self.keys, queue, hours)
        members, listed, suspended, since, *rest = _answers(
            self.connection, [*commands, *counting.commands(self.keys, queues)]
        )
        ran, answers = rest, rest[len(queues) * len(hours) :]
        others = [name for name in self.queue_names(members) if name not in queues]
        read = others[:MOST_FOUND]
        everywhere = [*queues, *read]
        names = self._worker_names(listed)
        following = [oldest.command(self.keys, read), *lease_commands(self.keys, everywhere, now)]
        following += self._worker_commands(names)
        since_others, *details = _answers(
            self.connection, [*following, *counting.commands(self.keys, read)]
        )
        leases, details = details[: len(everywhere)], details[len(everywhere) :]
        records, details = details[: len(names[:MOST_FOUND])], details[len(names[:MOST_FOUND]) :]
        return Overview(
            counting.read(queues, answers),
            counting.read(read, details),
            len(others) - len(read),
            {**oldest.read(queues, since), **oldest.read(read, since_others)},
            [
                activity.read(hours, ran[number * len(hours) : (number + 1) * len(hours)])
                for number in range(len(queues))
            ],
            _workers(names, records, suspended),
            [lease for each in map(leases_in, everywhere, leases) for lease in each],
        )

    def counts(self, queues: Sequence[str]) -> list[QueueCounts]:
        """How much is where, for each of the queues. One round trip."""
        return counting.read(
            queues, _answers(self.connection, counting.commands(self.keys, queues))
        )

    def figures(self, queues: Sequence[str]) -> Figures:
        """What is where, since when, and whether workers take it. Two round trips."""
        commands: list[tuple[Any, ...]] = [("EXISTS", self.keys.suspended)]
        commands.append(oldest.command(self.keys, queues))
        commands += [("GET", self.keys.scheduler_lock(queue)) for queue in queues]
        suspended, since, *rest = _answers(
            self.connection, [*commands, *counting.commands(self.keys, queues)]
        )
        counts = counting.read(queues, rest[len(queues) :])
        # An error, or nothing, names a key that is not there.
        locks = [_id(a) if isinstance(a, bytes) else "" for a in rest[: len(queues)]]
        details = _answers(
            self.connection, [("HGET", self.keys.scheduler(name), "pid") for name in locks]
        )
        waiting = oldest.read(queues, since)
        found = [
            QueueFigures(
                counts[number],
                waiting.get(queue),
                # RQ before 2.10 wrote the process id itself.
                _pid(details[number]) or _pid(locks[number]),
            )
            for number, queue in enumerate(queues)
        ]
        return Figures(found, suspended == 1)

    def page(self, queue: str, place: Place, offset: int, limit: int) -> Page:
        """A slice of a place with the jobs of its ids. Two round trips.

        Queued jobs come in the order in which they will run, scheduled ones by their time, ended
        ones latest first.
        """
        key, last = self.key(queue, place), offset + limit - 1
        if place is Place.QUEUED:
            commands = [("LLEN", key), ("LRANGE", key, offset, last)]
        else:
            range_command = "ZREVRANGE" if place in NEWEST_FIRST else "ZRANGE"
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
            ids.append(id_of(text) if place is Place.STARTED else text)
            scores.append(None if score is None else float(score))
        return Page(int(total), self._rows(place, ids, scores))

    def _rows(
        self, place: Place | None, ids: Sequence[str], scores: Sequence[float | None]
    ) -> Sequence[Row]:
        per_row = 5 if place is Place.FAILED else 3
        commands: list[tuple[Any, ...]] = []
        for job_id in ids:
            key = self.keys.job(job_id)
            commands.append(("HMGET", key, *_SUMMARY))
            commands.append(("HSTRLEN", key, "data"))
            commands.append(("EXISTS", key))
            if place is Place.FAILED:
                # RQ 2 keeps the reason nowhere else.
                results = self.keys.results(job_id)
                commands.append(("XREVRANGE", results, "+", "-", "COUNT", 1))
                commands.append(("HSTRLEN", key, "exc_info"))
        answers = _answers(self.connection, commands)
        rows = []
        for number, (job_id, score) in enumerate(zip(ids, scores, strict=True)):
            values, data, exists, *last = answers[number * per_row : (number + 1) * per_row]
            job: JobRecord | None
            if isinstance(values, Exception):
                job = _unreadable(job_id, values)
            elif exists == 0:
                job = None
            else:
                fields = {
                    name.encode(): value
                    for name, value in zip(_SUMMARY, _list(values), strict=True)
                    if value is not None
                }
                if isinstance(data, int) and data > 0:
                    fields[b"data"] = b""
                if last and last[1] == len(BLANKED):
                    fields.pop(b"x_error", None)
                job = read_job(job_id, fields)
            results_of = self._results(job_id, last[0]) if last and job and not job.error else ()
            rows.append(Row(job_id, job, score, results_of[0] if results_of else None))
        return rows

    @staticmethod
    def _results(job_id: str, entries: Any) -> Sequence[ResultRecord]:
        return [read_result(job_id, entry, values or {}) for entry, values in _list(entries)]

    def jobs(self, job_ids: Sequence[str]) -> list[JobRecord | None]:
        """Summaries of these jobs, as in :class:`Row`; None for no hash. One round trip."""
        return [row.job for row in self._rows(None, job_ids, [None] * len(job_ids))]

    def job(self, job_id: str) -> JobDetail | None:
        """All about one job, or None where it has no hash. One round trip."""
        fields, entries, expires, lines, dependents, count = _answers(
            self.connection,
            [
                ("HGETALL", self.keys.job(job_id)),
                ("XREVRANGE", self.keys.results(job_id), "+", "-", "COUNT", RESULTS_SHOWN),
                ("TTL", self.keys.job(job_id)),
                ("LRANGE", self.keys.job_log(job_id), -LOG_SHOWN, -1),
                ("SRANDMEMBER", self.keys.dependents(job_id), DEPENDENTS_SHOWN),
                ("SCARD", self.keys.dependents(job_id)),
            ],
        )
        if isinstance(fields, Exception):
            job = _unreadable(job_id, fields)
        elif fields:
            if len(fields.get(b"exc_info", b"")) == len(BLANKED):
                fields.pop(b"x_error", None)
            job = read_job(job_id, fields)
        else:
            return None
        return JobDetail(
            job,
            self._results(job_id, entries),
            int(expires) if isinstance(expires, int) and expires >= 0 else None,
            [*map(_id, _list(lines))],
            [*map(_id, _list(dependents))],
            count if isinstance(count, int) else 0,
        )

    def workers(self) -> Workers:
        """All workers. Two round trips."""
        members, suspended = _answers(
            self.connection, [("SMEMBERS", self.keys.workers), ("EXISTS", self.keys.suspended)]
        )
        names = self._worker_names(members)
        return _workers(names, _answers(self.connection, self._worker_commands(names)), suspended)

    def _worker_names(self, members: Any) -> list[str]:
        return sorted({self.keys.worker_name(_id(key)) for key in _list(members)})

    def _worker_commands(self, names: Sequence[str]) -> list[tuple[Any, ...]]:
        return [("HGETALL", self.keys.worker(name)) for name in names[:MOST_FOUND]]

    def worker(self, name: str) -> WorkerRecord | Expired | None:
        """One worker's record, or None where there is no such worker. One round trip."""
        key = self.keys.worker(name)
        commands = [("HGETALL", key), ("SISMEMBER", self.keys.workers, key)]
        fields, listed = _answers(self.connection, commands)
        if fields:
            return _worker(name, fields)
        return Expired(name) if listed == 1 else None

    def holdings(self, current: Sequence[str], dead: Collection[str]) -> Holdings:
        """What these jobs are, and what the workers of these names hold.

        One round trip, or three where any are dead.
        """
        return holdings(self.connection, self.keys, current, dead)

    def held_by(
        self, leases: Sequence[Lease], names: Collection[str]
    ) -> Mapping[str, Sequence[Held]]:
        """Which of these are held by workers of these names. One round trip at the most."""
        return held_by(self.connection, self.keys, leases[:MOST], names) if names else {}

    def key(self, queue: str, place: Place) -> str:
        """The list or sorted set of a place."""
        return key_of(self.keys, queue, place)


def _pid(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _unreadable(job_id: str, error: Exception) -> JobRecord:
    """The record of a key that holds something other than a hash."""
    problem = Problem("its key can't be read: %(error)s", error=error)
    return replace(read_job(job_id, {}), problems=(problem,))


def _workers(names: Sequence[str], records: Sequence[Any], suspended: Any) -> Workers:
    """Of all names, as many as there are records."""
    found, expired = [], []
    for name, fields in zip(names, records, strict=False):
        if fields:
            found.append(_worker(name, fields))
        else:
            expired.append(name)
    return Workers(found, expired, len(names) - len(records), suspended == 1)


def _worker(name: str, fields: Any) -> WorkerRecord:
    if isinstance(fields, Exception):
        problem = Problem("its key can't be read: %(error)s", error=fields)
        return replace(read_worker(name, {}), problems=(problem,))
    return read_worker(name, fields)
