"""Scripts for cron entries: their ticks, their records, and the processes that evaluate them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .base import EngineBase, flat
from .scripts import Argument, Script

_tick = Script("cron_tick")
_run = Script("cron_run")
_announce = Script("cron_announce")
_scheduler = Script("register_cron_scheduler")
_pause = Script("cron_pause")

#: Seconds by which a tick may be ahead of the server's clock.
SKEW = 1.0

#: The maximum number of entries that one script announces, so that the server is never busy for
#: long.
BATCH = 200


class Verdict(StrEnum):
    """The result of a tick that a worker proposed."""

    #: Its job is in its queue.
    QUEUED = "queued"
    #: The tick is ahead of the server's clock.
    EARLY = "early"
    #: This tick, or a later one, was decided before.
    SETTLED = "settled"
    #: The entry is paused, so the tick has no job.
    PAUSED = "paused"


class PauseResult(StrEnum):
    """The result of a request to pause or resume an entry."""

    CHANGED = "changed"
    #: The entry was in the requested state already.
    UNCHANGED = "unchanged"
    #: No such entry was announced, or its key has the wrong type.
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a proposed tick.

    Attributes:
        server_time: unix seconds.
        last_tick: the last tick of the entry, in unix seconds; None: it has never ticked.
    """

    verdict: Verdict
    server_time: float
    last_tick: int | None


@dataclass(frozen=True, slots=True)
class Announced:
    """The answer to an announcement.

    Attributes:
        server_time: unix seconds.
        floors: the unix seconds up to which the ticks of each entry are settled, by name. An entry
            is missing if its key has the wrong type.
    """

    server_time: float
    floors: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Announcement:
    """The record of an entry, as a worker announces it. ``next_tick`` is in unix seconds."""

    name: str
    schedule: str
    queue: str
    func: str
    source: str
    next_tick: int


class CronScripts(EngineBase):
    """Scripts for cron entries."""

    __slots__ = ()

    def cron_tick(
        self,
        name: str,
        tick: int,
        next_tick: int,
        job_id: str,
        queue: str,
        fields: Mapping[str, Argument],
        *,
        at_front: bool = False,
        ttl: int | None = None,
    ) -> Decision:
        """(new) → queued, if this tick of the entry is due and was not decided before.

        It is safe to repeat a call, for instance if its answer was lost.

        Args:
            tick, next_tick: unix seconds.
            job_id: a new id, made for this call.
            fields: the job's hash without ``status`` and the times, which the script adds.
            ttl: seconds for which the job may wait.

        Raises:
            redis.RedisError: the server refused the command, or the connection broke.
        """
        keys = self.keys
        verdict, server_time, last = _tick(
            self.connection,
            (
                keys.cron_entry(name),
                keys.cron_tick(tick, name),
                keys.job(job_id),
                keys.queue(queue),
                keys.queues,
            ),
            (
                self.prefix,
                name,
                tick,
                next_tick,
                SKEW,
                job_id,
                queue,
                "1" if at_front else "0",
                "" if ttl is None else ttl,
                *flat(fields),
            ),
        )
        return Decision(Verdict(verdict.decode()), float(server_time), int(last) if last else None)

    def cron_run(
        self,
        name: str,
        job_id: str,
        queue: str,
        fields: Mapping[str, Argument],
        *,
        at_front: bool = False,
        ttl: int | None = None,
    ) -> None:
        """(new) → queued, without a tick. The job becomes the last job of the entry.

        Args:
            job_id: a new id, made for this call.
            fields, ttl: as for :meth:`cron_tick`.

        Raises:
            redis.RedisError: the server refused the command, or the connection broke.
        """
        keys = self.keys
        _run(
            self.connection,
            (keys.cron_entry(name), keys.job(job_id), keys.queue(queue), keys.queues),
            (
                *(self.prefix, job_id, queue, "1" if at_front else "0"),
                "" if ttl is None else ttl,
                *flat(fields),
            ),
        )

    def cron_announce(self, entries: Sequence[Announcement]) -> Announced:
        """Write the records of these entries; return which ticks are settled.

        Raises:
            redis.RedisError: the server refused the command, or the connection broke.
        """
        keys = self.keys
        floors: dict[str, int] = {}
        server_time = 0.0
        for start in range(0, len(entries), BATCH):
            batch = entries[start : start + BATCH]
            parts = [
                part
                for entry in batch
                for part in (
                    *(entry.name, entry.schedule, entry.queue, entry.func, entry.source),
                    entry.next_tick,
                )
            ]
            now, *answers = _announce(
                self.connection,
                (keys.cron_entries, *(keys.cron_entry(entry.name) for entry in batch)),
                (self.prefix, *parts),
            )
            server_time = float(now)
            for entry, floor in zip(batch, answers, strict=True):
                if floor:
                    floors[entry.name] = int(floor)
        return Announced(server_time, floors)

    def cron_pause(self, name: str) -> PauseResult:
        """Let the ticks of this entry pass without a job, until it is resumed."""
        return self._switch(name, "1")

    def cron_resume(self, name: str) -> PauseResult:
        """Let the ticks of this entry enqueue jobs again, from the next one on."""
        return self._switch(name, "0")

    def _switch(self, name: str, on: str) -> PauseResult:
        keys = self.keys
        answer = _pause(self.connection, (keys.cron_entry(name),), (self.prefix, on))
        return PauseResult(answer.decode())

    def register_cron_scheduler(
        self, name: str, fields: Mapping[str, Argument], *, ttl: int
    ) -> None:
        """Register an ``rqcron`` process, or renew its record for ``ttl`` seconds."""
        self._scheduler(name, ttl, flat(fields))

    def unregister_cron_scheduler(self, name: str) -> None:
        """Unregister an ``rqcron`` process that ends."""
        self._scheduler(name, 0, ())

    def _scheduler(self, name: str, ttl: int, fields: Sequence[Argument]) -> None:
        keys = self.keys
        _scheduler(
            self.connection,
            (keys.cron_schedulers, keys.cron_scheduler(name)),
            (self.prefix, name, ttl, *fields),
        )
