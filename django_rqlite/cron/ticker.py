"""Enqueues the jobs of cron entries at their ticks.

Every worker proposes each tick. A script accepts the first proposal. :func:`plan` computes which
ticks are due, without a clock and without Redis. :class:`Ticker` does the rest.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import redis

from .. import conf
from ..broker.broker import Broker
from ..broker.clients import connection_for
from ..broker.errors import is_transient
from ..engine.cron import Announcement, Verdict
from ..engine.engine import Engine
from .entries import Entry, from_settings, why_not_importable

logger = logging.getLogger("django_rqlite.worker")

#: Seconds between two announcements of the entries. Each also reads the server's clock.
ANNOUNCE_EVERY = 300.0

#: Seconds after which a tick counts as missed, for the log.
LATE = 60.0


@dataclass(frozen=True, slots=True)
class Due:
    """A tick to propose. Times are unix seconds."""

    entry: Entry
    tick: int
    next_tick: int


def plan(entries: Sequence[Entry], floors: Mapping[str, int], now: float) -> list[Due]:
    """Return the latest tick of each entry, unless it is settled.

    Only the latest: however many ticks were missed, the entry runs once for them.

    Args:
        floors: For each name, the unix seconds up to which its ticks are settled.
        now: Unix seconds by the server's clock.
    """
    due = []
    for entry in entries:
        latest = entry.schedule.latest(int(now))
        if latest > floors[entry.name]:
            due.append(Due(entry, latest, entry.schedule.following(int(now))))
    return due


def next_look(entries: Sequence[Entry], now: float) -> int:
    """Return the unix seconds of the next tick of all entries. There must be an entry."""
    return min(entry.schedule.following(int(now)) for entry in entries)


class Ticker:
    """Proposes the ticks of entries whose queues are on one server.

    An error that concerns one entry is logged, and its tick is left out.
    """

    def __init__(self, broker: Broker, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self._engine = Engine(broker)
        #: Monotonic time of the next call of :meth:`tick_if_due`; None: never.
        self.due_at: float | None = time.monotonic() if entries else None
        #: Unix seconds of the last tick of each entry, if known.
        self.last_ticks: dict[str, int] = {}
        self._announce_at = time.monotonic()
        self._floors: dict[str, int] = {}
        #: The server's clock minus the monotonic clock, in seconds. Before the first answer of the
        #: server, this host's clock minus the monotonic clock.
        self._offset = time.time() - time.monotonic()
        self._logged: set[str] = set()

    @classmethod
    def from_settings(cls, client: redis.Redis, broker: Broker) -> Self:
        """Return a ticker for the entries of ``RQ["CRON"]`` whose queues are on a worker's server.

        Errors in entries are logged. The worker runs its jobs all the same.

        Args:
            client: The client of the worker's queues.
            broker: Has the worker's own connection.
        """
        found = from_settings()
        for problem in found.problems:
            logger.error("Cron: %s", problem)
        entries = [
            entry for entry in found.good if connection_for(conf.queue(entry.queue)) is client
        ]
        for entry in entries:
            if reason := why_not_importable(entry.func):
                logger.error("Cron: entry %r: %s Its jobs will fail.", entry.name, reason)
        return cls(broker, entries)

    @property
    def server_time(self) -> float:
        """Unix seconds by the server's clock, as far as known."""
        return time.monotonic() + self._offset

    def tick_if_due(self) -> int:
        """Propose the ticks that are due, if it is time. Return how many jobs were enqueued.

        Raises:
            redis.RedisError: The server does not answer. Call again.
        """
        if self.due_at is None or time.monotonic() < self.due_at:
            return 0
        if time.monotonic() >= self._announce_at:
            self._announce()
        enqueued = sum(map(self._propose, plan(self.entries, self._floors, self.server_time)))
        self.due_at = min(
            self._announce_at, next_look(self.entries, self.server_time) - self._offset
        )
        return enqueued

    def _announce(self) -> None:
        now = self.server_time
        known: Mapping[str, int] = {}
        try:
            announced = self._engine.cron_announce(
                [
                    Announcement(
                        entry.name,
                        str(entry.schedule),
                        entry.queue,
                        entry.func_name,
                        entry.source,
                        entry.schedule.following(int(now)),
                    )
                    for entry in self.entries
                ]
            )
        except redis.ResponseError as exc:
            if is_transient(exc):
                raise
            self._log_once(f"Cron: the list of entries can't be written ({exc}).")
        else:
            self._set_clock(announced.server_time)
            known = announced.floors
        for entry in self.entries:
            # A new entry begins now.
            floor = known.get(entry.name, self._floors.get(entry.name, int(self.server_time)))
            self._floors[entry.name] = max(floor, self._floors.get(entry.name, 0))
        self._announce_at = time.monotonic() + ANNOUNCE_EVERY

    def _propose(self, due: Due) -> int:
        entry, name = due.entry, due.entry.name
        try:
            job, fields = entry.job()
        except Exception as exc:  # noqa: BLE001 - a project's own job class or serializer
            self._skip(due, f"its job can't be made ({type(exc).__name__}: {exc})")
            return 0
        try:
            decision = self._engine.cron_tick(
                name,
                due.tick,
                due.next_tick,
                job.id,
                entry.queue,
                fields,
                at_front=bool(entry.options.get("at_front")),
                ttl=job.ttl,
            )
        except redis.ResponseError as exc:
            if is_transient(exc):
                raise
            self._skip(due, f"its job can't be enqueued ({exc})")
            return 0
        self._set_clock(decision.server_time)
        if decision.last_tick is not None:
            self.last_ticks[name] = decision.last_tick
        if decision.verdict is Verdict.EARLY:
            return 0
        floor, self._floors[name] = self._floors[name], max(due.tick, decision.last_tick or 0)
        if decision.verdict is not Verdict.QUEUED:
            return 0
        late = decision.server_time - due.tick
        if late > LATE or entry.schedule.latest(due.tick - 1) > floor:
            logger.warning(
                "Cron: %s was due %.0f s ago or more, and no process was running. It runs once for "
                "all ticks that it missed.",
                name,
                late,
            )
        logger.info("%s: enqueued by cron entry %s (%s)", entry.queue, name, job.id)
        return 1

    def _skip(self, due: Due, reason: str) -> None:
        self._floors[due.entry.name] = due.tick
        self._log_once(f"Cron: entry {due.entry.name!r} is left out: {reason}.")

    def _log_once(self, error: str) -> None:
        if error not in self._logged:
            self._logged.add(error)
            logger.error("%s", error)

    def _set_clock(self, server_time: float) -> None:
        self._offset = server_time - time.monotonic()
