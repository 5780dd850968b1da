"""Pausing a cron entry, resuming it, and running it now."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from ...cron import entries as cron
from ...engine.cron import PauseResult
from ...exceptions import RQLiteError
from ...models import Queue
from .. import formatting as shown
from ..links import Links
from ..pages.cron import in_settings, why_not_run
from ..pages.frame import may
from ..sources import find_entry
from ..url_segments import from_segment
from .log import log_all


def pause(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Let the ticks of an entry pass without a job, until somebody resumes it."""
    entry = from_segment(name)
    source, _record = find_entry(request.GET.get("on"), entry)
    with source.asked():
        switch = source.transitions.cron_pause(entry)
    done, before = _("Paused: its ticks pass without a job."), _("Was paused already.")
    return _switched(site, request, entry, switch, done, before)


def resume(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Have the ticks of an entry enqueue jobs again."""
    entry = from_segment(name)
    source, _record = find_entry(request.GET.get("on"), entry)
    with source.asked():
        switch = source.transitions.cron_resume(entry)
    done, before = _("Resumed: its next tick enqueues a job again."), _("Was not paused.")
    return _switched(site, request, entry, switch, done, before)


def run_now(site: AdminSite, request: HttpRequest, name: str) -> HttpResponse:
    """Enqueue a job of an entry, as a tick does, and leave its ticks alone."""
    name = from_segment(name)
    source, record = find_entry(request.GET.get("on"), name)
    job_id, sentence = "", why_not_run(record, in_settings(source))
    if not sentence:
        try:
            entry = cron.configured_entry(name)
            job, fields = entry.job()
        except RQLiteError as exc:
            sentence = _("Its job can’t be made: %(reason)s") % {
                "reason": shown.shortened(str(exc), 500)
            }
        except Exception as exc:  # noqa: BLE001 - a project's own job class or serializer
            reason = f"{type(exc).__name__}: {exc}"
            sentence = _("Its job can’t be made: %(reason)s") % {
                "reason": shown.shortened(reason, 500)
            }
        else:
            with source.asked():
                source.transitions.cron_run(
                    name,
                    job.id,
                    entry.queue,
                    fields,
                    at_front=bool(entry.options.get("at_front")),
                    ttl=job.ttl,
                )
            job_id = job.id
            sentence = _("Enqueued now, beside its ticks: %(id)s") % {"id": job_id}
    _say(request, name, sentence, well=bool(job_id))
    # What becomes of the job is seen there.
    watched = Links.to(source, site.name).job(job_id) if job_id else ""
    back = watched if watched and may(request, "view", "job") else Links(site.name).schedule()
    return HttpResponseRedirect(back)


def _switched(
    site: AdminSite, request: HttpRequest, name: str, switch: PauseResult, done: str, before: str
) -> HttpResponse:
    sentence = {
        PauseResult.CHANGED: done,
        PauseResult.UNCHANGED: before,
        PauseResult.MISSING: _(
            "Left alone: its record is gone, or something else is in its place."
        ),
    }[switch]
    _say(request, name, sentence, well=switch is not PauseResult.MISSING)
    return HttpResponseRedirect(Links(site.name).schedule())


def _say(request: HttpRequest, name: str, sentence: str, *, well: bool) -> None:
    level = messages.SUCCESS if well else messages.WARNING
    messages.add_message(request, level, f"“{shown.shortened(name, 100)}”: {sentence}")
    log_all(request, CHANGE, Queue, name, _("Cron entry: %(done)s") % {"done": sentence})
