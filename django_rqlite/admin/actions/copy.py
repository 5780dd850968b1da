"""Enqueue a copy of a job: the same call, as a new job."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import ADDITION
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from ...engine.engine import Engine
from ...exceptions import RQLiteError
from ...jobs.stored_job import StoredJob
from ...models import Job
from ..formatting import shortened
from ..links import Links, from_segment
from ..servers import connected, find_job
from .admin_log import log_one


def enqueue_copy(site: AdminSite, request: HttpRequest, job_id: str) -> HttpResponse:
    """Enqueue a copy of a job in its queue, and show the copy."""
    id_ = from_segment(job_id)
    server, found = find_job(request.GET.get("on"), id_, lambda queries: queries.job(id_))
    links = Links.to(server, site.name)
    try:
        copy = StoredJob.from_record(found.job).copied()
        with connected(server) as broker:
            Engine(broker).enqueue(
                copy.id, copy.origin, copy.to_fields(), minted=True, ttl=copy.waiting_ttl
            )
    except RQLiteError as exc:  # no call, an invalid signature, or a unique key in use
        messages.warning(request, _("No copy was enqueued: %(reason)s") % {"reason": exc})
        return HttpResponseRedirect(links.job(id_))
    messages.success(request, _("Enqueued a copy. This is its page."))
    sentence = _("Enqueued as a copy of %(id)s") % {"id": shortened(id_, 100)}
    log_one(request, ADDITION, Job, copy.id, sentence)
    return HttpResponseRedirect(links.job(copy.id))
