"""All queues, with how much is where, and the cron entries that fill them."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ... import conf
from ...engine.monitor import Place, QueueCounts
from .. import labels
from ..links import Links
from ..sources import Source, Trouble, all_sources
from . import cron
from .frame import render


@dataclass(frozen=True, slots=True)
class Cell:
    """How many ids are in a place, and where they are listed."""

    place: Place
    count: int
    address: str


@dataclass(frozen=True, slots=True)
class Row:
    """One queue; without counts where its server can't be asked."""

    name: str
    address: str
    server: str
    cells: tuple[Cell, ...] = ()
    workers: int = 0
    problems: tuple[str, ...] = ()
    configured: bool = True
    paused: bool = False
    trouble: str = ""


def index(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The first page: one row for each queue, and the cron entries.

    At the most four round trips for each server.
    """
    rows: dict[str, Row] = {}
    unknown: list[Row] = []
    scheduled: list[cron.Group] = []
    more = 0
    sources = all_sources()
    for source in sources:
        links = Links.to(source, site.name)
        try:
            with source.asked():
                overview = source.monitor.overview([queue.name for queue in source.queues])
                entries = source.monitor.cron_entries(limit=cron.MOST_SHOWN)
        except Trouble as trouble:
            for queue in source.queues:
                address = links.queue(queue.name)
                rows[queue.name] = Row(queue.name, address, source.address, trouble=str(trouble))
            continue
        rows |= {counts.name: _row(counts, source, links) for counts in overview.asked}
        unknown += [_row(counts, source, links, configured=False) for counts in overview.others]
        more += overview.more
        if entries.total:
            scheduled.append(cron.group(entries, source.address, links))
    return render(
        site,
        request,
        "queues.html",
        model="queue",
        title=_("Queues"),
        places=labels.PLACES.values(),
        rows=[*(rows[name] for name in conf.queues()), *unknown],
        more=more,
        cron=scheduled,
        several=len(sources) > 1,
    )


def _row(counts: QueueCounts, source: Source, links: Links, *, configured: bool = True) -> Row:
    return Row(
        counts.name,
        links.queue(counts.name),
        source.address,
        tuple(
            Cell(place, count, links.queue(counts.name, place))
            for place, count in counts.places.items()
        ),
        counts.workers,
        counts.problems,
        configured,
        counts.paused,
    )
