"""Filters, sorts and groups the jobs that a search has read. :mod:`.job_search` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ..protocol.places import Place
from ..protocol.records import JobRecord, JobStatus


@dataclass(frozen=True, slots=True)
class Found:
    """One job that was read."""

    id: str
    queue: str
    place: Place
    #: A summary, whose long fields are cut off. None if the job is gone.
    job: JobRecord | None
    #: The line that names the error of a failed job.
    error: str = ""
    #: Unix seconds at which a scheduled job is due; None: it was not read.
    due: float | None = None

    @property
    def function(self) -> str:
        """The function that the job calls, according to its description."""
        return function_of(self.job.description) if self.job else ""

    @property
    def error_class(self) -> str:
        """The class of the job's exception: ``ValueError`` of ``ValueError: no such customer``.

        For a stopped job it is RQ's first sentence, without the sentence that says who stopped it.
        """
        if self.job and self.job.status == JobStatus.STOPPED:
            return self.error.partition(".")[0].strip()
        return self.error.partition(":")[0].strip()

    @property
    def moment(self) -> datetime | None:
        """When the job entered its place, according to its hash; None if unknown."""
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
class Filter:
    """The criteria of a search. '' and None match every job."""

    text: str = ""
    function: str = ""
    error: str = ""
    tag: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, found: Found) -> bool:
        """Whether this job meets all criteria."""
        job = found.job
        if self.function and not _is_name_of(self.function, found.function):
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


@dataclass(frozen=True, slots=True)
class Group:
    """Failed jobs of one function and one class of errors."""

    function: str
    error_class: str
    count: int
    first: datetime | None
    last: datetime | None


def function_of(description: str) -> str:
    """The function in a job's description. RQ writes ``module.func(args)``."""
    return description.partition("(")[0].strip()


def ordered(found: Sequence[Found], *, newest: bool) -> list[Found]:
    """The jobs by time. Those without a time come last."""
    dated = [(each.moment, each) for each in found]
    times = sorted(
        ((moment, each) for moment, each in dated if moment),
        key=lambda pair: pair[0],
        reverse=newest,
    )
    return [each for _moment, each in times] + [each for moment, each in dated if not moment]


def grouped(found: Sequence[Found]) -> list[Group]:
    """The jobs by function and class of error, the largest group first."""
    jobs: dict[tuple[str, str], list[Found]] = {}
    for each in found:
        if each.job:
            jobs.setdefault((each.function, each.error_class), []).append(each)
    groups = []
    for (function, error), members in jobs.items():
        times = [each.job.ended_at for each in members if each.job and each.job.ended_at]
        first, last = min(times, default=None), max(times, default=None)
        groups.append(Group(function, error, len(members), first, last))
    long_ago = datetime.min.replace(tzinfo=UTC)
    return sorted(groups, key=lambda group: (group.count, group.last or long_ago), reverse=True)


def _is_name_of(name: str, function: str) -> bool:
    """Whether ``name`` is the dotted name of the function, or the end of it."""
    return function == name or function.endswith(f".{name}")
