"""Which cron entries are late, paused, or not evaluated at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...protocol.cron_records import CronRecord
from .. import formatting
from ..cron_entries import MAX_SILENCE, SETTINGS_SOURCE, is_silent
from .concern import Concern, with_server

#: A run that is late by this many seconds is reported. Workers enqueue runs on time.
LATE = 60

#: Entries that one sentence names.
_MAX_NAMES = 5


def about_cron(
    records: Sequence[CronRecord],
    more: int,
    in_settings: frozenset[object],
    address: str,
    server: str,
    now: datetime,
    *,
    has_workers: bool,
) -> Iterator[Concern]:
    """What needs attention among the cron entries of one server.

    Args:
        records: The records of the entries that were announced last.
        more: How many other entries there are.
        in_settings: The names of the entries that this site's settings have for the server.
        address: The address of the page that lists the entries.
        server: Its address, or ``''`` if there is no other.
        has_workers: Whether any worker is running.
    """

    def concern(weight: int, sentence: str) -> Concern:
        return Concern(weight, with_server(sentence, server), address, "queue")

    expected = [each for each in records if _is_expected(each, records, in_settings, now)]
    active = [each for each in expected if not each.paused]
    late = [each for each in active if each.next_tick and _seconds_late(each, now) > LATE]
    if late:
        yield concern(28, _late(late, now, has_workers=has_workers))
    silent = [each.name for each in active if each not in late and is_silent(each, now)]
    if not more:
        known = {each.name for each in records}
        silent += sorted(str(name) for name in in_settings - known)
    if silent:
        sentence = ngettext(
            "No worker evaluates %(count)d cron entry: %(names)s.",
            "No worker evaluates %(count)d cron entries: %(names)s.",
            len(silent),
        )
        yield concern(22, sentence % {"count": len(silent), "names": _listed(silent)})
    if paused := [each.name for each in expected if each.paused]:
        sentence = ngettext(
            "%(count)d cron entry is paused: %(names)s.",
            "%(count)d cron entries are paused: %(names)s.",
            len(paused),
        )
        yield concern(5, sentence % {"count": len(paused), "names": _listed(paused)})
    if more:
        sentence = ngettext(
            "%(count)s more cron entry was not checked.",
            "%(count)s more cron entries were not checked.",
            more,
        )
        yield concern(4, sentence % {"count": f"{more:,}"})


def _is_expected(
    record: CronRecord,
    records: Sequence[CronRecord],
    in_settings: frozenset[object],
    now: datetime,
) -> bool:
    """Whether some worker should evaluate an entry, or it was removed and its record remains."""
    if record.name in in_settings:
        return True
    if record.source == SETTINGS_SOURCE:
        # It was removed from the settings, or those of another site have it.
        return not is_silent(record, now)
    # If other entries of its file were announced later, it was removed from the file.
    of_file = [each.announced_at for each in records if each.source == record.source]
    newest = max((moment for moment in of_file if moment), default=None)
    if newest is None or record.announced_at is None:
        return True
    return (newest - record.announced_at).total_seconds() <= MAX_SILENCE


def _seconds_late(record: CronRecord, now: datetime) -> float:
    return (now - record.next_tick).total_seconds() if record.next_tick else 0


def _late(late: Sequence[CronRecord], now: datetime, *, has_workers: bool) -> str:
    if not has_workers:
        why = _("no worker is running")
    elif all(is_silent(each, now) for each in late):
        why = _("no worker evaluates them")
    else:
        why = _("workers are running, but have not enqueued their jobs")
    sentence = ngettext(
        "%(count)d cron entry is overdue, for %(age)s: %(why)s (%(names)s).",
        "%(count)d cron entries are overdue, the first for %(age)s: %(why)s (%(names)s).",
        len(late),
    )
    return sentence % {
        "count": len(late),
        "age": formatting.duration(max(_seconds_late(each, now) for each in late)),
        "why": why,
        "names": _listed([each.name for each in late]),
    }


def _listed(names: Sequence[str]) -> str:
    return formatting.quoted_names(sorted(names), _MAX_NAMES)
