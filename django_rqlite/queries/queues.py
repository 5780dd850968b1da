"""Queries about queues: their names, their numbers of jobs, and when the next job was enqueued."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..protocol.codec import decode
from ..protocol.keys import FAILED_MIRROR, Keys
from . import oldest_waiting, queue_counts
from .base import QueriesBase
from .pipeline import Command, NamedCommands, members
from .snapshots import QueueCounts, QueueStatistics, ServerStatistics


class QueueQueries(QueriesBase):
    """Queries about queues."""

    __slots__ = ()

    def queues(self) -> list[str]:
        """The names of all queues that a job was ever enqueued to, sorted. One round trip."""
        return queue_names(self.keys, self._execute([("SMEMBERS", self.keys.queues)])[0])

    def counts(self, queues: Sequence[str]) -> list[QueueCounts]:
        """How many jobs are in each place of these queues. One round trip."""
        return queue_counts.read(queues, self._execute(queue_counts.commands(self.keys, queues)))

    def statistics(self, queues: Sequence[str]) -> ServerStatistics:
        """What ``rqstats`` and the metrics say about these queues. Two round trips."""
        commands = NamedCommands()
        commands.add("suspended", [("EXISTS", self.keys.suspended)])
        commands.add("oldest", [oldest_waiting.command(self.keys, queues)])
        commands.add("locks", [("GET", self.keys.scheduler_lock(queue)) for queue in queues])
        commands.add("counts", queue_counts.commands(self.keys, queues))
        found = commands.execute(self.connection)
        counts = queue_counts.read(queues, found["counts"])
        oldest = oldest_waiting.read(queues, found["oldest"][0])
        pids = self._scheduler_pids(found["locks"])
        rows = [
            QueueStatistics(each, oldest.get(each.name), pid)
            for each, pid in zip(counts, pids, strict=True)
        ]
        return ServerStatistics(rows, found["suspended"][0] == 1)

    def _scheduler_pids(self, locks: Sequence[Any]) -> list[int | None]:
        """The process ids of the schedulers of RQ that hold these locks. One round trip."""
        # If the lock is missing or cannot be read, the empty name leads to a missing key.
        names = [decode(lock) if isinstance(lock, bytes) else "" for lock in locks]
        commands: list[Command] = [("HGET", self.keys.scheduler(name), "pid") for name in names]
        # Before 2.10, RQ wrote the process id into the lock itself.
        return [
            _whole_number(pid) or _whole_number(name)
            for pid, name in zip(self._execute(commands), names, strict=True)
        ]


def queue_names(keys: Keys, answer: Any) -> list[str]:
    """The names in an answer with the members of the set of queues, sorted."""
    names = set()
    for member in members(answer):
        key = decode(member)
        name = keys.queue_name(key)
        # RQ 0.5 also lists the mirror of failed jobs, which is not a queue. Other tools may have
        # added any key.
        if name not in (key, FAILED_MIRROR):
            names.add(name)
    return sorted(names)


def _whole_number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
