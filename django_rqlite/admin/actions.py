"""What changes something: by POST only, through the engine, safe to repeat, logged."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, router, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import shown
from ..engine.monitor import Place
from ..models import Job
from ..protocol.records import JobRecord
from . import labels
from .links import PLACES, Links
from .pages import jobs
from .pages.frame import render, way_to
from .segments import from_segment, segment
from .sources import Source, candidates, find_queue, first

#: Ids that a message or an entry of the log lists at the most.
MOST_LISTED = 10


def on_selected(site: AdminSite, request: HttpRequest, name: str, place: str) -> HttpResponse:
    """Requeue or delete the jobs that were selected in a list."""
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
    id_ = from_segment(job_id)
    source, _job = _find(request, id_)
    _requeue(request, source, [id_])
    return HttpResponseRedirect(Links.to(source, site.name).job(id_))


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


def _find(request: HttpRequest, job_id: str) -> tuple[Source, JobRecord]:
    return first(
        candidates(request.GET.get("on")),
        lambda source: source.monitor.jobs([job_id])[0],
        _("There is no job “%(id)s”: it has expired or was deleted, or never was.")
        % {"id": shown.shortened(job_id, 200)},
    )


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
            % {"count": len(others), "ids": _listed(others)},
        )
    _log(request, CHANGE, ids, _("Requeued %(done)d of %(count)d"), queued)


def _delete(request: HttpRequest, source: Source, ids: Sequence[str]) -> bool:
    """Returns whether some of the jobs were gone already."""
    with source.asked():
        found = source.monitor.jobs(ids)
        count = source.transitions.delete(ids)
    there = [job_id for job_id, job in zip(ids, found, strict=True) if job]
    missing = [job_id for job_id, job in zip(ids, found, strict=True) if not job]
    if count:
        messages.success(
            request,
            ngettext("Deleted %(count)d job.", "Deleted %(count)d jobs.", count) % {"count": count},
        )
    if missing:
        _report_missing(request, missing)
    _log(request, DELETION, ids, _("Deleted %(done)d of %(count)d"), there)
    return bool(missing)


def _report_missing(request: HttpRequest, ids: Sequence[str]) -> None:
    messages.warning(
        request,
        ngettext(
            "%(count)d job was not there any more, expired or deleted: %(ids)s",
            "%(count)d jobs were not there any more, expired or deleted: %(ids)s",
            len(ids),
        )
        % {"count": len(ids), "ids": _listed(ids)},
    )


def _listed(ids: Sequence[str]) -> str:
    shown_ids = [shown.shortened(job_id, 60) for job_id in ids[:MOST_LISTED]]
    return ", ".join(shown_ids) + (", …" if len(ids) > MOST_LISTED else "")


def _log(
    request: HttpRequest, flag: int, ids: Sequence[str], sentence: str, done: Sequence[str]
) -> None:
    """Say in the admin's log who did what to how many."""
    done_of = sentence % {"done": len(done), "count": len(ids)}
    several = ngettext("%(count)d job", "%(count)d jobs", len(ids)) % {"count": len(ids)}
    try:
        with transaction.atomic(using=router.db_for_write(LogEntry)):
            LogEntry.objects.create(
                user_id=request.user.pk,  # type: ignore[misc]
                content_type=ContentType.objects.get_for_model(Job),
                object_id=_storable(ids[0]) if len(ids) == 1 else None,
                object_repr=_storable(shown.shortened(ids[0], 190) if len(ids) == 1 else several),
                action_flag=flag,
                change_message=_storable(f"{done_of}: {_listed(done)}" if done else done_of),
            )
    except DatabaseError as exc:
        # Redis has changed already; that must not end in an error page that hides it.
        messages.warning(
            request, _("The admin's log has no entry of it: %(reason)s") % {"reason": exc}
        )


def _storable(text: str) -> str:
    """Text that every database takes: PostgreSQL refuses NUL."""
    return shown.printable(text).replace("\0", "�")
