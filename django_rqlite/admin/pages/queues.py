"""All queues, with how much is where."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import floatformat
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

    At the most three round trips for each server.
    """
    rows: dict[str, Row] = {}
    unknown: list[Row] = []
    more = 0
    states: list[attention.State] = []
    of_workers: list[attention.Concern] = []
    troubles: list[str] = []
    activities: list[Activity] = []
    span = _span(request.GET.get("span", charts.HOUR.name))
    now, moment = time.time(), shown.now()
    hours = hours_until(now, span.whole)
    sources = all_sources()
    for source in sources:
        links = Links.to(source, site.name)
        try:
            with source.asked():
                names = [queue.name for queue in source.queues]
                overview = source.monitor.overview(names, hours, now)
                lost = attention.lost(overview.workers, moment)
                held = source.monitor.held_by(overview.overdue, lost)
        except Trouble as trouble:
            troubles.append(str(trouble))
            for queue in source.queues:
                address = links.queue(queue.name)
                rows[queue.name] = Row(queue.name, address, source.address, trouble=str(trouble))
            continue
        activities += overview.activity
        of_workers += attention.about_workers(overview.workers, held, links, moment)
        of_workers += attention.about_keys(overview.foreign)
        for counts, activity in zip(overview.asked, overview.activity, strict=True):
            # Whatever the charts span: the table has the last hour.
            runs = total(activity, int(now) // 60 - 59, int(now) // 60 + 1)
            state = _state(counts, runs.failed, overview, links, moment)
            rows[counts.name] = replace(
                _row(state, source, links),
                suspended=overview.suspended,
                failed_lately=runs.failed,
                per_minute=floatformat((runs.done + runs.failed) / 60, -2),
                waited=charts.within(runs.waited),
                ran=charts.within(runs.ran),
            )
            states.append(state)
        others = [_state(counts, 0, overview, links, moment) for counts in overview.others]
        states += others
        unknown += [_row(state, source, links, configured=False) for state in others]
        more += overview.more
    found = attention.concerns(states, of_workers, troubles, moment)
    return render(
        site,
        request,
        "queues.html",
        model="queue",
        title=_("Queues"),
        places=labels.PLACES.values(),
        rows=[*(rows[name] for name in conf.queues()), *unknown],
        more=more,
        concerns=found[:MOST_CONCERNS],
        more_concerns=len(found[MOST_CONCERNS:]),
        charts=charts.charts(activities, span, now) if activities else None,
        span=span.name,
        several=len(sources) > 1,
        schedule_address=Links(site.name).schedule(),
    )


def _state(
    counts: QueueCounts, failed: int, overview: Overview, links: Links, now: datetime
) -> attention.State:
    return attention.State(
        counts,
        overview.oldest.get(counts.name),
        attention.listeners(counts, overview.workers, now),
        failed,
        overview.suspended,
        links.queue(counts.name),
        links.queue(counts.name, Place.FAILED),
    )


def _span(name: str) -> charts.Span:
    """Raises Gone: there is no such span."""
    if name not in charts.SPANS:
        raise Gone(
            _("There are no charts of “%(name)s”; there are those of the last %(names)s.")
            % {"name": shown.shortened(name, 40), "names": ", ".join(charts.SPANS)}
        )
    return charts.SPANS[name]


def _row(state: attention.State, source: Source, links: Links, *, configured: bool = True) -> Row:
    counts = state.counts
    return Row(
        counts.name,
        state.address,
        source.address,
        tuple(
            Cell(place, count, links.queue(counts.name, place))
            for place, count in counts.places.items()
        ),
        state.listeners,
        counts.problems,
        configured,
        counts.paused,
        oldest=state.oldest,
    )
