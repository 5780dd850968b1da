"""All workers, and one worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from ... import conf, shown
from ...exceptions import ConfigurationError
from ...protocol.records import WorkerRecord
from .. import labels
from ..links import Links
from ..segments import from_segment
from ..sources import Source, Trouble, all_sources, find_worker
from .frame import may, render, way_to

#: Seconds after which a worker of RQ that has not been heard of is given up: its record lives for
#: ``worker_ttl`` (420) and a minute after each heartbeat (rq/worker/base.py).
RQ_SILENCE = 420 + 60


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
    working: str = ""


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
    """All workers, by server. Two round trips for each server."""
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
    """All about one worker. One round trip (for each server, where the address names none)."""
    wanted = from_segment(name)
    source, record = find_worker(request.GET.get("on"), wanted)
    links = Links.to(source, site.name)
    row = _row(record, links, timezone.now())
    # Who is dead hears nothing, so there is no button for it.
    hears = not record.death and not row.silent
    stops = hears and record.current_job and may(request, "change", "job")
    ends = hears and not record.shutdown_requested_at and may(request, "change", "worker")
    return render(
        site,
        request,
        "worker_detail.html",
        model="worker",
        title=shown.shortened(wanted, 200),
        way=way_to(request, links, "worker"),
        row=row,
        held=not hears,
        stop_address=links.job_stop(record.current_job) if stops else "",
        shut_down_address=links.worker_shut_down(wanted) if ends else "",
        server=source.address,
    )


def _group(source: Source, links: Links) -> Group:
    try:
        with source.asked():
            workers = source.monitor.workers()
    except Trouble as trouble:
        return Group(source.address, trouble=str(trouble))
    now = timezone.now()
    rows = [_row(record, links, now) for record in workers.found]
    rows += [Row(name, "", None, _("gone")) for name in workers.expired]
    return Group(
        source.address,
        tuple(rows),
        workers.more,
        workers.suspended,
        links.workers_suspend(),
        links.workers_resume(),
    )


def _row(record: WorkerRecord, links: Links, now: datetime) -> Row:
    if record.death:
        state = _("ended")
    elif record.shutdown_requested_at:
        state = _("shutting down")
    else:
        state = str(labels.STATES.get(record.state, shown.shortened(record.state, 40)))
    return Row(
        record.name,
        links.worker(record.name),
        record,
        state,
        not record.death and silent(record, now),
        tuple((name, links.queue(name)) for name in record.queues),
        links.job(record.current_job) if record.current_job else "",
        shown.duration(record.total_working_time),
    )


def silent(record: WorkerRecord, now: datetime) -> bool:
    """Whether nothing was heard of the worker for so long that it is probably dead."""
    if record.last_heartbeat is None:
        return True
    seconds: float = RQ_SILENCE
    if record.version.startswith("django_rqlite"):
        try:
            seconds = 2 * conf.lease()
        except ConfigurationError:
            seconds = 2 * conf.DEFAULT_LEASE
    return (now - record.last_heartbeat).total_seconds() > seconds
