"""Finding jobs by what is known of them, among the newest or the oldest of each place.

Redis has no index of functions or errors. So a bounded window is read, and what was read is told:
the ends of lists, whose length does not matter. Nothing in here writes or unpickles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..engine.scripts import Script
from ..protocol import codec
from ..protocol.codec import decode
from ..protocol.places import Place, job_id_of, place_key, size_command
from ..protocol.problems import Problem
from ..protocol.records import JobRecord, JobStatus, read_job
from . import limits
from .base import QueriesBase
from .jobs import EMPTIED_TRACEBACK
from .pipeline import Command, members
from .queues import queue_names

#: Ids of one place of one queue that are read at the most, and of all places together.
MOST_OF_A_PLACE = 1000
MOST = 2000

#: Bytes of a field that are read, and of a packed traceback; a longer one is left out.
LONGEST_FIELD = 500
LONGEST_TRACEBACK = 64 * 1024

#: Bytes that the tracebacks of one window are unpacked to at the most. Errors of jobs beyond are
#: not known.
_UNPACKED = 32 * codec.SHOWN

#: Jobs whose summaries one script reads: it keeps the server from others for about a millisecond.
_TOGETHER = 100

_FIELDS = (
    *("origin", "status", "created_at", "enqueued_at", "started_at", "ended_at"),
    *("description", "worker_name", "x_error", "x_created", "x_enqueued", "x_span"),
    *("retries_left", "x_attempts", "x_tags"),
)

_SUMMARIZE_JOBS = Script("summarize_jobs")


def function_of(description: str) -> str:
    """What a job calls, as its description says it: RQ writes ``module.func(args)``."""
    return description.partition("(")[0].strip()


@dataclass(frozen=True, slots=True)
class Searched:
    """How much of a place was read."""

    queue: str
    place: Place
    read: int
    total: int


@dataclass(frozen=True, slots=True)
class Found:
    """One job of the window; ``job`` is None where it expired or was deleted."""

    id: str
    queue: str
    place: Place
    #: A summary, whose long fields are cut off.
    job: JobRecord | None
    #: The line that names its error; only for failed jobs.
    error: str = ""
    #: Unix seconds at which a scheduled job is due; None: not read.
    due: float | None = None

    @property
    def function(self) -> str:
        """What it calls, as its description says it."""
        return function_of(self.job.description) if self.job else ""

    @property
    def error_class(self) -> str:
        """The class of its exception: ``ValueError`` of ``ValueError: no such customer``.

        Of a stopped job it is RQ's sentence, without the one that names who stopped it.
        """
        if self.job and self.job.status == JobStatus.STOPPED:
            return self.error.partition(".")[0].strip()
        return self.error.partition(":")[0].strip()

    @property
    def moment(self) -> datetime | None:
        """When it came to where it is, as far as its hash says so."""
        job = self.job
        if job is None:
            return None
        if self.place in (Place.FINISHED, Place.FAILED):
            times = (job.ended_at, job.started_at, job.enqueued_at, job.created_at)
        elif self.place is Place.STARTED:
            times = (job.started_at, job.enqueued_at, job.created_at, None)
        elif self.place is Place.QUEUED:
            times = (job.enqueued_at, job.created_at, None, None)
        else:
            times = (job.created_at, None, None, None)
        return next((time for time in times if time), None)


@dataclass(frozen=True, slots=True)
class Window:
    """What was read of one server."""

    jobs: Sequence[Found]
    #: The places that have anything.
    searched: Sequence[Searched]
    #: In sentences: keys that hold something other than they should.
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class Known:
    """The queues that a server knows."""

    names: Sequence[str]
    #: How many more there are, which are not read.
    more: int
    #: Whether there is a job with the id asked for.
    has_job: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs are wanted; '' and None: any."""

    text: str = ""
    function: str = ""
    error: str = ""
    tag: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, found: Found) -> bool:
        job = found.job
        if self.function and not _names(self.function, found.function):
            return False
        if self.error and not found.error.startswith(self.error):
            return False
        if self.tag and not (job and self.tag in job.tags):
            return False
        if self.since and not (found.moment and found.moment >= self.since):
            return False
        if self.until and found.moment and found.moment > self.until:
            return False
        text = self.text.casefold()
        return text in found.id.casefold() or bool(job and text in job.description.casefold())


def _names(wanted: str, function: str) -> bool:
    """Whether this is the function's whole name, or the end of its dotted one."""
    return function == wanted or function.endswith(f".{wanted}")


def ordered(found: Sequence[Found], *, newest: bool) -> list[Found]:
    """By time; those without one come last."""
    dated = [(each.moment, each) for each in found]
    times = sorted(
        ((moment, each) for moment, each in dated if moment),
        key=lambda pair: pair[0],
        reverse=newest,
    )
    return [each for _moment, each in times] + [each for moment, each in dated if not moment]


@dataclass(frozen=True, slots=True)
class Group:
    """Failed jobs of one function and one class of errors."""

    function: str
    error_class: str
    count: int
    first: datetime | None
    last: datetime | None


def grouped(found: Sequence[Found]) -> list[Group]:
    """Jobs by function and class of error, the most frequent first."""
    groups: dict[tuple[str, str], list[Found]] = {}
    for each in found:
        if each.job:
            groups.setdefault((each.function, each.error_class), []).append(each)
    told = []
    for (function, error), jobs in groups.items():
        times = [each.job.ended_at for each in jobs if each.job and each.job.ended_at]
        first, last = min(times, default=None), max(times, default=None)
        told.append(Group(function, error, len(jobs), first, last))
    long_ago = datetime.min.replace(tzinfo=UTC)
    return sorted(told, key=lambda group: (group.count, group.last or long_ago), reverse=True)


class JobSearch(QueriesBase):
    """Searches the jobs of one broker."""

    __slots__ = ()

    def known(self, configured: Sequence[str], job_id: str = "") -> Known:
        """The queues, those configured first, and whether there is this job. One round trip."""
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
            most: ids that are read at the most, shared among the places that have any.
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
        """The jobs of these members of a place, in their order. One round trip."""
        return list(self._summaries([(job_id, queue, place) for job_id in _ids(place, names)]))

    def _end(self, queue: str, place: Place, share: int, *, newest: bool) -> Command:
        key = place_key(self.keys, queue, place)
        if place is Place.QUEUED:  # the next one to run is at the left
            return ("LRANGE", key, -share, -1) if newest else ("LRANGE", key, 0, share - 1)
        scores = ("WITHSCORES",) if place is Place.SCHEDULED else ()
        return ("ZREVRANGE" if newest else "ZRANGE", key, 0, share - 1, *scores)

    def _summaries(self, ids: Sequence[tuple[str, str, Place]]) -> Iterator[Found]:
        keys = self.keys
        # Only failed jobs have an error to look for.
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
    """How much is read of each of several places: as evenly as their sizes allow."""
    shares, left = [0] * len(sizes), most
    smallest_first = sorted(range(len(sizes)), key=lambda number: sizes[number])
    for done, number in enumerate(smallest_first):
        fair = left // (len(sizes) - done)
        # Where there are more places than ids to read, some have one and the others none.
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
    fields[b"data"] = b""  # it is there or not; nobody here looks into it
    job = read_job(job_id, fields)
    return Found(job_id, queue, place, job, job.error or _last_line(reason, room))


def _last_line(stored: bytes, room: codec.Room) -> str:
    """What a traceback comes to, as ``exc_info`` or as the stream of outcomes has it."""
    if not stored:
        return ""
    unpacked, more = room.head(codec.from_base64(stored))
    if more:
        return ""  # its end is not known
    lines = codec.text(unpacked[-LONGEST_TRACEBACK:]).strip().splitlines()
    return lines[-1].strip()[:LONGEST_FIELD] if lines else ""
