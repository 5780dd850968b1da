"""All queues, with how much is where."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import floatformat
from django.utils.translation import gettext as _

from ... import conf
from ...protocol.places import Place
from ...queries.leases import MOST, Lease, StartedJob, by_worker, most_of_a_queue
from ...queries.snapshots import Overview, QueueCounts
from ...queries.throughput import Throughput, hours_until, percentile_95, total
from .. import charts, labels
from .. import formatting as shown
from ..attention import attention
from ..attention.concern import Concern
from ..attention.cron import about_cron
from ..attention.dead_workers import RQ_SILENCE
from ..attention.queue_state import State
from ..links import Links
from ..listening import any_at_work, listeners, listening, lost, unsure
from ..slots import Slots, slots, unusual
from ..sources import Gone, Source, Trouble, all_sources
from .cron import in_settings
from .frame import NO_ANSWER, may, render

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
    #: Runs that failed in the last hour.
    failed_lately: int = 0
    #: Runs that ended in each minute of the last hour, on average.
    per_minute: str = ""
    #: What 95 of 100 runs of the last hour stayed within.
    waited: str = ""
    ran: str = ""
    #: Of its workers; None: not known.
    slots: Slots | None = None


def index(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The first page: what needs attention, one row for each queue, charts.

    At the most three round trips for each server.
    """
    rows: dict[str, Row] = {}
    unknown: list[Row] = []
    more = 0
    states: list[State] = []
    of_servers: list[Concern] = []
    troubles: list[str] = []
    activities: list[Throughput] = []
    span = _span(request.GET.get("span", charts.HOUR.name))
    now, moment = time.time(), shown.now()
    hours = hours_until(now, span.whole)
    sources = all_sources()
    for source in sources:
        links = Links.to(source, site.name)
        try:
            with source.asked():
                names = [queue.name for queue in source.queues]
                overview = source.queries.overview(names, hours, now)
                running = source.queries.started_jobs(overview.leases)
        except Trouble as trouble:
            troubles.append(str(trouble))
            for queue in source.queues:
                address = links.queue(queue.name)
                rows[queue.name] = Row(queue.name, address, source.address, trouble=str(trouble))
            continue
        activities += [overview.throughput[name] for name in names]
        server = _Server(source, overview, running, links, now, moment)
        of_server = [server.state(counts) for counts in overview.asked]
        others = [server.state(counts) for counts in overview.others]
        rows |= {state.counts.name: server.row(state) for state in of_server}
        unknown += [server.row(state, configured=False) for state in others]
        states += [*of_server, *others]
        of_servers += server.concerns([*of_server, *others])
        more += overview.more
    found = [
        concern if may(request, "view", concern.model) else replace(concern, address="")
        for concern in attention.concerns(states, of_servers, troubles, moment)
    ]
    return render(
        site,
        request,
        "queues.html",
        model="queue",
        title=_("Queues"),
        # Where some answer, there is something to see.
        status=NO_ANSWER if troubles and len(troubles) == len(sources) else 200,
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


class _Server:
    """What was read of one server, and what it says of its queues.

    Args:
        running: the jobs that run there, as far as they were read.
        now: unix seconds; ``moment`` is the same.
    """

    def __init__(
        self,
        source: Source,
        overview: Overview,
        running: Sequence[StartedJob],
        links: Links,
        now: float,
        moment: datetime,
    ) -> None:
        self._source, self._overview, self._links = source, overview, links
        self._running, self._now, self._moment = running, now, moment
        self._needing = {queue.name: queue.is_async for queue in source.queues}
        self._dead = lost(overview.workers, moment)
        self._all_held = by_worker(running)
        most = most_of_a_queue(len(overview.asked) + len(overview.others))
        counted = Counter(lease.queue for lease in overview.leases)
        #: Queues of which not all leases were read.
        self._cut = {queue for queue, count in counted.items() if count >= most}
        self._all_read = not self._cut and len(overview.leases) <= MOST

    def state(self, counts: QueueCounts) -> State:
        """What is known of one of its queues."""
        overview, links, name = self._overview, self._links, counts.name
        minute = int(self._now) // 60
        # Whatever the charts span: the table has the last hour.
        runs = total(overview.throughput[name], minute - 59, minute + 1)
        usual = percentile_95(runs.ran)
        workers = overview.workers
        sure = self._all_read and not unsure(name, workers)
        here = [each for each in self._running if each.queue == name]
        count = sum(runs.ran.values())
        return State(
            counts,
            runs,
            overview.oldest.get(name),
            listeners(counts, workers, self._moment),
            slots(listening(name, workers, self._moment), self._running, self._moment)
            if sure
            else None,
            overview.suspended,
            overview.schedule_delays[name],
            unusual(here, usual, count, self._moment),
            usual,
            self._expired(name),
            name in self._cut,
            self._needing.get(name, True),
            links.queue(name),
            links.queue(name, Place.FAILED),
            links.queue(name, Place.SCHEDULED),
            links.queue(name, Place.STARTED),
        )

    def _expired(self, queue: str) -> list[Lease]:
        """Leases that ended long ago, and that no dead worker is said to have."""
        of_dead = [each for name in self._dead for each in self._all_held.get(name, ())]
        told = {each.job.id for each in of_dead if each.queue == queue}
        return [
            lease
            for lease in self._overview.leases
            if lease.queue == queue
            and self._now - lease.until > RQ_SILENCE
            and lease.job_id not in told
        ]

    def row(self, state: State, *, configured: bool = True) -> Row:
        """What the table shows of a queue."""
        counts, runs = state.counts, state.runs
        return Row(
            counts.name,
            state.address,
            self._source.address,
            tuple(
                Cell(place, count, self._links.queue(counts.name, place))
                for place, count in counts.places.items()
            ),
            state.listeners,
            counts.problems,
            configured,
            counts.paused,
            self._overview.suspended,
            oldest=state.oldest,
            failed_lately=runs.failed,
            per_minute=floatformat((runs.done + runs.failed) / 60, -2),
            waited=charts.within(runs.waited),
            ran=charts.within(runs.ran),
            slots=state.slots,
        )

    def concerns(self, states: Sequence[State]) -> Iterator[Concern]:
        """What needs attention, beside its queues."""
        overview, links, moment = self._overview, self._links, self._moment
        server = self._source.address if self._source.several else ""
        held = {name: self._all_held.get(name, []) for name in self._dead}
        yield from attention.about_workers(overview.workers, held, links, moment)
        yield from attention.about_server(states, overview, links, server, moment)
        yield from attention.about_keys(overview.wrong_type_keys)
        yield from about_cron(
            overview.cron,
            overview.more_cron,
            in_settings(self._source),
            links.schedule(),
            server,
            moment,
            workers=any_at_work(overview.workers, moment),
        )


def _span(name: str) -> charts.Span:
    """Raises Gone: there is no such span."""
    if name not in charts.SPANS:
        raise Gone(
            _("There are no charts of “%(name)s”; there are those of the last %(names)s.")
            % {"name": shown.shortened(name, 40), "names": ", ".join(charts.SPANS)}
        )
    return charts.SPANS[name]
