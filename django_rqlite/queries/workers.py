"""Queries about workers: their records, and the jobs that they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..protocol.codec import decode
from ..protocol.keys import Keys
from ..protocol.problems import Problem
from ..protocol.stored_worker import WorkerRecord, read_worker
from . import leases, limits
from .base import QueriesBase
from .leases import Lease, StartedJob, WorkerJobs
from .pipeline import Command, NamedCommands, members
from .queues import queue_names
from .snapshots import ExpiredWorker, Workers


class WorkerQueries(QueriesBase):
    """Queries about workers."""

    __slots__ = ()

    def workers(self) -> Workers:
        """All workers. Two round trips."""
        listed, suspended = self._execute(
            [("SMEMBERS", self.keys.workers), ("EXISTS", self.keys.suspended)]
        )
        names = worker_names(self.keys, listed)
        return read_workers(names, self._execute(worker_commands(self.keys, names)), suspended)

    def workers_and_leases(self) -> Workers:
        """All workers, and the leases of all queues. Two round trips."""
        listed, suspended, listed_queues = self._execute(
            [
                ("SMEMBERS", self.keys.workers),
                ("EXISTS", self.keys.suspended),
                ("SMEMBERS", self.keys.queues),
            ]
        )
        names = worker_names(self.keys, listed)
        queues = queue_names(self.keys, listed_queues)[: limits.MOST_FOUND]
        commands = NamedCommands()
        commands.add("workers", worker_commands(self.keys, names))
        commands.add("leases", leases.commands(self.keys, queues))
        found = commands.execute(self.connection)
        return replace(
            read_workers(names, found["workers"], suspended),
            leases=leases.read_each(queues, found["leases"]),
        )

    def worker(self, name: str) -> WorkerRecord | ExpiredWorker | None:
        """One worker's record, or None if there is no such worker. One round trip."""
        key = self.keys.worker(name)
        fields, listed = self._execute([("HGETALL", key), ("SISMEMBER", self.keys.workers, key)])
        if fields:
            return _read_worker(name, fields)
        return ExpiredWorker(name) if listed == 1 else None

    def leases(self) -> list[Lease]:
        """The leases of each queue that expire first. Two round trips."""
        (listed,) = self._execute([("SMEMBERS", self.keys.queues)])
        queues = queue_names(self.keys, listed)[: limits.MOST_FOUND]
        return leases.read_each(queues, self._execute(leases.commands(self.keys, queues)))

    def worker_jobs(self, current: Sequence[str], found: Sequence[Lease]) -> WorkerJobs:
        """The current jobs of workers, and the started jobs of each worker. One round trip.

        Args:
            current: ids of the jobs that workers name as their current ones.
            found: leases, as :meth:`leases` gives them.
        """
        return leases.worker_jobs(self.connection, self.keys, current, found)

    def started_jobs(self, found: Sequence[Lease]) -> list[StartedJob]:
        """The jobs of these leases that are started. One round trip; none without leases."""
        return leases.started_jobs(self.connection, self.keys, found)


def worker_names(keys: Keys, answer: Any) -> list[str]:
    """The names in an answer with the members of the set of workers, sorted."""
    return sorted({keys.worker_name(decode(key)) for key in members(answer)})


def worker_commands(keys: Keys, names: Sequence[str]) -> list[Command]:
    """One command for the record of each worker, up to :data:`.limits.MOST_FOUND`."""
    return [("HGETALL", keys.worker(name)) for name in names[: limits.MOST_FOUND]]


def read_workers(names: Sequence[str], records: Sequence[Any], suspended: Any) -> Workers:
    """The workers in the answers to :func:`worker_commands` and to ``EXISTS`` of the suspension."""
    found, expired = [], []
    # There may be more names than records.
    for name, fields in zip(names, records, strict=False):
        if fields:
            found.append(_read_worker(name, fields))
        else:
            expired.append(name)
    return Workers(found, expired, len(names) - len(records), suspended == 1)


def _read_worker(name: str, fields: Any) -> WorkerRecord:
    if isinstance(fields, Exception):
        problem = Problem("its key can't be read: %(error)s", error=fields)
        return replace(read_worker(name, {}), problems=(problem,))
    return read_worker(name, fields)
