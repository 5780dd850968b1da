"""The arrow that a cron entry's tick takes, and who evaluates which entries.

One method, one script, one round trip each, as in :mod:`.transitions`.
"""

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

#: Entries that one call announces at the most, so that the server is never busy for long.
BATCH = 200


class Verdict(StrEnum):
    """What became of a tick that was proposed."""

    #: Its job is in its queue.
    QUEUED = "queued"
    #: It lies ahead of the server's clock.
    EARLY = "early"
    #: It, or a later one, was decided before.
    SETTLED = "settled"
    #: The entry is paused: the tick passes without a job.
    PAUSED = "paused"


class PauseResult(StrEnum):
    """What became of a pause, or of its end."""

    CHANGED = "changed"
    #: It was so before.
    UNCHANGED = "unchanged"
    #: Nobody announced such an entry, or foreign data stands under its key.
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a proposed tick.

    Attributes:
        server_time: unix seconds.
        last_tick: the entry's, in unix seconds; None: it never ticked.
    """

    verdict: Verdict
    server_time: float
    last_tick: int | None


@dataclass(frozen=True, slots=True)
class Announced:
    """The answer to an announcement.

    Attributes:
        server_time: unix seconds.
        floors: for each name, the unix seconds up to which its ticks are settled. A name is
            missing where foreign data stands under its key.
    """

    server_time: float
    floors: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the record of an entry says. All but ``next_tick`` (unix seconds) is text."""

    name: str
    schedule: str
    queue: str
    func: str
    source: str
    next_tick: int


class CronScripts(EngineBase):
    """What cron changes on one connection below one key prefix."""

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

        Proposing it again is harmless, also when an answer was lost.

        Args:
            tick, next_tick: unix seconds.
            job_id: made for this call.
            fields: the job's hash, without ``status`` and the times.
            ttl: seconds for which the job may wait.

        Raises:
            redis.RedisError: as the server or the connection says.
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
        """(new) → queued, beside the ticks; the job becomes the entry's last one.

        Args:
            job_id: made for this call.
            fields, ttl: as for :meth:`cron_tick`.

        Raises:
            redis.RedisError: as the server or the connection says.
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
        """Say that these entries are evaluated; learn what is settled, and the server's time.

        Raises:
            redis.RedisError: as the server or the connection says.
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
        """Let this entry's ticks pass without a job, until somebody resumes it."""
        return self._switch(name, "1")

    def cron_resume(self, name: str) -> PauseResult:
        """Have its ticks enqueue again, beginning with the next."""
        return self._switch(name, "0")

    def _switch(self, name: str, on: str) -> PauseResult:
        keys = self.keys
        answer = _pause(self.connection, (keys.cron_entry(name),), (self.prefix, on))
        return PauseResult(answer.decode())

    def register_cron_scheduler(
        self, name: str, fields: Mapping[str, Argument], *, ttl: int
    ) -> None:
        """List an ``rqcron`` process, or say that it lives; ``ttl`` in seconds."""
        self._scheduler(name, ttl, flat(fields))

    def unregister_cron_scheduler(self, name: str) -> None:
        """List it no longer."""
        self._scheduler(name, 0, ())

    def _scheduler(self, name: str, ttl: int, fields: Sequence[Argument]) -> None:
        keys = self.keys
        _scheduler(
            self.connection,
            (keys.cron_schedulers, keys.cron_scheduler(name)),
            (self.prefix, name, ttl, *fields),
        )
