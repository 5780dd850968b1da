"""Pause and resume a cron entry; enqueue a job of it now."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from ...cron import entries
from ...engine.cron import PauseResult
from ...engine.engine import Engine
from ...exceptions import RQLiteError
from ...models import Queue
from ..cron_entries import names_in_settings, why_not_run
from ..formatting import shortened
from ..frame import may
from ..links import Links, from_segment
from ..servers import connected, find_entry
from .admin_log import log_all


def pause(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Pause an entry: its runs are skipped until it is resumed."""
    done, unchanged = _("Paused: its runs are skipped."), _("Was paused already.")
    return _switch(site, request, name, Engine.cron_pause, done, unchanged)


def resume(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Resume an entry: its next run enqueues a job again."""
    done, unchanged = _("Resumed: its next run enqueues a job again."), _("Was not paused.")
    return _switch(site, request, name, Engine.cron_resume, done, unchanged)


def run_now(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Enqueue a job of an entry now. Its schedule stays as it is."""
    name = from_segment(name)
    server, record = find_entry(request.GET.get("on"), name)
    job_id, sentence = "", why_not_run(record, names_in_settings(server))
    if not sentence:
        try:
            entry = entries.configured_entry(name)
            job, fields = entry.job()
        except RQLiteError as exc:
            sentence = _not_made(str(exc))
        except Exception as exc:  # noqa: BLE001 - a project's own job class or serializer
            sentence = _not_made(f"{type(exc).__name__}: {exc}")
        else:
            with connected(server) as broker:
                Engine(broker).cron_run(
                    name,
                    job.id,
                    entry.queue,
                    fields,
                    at_front=bool(entry.options.get("at_front")),
                    ttl=job.ttl,
                )
            job_id = job.id
            sentence = _("Enqueued now, outside its schedule: %(id)s") % {"id": job_id}
    _report(request, name, sentence, success=bool(job_id))
    job_page = Links.to(server, site.name).job(job_id) if job_id else ""
    shows_job = job_page and may(request, "view", "job")
    return HttpResponseRedirect(job_page if shows_job else Links(site.name).schedule())


def _not_made(reason: str) -> str:
    return _("Its job can’t be made: %(reason)s") % {"reason": shortened(reason, 500)}


def _switch(
    site: AdminSite,
    request: HttpRequest,
    segment: str,
    change: Callable[[Engine, str], PauseResult],
    done: str,
    unchanged: str,
) -> HttpResponse:
    """Pause or resume an entry, and say what that changed."""
    name = from_segment(segment)
    server, _record = find_entry(request.GET.get("on"), name)
    with connected(server) as broker:
        result = change(Engine(broker), name)
    sentence = {
        PauseResult.CHANGED: done,
        PauseResult.UNCHANGED: unchanged,
        PauseResult.MISSING: _("Not changed: its record is gone, or its key holds something else."),
    }[result]
    _report(request, name, sentence, success=result is not PauseResult.MISSING)
    return HttpResponseRedirect(Links(site.name).schedule())


def _report(request: HttpRequest, name: str, sentence: str, *, success: bool) -> None:
    level = messages.SUCCESS if success else messages.WARNING
    messages.add_message(request, level, f"“{shortened(name, 100)}”: {sentence}")
    log_all(request, CHANGE, Queue, name, _("Cron entry: %(done)s") % {"done": sentence})
