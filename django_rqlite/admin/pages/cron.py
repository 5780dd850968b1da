"""The cron entries of one server, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from ... import conf
from ...cron.ticker import ANNOUNCE_EVERY
from ...exceptions import ConfigurationError
from ...protocol.cron_records import CronRecord
from ...protocol.records import JobRecord, JobStatus
from ...queries.upcoming import CronEntries
from .. import formatting as shown
from .. import labels
from ..links import Links
from ..sources import Source

#: Entries that the table shows at the most.
MOST_SHOWN = 100

#: Seconds after which an entry that nobody announced is probably not evaluated any more: it was
#: taken out of the settings, or no worker runs. Its record stays for a month.
SILENCE = 2 * ANNOUNCE_EVERY

#: What an entry of ``RQ["CRON"]`` names as its source.
OF_SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Row:
    """One entry. An address is ``''`` where there is nothing to be done."""

    record: CronRecord
    queue_address: str
    job_address: str
    #: Nobody seems to evaluate it.
    silent: bool
    #: How its last job ended, or how far it is.
    outcome: str
    ended_at: datetime | None
    #: Whether it failed, and one line that names the error.
    bad: bool
    error: str
    run_now_address: str
    #: Why it can't be run from here, in a sentence.
    why_not: str
    pause_address: str
    resume_address: str


def rows(entries: CronEntries, source: Source, links: Links, now: datetime) -> tuple[Row, ...]:
    """The rows of what was read, in its order."""
    names = in_settings(source)
    return tuple(
        _row(record, entries.last_jobs.get(record.last_job), names, links, now)
        for record in entries.found
    )


def in_settings(source: Source) -> frozenset[object]:
    """The names of those entries of this process's ``RQ["CRON"]`` whose queues are in a source.

    Whether they can be used is not looked at, which takes longer.
    """
    try:
        given = conf.cron()
    except ConfigurationError:
        return frozenset()
    queues = [queue.name for queue in source.queues]
    return frozenset(
        name
        for name, says in given.items()
        if isinstance(says, Mapping) and says.get("queue", "default") in queues
    )


def why_not_run(record: CronRecord, names: frozenset[object]) -> str:
    """Why this process can't make a job of an entry, in a sentence; ``''`` where it can.

    Args:
        names: of the entries that it knows.
    """
    if record.source and record.source != OF_SETTINGS:
        return _("It can’t be run from here, since it comes from %(source)s.") % {
            "source": shown.shortened(record.source, 100)
        }
    if record.name not in names:
        return _('It can’t be run from here, since the RQ["CRON"] of this site does not have it.')
    return ""


def _row(
    record: CronRecord,
    job: JobRecord | None,
    names: frozenset[object],
    links: Links,
    now: datetime,
) -> Row:
    heard = record.announced_at
    # Where there is nothing to read, there is nothing to change.
    known = bool(record.schedule or record.last_tick)
    why_not = why_not_run(record, names)
    # The job itself knows best, as it may have been requeued; the record knows when it is gone.
    status = job.status if job else record.last_outcome
    return Row(
        record,
        links.queue(record.queue) if record.queue else "",
        links.job(record.last_job) if record.last_job else "",
        heard is None or (now - heard).total_seconds() > SILENCE,
        _outcome(record, job, status),
        job.ended_at if job else record.last_ended_at,
        status in (JobStatus.FAILED, JobStatus.STOPPED),
        job.error if job else record.last_error,
        "" if why_not else links.cron_run_now(record.name),
        why_not,
        links.cron_pause(record.name) if known and not record.paused else "",
        links.cron_resume(record.name) if known and record.paused else "",
    )


def _outcome(record: CronRecord, job: JobRecord | None, status: str) -> str:
    if not record.last_job:
        return ""
    if not status:
        return _("unknown") if job else _("expired or deleted")
    return str(labels.STATUSES.get(status) or shown.shortened(status, 40))  # type: ignore[call-overload]
