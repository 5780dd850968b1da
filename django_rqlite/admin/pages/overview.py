"""The overview: what needs attention, all queues with their counts, and charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import floatformat
from django.utils.translation import gettext as _

from ... import conf
from ...broker.servers import Server
from ...protocol.places import Place
from ...queries.queries import Queries
from ...queries.throughput import Throughput, hours_until
from .. import charts, formatting, labels
from ..attention.concern import Concern
from ..attention.concerns import concerns
from ..attention.queue_state import QueueState
from ..attention.server_state import ServerState
from ..attention.slots import Slots
from ..errors import NotFound, Unavailable
from ..formatting import shortened
from ..frame import UNAVAILABLE, may, render
from ..links import Links
from ..servers import address_of, all_servers, connected

#: Concerns that are shown.
MAX_CONCERNS = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """How many ids are in a place, and the address of their list."""

    place: Place
    count: int
    address: str


@dataclass(frozen=True, slots=True)
class Row:
    """One queue; without counts if its server does not answer.

    Attributes:
        configured: Whether it is in ``RQ_QUEUES``.
        suspended: Whether all workers of its server are suspended.
        error: Why its server does not answer, or ``''``.
        oldest: When the next job was enqueued; None: no job waits, or it is not known.
        failed_lately: Runs that failed in the last hour.
        per_minute: How many runs ended per minute of the last hour.
        waited, ran: The 95th percentiles of the last hour.
        slots: The slots of its workers; None: not known.
    """

    name: str
    address: str
    server: str
    cells: tuple[Cell, ...] = ()
    workers: int = 0
    problems: tuple[str, ...] = ()
    configured: bool = True
    paused: bool = False
    suspended: bool = False
    error: str = ""
    oldest: datetime | None = None
    failed_lately: int = 0
    per_minute: str = ""
    waited: str = ""
    ran: str = ""
    slots: Slots | None = None


def index(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The first page. At most three round trips for each server."""
    rows: dict[str, Row] = {}
    unknown: list[Row] = []
    more = 0
    states: list[QueueState] = []
    of_servers: list[Concern] = []
    errors: list[str] = []
    activities: list[Throughput] = []
    span = _span(request.GET.get("span", charts.HOUR.name))
    now = formatting.now()
    hours = hours_until(now.timestamp(), span.total_minutes)
    servers = all_servers()
    for server in servers:
        links = Links.to(server, site.name)
        try:
            state = _read(server, hours, links, now)
        except Unavailable as error:
            errors.append(str(error))
            rows |= _rows_without_counts(server, links, str(error))
            continue
        overview = state.overview
        activities += [overview.throughput[name] for name in server.queue_names]
        configured = [state.queue(counts) for counts in overview.asked]
        others = [state.queue(counts) for counts in overview.others]
        address = address_of(server)
        rows |= {each.counts.name: _row(each, address, links) for each in configured}
        unknown += [_row(each, address, links, configured=False) for each in others]
        states += [*configured, *others]
        of_servers += state.concerns([*configured, *others])
        more += overview.more
    found = [
        concern if may(request, "view", concern.model) else replace(concern, address="")
        for concern in concerns(states, of_servers, errors, now)
    ]
    return render(
        site,
        request,
        "overview.html",
        model="queue",
        title=_("Queues"),
        # If at least one server answers, there is something to show.
        status=UNAVAILABLE if errors and len(errors) == len(servers) else 200,
        places=labels.PLACES.values(),
        rows=[*(rows[name] for name in conf.queues()), *unknown],
        more=more,
        concerns=found[:MAX_CONCERNS],
        more_concerns=len(found[MAX_CONCERNS:]),
        charts=charts.charts(activities, span, now.timestamp()) if activities else None,
        span=span.name,
        several=len(servers) > 1,
        schedule_address=Links(site.name).schedule(),
    )


def _read(server: Server, hours: Sequence[int], links: Links, now: datetime) -> ServerState:
    with connected(server) as broker:
        queries = Queries(broker)
        overview = queries.overview(server.queue_names, hours, now.timestamp())
        running = queries.started_jobs(overview.leases)
    return ServerState(server, overview, running, links, now)


def _rows_without_counts(server: Server, links: Links, error: str) -> dict[str, Row]:
    address = address_of(server)
    return {name: Row(name, links.queue(name), address, error=error) for name in server.queue_names}


def _row(state: QueueState, server: str, links: Links, *, configured: bool = True) -> Row:
    counts, runs = state.counts, state.runs
    return Row(
        counts.name,
        state.address,
        server,
        cells=tuple(
            Cell(place, count, links.queue(counts.name, place))
            for place, count in counts.places.items()
        ),
        workers=state.listeners,
        problems=counts.problems,
        configured=configured,
        paused=counts.paused,
        suspended=state.suspended,
        oldest=state.oldest,
        failed_lately=runs.failed,
        per_minute=floatformat((runs.done + runs.failed) / 60, -2),
        waited=charts.format_p95(runs.waited),
        ran=charts.format_p95(runs.ran),
        slots=state.slots,
    )


def _span(name: str) -> charts.Span:
    """The period of the charts that an address names.

    Raises:
        NotFound: There is no such period.
    """
    if name not in charts.SPANS:
        raise NotFound(
            _("There are no charts of “%(name)s”; there are those of the last %(names)s.")
            % {"name": shortened(name, 40), "names": ", ".join(charts.SPANS)}
        )
    return charts.SPANS[name]
