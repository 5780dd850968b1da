"""The jobs of a queue, and one job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.core.paginator import Page as Slice
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from ...protocol import codec
from ...protocol.places import Place
from ...protocol.records import JobRecord, JobStatus, ResultRecord
from ...queries import snapshots
from .. import formatting as shown
from .. import labels
from ..actions.job_operations import ACTIONS, possible, targets
from ..links import PLACES, Links
from ..progress import percent_done
from ..relations import linked, ties
from ..request_filters import page_number, place_named
from ..retries import TO_COME, retries_left
from ..run_duration import attempt_took, ran_for, waited_for
from ..sources import find_job, find_queue
from ..timeline import timeline
from ..url_segments import LONGEST, from_segment, segment
from .frame import may, render, way_to

PER_PAGE = 100

#: What a list shows beside id and description, for each place: heading, and what stands below.
#: ``score`` is the time that the place's sorted set keeps.
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
    """A place of the queue, and how much is in it."""

    label: str
    count: int
    address: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """``kind``: ``time``, ``duration``, ``worker``, ``jobs`` or ``text``; None or '': not known."""

    kind: str
    value: Any
    address: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One job in a list; ``job`` is None where it expired or was deleted."""

    id: str
    #: The id as a form sends it; ``''`` where it is too long for that.
    segment: str
    address: str
    job: JobRecord | None
    cells: tuple[Cell, ...]


def listing(
    site: AdminSite, request: HttpRequest, name: str, place: str = Place.QUEUED
) -> HttpResponse:
    """The jobs in one place of a queue, a page of them. At the most five round trips."""
    queue, chosen = from_segment(name), place_named(place)
    source, counts = find_queue(request.GET.get("on"), queue)
    links = Links.to(source, site.name)
    current = _slice(request.GET.get("p", "1"), counts.places[chosen])
    with source.asked():
        found = source.queries.page(queue, chosen, max(current.start_index() - 1, 0), PER_PAGE)
    may_change_queue = may(request, "change", "queue")
    actions = possible(request, [chosen])
    return render(
        site,
        request,
        "job_list.html",
        model="queue",
        title=shown.shortened(queue, 200),
        way=way_to(request, links, "queue"),
        tabs=[
            Tab(str(labels.PLACES[each]), count, links.queue(queue, each), each is chosen)
            for each, count in counts.places.items()
        ],
        headings=[heading for heading, _kind in COLUMNS[chosen]],
        rows=[_row(row, chosen, links) for row in found.rows],
        problems=counts.problems,
        place=labels.PLACES[chosen],
        page=current,
        # An ellipsis stands between the numbers too; it links nowhere.
        pages=[
            (number, links.queue(queue, chosen, number) if isinstance(number, int) else "")
            for number in current.paginator.get_elided_page_range(current.number)
        ],
        actions=actions,
        targets=targets(actions, [conf.name for conf in source.queues if conf.name != queue]),
        paused=counts.paused,
        pause_address=links.queue_pause(queue) if may_change_queue else "",
        resume_address=links.queue_resume(queue) if may_change_queue else "",
        action_address=links.queue_action(queue, chosen),
    )


def _slice(wanted: str, total: int) -> Slice[int]:
    """The page that an address names, or the last one: lists get shorter.

    Raises:
        Gone: it names none.
    """
    paginator = Paginator(range(total), PER_PAGE)
    return paginator.page(min(page_number(wanted, least=1), paginator.num_pages))


def _row(row: snapshots.Row, place: Place, links: Links) -> Row:
    job = row.job
    cells = (
        ()
        if job is None
        else tuple(_cell(kind, row, job, links) for _heading, kind in COLUMNS[place])
    )
    # What is too long for an address would also make the page and its form too long.
    sent = segment(row.id) if len(row.id) <= LONGEST else ""
    return Row(row.id, sent, links.job(row.id), job, cells)


def _cell(kind: str, row: snapshots.Row, job: JobRecord, links: Links) -> Cell:
    if kind == "worker":
        return Cell("worker", job.worker_name, links.worker(job.worker_name))
    if kind == "error":
        return Cell("text", error_of(job, [row.last] if row.last else []))
    if kind == "took":
        return Cell("duration", _duration(ran_for(job)))
    if kind == "retries":
        return Cell("text", retries_left(job))
    if kind == "parents":
        return Cell("jobs", linked(row.parents.some, row.parents.count, links))
    if kind == "score":
        return Cell("time", shown.unix(row.score))
    return Cell("time", getattr(job, kind))


def _duration(seconds: float | None) -> str:
    """How long something took; ``''`` where that is not known."""
    if seconds is None:
        return ""
    # A job's hash has whole seconds.
    return shown.duration(seconds) if seconds else _("< 1 s")


def error_of(job: JobRecord, results: Sequence[ResultRecord]) -> str:
    """The one line that names the job's last error."""
    if job.error:
        return job.error
    return shown.last_line(job.exc_info or (results[0].exc_string if results else ""))


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a job that has ended."""

    record: ResultRecord
    outcome: str
    failed: bool
    took: str
    returned: shown.Value | None
    traceback: str
    headline: str


def detail(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """All about one job. Three round trips at the most; one more for each server to look in."""
    id_ = from_segment(job_id)
    source, found = find_job(request.GET.get("on"), id_, lambda queries: queries.job(id_))
    job, links = found.job, Links.to(source, site.name)
    place = PLACES.get(job.status)
    attempts = _attempts(found.results)
    reason = job.exc_info or next((a.traceback for a in attempts[:1] if a.failed), "")
    may_change = may(request, "change", "job")
    requeued = place in ACTIONS["requeue"].places
    canceled = place in ACTIONS["cancel"].places
    return render(
        site,
        request,
        "job_detail.html",
        model="job",
        title=shown.shortened(job.description or id_, 120),
        subtitle=shown.shortened(id_, 200) if job.description else None,
        way=way_to_job(request, links, job, place),
        job=job,
        state=labels.STATUSES.get(job.status, job.status),  # type: ignore[call-overload]
        failed=place is Place.FAILED,
        call=shown.call(job.packed),
        meta=shown.value(job.meta) if job.meta is not None else None,
        percent=percent_done(job.meta),
        timeline=timeline(job, found.results, shown.now()),
        result=_result(job, found.results),
        error=error_of(job, found.results) if requeued else "",
        traceback=shown.traceback(reason),
        waited=_duration(waited_for(job)),
        took=_duration(ran_for(job, found.results)),
        due=shown.unix(found.due),
        retries=retries_left(job) if place in TO_COME else "",
        attempts=attempts,
        ties=ties(found, links),
        log=shown.log(found.log),
        expires_in=found.expires_in,
        queue_address=links.queue(job.origin, place or Place.QUEUED),
        worker_address=links.worker(job.worker_name),
        server=source.address if source.several else "",
        requeue_address=links.job_requeue(id_) if may_change and requeued else "",
        cancel_address=links.job_cancel(id_) if may_change and canceled else "",
        copy_address=links.job_copy(id_) if may_change and job.packed else "",
        run_now_address=links.job_run_now(id_) if may_change and place is Place.SCHEDULED else "",
        stop_address=links.job_stop(id_) if may_change and place is Place.STARTED else "",
        delete_address=links.job_delete(id_) if may(request, "delete", "job") else "",
    )


def _result(job: JobRecord, results: Sequence[ResultRecord]) -> shown.Value | None:
    """What the job returned; None where it has not."""
    if job.status != JobStatus.FINISHED:
        return None
    if results and results[0].not_kept:
        return _not_kept(results[0])
    # RQ 2 has it in the history only, and neither place has it where it was None.
    returned = job.result or (results[0].return_value if results else None)
    return shown.value(returned) if returned else shown.Value("None")


def _not_kept(result: ResultRecord) -> shown.Value:
    reason = shown.shortened(result.not_kept, shown.LONGEST_VALUE)
    return shown.Value(problem=_("The result is not kept. %(reason)s") % {"reason": reason})


def way_to_job(
    request: HttpRequest, links: Links, job: JobRecord, place: Place | None
) -> list[tuple[str, str]]:
    """The way to a job: through the list that has it, if it says which."""
    way = way_to(request, links, "queue")
    if job.origin:
        way.append((shown.shortened(job.origin, 60), links.queue(job.origin)))
        if place:
            way.append((str(labels.PLACES[place]), links.queue(job.origin, place)))
    return way


def _attempts(results: Sequence[ResultRecord]) -> list[Attempt]:
    """What each came to. Of their values, no more than so many bytes are looked into altogether."""
    attempts, room = [], codec.SHOWN
    for result in results:
        value: shown.Value | None = None
        if result.not_kept:
            value = _not_kept(result)
        elif result.return_value is not None:
            unpacked, more = codec.head(result.return_value, room)
            value = shown.value(result.return_value if more else unpacked, room)
            room = max(room - len(unpacked), 0)
        attempts.append(
            Attempt(
                result,
                labels.outcome(result),
                bool(result.exc_string),
                _duration(attempt_took(result)),
                value,
                shown.traceback(result.exc_string),
                shown.last_line(result.exc_string),
            )
        )
    return attempts
