"""Where a job's id can be: the queues that a server knows, and the places of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from ..protocol.keys import FAILED_MIRROR, Keys
from .pipeline import items, name_of


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


def size_command(keys: Keys, queue: str, place: Place) -> tuple[str, str]:
    """What asks the server how many ids are in a place."""
    return ("LLEN" if place is Place.QUEUED else "ZCARD", key_of(keys, queue, place))


def id_of(member: str) -> str:
    """The job's id in a member of a started registry, ``<id>:<execution>``; RQ 0.5 has bare ids."""
    return member.rpartition(":")[0] or member


def queue_names(keys: Keys, members: Any) -> list[str]:
    """The names in an answer that has the members of the set of queues, sorted."""
    names = set()
    for member in items(members):
        key = name_of(member)
        name = keys.queue_name(key)
        # RQ 0.5 lists the mirror of failed jobs too; it is no queue. Nor is any other key.
        if name not in (key, FAILED_MIRROR):
            names.add(name)
    return sorted(names)
