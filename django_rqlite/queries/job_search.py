"""Searches the newest or the oldest jobs of each place.

Redis has no index of functions or errors. So a search reads a limited number of jobs at one end of
each place, and reports how many it has read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..engine.scripts import Script
from ..protocol import codec
from ..protocol.codec import decode
from ..protocol.places import Place, job_id_of, place_key, size_command
from ..protocol.problems import Problem
from ..protocol.records import read_job
from . import limits
from .base import QueriesBase
from .found_jobs import Found
from .jobs import EMPTIED_TRACEBACK
from .pipeline import Command, members
from .queues import queue_names

#: The maximum number of ids that are read from one place of one queue, and from all places
#: together.
MOST_OF_A_PLACE = 1000
MOST = 2000

#: Bytes of a field that are read, and of a compressed traceback. A longer traceback is left out.
LONGEST_FIELD = 500
LONGEST_TRACEBACK = 64 * 1024

#: The maximum number of bytes to which the tracebacks of one window are unpacked. The errors of the
#: remaining jobs are unknown.
_UNPACKED = 32 * codec.SHOWN

#: Jobs whose summaries one script reads. It keeps the server busy for about a millisecond.
_TOGETHER = 100

_FIELDS = (
    *("origin", "status", "created_at", "enqueued_at", "started_at", "ended_at"),
    *("description", "worker_name", "x_error", "x_created", "x_enqueued", "x_span"),
    *("retries_left", "x_attempts", "x_tags"),
)

_SUMMARIZE_JOBS = Script("summarize_jobs")


@dataclass(frozen=True, slots=True)
class Searched:
    """How much of a place was read."""

    queue: str
    place: Place
    read: int
    total: int


@dataclass(frozen=True, slots=True)
class Window:
    """The jobs that were read from one server."""

    jobs: Sequence[Found]
    #: The places that are not empty.
    searched: Sequence[Searched]
    #: Keys of the wrong type, in sentences.
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Known:
    """The queues that a server knows."""

    names: Sequence[str]
    #: How many more queues there are. They are not read.
    more: int
    #: Whether there is a job with the id that was asked for.
    has_job: bool


class JobSearch(QueriesBase):
    """Searches the jobs of one broker."""

    __slots__ = ()

    def known(self, configured: Sequence[str], job_id: str = "") -> Known:
        """The queues, with the configured ones first, and whether a job exists. One round trip."""
        listed, exists = self._execute(
            [("SMEMBERS", self.keys.queues), ("EXISTS", self.keys.job(job_id))]
        )
        others = [name for name in queue_names(self.keys, listed) if name not in configured]
        names = [*configured, *others[: limits.MOST_FOUND]]
        return Known(names, len(others[limits.MOST_FOUND :]), bool(job_id) and exists == 1)

    def window(
        self,
        queues: Sequence[str],
        places: Sequence[Place],
        *,
        newest: bool = True,
        most: int = MOST,
    ) -> Window:
        """The jobs at one end of each place. Three round trips, whatever the sizes.

        Args:
            most: the most ids that are read, divided among the places that are not empty.
        """
        sizes: dict[tuple[str, Place], int] = {}
        problems = []
        asked = [(queue, place) for queue in queues for place in places]
        counted = self._execute([size_command(self.keys, *each) for each in asked])
        for (queue, place), count in zip(asked, counted, strict=True):
            if isinstance(count, Exception):
                problems.append(
                    Problem(
                        "The key of %(queue)s's %(place)s jobs can't be read: %(error)s",
                        queue=queue,
                        place=Problem(place.value),
                        error=count,
                    )
                )
            elif count:
                sizes[queue, place] = int(count)
        shares = shared(list(sizes.values()), most)
        ends = [
            (queue, place, share)
            for (queue, place), share in zip(sizes, shares, strict=True)
            if share
        ]
        read = self._execute([self._end(*end, newest=newest) for end in ends])
        ids: list[tuple[str, str, Place]] = []
        due: dict[tuple[str, str], float] = {}
        searched = {
            (queue, place): Searched(queue, place, 0, total)
            for (queue, place), total in sizes.items()
        }
        for (queue, place, _share), answer in zip(ends, read, strict=True):
            listed = members(answer)
            if place is Place.SCHEDULED:  # pairs of an id and its time
                due.update({(queue, decode(name)): float(score) for name, score in listed})
                listed = [name for name, _score in listed]
            names = [decode(member) for member in listed]
            if place is Place.QUEUED and newest:
                names.reverse()
            ids += [(job_id, queue, place) for job_id in _ids(place, names)]
            before = searched[queue, place]
            searched[queue, place] = replace(
                before, read=len(names), total=max(before.total, len(names))
            )
        jobs = [
            replace(each, due=due.get((each.queue, each.id)))
            if each.place is Place.SCHEDULED
            else each
            for each in self._summaries(ids)
        ]
        return Window(jobs, list(searched.values()), problems)

    def summaries(self, queue: str, place: Place, names: Sequence[str]) -> list[Found]:
        """The jobs with these members of a place, in their order. One round trip."""
        return list(self._summaries([(job_id, queue, place) for job_id in _ids(place, names)]))

    def _end(self, queue: str, place: Place, share: int, *, newest: bool) -> Command:
        key = place_key(self.keys, queue, place)
        if place is Place.QUEUED:  # the job that runs next is at the left
            return ("LRANGE", key, -share, -1) if newest else ("LRANGE", key, 0, share - 1)
        scores = ("WITHSCORES",) if place is Place.SCHEDULED else ()
        return ("ZREVRANGE" if newest else "ZRANGE", key, 0, share - 1, *scores)

    def _summaries(self, ids: Sequence[tuple[str, str, Place]]) -> Iterator[Found]:
        keys = self.keys
        # Only failed jobs have an error.
        parts = [
            (part[start : start + _TOGETHER], failed)
            for failed in (False, True)
            for part in [[each for each in ids if (each[2] is Place.FAILED) is failed]]
            for start in range(0, len(part), _TOGETHER)
        ]
        commands: list[Command] = []
        room = codec.Room(_UNPACKED)
        for part, failed in parts:
            names = [name for id_, *_ in part for name in (keys.job(id_), keys.results(id_))]
            options = (LONGEST_FIELD, LONGEST_TRACEBACK, int(failed), *_FIELDS)
            commands.append(("EVAL", _SUMMARIZE_JOBS.text, len(names), *names, *options))
        for (part, _failed), answer in zip(parts, self._execute(commands), strict=True):
            if isinstance(answer, Exception):
                raise answer
            for (job_id, queue, place), row in zip(part, answer, strict=True):
                yield _found(job_id, queue, place, row, room)


def _ids(place: Place, names: Sequence[str]) -> list[str]:
    """The ids in members of a place."""
    if place is Place.STARTED:
        return [job_id_of(name) for name in names]
    return list(names)


def shared(sizes: Sequence[int], most: int) -> list[int]:
    """How many ids are read from each place: the same number, as far as their sizes allow."""
    shares, left = [0] * len(sizes), most
    smallest_first = sorted(range(len(sizes)), key=lambda number: sizes[number])
    for done, number in enumerate(smallest_first):
        fair = left // (len(sizes) - done)
        # With more places than ids, one id is read from some places, and no id from the others.
        shares[number] = min(sizes[number], fair, MOST_OF_A_PLACE)
        left -= shares[number]
    return shares


def _found(job_id: str, queue: str, place: Place, row: Sequence[Any], room: codec.Room) -> Found:
    if len(row) == 1:
        problem = Problem("its key can't be read: %(error)s", error=codec.text(row[0]))
        return Found(job_id, queue, place, replace(read_job(job_id, {}), problems=(problem,)))
    exists, values, reason = row
    if not exists:
        return Found(job_id, queue, place, None)
    fields = {
        name.encode(): value
        for name, value in zip(_FIELDS, values, strict=True)
        if value is not None
    }
    if reason == EMPTIED_TRACEBACK:
        fields.pop(b"x_error", None)
    fields[b"data"] = b""  # a summary does not show the value
    job = read_job(job_id, fields)
    return Found(job_id, queue, place, job, job.error or _last_line(reason, room))


def _last_line(stored: bytes, room: codec.Room) -> str:
    """The last line of a traceback, from ``exc_info`` or from the stream of results."""
    if not stored:
        return ""
    unpacked, more = room.head(codec.from_base64(stored))
    if more:
        return ""  # the last line was not unpacked
    lines = codec.text(unpacked[-LONGEST_TRACEBACK:]).strip().splitlines()
    return lines[-1].strip()[:LONGEST_FIELD] if lines else ""
