"""The read model, for people: what pages, commands and metrics show.

Nothing in here writes, unpickles or imports user code, and every method needs a bounded number of
round trips, whatever the sizes. It is total: a key of the wrong kind is reported, never raised.
The worker never uses it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from ..broker.broker import Broker
from ..protocol import codec
from ..protocol.problems import Problem
from ..protocol.records import (
    JobRecord,
    JobStatus,
    ResultRecord,
    WorkerRecord,
    read_job,
    read_result,
    read_worker,
)
from . import (
    cron_entries,
)
from . import (
    foreign_keys as foreign,
)
from . import (
    oldest_waiting as oldest,
)
from . import (
    queue_counts as counting,
)
from . import (
    schedule_delay as lateness,
)
from . import (
    throughput as activity,
)
from .leases import Held, Holdings, Lease, holdings, lease_commands, leases_in, running
from .pipeline import Questions
from .pipeline import answers as _answers
from .pipeline import items as _list
from .pipeline import name_of as _id
from .places import NEWEST_FIRST, Place, id_of, key_of, queue_names
from .requeued_traceback import BLANKED
from .snapshots import (
    Expired,
    Figures,
    JobDetail,
    Overview,
    Page,
    Parents,
    QueueCounts,
    QueueFigures,
    Row,
    Workers,
)

__all__ = [
    "Expired",
    "Figures",
    "JobDetail",
    "Overview",
    "Page",
    "Parents",
    "Place",
    "Queries",
    "QueueCounts",
    "QueueFigures",
    "Row",
    "Workers",
]

#: Outcomes of one job that are read at the most.
RESULTS_SHOWN = 50

#: Jobs waiting for one, or that one waits for, that are read at the most; and in a list.
DEPENDENTS_SHOWN = 50
PARENTS_IN_LIST = 3

#: Lines of a job's log that are read at the most.
LOG_SHOWN = 1000

#: Queues that nobody configured, and workers, that one call reads at the most.
MOST_FOUND = 500

#: What a list of jobs needs. The serialized values, which can be of any size, stay where they are.
_SUMMARY = (
    *("origin", "status", "created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat"),
    *("description", "timeout", "result_ttl", "failure_ttl", "ttl", "worker_name", "x_error"),
    *("x_created", "x_enqueued", "x_span"),
    *("retries_left", "x_attempts"),
)

#: What is told of a job beside another.
_BRIEFLY = ("status", "description")


class Queries:
    """Reads one connection below one key prefix."""

    __slots__ = ("connection", "keys")

    def __init__(self, broker: Broker) -> None:
        self.connection = broker.client
        self.keys = broker.keys

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
            now: unix seconds; what was due before is overdue.
        """
        first = Questions()
        first.add("queues", [("SMEMBERS", self.keys.queues)])
        first.add("workers", [("SMEMBERS", self.keys.workers), ("EXISTS", self.keys.suspended)])
        entries = self.keys.cron_entries
        newest = ("ZREVRANGE", entries, 0, MOST_FOUND - 1)
        first.add("cron", [newest, ("ZCARD", entries)])
        # Of the keys of places the counts tell.
        wanted = foreign.of_server(self.keys)
        wanted |= foreign.beside_places(self.keys, queues, int(now // 3600))
        first.add("foreign", [foreign.command(wanted)])
        self._add(first, queues, hours, now)
        found = first.ask(self.connection)

        others = [name for name in self.queue_names(found["queues"][0]) if name not in queues]
        read = others[:MOST_FOUND]
        everywhere = [*queues, *read]
        listed, suspended = found["workers"]
        names = self._worker_names(listed)
        entry_names = [_id(name) for name in _list(found["cron"][0])]
        second = Questions()
        last_hour = activity.hours_until(now, 60)
        self._add(second, read, last_hour, now)
        second.add("leases", lease_commands(self.keys, everywhere))
        second.add("records", self._worker_commands(names))
        second.add("entries", cron_entries.commands(self.keys, entry_names))
        rest = second.ask(self.connection)

        entry_count = found["cron"][1]
        return Overview(
            counting.read(queues, found["counts"]),
            counting.read(read, rest["counts"]),
            len(others) - len(read),
            {
                **oldest.read(queues, found["oldest"][0]),
                **oldest.read(read, rest["oldest"][0]),
            },
            {
                **activity.read_each(queues, hours, found["activity"]),
                **activity.read_each(read, last_hour, rest["activity"]),
            },
            {
                **lateness.read(queues, found["lateness"]),
                **lateness.read(read, rest["lateness"]),
            },
            _workers(names, rest["records"], suspended),
            _leases(everywhere, rest["leases"]),
            cron_entries.read(entry_names, rest["entries"]),
            max(entry_count - len(entry_names), 0) if isinstance(entry_count, int) else 0,
            foreign.read(wanted, found["foreign"][0]),
        )

    def _add(
        self, questions: Questions, queues: Sequence[str], hours: Sequence[int], now: float
    ) -> None:
        """What :meth:`overview` wants to know of queues."""
        questions.add("oldest", [oldest.command(self.keys, queues)])
        questions.add("lateness", lateness.commands(self.keys, queues, now))
        commands = [activity.commands(self.keys, queue, hours) for queue in queues]
        questions.add("activity", [command for each in commands for command in each])
        questions.add("counts", counting.commands(self.keys, queues))

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
        """A slice of a place with the jobs of its ids. Two round trips; four of deferred jobs.

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
        rows = self._rows(place, ids, scores)
        if place is Place.DEFERRED:
            waited_for = self.parents(ids)
            rows = [
                replace(row, parents=parents) for row, parents in zip(rows, waited_for, strict=True)
            ]
        return Page(int(total), rows)

    def parents(self, job_ids: Sequence[str]) -> list[Parents]:
        """What deferred jobs wait for, in their order. Two round trips at the most."""
        commands: list[tuple[Any, ...]] = []
        for job_id in job_ids:
            key = self.keys.dependencies(job_id)
            # Where there are many, this gives some, and the same ones the next time.
            commands += [("SSCAN", key, 0, "COUNT", PARENTS_IN_LIST), ("SCARD", key)]
        answers = _answers(self.connection, commands)
        some = [
            sorted(map(_id, _list(scan[1])))[:PARENTS_IN_LIST] if isinstance(scan, tuple) else []
            for scan in answers[::2]
        ]
        briefly = self._briefly({parent for parents in some for parent in parents})
        return [
            Parents(
                [(parent, briefly.get(parent)) for parent in parents],
                count if isinstance(count, int) else 0,
            )
            for parents, count in zip(some, answers[1::2], strict=True)
        ]

    def _briefly(self, job_ids: Collection[str]) -> dict[str, JobRecord]:
        """What these jobs call and their states. One round trip, none without ids."""
        ids = sorted(job_ids)
        found = {}
        commands = [("HMGET", self.keys.job(job_id), *_BRIEFLY) for job_id in ids]
        for job_id, answer in zip(ids, _answers(self.connection, commands), strict=True):
            values = zip(_BRIEFLY, _list(answer), strict=False)
            fields = {name.encode(): value for name, value in values if value is not None}
            if fields:
                found[job_id] = read_job(job_id, fields)
        return found

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
        rows, room = [], codec.Room(codec.SHOWN_TOGETHER)
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
            results_of: Sequence[ResultRecord] = ()
            if last and job and not job.error:
                results_of = self._results(job_id, last[0], room)
            rows.append(Row(job_id, job, score, results_of[0] if results_of else None))
        return rows

    @staticmethod
    def _results(job_id: str, entries: Any, room: codec.Room) -> Sequence[ResultRecord]:
        return [read_result(job_id, entry, values or {}, room) for entry, values in _list(entries)]

    def jobs(self, job_ids: Sequence[str]) -> list[JobRecord | None]:
        """Summaries of these jobs, as in :class:`Row`; None for no hash. One round trip."""
        return [row.job for row in self._rows(None, job_ids, [None] * len(job_ids))]

    def job(self, job_id: str) -> JobDetail | None:
        """All about one job, or None where it has no hash.

        One round trip; one more where it is scheduled, and one where it is tied to other jobs.
        """
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
        children = [*map(_id, _list(dependents))]
        return JobDetail(
            job,
            self._results(job_id, entries, codec.Room(codec.SHOWN_TOGETHER)),
            int(expires) if isinstance(expires, int) and expires >= 0 else None,
            [*map(_id, _list(lines))],
            children,
            count if isinstance(count, int) else 0,
            self._due(job) if job.status == JobStatus.SCHEDULED else None,
            self._briefly({*job.dependency_ids[:DEPENDENTS_SHOWN], *children}),
        )

    def _due(self, job: JobRecord) -> float | None:
        """When a job is due, if it is scheduled. One round trip."""
        asked = [("ZSCORE", self.keys.scheduled(job.origin), job.id)]
        (score,) = _answers(self.connection, asked)
        return float(score) if isinstance(score, int | float | bytes) else None

    def workers(self) -> Workers:
        """All workers. Two round trips."""
        asked = ("SMEMBERS", self.keys.workers), ("EXISTS", self.keys.suspended)
        members, suspended = _answers(self.connection, asked)
        names = self._worker_names(members)
        return _workers(names, _answers(self.connection, self._worker_commands(names)), suspended)

    def workers_and_leases(self) -> Workers:
        """All workers, and what is held. Two round trips."""
        asked = (
            ("SMEMBERS", self.keys.workers),
            ("EXISTS", self.keys.suspended),
            ("SMEMBERS", self.keys.queues),
        )
        members, suspended, listed = _answers(self.connection, asked)
        names, queues = self._worker_names(members), self.queue_names(listed)[:MOST_FOUND]
        questions = Questions()
        questions.add("records", self._worker_commands(names))
        questions.add("leases", lease_commands(self.keys, queues))
        found = questions.ask(self.connection)
        leases = _leases(queues, found["leases"])
        return replace(_workers(names, found["records"], suspended), leases=leases)

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

    def leases(self) -> list[Lease]:
        """Of each queue those that end first. Two round trips."""
        queues = self.queues()[:MOST_FOUND]
        return _leases(queues, _answers(self.connection, lease_commands(self.keys, queues)))

    def holdings(self, current: Sequence[str], leases: Sequence[Lease]) -> Holdings:
        """What these jobs are, and which workers have these leases. One round trip at the most."""
        return holdings(self.connection, self.keys, current, leases)

    def running(self, leases: Sequence[Lease]) -> Sequence[Held]:
        """The jobs of these leases that run. One round trip at the most."""
        return running(self.connection, self.keys, leases)

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


def _leases(queues: Sequence[str], answers: Sequence[Any]) -> list[Lease]:
    return [lease for each in map(leases_in, queues, answers) for lease in each]


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
