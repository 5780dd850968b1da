"""Which cron entries are late, or not evaluated at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...protocol.cron_records import CronRecord
from .. import formatting as shown
from ..pages.cron import OF_SETTINGS, SILENCE
from .concern import Concern, of_server

#: Seconds after its time from which on a run is overdue: workers enqueue it on time.
LATE = 60

#: Entries that one sentence names at the most.
_MOST_NAMED = 5


def about_cron(
    records: Sequence[CronRecord],
    more: int,
    in_settings: frozenset[object],
    address: str,
    server: str,
    now: datetime,
    *,
    workers: bool,
) -> Iterator[Concern]:
    """What needs attention of the cron entries of one server.

    Args:
        records: of the entries that were announced last.
        more: how many entries there are beside.
        in_settings: names of the entries that this site's settings have for the server.
        address: of the page that shows them.
        server: its address, if there are others.
        workers: whether any worker is running.
    """
    expected = [each for each in records if _expected(each, records, in_settings, now)]
    running = [each for each in expected if not each.paused]
    late = [
        each for each in running if each.next_tick and (now - each.next_tick).total_seconds() > LATE
    ]
    told = {each.name for each in late}
    silent = [each.name for each in running if each.name not in told and _silent(each, now)]
    if not more:
        known = {each.name for each in records}
        silent += sorted(str(name) for name in in_settings - known)
    if late:
        first = min(each.next_tick for each in late if each.next_tick)
        why = _("workers run, but none has enqueued them")
        if not workers:
            why = _("no worker is running")
        elif all(_silent(each, now) for each in late):
            why = _("no worker evaluates them")
        named = {
            "count": len(late),
            "age": shown.duration((now - first).total_seconds()),
            "why": why,
            "names": _listed([each.name for each in late]),
        }
        sentence = ngettext(
            "%(count)d cron entry is overdue, for %(age)s: %(why)s (%(names)s).",
            "%(count)d cron entries are overdue, the first for %(age)s: %(why)s (%(names)s).",
            len(late),
        )
        yield Concern(28, of_server(sentence % named, server), address, "queue")
    if silent:
        sentence = ngettext(
            "%(count)d cron entry is not evaluated by any worker: %(names)s.",
            "%(count)d cron entries are not evaluated by any worker: %(names)s.",
            len(silent),
        ) % {"count": len(silent), "names": _listed(silent)}
        yield Concern(22, of_server(sentence, server), address, "queue")
    if paused := [each.name for each in expected if each.paused]:
        sentence = ngettext(
            "%(count)d cron entry is paused: %(names)s.",
            "%(count)d cron entries are paused: %(names)s.",
            len(paused),
        ) % {"count": len(paused), "names": _listed(paused)}
        yield Concern(5, of_server(sentence, server), address, "queue")
    if more:
        sentence = ngettext(
            "%(count)s more cron entry was not looked at.",
            "%(count)s more cron entries were not looked at.",
            more,
        ) % {"count": f"{more:,}"}
        yield Concern(4, of_server(sentence, server), address, "queue")


def _expected(
    record: CronRecord,
    records: Sequence[CronRecord],
    in_settings: frozenset[object],
    now: datetime,
) -> bool:
    """Whether somebody ought to evaluate an entry. A record stays for a month after that ended."""
    if record.name in in_settings:
        return True
    if record.source == OF_SETTINGS:
        # It was taken out of the settings, or another site has it.
        return not _silent(record, now)
    # It was taken out of its file if others of the same file have been announced since.
    of_file = [each.announced_at for each in records if each.source == record.source]
    newest = max((moment for moment in of_file if moment), default=None)
    if newest is None or record.announced_at is None:
        return True
    return (newest - record.announced_at).total_seconds() <= SILENCE


def _silent(record: CronRecord, now: datetime) -> bool:
    heard = record.announced_at
    return heard is None or (now - heard).total_seconds() > SILENCE


def _listed(names: Sequence[str]) -> str:
    listed = [f"“{shown.shortened(name, 60)}”" for name in sorted(names)[:_MOST_NAMED]]
    return ", ".join([*listed, *(["…"] if len(names) > _MOST_NAMED else [])])
