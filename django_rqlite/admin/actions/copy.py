"""Enqueueing a copy of a job: the same call once more, as a job of its own."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import ADDITION
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from ...exceptions import RQLiteError
from ...jobs.job_data import JobData
from ...models import Job
from .. import formatting as shown
from ..links import Links
from ..sources import find_job
from ..url_segments import from_segment
from .log import log_one


def enqueue_copy(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Enqueue the same call once more, in the same queue; go to the new job."""
    id_ = from_segment(job_id)
    source, found = find_job(request.GET.get("on"), id_, lambda queries: queries.job(id_))
    links = Links.to(source, site.name)
    try:
        copy = JobData.from_record(found.job).copied()
        with source.asked():
            source.transitions.enqueue(
                copy.id, copy.origin, copy.to_fields(), minted=True, ttl=copy.waiting_ttl
            )
    except RQLiteError as exc:  # it has no call, a wrong signature, or a unique key that is held
        messages.warning(request, _("No copy was enqueued: %(reason)s") % {"reason": exc})
        return HttpResponseRedirect(links.job(id_))
    messages.success(request, _("Enqueued a copy, which this page shows."))
    sentence = _("Enqueued as a copy of %(id)s") % {"id": shown.shortened(id_, 100)}
    log_one(request, ADDITION, Job, copy.id, sentence)
    return HttpResponseRedirect(links.job(copy.id))
