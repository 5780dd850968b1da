"""The cron entries of one server, as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from ...broker.servers import Server
from ...protocol.cron_records import CronRecord
from ...protocol.records import JobRecord, JobStatus
from ...queries.upcoming import CronEntries
from .. import labels
from ..cron_entries import is_silent, names_in_settings, why_not_run
from ..formatting import shortened
from ..links import Links

#: Entries that the table shows.
MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One entry. An address is ``''`` if the action does not apply.

    Attributes:
        silent: Whether no worker seems to evaluate it.
        outcome: How its last job ended, or its current state.
        failed: Whether its last job failed.
        error: One line that names the error of that job.
        why_not: Why it cannot be run from here, in a sentence.
    """

    record: CronRecord
    queue_address: str
    job_address: str
    silent: bool
    outcome: str
    ended_at: datetime | None
    failed: bool
    error: str
    run_now_address: str
    why_not: str
    pause_address: str
    resume_address: str


def rows(entries: CronEntries, server: Server, links: Links, now: datetime) -> tuple[Row, ...]:
    """The rows of these entries, in order."""
    names = names_in_settings(server)
    return tuple(
        _row(record, entries.last_jobs.get(record.last_job), names, links, now)
        for record in entries.found
    )


def _row(
    record: CronRecord,
    job: JobRecord | None,
    in_settings: frozenset[object],
    links: Links,
    now: datetime,
) -> Row:
    # An entry whose record is gone cannot be changed.
    known = bool(record.schedule or record.last_tick)
    why_not = why_not_run(record, in_settings)
    # The job may have been requeued later. The record keeps the outcome if the job is deleted.
    status = job.status if job else record.last_outcome
    return Row(
        record,
        queue_address=links.queue(record.queue) if record.queue else "",
        job_address=links.job(record.last_job) if record.last_job else "",
        silent=is_silent(record, now),
        outcome=_outcome(record, job, status),
        ended_at=job.ended_at if job else record.last_ended_at,
        failed=status in (JobStatus.FAILED, JobStatus.STOPPED),
        error=job.error if job else record.last_error,
        run_now_address="" if why_not else links.cron_run_now(record.name),
        why_not=why_not,
        pause_address=links.cron_pause(record.name) if known and not record.paused else "",
        resume_address=links.cron_resume(record.name) if known and record.paused else "",
    )


def _outcome(record: CronRecord, job: JobRecord | None, status: str) -> str:
    if not record.last_job:
        return ""
    if not status:
        return _("unknown") if job else _("expired or deleted")
    return str(labels.STATUSES.get(status) or shortened(status, 40))  # type: ignore[call-overload]
