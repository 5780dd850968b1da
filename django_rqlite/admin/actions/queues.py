"""Pause and resume a queue."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from ...engine.engine import Engine
from ...models import Queue
from ..formatting import shortened
from ..frame import may
from ..links import Links, from_segment
from ..servers import connected, find_queue
from .admin_log import log_one


def pause(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Pause a queue: workers take no job from it until it is resumed."""
    queue = from_segment(name)
    server, _counts = find_queue(request.GET.get("on"), queue)
    with connected(server) as broker:
        new = bool(Engine(broker).pause_queues([queue]))
    sentence = _("Paused: no worker takes a job from it.") if new else _("Was paused already.")
    return _answer(site, request, queue, Links.to(server, site.name), sentence)


def resume(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Resume a queue: workers take jobs from it again."""
    queue = from_segment(name)
    server, _counts = find_queue(request.GET.get("on"), queue)
    with connected(server) as broker:
        new = bool(Engine(broker).resume_queues([queue]))
    sentence = _("Resumed: workers take jobs from it again.") if new else _("Was not paused.")
    return _answer(site, request, queue, Links.to(server, site.name), sentence)


def _answer(
    site: AdminSite, request: HttpRequest, queue: str, links: Links, sentence: str
) -> HttpResponse:
    messages.success(request, f"“{shortened(queue, 100)}”: {sentence}")
    log_one(request, CHANGE, Queue, queue, sentence)
    back = links.queue(queue) if may(request, "view", "job") else ""
    return HttpResponseRedirect(back or links.queues())
