"""Pausing a queue, and letting workers take its jobs again."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from ...models import Queue
from .. import formatting as shown
from ..links import Links
from ..pages.frame import may
from ..sources import find_queue
from ..url_segments import from_segment
from .log import log_one


def pause(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Keep workers from taking this queue's jobs, until somebody resumes it."""
    queue = from_segment(name)
    source, _counts = find_queue(request.GET.get("on"), queue)
    with source.asked():
        new = bool(source.transitions.pause_queues([queue]))
    sentence = _("Paused: no worker takes a job from it.") if new else _("Was paused already.")
    return _answer(site, request, queue, Links.to(source, site.name), sentence)


def resume(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Let workers take this queue's jobs again."""
    queue = from_segment(name)
    source, _counts = find_queue(request.GET.get("on"), queue)
    with source.asked():
        new = bool(source.transitions.resume_queues([queue]))
    sentence = _("Resumed: workers take its jobs again.") if new else _("Was not paused.")
    return _answer(site, request, queue, Links.to(source, site.name), sentence)


def _answer(
    site: AdminSite, request: HttpRequest, queue: str, links: Links, sentence: str
) -> HttpResponse:
    messages.success(request, f"“{shown.shortened(queue, 100)}”: {sentence}")
    log_one(request, CHANGE, Queue, queue, sentence)
    back = links.queue(queue) if may(request, "view", "job") else ""
    return HttpResponseRedirect(back or links.queues())
