"""All queues, with how much is where."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import floatformat
from django.utils import timezone
from django.utils.translation import gettext as _

from ... import conf, shown
from ...engine.activity import Activity, hours_until, total
from ...engine.monitor import Overview, Place, QueueCounts
from .. import attention, charts, labels
from ..links import Links
from ..sources import Gone, Source, Trouble, all_sources
from .frame import render

#: Sentences about what needs attention that are shown at the most.
MOST_CONCERNS = 20


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
    suspended: bool = False
    trouble: str = ""
    #: When the next job was enqueued; None: none waits, or it is not known.
    oldest: datetime | None = None
    #: Runs that failed in the last hour; None: not counted for queues that are not configured.
    failed_lately: int | None = None
    #: Runs that ended in each minute of the last hour, on average.
    per_minute: str = ""
    #: What 95 of 100 runs of the last hour stayed within.
    waited: str = ""
    ran: str = ""


def index(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The first page: what needs attention, one row for each queue, charts.

    At the most two round trips for each server.
    """
    rows: dict[str, Row] = {}
    unknown: list[Row] = []
    more = 0
    states: list[attention.State] = []
    troubles: list[str] = []
    activities: list[Activity] = []
    span = _span(request.GET.get("span", charts.HOUR.name))
    now = time.time()
    hours = hours_until(now, span.whole)
    for source in all_sources():
        links = Links.to(source, site.name)
        try:
            with source.asked():
                overview = source.monitor.overview([queue.name for queue in source.queues], hours)
        except Trouble as trouble:
            troubles.append(str(trouble))
            for queue in source.queues:
                address = links.queue(queue.name)
                rows[queue.name] = Row(queue.name, address, source.address, trouble=str(trouble))
            continue
        activities += overview.activity
        for counts, oldest, activity in zip(
            overview.asked, overview.oldest, overview.activity, strict=True
        ):
            # Whatever the charts span: the table has the last hour.
            runs = total(activity, int(now) // 60 - 59, int(now) // 60 + 1)
            rows[counts.name] = replace(
                _row(counts, source, links),
                suspended=overview.suspended,
                oldest=oldest,
                failed_lately=runs.failed,
                per_minute=floatformat((runs.done + runs.failed) / 60, -2),
                waited=charts.within(runs.waited),
                ran=charts.within(runs.ran),
            )
            states.append(_state(counts, oldest, runs.failed, overview, links))
        states += [_state(counts, None, 0, overview, links) for counts in overview.others]
        unknown += [_row(counts, source, links, configured=False) for counts in overview.others]
        more += overview.more
    return render(
        site,
        request,
        "queues.html",
        model="queue",
        title=_("Queues"),
        places=labels.PLACES.values(),
        rows=[*(rows[name] for name in conf.queues()), *unknown],
        more=more,
        concerns=attention.concerns(states, troubles, timezone.now())[:MOST_CONCERNS],
        charts=charts.charts(activities, span, now) if activities else None,
        span=span.name,
        schedule_address=Links(site.name).schedule(),
    )


def _state(
    counts: QueueCounts, oldest: datetime | None, failed: int, overview: Overview, links: Links
) -> attention.State:
    addresses = links.queue(counts.name), links.queue(counts.name, Place.FAILED)
    return attention.State(counts, oldest, failed, overview.suspended, *addresses)


def _span(name: str) -> charts.Span:
    """Raises Gone: there is no such span."""
    if name not in charts.SPANS:
        raise Gone(
            _("There are no charts of “%(name)s”; there are those of the last %(names)s.")
            % {"name": shown.shortened(name, 40), "names": ", ".join(charts.SPANS)}
        )
    return charts.SPANS[name]


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
