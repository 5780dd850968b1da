"""Cron: who proposes which tick when. Every worker does; a script decides who was first.

:func:`plan` says what is due and knows no clock and no Redis; :class:`Ticker` asks and tells Redis.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import redis

from .. import conf
from ..broker.broker import Broker
from ..broker.clients import connection_for
from ..engine.cron import Announcement, Verdict
from ..engine.engine import Engine
from . import entries as cron
from .entries import Entry

logger = logging.getLogger("django_rqlite.worker")

#: Seconds between two announcements of the entries. With each the server's clock is read again.
ANNOUNCE_EVERY = 300.0

#: Seconds after which a tick that is enqueued counts as missed before, for the log.
LATE = 60.0


@dataclass(frozen=True, slots=True)
class Due:
    """A tick to be proposed; times in unix seconds."""

    entry: Entry
    tick: int
    next_tick: int


def plan(entries: Sequence[Entry], floors: Mapping[str, int], now: float) -> list[Due]:
    """What is due: of each entry the latest tick, unless it is settled.

    Only the latest: what was missed for a while is made up for once.

    Args:
        floors: for each name, the unix seconds up to which its ticks are settled.
        now: unix seconds by the server's clock.
    """
    due = []
    for entry in entries:
        latest = entry.schedule.latest(int(now))
        if latest > floors[entry.name]:
            due.append(Due(entry, latest, entry.schedule.following(int(now))))
    return due


def next_look(entries: Sequence[Entry], now: float) -> int:
    """Unix seconds of the next tick of all. There must be an entry."""
    return min(entry.schedule.following(int(now)) for entry in entries)


class Ticker:
    """Proposes the ticks of some entries of one server.

    Args:
        passes: whether an error is of the server or the way to it, so that the caller waits and
            calls again. Others are of one entry: they are logged, and the tick is left out.
    """

    def __init__(
        self,
        broker: Broker,
        entries: Sequence[Entry],
        passes: Callable[[Exception], bool],
    ) -> None:
        self.entries = entries
        self._arrows = Engine(broker)
        self._passes = passes
        #: Monotonic time at which to be called; None: never.
        self.due_at: float | None = time.monotonic() if entries else None
        #: Unix seconds of the last tick of each entry, as far as known.
        self.last_ticks: dict[str, int] = {}
        self._announce_at = time.monotonic()
        self._floors: dict[str, int] = {}
        #: Seconds from the monotonic clock to the server's; until it was asked, to this host's.
        self._offset = time.time() - time.monotonic()
        self._complaints: set[str] = set()

    @property
    def server_time(self) -> float:
        """Unix seconds by the server's clock, as far as known."""
        return time.monotonic() + self._offset

    def tick_if_due(self) -> int:
        """Propose what is due, if it is time; gives how many jobs were enqueued.

        Raises:
            redis.RedisError: the server does not answer; call again.
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
            announced = self._arrows.cron_announce(
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
            if self._passes(exc):
                raise
            self._complain(f"Cron: the list of entries can't be written ({exc}).")
        else:
            self._set_clock(announced.server_time)
            known = announced.floors
        for entry in self.entries:
            # Where nothing is known, it begins now.
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
            decision = self._arrows.cron_tick(
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
            if self._passes(exc):
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
                "Cron: %s was due %.0f s ago or more, and nobody looked; it runs once for all it "
                "missed.",
                name,
                late,
            )
        logger.info("%s: enqueued by cron entry %s (%s)", entry.queue, name, job.id)
        return 1

    def _skip(self, due: Due, reason: str) -> None:
        self._floors[due.entry.name] = due.tick
        self._complain(f"Cron: entry {due.entry.name!r} is left out: {reason}.")

    def _complain(self, complaint: str) -> None:
        if complaint not in self._complaints:
            self._complaints.add(complaint)
            logger.error("%s", complaint)

    def _set_clock(self, server_time: float) -> None:
        self._offset = server_time - time.monotonic()


def of_settings(
    client: redis.Redis,
    broker: Broker,
    passes: Callable[[Exception], bool],
) -> Ticker:
    """A ticker for those entries of ``RQ["CRON"]`` whose queues are on a worker's server.

    Args:
        client: of the worker's queues.
        broker: to talk through; with the worker's own connection.

    What is wrong with an entry is logged; it does not keep the worker from its jobs.
    """
    found = cron.from_settings()
    for problem in found.problems:
        logger.error("Cron: %s", problem)
    mine = [entry for entry in found.good if connection_for(conf.queue(entry.queue)) is client]
    for entry in mine:
        if reason := cron.why_not_importable(entry.func):
            logger.error("Cron: entry %r: %s Its jobs will fail.", entry.name, reason)
    return Ticker(broker, mine, passes)
