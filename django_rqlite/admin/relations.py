"""What ties a job to others: those it came after, those that wait for it, group and unique key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..protocol.records import JobRecord
from ..queries.snapshots import JobDetail
from . import labels
from .links import Links

#: Jobs that are listed on either side at the most.
MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Relative:
    """A job beside another; ``what`` and ``state`` are '' where it is gone."""

    id: str
    address: str
    what: str
    state: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Jobs, and how many more there are."""

    shown: Sequence[Relative]
    more: int


@dataclass(frozen=True, slots=True)
class Ties:
    """The jobs on either side of one in the order of running."""

    parents: Linked
    children: Linked


def ties(found: JobDetail, links: Links) -> Ties | None:
    """What the page shows; None where the job stands alone."""
    job = found.job
    if not (job.dependency_ids or found.dependents or job.group_id or job.unique_key):
        return None
    return Ties(
        _linked(job.dependency_ids, len(job.dependency_ids), found.relatives, links),
        _linked(sorted(found.dependents), found.dependent_count, found.relatives, links),
    )


def _linked(ids: Sequence[str], count: int, known: Mapping[str, JobRecord], links: Links) -> Linked:
    listed = ids[:MOST_LISTED]
    return linked([(job_id, known.get(job_id)) for job_id in listed], count, links)


def linked(jobs: Sequence[tuple[str, JobRecord | None]], count: int, links: Links) -> Linked:
    """Some jobs, of so many."""
    told = [
        Relative(
            job_id,
            links.job(job_id),
            job.description if job else "",
            str(labels.STATUSES.get(job.status, job.status)) if job else "",  # type: ignore[call-overload]
        )
        for job_id, job in jobs
    ]
    return Linked(told, max(count - len(told), 0))
