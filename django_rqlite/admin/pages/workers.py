"""All workers, and one worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from ...protocol.records import JobRecord, JobStatus, WorkerRecord
from ...queries.leases import StartedJob, WorkerJobs
from ...queries.snapshots import ExpiredWorker
from .. import formatting as shown
from .. import labels
from ..attention.dead_workers import silent
from ..leases import MOST_OF_A_WORKER, HeldJob, held_jobs
from ..links import Links
from ..sources import Source, Trouble, all_sources, find_worker
from ..url_segments import from_segment
from .frame import NO_ANSWER, may, render, way_to


@dataclass(frozen=True, slots=True)
class Running:
    """A job that a living worker runs; ``stop_address`` is '' for who may not stop it."""

    id: str
    address: str
    what: str
    queue: str
    queue_address: str
    since: datetime | None
    #: For how long it has run; ``''`` where that is not known.
    lasts: str
    timeout: int | None
    stop_address: str


@dataclass(frozen=True, slots=True)
class Row:
    """One worker. ``record`` is None where it expired: the worker ended without taking leave."""

    name: str
    address: str
    record: WorkerRecord | None
    state: str
    silent: bool = False
    queues: tuple[tuple[str, str], ...] = ()
    #: What it runs, the longest first.
    running: tuple[Running, ...] = ()
    #: How many more jobs it runs, or holds.
    more: int = 0
    #: Of a worker that is not there any more: the job it said it ran when it was last heard of, and
    #: what is known of that job now.
    last_job: str = ""
    last_address: str = ""
    last_state: str = ""
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
    """All workers, by server. Three round trips for each server."""
    groups = [_group(source, Links.to(source, site.name)) for source in all_sources()]
    return render(
        site,
        request,
        "workers.html",
        model="worker",
        title=_("Workers"),
        status=NO_ANSWER if groups and all(group.trouble for group in groups) else 200,
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
    current = [] if isinstance(record, ExpiredWorker) else [record.current_job]
    with source.asked():
        holdings = source.queries.worker_jobs(current, source.queries.leases())
    title, way = shown.shortened(wanted, 200), way_to(request, links, "worker")
    if isinstance(record, ExpiredWorker):
        row = _dead(wanted, holdings, links, now)
        template = "worker_dead.html"
        return render(site, request, template, model="worker", title=title, way=way, row=row)
    row = _row(record, holdings, links, now, stops=may(request, "change", "job"))
    # Who is dead hears nothing, so there is no button for it.
    hears = not record.death and not row.silent
    ends = hears and not record.shutdown_requested_at and may(request, "change", "worker")
    return render(
        site,
        request,
        "worker_detail.html",
        model="worker",
        title=title,
        way=way,
        row=row,
        shut_down_address=links.worker_shut_down(wanted) if ends else "",
        server=source.address,
    )


def _group(source: Source, links: Links) -> Group:
    now = shown.now()
    try:
        with source.asked():
            workers = source.queries.workers_and_leases()
            current = [record.current_job for record in workers.found]
            holdings = source.queries.worker_jobs(current, workers.leases)
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


def _dead(name: str, holdings: WorkerJobs, links: Links, now: datetime) -> Row:
    held = holdings.started.get(name, ())
    more = len(held[MOST_OF_A_WORKER:])
    jobs = held_jobs(held, links, now)
    return Row(name, links.worker(name), None, _("dead"), more=more, held=jobs)


def _row(
    record: WorkerRecord, holdings: WorkerJobs, links: Links, now: datetime, *, stops: bool = False
) -> Row:
    held = holdings.started.get(record.name, [])
    gone, quiet = record.death is not None, silent(record, now)
    jobs = [] if gone or quiet else _jobs(record, held, holdings, now)
    if gone:
        state = _("ended")
    elif record.shutdown_requested_at:
        state = _("shutting down")
    elif quiet:
        # What it did when last heard of may be done elsewhere by now.
        state = ""
    elif jobs:
        state = _("busy: %(busy)d of %(total)d") % {
            "busy": len(jobs),
            "total": max(record.concurrency, len(jobs)),
        }
    elif record.state == "busy":
        # It may have been killed a moment ago, and its job may run elsewhere already.
        state = _("holds no job")
    else:
        state = str(labels.STATES.get(record.state, shown.shortened(record.state, 40)))
    last_job = record.current_job if gone or quiet else ""
    return Row(
        record.name,
        links.worker(record.name),
        record,
        state,
        quiet,
        tuple((name, links.queue(name)) for name in record.queues),
        tuple(
            Running(
                job.id,
                links.job(job.id),
                job.description,
                job.origin,
                links.queue(job.origin),
                job.started_at,
                _running_for(job, now),
                job.timeout,
                links.job_stop(job.id) if stops else "",
            )
            for job in jobs[:MOST_OF_A_WORKER]
        ),
        len(held[MOST_OF_A_WORKER:] if gone or quiet else jobs[MOST_OF_A_WORKER:]),
        last_job,
        links.job(last_job) if last_job else "",
        _now(holdings.current.get(last_job)) if last_job else "",
        shown.duration(record.total_working_time),
        _size(record.memory),
        _size(record.child_memory),
        held_jobs(held, links, now) if gone or quiet else (),
    )


def _jobs(
    record: WorkerRecord, held: Sequence[StartedJob], holdings: WorkerJobs, now: datetime
) -> list[JobRecord]:
    """What a living worker runs, the longest first."""
    jobs = {each.job.id: each.job for each in held}
    # Where more runs than was read, its record still says one of its jobs. Another worker may have
    # that by now, or nobody.
    job = holdings.current.get(record.current_job)
    if job and job.status == JobStatus.STARTED and job.worker_name == record.name:
        jobs.setdefault(job.id, job)
    return sorted(jobs.values(), key=lambda job: job.started_at or now)


def _now(job: JobRecord | None) -> str:
    """Where a job is now, for people."""
    if job is None:
        return _("expired or deleted")
    state = str(labels.STATUSES.get(job.status, shown.shortened(job.status, 40)))  # type: ignore[call-overload]
    if job.status == JobStatus.STARTED and job.worker_name:
        worker = shown.shortened(job.worker_name, 60)
        return _("now %(state)s by “%(worker)s”") % {"state": state, "worker": worker}
    return _("now %(state)s") % {"state": state}


def _size(count: int | None) -> str:
    # filesizeformat() writes what no number has room for as "0 bytes".
    return filesizeformat(count) if count is not None and 0 <= count < 1 << 60 else ""


def _running_for(job: JobRecord, now: datetime) -> str:
    if job.started_at is None:
        return ""
    return shown.duration(max(int((now - job.started_at).total_seconds()), 0))
