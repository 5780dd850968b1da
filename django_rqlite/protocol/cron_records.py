"""The record of a cron entry. Like those in :mod:`.records`, it can be read whatever is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from .stored_fields import FieldReader


@dataclass(frozen=True, slots=True)
class CronRecord:
    """A cron entry's hash. Times are in UTC; None: not (yet) known."""

    name: str
    #: ``every 60 s``, or an expression and its time zone.
    schedule: str
    queue: str
    #: The dotted path of the function that its jobs call.
    func: str
    #: ``settings``, or the path of the file that ``rqcron`` was given.
    source: str
    last_tick: datetime | None
    next_tick: datetime | None
    #: When the job of the last tick was enqueued. Later than the tick if no worker ran then.
    enqueued_at: datetime | None
    #: The id of the last job: that of the last tick, or a later one that a person ran. The job may
    #: be gone.
    last_job: str
    #: The status in which that job ended; ``''`` if it has not, or if it is unknown.
    last_outcome: str
    last_ended_at: datetime | None
    #: One line that names the job's error.
    last_error: str
    #: When it got this schedule, or was resumed. Earlier ticks have no jobs.
    since: datetime | None
    #: When a worker last announced that it evaluates the entry. It does so every five minutes.
    announced_at: datetime | None
    #: Whether its ticks pass without a job; and when that began, if it can be read.
    paused: bool
    paused_at: datetime | None
    problems: tuple[str, ...]


def read_cron(name: str, fields: Mapping[bytes, bytes]) -> CronRecord:
    """The record of an entry's hash. Never raises: ``problems`` names what cannot be read."""
    read = FieldReader(fields)
    return CronRecord(
        name=name,
        schedule=read.text("schedule"),
        queue=read.text("queue"),
        func=read.text("func"),
        source=read.text("source"),
        last_tick=read.unix_moment("last_tick"),
        next_tick=read.unix_moment("next_tick"),
        enqueued_at=read.moment("enqueued_at"),
        last_job=read.text("last_job"),
        last_outcome=read.text("last_outcome"),
        last_ended_at=read.unix_moment("last_ended_at"),
        last_error=read.text("last_error"),
        since=read.unix_moment("since"),
        announced_at=read.unix_moment("announced_at"),
        paused=b"paused_at" in fields,
        paused_at=read.unix_moment("paused_at"),
        problems=tuple(read.problems),
    )
