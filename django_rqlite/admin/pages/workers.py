"""All workers, and one worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from ...broker.servers import Server
from ...protocol.records import JobRecord, JobStatus
from ...protocol.stored_worker import WorkerRecord
from ...queries.leases import StartedJob, WorkerJobs
from ...queries.queries import Queries
from ...queries.snapshots import ExpiredWorker
from .. import formatting, labels
from ..attention.dead_workers import is_silent
from ..errors import Unavailable
from ..formatting import shortened
from ..frame import UNAVAILABLE, breadcrumbs_to, may, render
from ..leases import MAX_SHOWN, HeldJob, held_jobs
from ..links import Links, from_segment
from ..servers import address_of, all_servers, connected, find_worker


@dataclass(frozen=True, slots=True)
class Running:
    """A job that a worker runs.

    Attributes:
        duration: For how long it has run; ``''`` if it is not known.
        stop_address: ``''`` if the user may not stop it.
    """

    id: str
    address: str
    description: str
    queue: str
    queue_address: str
    duration: str
    timeout: int | None
    stop_address: str


@dataclass(frozen=True, slots=True)
class Row:
    """One worker.

    Attributes:
        record: None if it expired: the worker ended without unregistering.
        silent: Whether its last heartbeat is so old that it is probably dead.
        queues: Names and addresses.
        running: The jobs that it runs, the longest first.
        more: How many more jobs it runs or holds.
        last_job: Of a worker that has ended or is silent: the job that it ran at its last
            heartbeat. ``last_state`` is the state of that job now.
        working: Its total working time.
        held: The jobs that it holds although it is dead, or probably is.
    """

    name: str
    address: str
    record: WorkerRecord | None
    state: str
    silent: bool = False
    queues: tuple[tuple[str, str], ...] = ()
    running: tuple[Running, ...] = ()
    more: int = 0
    last_job: str = ""
    last_address: str = ""
    last_state: str = ""
    working: str = ""
    memory: str = ""
    child_memory: str = ""
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
    error: str = ""


def index(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """All workers, by server. Three round trips for each server."""
    groups = [_group(server, Links.to(server, site.name)) for server in all_servers()]
    return render(
        site,
        request,
        "workers.html",
        model="worker",
        title=_("Workers"),
        status=UNAVAILABLE if groups and all(group.error for group in groups) else 200,
        groups=groups,
        may_change_workers=may(request, "change", "worker"),
    )


def detail(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """One worker. At most four round trips, and one more for each server that is asked first."""
    worker = from_segment(name)
    server, record = find_worker(request.GET.get("on"), worker)
    links, now = Links.to(server, site.name), formatting.now()
    current = [] if isinstance(record, ExpiredWorker) else [record.current_job]
    with connected(server) as broker:
        queries = Queries(broker)
        worker_jobs = queries.worker_jobs(current, queries.leases())
    frame: dict[str, Any] = {
        "model": "worker",
        "title": shortened(worker, 200),
        "breadcrumbs": breadcrumbs_to(request, links, "worker"),
    }
    if isinstance(record, ExpiredWorker):
        row = _dead(worker, worker_jobs, links, now)
        return render(site, request, "worker_dead.html", row=row, **frame)
    row = _row(record, worker_jobs, links, now, may_stop=may(request, "change", "job"))
    responds = not (record.death or row.silent or record.shutdown_requested_at)
    may_shut_down = responds and may(request, "change", "worker")
    return render(
        site,
        request,
        "worker_detail.html",
        row=row,
        shut_down_address=links.worker_shut_down(worker) if may_shut_down else "",
        server=address_of(server),
        **frame,
    )


def _group(server: Server, links: Links) -> Group:
    now, address = formatting.now(), address_of(server)
    try:
        with connected(server) as broker:
            queries = Queries(broker)
            workers = queries.workers_and_leases()
            current = [record.current_job for record in workers.found]
            worker_jobs = queries.worker_jobs(current, workers.leases)
    except Unavailable as error:
        return Group(address, error=str(error))
    rows = [_row(record, worker_jobs, links, now) for record in workers.found]
    rows += [_dead(name, worker_jobs, links, now) for name in workers.expired]
    return Group(
        address,
        rows=tuple(rows),
        more=workers.more,
        suspended=workers.suspended,
        suspend_address=links.workers_suspend(),
        resume_address=links.workers_resume(),
    )


def _dead(name: str, worker_jobs: WorkerJobs, links: Links, now: datetime) -> Row:
    held = worker_jobs.started.get(name, ())
    more = len(held[MAX_SHOWN:])
    jobs = held_jobs(held, links, now)
    return Row(name, links.worker(name), None, _("dead"), more=more, held=jobs)


def _row(
    record: WorkerRecord,
    worker_jobs: WorkerJobs,
    links: Links,
    now: datetime,
    *,
    may_stop: bool = False,
) -> Row:
    held = worker_jobs.started.get(record.name, [])
    ended, silent = record.death is not None, is_silent(record, now)
    jobs = [] if ended or silent else _jobs(record, held, worker_jobs, now)
    if ended:
        state = _("ended")
    elif record.shutdown_requested_at:
        state = _("shutting down")
    elif silent:
        # Its last known state is no longer true: its jobs may run elsewhere.
        state = ""
    elif jobs:
        state = _("busy: %(busy)d of %(total)d") % {
            "busy": len(jobs),
            "total": max(record.concurrency, len(jobs)),
        }
    elif record.state == "busy":
        # It may have been killed a moment ago, and its job may already run elsewhere.
        state = _("holds no job")
    else:
        state = str(labels.STATES.get(record.state, shortened(record.state, 40)))
    last_job = record.current_job if ended or silent else ""
    return Row(
        record.name,
        links.worker(record.name),
        record,
        state,
        silent=silent,
        queues=tuple((name, links.queue(name)) for name in record.queues),
        running=tuple(
            Running(
                job.id,
                links.job(job.id),
                job.description,
                job.origin,
                links.queue(job.origin),
                _running_for(job, now),
                job.timeout,
                links.job_stop(job.id) if may_stop else "",
            )
            for job in jobs[:MAX_SHOWN]
        ),
        more=len(held[MAX_SHOWN:] if ended or silent else jobs[MAX_SHOWN:]),
        last_job=last_job,
        last_address=links.job(last_job) if last_job else "",
        last_state=_current_state(worker_jobs.current.get(last_job)) if last_job else "",
        working=formatting.duration(record.total_working_time),
        memory=_size(record.memory),
        child_memory=_size(record.child_memory),
        held=held_jobs(held, links, now) if ended or silent else (),
    )


def _jobs(
    record: WorkerRecord, held: Sequence[StartedJob], worker_jobs: WorkerJobs, now: datetime
) -> list[JobRecord]:
    """The jobs that a worker runs, the longest first."""
    jobs = {each.job.id: each.job for each in held}
    # If not all leases were read, its record still names one of its jobs. That may have ended or
    # run elsewhere by now.
    job = worker_jobs.current.get(record.current_job)
    if job and job.status == JobStatus.STARTED and job.worker_name == record.name:
        jobs.setdefault(job.id, job)
    return sorted(jobs.values(), key=lambda job: job.started_at or now)


def _current_state(job: JobRecord | None) -> str:
    """The state of a job now, for people."""
    if job is None:
        return _("expired or deleted")
    state = str(labels.STATUSES.get(job.status, shortened(job.status, 40)))  # type: ignore[call-overload]
    if job.status == JobStatus.STARTED and job.worker_name:
        worker = shortened(job.worker_name, 60)
        return _("now %(state)s by “%(worker)s”") % {"state": state, "worker": worker}
    return _("now %(state)s") % {"state": state}


def _size(count: int | None) -> str:
    # filesizeformat() shows a number that is too large as "0 bytes".
    return filesizeformat(count) if count is not None and 0 <= count < 1 << 60 else ""


def _running_for(job: JobRecord, now: datetime) -> str:
    if job.started_at is None:
        return ""
    return formatting.duration(max(int((now - job.started_at).total_seconds()), 0))
