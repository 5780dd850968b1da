"""Requeueing, hastening, canceling, stopping and deleting jobs: one, or those selected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, DELETION
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ... import shown
from ...engine.monitor import Place
from ...protocol.records import JobRecord, JobStatus
from .. import labels
from ..links import PLACES, Links
from ..pages import jobs
from ..pages.frame import render, way_to
from ..segments import from_segment, segment
from ..sources import Source, find_job, find_queue
from .log import listed, log_jobs


def on_selected(site: AdminSite, request: HttpRequest, name: str, place: str) -> HttpResponse:
    """Do something to the jobs that were selected in a list."""
    queue, chosen = from_segment(name), jobs.place_named(place)
    source, _counts = find_queue(request.GET.get("on"), queue)
    links = Links.to(source, site.name)
    page = request.POST.get("p", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) <= 10 else 1
    back = links.queue(queue, chosen, number)
    # Each once, in the order of the list.
    ids = list(dict.fromkeys(map(from_segment, request.POST.getlist(ACTION_CHECKBOX_NAME))))
    action = request.POST.get("action")
    if not ids:
        messages.warning(
            request,
            _(
                "Items must be selected in order to perform "
                "actions on them. No items have been changed."
            ),
        )
    elif action == "requeue":
        _requeue(request, source, ids)
    elif action == "cancel":
        _cancel(request, source, ids)
    elif action == "stop":
        _stop(request, source, ids)
    elif action == "delete" and request.POST.get("post"):
        if _delete(request, source, ids) and chosen in (Place.FINISHED, Place.FAILED):
            # What has expired stays in its list until somebody sweeps; here somebody wants it gone.
            with source.asked():
                source.transitions.trim(queue)
    elif action == "delete":
        with source.asked():
            found = source.monitor.jobs(ids)
        return _confirmation(
            site,
            request,
            list(zip(ids, found, strict=True)),
            way=[
                *way_to(request, links, "queue"),
                (shown.shortened(queue, 60), links.queue(queue)),
                (str(labels.PLACES[chosen]), back),
            ],
            address=links.queue_action(queue, chosen),
            back=back,
            page=number,
        )
    else:
        messages.warning(request, _("No action selected."))
    return HttpResponseRedirect(back)


def requeue(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Requeue one job."""
    return _on_one(site, request, job_id, _requeue)


def cancel(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Cancel one job that waits."""
    return _on_one(site, request, job_id, _cancel)


def run_now(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Enqueue one scheduled job before its time."""
    return _on_one(site, request, job_id, _run_now)


def stop(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Have the worker of one job that runs stop it."""
    return _on_one(site, request, job_id, _stop)


def delete(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Delete one job; a GET asks whether that is meant."""
    id_ = from_segment(job_id)
    source, job = _find(request, id_)
    links, place = Links.to(source, site.name), PLACES.get(job.status)
    if request.method == "POST":
        _delete(request, source, [id_])
        after = links.queue(job.origin, place or Place.QUEUED) if job.origin else ""
        return HttpResponseRedirect(after or links.jobs())
    return _confirmation(
        site,
        request,
        [(id_, job)],
        way=jobs.way_to_job(request, links, job, place),
        address=links.job_delete(id_),
        back=links.job(id_),
    )


def _on_one(
    site: AdminSite,
    request: HttpRequest,
    job_id: str,
    act: Callable[[HttpRequest, Source, Sequence[str]], object],
) -> HttpResponse:
    """Do to one job what can be done to several, and go back to its page."""
    id_ = from_segment(job_id)
    source, _job = _find(request, id_)
    act(request, source, [id_])
    return HttpResponseRedirect(Links.to(source, site.name).job(id_))


def _find(request: HttpRequest, job_id: str) -> tuple[Source, JobRecord]:
    return find_job(request.GET.get("on"), job_id, lambda monitor: monitor.jobs([job_id])[0])


def _confirmation(
    site: AdminSite,
    request: HttpRequest,
    found: Sequence[tuple[str, JobRecord | None]],
    *,
    way: Sequence[tuple[str, str]],
    address: str,
    back: str,
    page: int | None = None,
) -> HttpResponse:
    return render(
        site,
        request,
        "delete_confirmation.html",
        model="job",
        title=_("Are you sure?"),
        way=way,
        found=[(job_id, job, segment(job_id)) for job_id, job in found],
        running=sum(1 for _id, job in found if job and PLACES.get(job.status) is Place.STARTED),
        address=address,
        back=back,
        page=page,
    )


def _requeue(request: HttpRequest, source: Source, ids: Sequence[str]) -> None:
    with source.asked():
        verdicts = source.transitions.requeue(ids)
    by_verdict: dict[str, list[str]] = {}
    for job_id, verdict in zip(ids, verdicts, strict=True):
        by_verdict.setdefault(verdict, []).append(job_id)
    queued = by_verdict.pop("queued", [])
    if queued:
        messages.success(
            request,
            ngettext("Requeued %(count)d job.", "Requeued %(count)d jobs.", len(queued))
            % {"count": len(queued)},
        )
    missing = by_verdict.pop("missing", [])
    if missing:
        _report_missing(request, missing)
    for others in by_verdict.values():
        messages.warning(
            request,
            ngettext(
                "%(count)d job is not failed or canceled (any more), so it was left alone: %(ids)s",
                "%(count)d jobs are not failed or canceled (any more), so they were left alone: "
                "%(ids)s",
                len(others),
            )
            % {"count": len(others), "ids": listed(others)},
        )
    log_jobs(request, CHANGE, ids, _("Requeued %(done)d of %(count)d"), queued)


def _run_now(request: HttpRequest, source: Source, ids: Sequence[str]) -> None:
    """Of one job: lists have no such action."""
    (id_,) = ids
    with source.asked():
        (verdict,) = source.transitions.hasten([id_])
    if verdict == "queued":
        messages.success(request, _("Enqueued now, before its time."))
    elif verdict == "missing":
        _report_missing(request, ids)
    else:
        messages.warning(request, _("The job is not scheduled (any more), so it was left alone."))
    done = ids if verdict == "queued" else []
    log_jobs(request, CHANGE, ids, _("Enqueued before the time %(done)d of %(count)d"), done)


def _cancel(request: HttpRequest, source: Source, ids: Sequence[str]) -> None:
    with source.asked():
        found = source.monitor.jobs(ids)
        verdicts = source.transitions.cancel(ids)
    canceled, missing, others = [], [], []
    for job_id, before, verdict in zip(ids, found, verdicts, strict=True):
        if verdict == "missing":
            missing.append(job_id)
        elif verdict != JobStatus.CANCELED or (before and before.status == JobStatus.CANCELED):
            others.append(job_id)
        else:
            canceled.append(job_id)
    if canceled:
        messages.success(
            request,
            ngettext("Canceled %(count)d job.", "Canceled %(count)d jobs.", len(canceled))
            % {"count": len(canceled)},
        )
    if missing:
        _report_missing(request, missing)
    if others:
        messages.warning(
            request,
            ngettext(
                "%(count)d job does not wait (any more), so it was left alone: %(ids)s",
                "%(count)d jobs do not wait (any more), so they were left alone: %(ids)s",
                len(others),
            )
            % {"count": len(others), "ids": listed(others)},
        )
    log_jobs(request, CHANGE, ids, _("Canceled %(done)d of %(count)d"), canceled)


def _stop(request: HttpRequest, source: Source, ids: Sequence[str]) -> None:
    """Tell the workers; when each job ends is up to its worker."""
    told: list[str] = []
    missing: list[str] = []
    idle: list[str] = []
    deaf: list[str] = []
    with source.asked():
        transitions = source.transitions
        for job_id, job in zip(ids, source.monitor.jobs(ids), strict=True):
            if job is None:
                missing.append(job_id)
            elif job.status != JobStatus.STARTED or not job.worker_name:
                idle.append(job_id)
            else:
                heard = transitions.tell_worker(job.worker_name, "stop-job", job_id=job_id)
                (told if heard else deaf).append(job_id)
    if told:
        messages.success(
            request,
            ngettext(
                "Told the worker of %(count)d job to stop it.",
                "Told the workers of %(count)d jobs to stop them.",
                len(told),
            )
            % {"count": len(told)},
        )
    if missing:
        _report_missing(request, missing)
    if idle:
        messages.warning(
            request,
            ngettext(
                "%(count)d job does not run (any more), so it was left alone: %(ids)s",
                "%(count)d jobs do not run (any more), so they were left alone: %(ids)s",
                len(idle),
            )
            % {"count": len(idle), "ids": listed(idle)},
        )
    if deaf:
        messages.warning(
            request,
            ngettext(
                "%(count)d job was not stopped: its worker does not listen. If that worker is "
                "dead, the job’s lease will end and it be queued again: %(ids)s",
                "%(count)d jobs were not stopped: their workers do not listen. If those are dead, "
                "the jobs’ leases will end and they be queued again: %(ids)s",
                len(deaf),
            )
            % {"count": len(deaf), "ids": listed(deaf)},
        )
    log_jobs(
        request, CHANGE, ids, _("Told the workers of %(done)d of %(count)d to stop them"), told
    )


def _delete(request: HttpRequest, source: Source, ids: Sequence[str]) -> bool:
    """Returns whether some of the jobs were gone already."""
    with source.asked():
        found = source.monitor.jobs(ids)
        count = sum(source.transitions.delete(ids))
    there = [job_id for job_id, job in zip(ids, found, strict=True) if job]
    missing = [job_id for job_id, job in zip(ids, found, strict=True) if not job]
    if count:
        messages.success(
            request,
            ngettext("Deleted %(count)d job.", "Deleted %(count)d jobs.", count) % {"count": count},
        )
    if missing:
        _report_missing(request, missing)
    log_jobs(request, DELETION, ids, _("Deleted %(done)d of %(count)d"), there)
    return bool(missing)


def _report_missing(request: HttpRequest, ids: Sequence[str]) -> None:
    messages.warning(
        request,
        ngettext(
            "%(count)d job was not there any more, expired or deleted: %(ids)s",
            "%(count)d jobs were not there any more, expired or deleted: %(ids)s",
            len(ids),
        )
        % {"count": len(ids), "ids": listed(ids)},
    )
