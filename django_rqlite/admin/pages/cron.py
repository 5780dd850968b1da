"""The cron entries of one server, as a table on the page of the queues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from ...engine.monitor import CronEntries
from ...maintenance.cron import ANNOUNCE_EVERY
from ...protocol.cron_records import CronRecord
from ..links import Links

#: Entries that the table shows at the most.
MOST_SHOWN = 100

#: Seconds after which an entry that nobody announced is probably not evaluated any more: it was
#: taken out of the settings, or no worker runs. Its record stays for a month.
SILENCE = 2 * ANNOUNCE_EVERY


@dataclass(frozen=True, slots=True)
class Row:
    """One entry; ``silent``: nobody seems to evaluate it."""

    record: CronRecord
    queue_address: str
    job_address: str
    silent: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The entries of one server, and how many more it has."""

    server: str
    rows: tuple[Row, ...]
    more: int


def group(entries: CronEntries, server: str, links: Links) -> Group:
    """The table of what was read."""
    now = timezone.now()
    rows = tuple(_row(record, links, now) for record in entries.found)
    return Group(server, rows, max(0, entries.total - len(rows)))


def _row(record: CronRecord, links: Links, now: datetime) -> Row:
    heard = record.announced_at
    return Row(
        record,
        links.queue(record.queue) if record.queue else "",
        links.job(record.last_job) if record.last_job else "",
        heard is None or (now - heard).total_seconds() > SILENCE,
    )
