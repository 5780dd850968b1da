"""The relations of a job: jobs that it depends on, its dependents, its group and unique key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..protocol.records import JobRecord
from ..queries.snapshots import JobDetail
from . import labels
from .links import Links

#: Jobs that are listed on each side.
MAX_LISTED = 50


@dataclass(frozen=True, slots=True)
class RelatedJob:
    """A related job; ``description`` and ``state`` are ``''`` if it no longer exists."""

    id: str
    address: str
    description: str
    state: str


@dataclass(frozen=True, slots=True)
class JobLinks:
    """Some jobs, and how many more there are."""

    jobs: Sequence[RelatedJob]
    more: int


@dataclass(frozen=True, slots=True)
class Relations:
    """The jobs that a job depends on, and those that depend on it."""

    parents: JobLinks
    dependents: JobLinks


def relations(found: JobDetail, links: Links) -> Relations | None:
    """The relations of a job; None if it has no related jobs, no group and no unique key."""
    job = found.job
    if not (job.dependency_ids or found.dependents or job.group_id or job.unique_key):
        return None
    return Relations(
        _first_of(job.dependency_ids, len(job.dependency_ids), found.relatives, links),
        _first_of(sorted(found.dependents), found.dependent_count, found.relatives, links),
    )


def _first_of(
    ids: Sequence[str], count: int, known: Mapping[str, JobRecord], links: Links
) -> JobLinks:
    return job_links([(job_id, known.get(job_id)) for job_id in ids[:MAX_LISTED]], count, links)


def job_links(jobs: Sequence[tuple[str, JobRecord | None]], count: int, links: Links) -> JobLinks:
    """Links to some of ``count`` jobs."""
    related = [
        RelatedJob(
            job_id,
            links.job(job_id),
            job.description if job else "",
            str(labels.STATUSES.get(job.status, job.status)) if job else "",  # type: ignore[call-overload]
        )
        for job_id, job in jobs
    ]
    return JobLinks(related, max(count - len(related), 0))
