"""What ties a job to others: those it came after, those that wait for it, group and unique key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..engine.monitor import JobDetail
from .links import Links

#: Jobs that are listed on either side at the most.
MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Linked:
    """Ids with their addresses, and how many more there are."""

    shown: Sequence[tuple[str, str]]
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
        _linked(job.dependency_ids, len(job.dependency_ids), links),
        _linked(sorted(found.dependents), found.dependent_count, links),
    )


def _linked(ids: Sequence[str], count: int, links: Links) -> Linked:
    listed = ids[:MOST_LISTED]
    return Linked([(job_id, links.job(job_id)) for job_id in listed], max(count - len(listed), 0))
