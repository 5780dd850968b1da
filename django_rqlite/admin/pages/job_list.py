"""The jobs in one place of a queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.core.paginator import Page as Slice
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from ...protocol.places import Place
from ...protocol.records import JobRecord
from ...queries import snapshots
from ...queries.queries import Queries
from .. import labels
from ..actions.job_operations import possible, targets
from ..filters import parse_page, parse_place
from ..formatting import from_timestamp, shortened
from ..frame import breadcrumbs_to, may, render
from ..links import MAX_NAME_LENGTH, Links, from_segment, segment
from ..relations import job_links
from ..retries import retries_left
from ..run_duration import run_seconds
from ..servers import connected, find_queue
from .job_detail import error_of, format_duration

#: Jobs on a page of the list.
PER_PAGE = 100

#: The columns of each place beside id and description: the heading, and the kind of the cells.
#: ``score`` is the time in the sorted set of the place.
COLUMNS: dict[Place, Sequence[tuple[Promise, str]]] = {
    Place.QUEUED: (
        (gettext_lazy("Created"), "created_at"),
        (gettext_lazy("Enqueued"), "enqueued_at"),
    ),
    Place.STARTED: (
        (gettext_lazy("Enqueued"), "enqueued_at"),
        (pgettext_lazy("time", "Started"), "started_at"),
        (gettext_lazy("Lease ends"), "score"),
        (gettext_lazy("Worker"), "worker"),
    ),
    Place.FINISHED: (
        (gettext_lazy("Enqueued"), "enqueued_at"),
        (gettext_lazy("Ended"), "ended_at"),
        (gettext_lazy("Took"), "took"),
        (gettext_lazy("Worker"), "worker"),
    ),
    Place.FAILED: (
        (gettext_lazy("Error"), "error"),
        (gettext_lazy("Enqueued"), "enqueued_at"),
        (gettext_lazy("Ended"), "ended_at"),
        (gettext_lazy("Worker"), "worker"),
    ),
    Place.DEFERRED: (
        (gettext_lazy("Created"), "created_at"),
        (pgettext_lazy("time", "Deferred"), "score"),
        (gettext_lazy("Waits for"), "parents"),
    ),
    Place.SCHEDULED: (
        (gettext_lazy("Created"), "created_at"),
        (gettext_lazy("Due"), "score"),
        (gettext_lazy("Retries"), "retries"),
    ),
    Place.CANCELED: (
        (gettext_lazy("Reason"), "error"),
        (gettext_lazy("Created"), "created_at"),
        (pgettext_lazy("time", "Canceled"), "score"),
    ),
}


@dataclass(frozen=True, slots=True)
class Tab:
    """A place of the queue, and how many ids are in it."""

    label: str
    count: int
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the list.

    Attributes:
        kind: ``time``, ``duration``, ``worker``, ``jobs`` or ``text``.
        value: None or ``''`` if it is not known.
    """

    kind: str
    value: Any
    address: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One job.

    Attributes:
        segment: The id as the form sends it; ``''`` if it is too long.
        job: None if it has expired or was deleted.
    """

    id: str
    segment: str
    address: str
    job: JobRecord | None
    cells: tuple[Cell, ...]


def index(
    site: AdminSite, request: HttpRequest, name: str, place: str = Place.QUEUED
) -> HttpResponse:
    """A page of the jobs in one place of a queue. At most five round trips."""
    queue, chosen = from_segment(name), parse_place(place)
    server, counts = find_queue(request.GET.get("on"), queue)
    links = Links.to(server, site.name)
    current = _slice(request.GET.get("p", "1"), counts.places[chosen])
    with connected(server) as broker:
        start = max(current.start_index() - 1, 0)
        found = Queries(broker).page(queue, chosen, start, PER_PAGE)
    may_change_queue = may(request, "change", "queue")
    actions = possible(request, [chosen])
    return render(
        site,
        request,
        "job_list.html",
        model="queue",
        title=shortened(queue, 200),
        breadcrumbs=breadcrumbs_to(request, links, "queue"),
        tabs=[
            Tab(str(labels.PLACES[each]), count, links.queue(queue, each), each is chosen)
            for each, count in counts.places.items()
        ],
        headings=[heading for heading, _kind in COLUMNS[chosen]],
        rows=[_row(row, chosen, links) for row in found.rows],
        problems=counts.problems,
        place=labels.PLACES[chosen],
        page=current,
        # Between the numbers there may be an ellipsis, which has no address.
        pages=[
            (number, links.queue(queue, chosen, number) if isinstance(number, int) else "")
            for number in current.paginator.get_elided_page_range(current.number)
        ],
        actions=actions,
        targets=targets(actions, [each for each in server.queue_names if each != queue]),
        paused=counts.paused,
        pause_address=links.queue_pause(queue) if may_change_queue else "",
        resume_address=links.queue_resume(queue) if may_change_queue else "",
        action_address=links.queue_action(queue, chosen),
    )


def _slice(number: str, total: int) -> Slice[int]:
    """The page that an address names, or the last one, because lists get shorter.

    Raises:
        NotFound: It is not a page number.
    """
    paginator = Paginator(range(total), PER_PAGE)
    return paginator.page(min(parse_page(number, least=1), paginator.num_pages))


def _row(row: snapshots.Row, place: Place, links: Links) -> Row:
    job = row.job
    cells = (
        ()
        if job is None
        else tuple(_cell(kind, row, job, links) for _heading, kind in COLUMNS[place])
    )
    # An id that is too long for a link would make the page and its form too large too.
    sent = segment(row.id) if len(row.id) <= MAX_NAME_LENGTH else ""
    return Row(row.id, sent, links.job(row.id), job, cells)


def _cell(kind: str, row: snapshots.Row, job: JobRecord, links: Links) -> Cell:
    if kind == "worker":
        return Cell("worker", job.worker_name, links.worker(job.worker_name))
    if kind == "error":
        return Cell("text", error_of(job, [row.last] if row.last else []))
    if kind == "took":
        return Cell("duration", format_duration(run_seconds(job)))
    if kind == "retries":
        return Cell("text", retries_left(job))
    if kind == "parents":
        return Cell("jobs", job_links(row.parents.some, row.parents.count, links))
    if kind == "score":
        return Cell("time", from_timestamp(row.score))
    return Cell("time", getattr(job, kind))
