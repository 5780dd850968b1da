"""The next scheduled jobs of one server, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ...protocol.records import JobRecord, JobStatus
from ...queries.schedule_delay import OVERDUE
from ...queries.upcoming import UpcomingJob
from .. import formatting
from ..links import Links
from ..retries import retries_left

#: Jobs that the table shows.
MAX_SHOWN = 25


@dataclass(frozen=True, slots=True)
class Row:
    """One job.

    Attributes:
        job: None if it no longer exists.
        run_now_address: ``''`` if it cannot be run now.
        retries: How many retries it has left; ``''`` if it never had any.
    """

    id: str
    address: str
    due: datetime | None
    overdue: bool
    job: JobRecord | None
    queue: str
    queue_address: str
    run_now_address: str
    retries: str


def rows(found: Sequence[UpcomingJob], links: Links, now: datetime) -> tuple[Row, ...]:
    """The rows of these jobs, in order."""
    return tuple(_row(each, links, now) for each in found)


def _row(each: UpcomingJob, links: Links, now: datetime) -> Row:
    due = formatting.from_timestamp(each.due)
    waits = each.job is not None and each.job.status == JobStatus.SCHEDULED
    return Row(
        each.id,
        links.job(each.id),
        due,
        due is not None and (now - due).total_seconds() > OVERDUE,
        each.job,
        each.queue,
        links.queue(each.queue),
        links.job_run_now(each.id) if waits else "",
        retries_left(each.job) if each.job else "",
    )
