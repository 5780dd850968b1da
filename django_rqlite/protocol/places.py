"""The places in which a job's id can be. Each queue has all of them."""

from __future__ import annotations

from enum import StrEnum

from .keys import Keys


class Place(StrEnum):
    """The list of a queue, or one of its registries."""

    QUEUED = "queued"
    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"
    DEFERRED = "deferred"
    SCHEDULED = "scheduled"
    CANCELED = "canceled"


#: Places whose newest entry has the highest score. The others are shown lowest score first.
NEWEST_FIRST = frozenset({Place.FINISHED, Place.FAILED, Place.CANCELED})


def place_key(keys: Keys, queue: str, place: Place) -> str:
    """The key of the list or sorted set of a place."""
    return {
        Place.QUEUED: keys.queue,
        Place.STARTED: keys.started,
        Place.FINISHED: keys.finished,
        Place.FAILED: keys.failed,
        Place.DEFERRED: keys.deferred,
        Place.SCHEDULED: keys.scheduled,
        Place.CANCELED: keys.canceled,
    }[place](queue)


def size_command(keys: Keys, queue: str, place: Place) -> tuple[str, str]:
    """The command that counts the ids in a place."""
    return ("LLEN" if place is Place.QUEUED else "ZCARD", place_key(keys, queue, place))


def job_id_of(member: str) -> str:
    """The job's id in a member of a started registry: ``<id>:<execution>``, or in RQ 0.5 the id."""
    return member.rpartition(":")[0] or member
