"""Shut down a worker; suspend and resume all workers of a server."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from ...broker.servers import Server
from ...engine.engine import Engine
from ...models import Worker
from ..formatting import shortened
from ..links import Links, from_segment
from ..servers import address_of, candidates, connected, find_worker
from .admin_log import log_all, log_one


def shut_down(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Tell a worker to shut down, as SIGTERM does: it finishes its jobs and takes no others."""
    worker = from_segment(name)
    server, _record = find_worker(request.GET.get("on"), worker)
    with connected(server) as broker:
        received = Engine(broker).send_command(worker, "shutdown")
    if received:
        sentence = _("Shutdown requested: it ends when its running jobs have ended.")
        messages.success(request, f"“{shortened(worker, 100)}”: {sentence}")
    else:
        sentence = _("Not shut down: it did not respond. It has ended or lost its connection.")
        messages.warning(request, f"“{shortened(worker, 100)}”: {sentence}")
    log_one(request, CHANGE, Worker, worker, sentence)
    return HttpResponseRedirect(Links.to(server, site.name).worker(worker))


def suspend_all(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Suspend all workers of a server: they take no jobs until they are resumed."""
    server = candidates(request.GET.get("on"))[0]
    with connected(server) as broker:
        new = Engine(broker).suspend()
    return _answer(
        site,
        request,
        server,
        _("Suspended all workers: they take no jobs. Running jobs continue.")
        if new
        else _("All workers were already suspended."),
    )


def resume_all(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Resume all workers of a server. Paused queues stay paused."""
    server = candidates(request.GET.get("on"))[0]
    with connected(server) as broker:
        new = Engine(broker).resume()
    return _answer(
        site,
        request,
        server,
        _("Resumed all workers: they take jobs again.")
        if new
        else _("The workers were not suspended."),
    )


def _answer(site: AdminSite, request: HttpRequest, server: Server, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    log_all(request, CHANGE, Worker, address_of(server) or server.name, sentence)
    return HttpResponseRedirect(Links.to(server, site.name).workers())
