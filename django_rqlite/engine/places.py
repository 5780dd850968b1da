"""Where a job's id can be."""

from __future__ import annotations

from enum import StrEnum

from ..protocol.keys import Keys


class Place(StrEnum):
    """Where a job's id can be; each queue has one of each."""

    QUEUED = "queued"
    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"
    DEFERRED = "deferred"
    SCHEDULED = "scheduled"
    CANCELED = "canceled"


#: Places whose newest entry has the highest score; the others are shown lowest score first.
NEWEST_FIRST = frozenset({Place.FINISHED, Place.FAILED, Place.CANCELED})


def key_of(keys: Keys, queue: str, place: Place) -> str:
    """The list or sorted set of a place."""
    return {
        Place.QUEUED: keys.queue,
        Place.STARTED: keys.started,
        Place.FINISHED: keys.finished,
        Place.FAILED: keys.failed,
        Place.DEFERRED: keys.deferred,
        Place.SCHEDULED: keys.scheduled,
        Place.CANCELED: keys.canceled,
    }[place](queue)
