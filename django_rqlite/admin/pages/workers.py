"""All workers, and one worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from ... import shown
from ...engine.holding import Holdings
from ...engine.monitor import Expired
from ...protocol.records import JobRecord, JobStatus, WorkerRecord
from .. import labels
from ..held import HeldJob, held_jobs
from ..links import Links
from ..segments import from_segment
from ..silence import silent
from ..sources import Source, Trouble, all_sources, find_worker
from .frame import may, render, way_to


@dataclass(frozen=True, slots=True)
class Row:
    """One worker. ``record`` is None where it expired: the worker ended without taking leave."""

    name: str
    address: str
    record: WorkerRecord | None
    state: str
    silent: bool = False
    queues: tuple[tuple[str, str], ...] = ()
    job_address: str = ""
    #: What its current job calls, and for how long it has; ``''`` where that is not known.
    job_what: str = ""
    job_for: str = ""
    working: str = ""
    memory: str = ""
    child_memory: str = ""
    #: What it holds although it is dead, or probably is.
    held: tuple[HeldJob, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The workers of one server."""

    server: str
    rows: tuple[Row, ...] = ()
    more: int = 0
    suspended: bool = False
    suspend_address: str = ""
    resume_address: str = ""
    trouble: str = ""


def index(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """All workers, by server. At the most five round trips for each server."""
    groups = [_group(source, Links.to(source, site.name)) for source in all_sources()]
    return render(
        site,
        request,
        "workers.html",
        model="worker",
        title=_("Workers"),
        groups=groups,
        may_change_workers=may(request, "change", "worker"),
    )


def detail(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """All about one worker.

    At the most four round trips; one more for each server that has to be asked for it first.
    """
    wanted = from_segment(name)
    source, record = find_worker(request.GET.get("on"), wanted)
    links, now = Links.to(source, site.name), shown.now()
    found = [] if isinstance(record, Expired) else [record]
    with source.asked():
        holdings = source.monitor.holdings(*_asked_for(found, [wanted][len(found) :], now))
    title, way = shown.shortened(wanted, 200), way_to(request, links, "worker")
    if isinstance(record, Expired):
        row = _dead(wanted, holdings, links, now)
        template = "worker_dead.html"
        return render(site, request, template, model="worker", title=title, way=way, row=row)
    row = _row(record, holdings, links, now)
    # Who is dead hears nothing, so there is no button for it.
    hears = not record.death and not row.silent
    stops = hears and record.current_job and may(request, "change", "job")
    ends = hears and not record.shutdown_requested_at and may(request, "change", "worker")
    return render(
        site,
        request,
        "worker_detail.html",
        model="worker",
        title=title,
        way=way,
        row=row,
        hears=hears,
        stop_address=links.job_stop(record.current_job) if stops else "",
        shut_down_address=links.worker_shut_down(wanted) if ends else "",
        server=source.address,
    )


def _group(source: Source, links: Links) -> Group:
    now = shown.now()
    try:
        with source.asked():
            workers = source.monitor.workers()
            asked_for = _asked_for(workers.found, workers.expired, now)
            holdings = source.monitor.holdings(*asked_for)
    except Trouble as trouble:
        return Group(source.address, trouble=str(trouble))
    rows = [_row(record, holdings, links, now) for record in workers.found]
    rows += [_dead(name, holdings, links, now) for name in workers.expired]
    return Group(
        source.address,
        tuple(rows),
        workers.more,
        workers.suspended,
        links.workers_suspend(),
        links.workers_resume(),
    )


def _asked_for(
    found: Sequence[WorkerRecord], expired: Sequence[str], now: datetime
) -> tuple[list[str], set[str]]:
    """The jobs that are said to run, and the workers whose jobs nothing else tells of."""
    dead = {record.name for record in found if record.death or silent(record, now)}
    return [record.current_job for record in found if record.current_job], {*expired, *dead}


def _dead(name: str, holdings: Holdings, links: Links, now: datetime) -> Row:
    held = held_jobs(holdings.held.get(name, ()), links, now)
    return Row(name, links.worker(name), None, _("dead"), held=held)


def _row(record: WorkerRecord, holdings: Holdings, links: Links, now: datetime) -> Row:
    if record.death:
        state = _("ended")
    elif record.shutdown_requested_at:
        state = _("shutting down")
    else:
        state = str(labels.STATES.get(record.state, shown.shortened(record.state, 40)))
    job = holdings.current.get(record.current_job)
    return Row(
        record.name,
        links.worker(record.name),
        record,
        state,
        silent(record, now),
        tuple((name, links.queue(name)) for name in record.queues),
        links.job(record.current_job) if record.current_job else "",
        job.description if job else "",
        _running_for(record, job, now),
        shown.duration(record.total_working_time),
        _size(record.memory),
        _size(record.child_memory),
        held_jobs(holdings.held.get(record.name, ()), links, now),
    )


def _size(count: int | None) -> str:
    # filesizeformat() writes what no number has room for as "0 bytes".
    return filesizeformat(count) if count is not None and 0 <= count < 1 << 60 else ""


def _running_for(record: WorkerRecord, job: JobRecord | None, now: datetime) -> str:
    # Another worker may have it by now, or nobody.
    if job is None or job.status != JobStatus.STARTED or job.worker_name != record.name:
        return ""
    if job.started_at is None:
        return ""
    return shown.duration(max(int((now - job.started_at).total_seconds()), 0))
