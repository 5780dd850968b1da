"""Shutting a worker down, and suspending all workers of a server."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from ...models import Worker
from .. import formatting as shown
from ..links import Links
from ..sources import Source, candidates, find_worker
from ..url_segments import from_segment
from .log import log_all, log_one


def shut_down(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Have a worker end as after SIGTERM: the jobs it runs may end, and it takes no others."""
    worker = from_segment(name)
    source, _record = find_worker(request.GET.get("on"), worker)
    with source.asked():
        heard = source.transitions.send_command(worker, "shutdown")
    if heard:
        sentence = _("Told to shut down: it ends once the jobs that it runs have ended.")
        messages.success(request, f"“{shown.shortened(worker, 100)}”: {sentence}")
    else:
        sentence = _("Not shut down: it does not listen, so it has ended or is cut off.")
        messages.warning(request, f"“{shown.shortened(worker, 100)}”: {sentence}")
    log_one(request, CHANGE, Worker, worker, sentence)
    return HttpResponseRedirect(Links.to(source, site.name).worker(worker))


def suspend_all(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Keep all workers of a server from taking jobs, until somebody resumes them."""
    source = candidates(request.GET.get("on"))[0]
    with source.asked():
        new = source.transitions.suspend()
    return _answer(
        site,
        request,
        source,
        _("Suspended all workers: none takes a job. Jobs that run go on.")
        if new
        else _("All workers were suspended already."),
    )


def resume_all(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Let all workers of a server take jobs again. Queues that are paused stay so."""
    source = candidates(request.GET.get("on"))[0]
    with source.asked():
        new = source.transitions.resume()
    return _answer(
        site,
        request,
        source,
        _("Resumed all workers: they take jobs again.")
        if new
        else _("The workers were not suspended."),
    )


def _answer(site: AdminSite, request: HttpRequest, source: Source, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    log_all(request, CHANGE, Worker, source.address or source.name, sentence)
    return HttpResponseRedirect(Links.to(source, site.name).workers())
