"""Pause and resume a queue."""

from __future__ import annotations

from collections.abc import Callable

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
    done, unchanged = _("Paused: no worker takes a job from it."), _("Was paused already.")
    return _switch(site, request, name, Engine.pause_queues, done, unchanged)


def resume(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Resume a queue: workers take jobs from it again."""
    done, unchanged = _("Resumed: workers take jobs from it again."), _("Was not paused.")
    return _switch(site, request, name, Engine.resume_queues, done, unchanged)


def _switch(
    site: AdminSite,
    request: HttpRequest,
    segment: str,
    change: Callable[[Engine, list[str]], int],
    done: str,
    unchanged: str,
) -> HttpResponse:
    """Pause or resume a queue, and say whether that changed anything."""
    queue = from_segment(segment)
    server, _counts = find_queue(request.GET.get("on"), queue)
    with connected(server) as broker:
        sentence = done if change(Engine(broker), [queue]) else unchanged
    links = Links.to(server, site.name)
    messages.success(request, f"“{shortened(queue, 100)}”: {sentence}")
    log_one(request, CHANGE, Queue, queue, sentence)
    back = links.queue(queue) if may(request, "view", "job") else ""
    return HttpResponseRedirect(back or links.queues())
