"""Where a job's id can be."""

from __future__ import annotations

from enum import StrEnum


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
