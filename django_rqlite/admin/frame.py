"""What all pages share: the frame of Django's admin, permissions, breadcrumbs, the error page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from .. import models
from ..protocol.places import Place
from ..protocol.records import JobRecord
from . import labels
from .formatting import shortened
from .links import Links

#: A step of the breadcrumbs: its title, and its address or ``''``.
Crumb = tuple[str, str]

#: The HTTP status if a server does not answer, or its settings cannot be used.
UNAVAILABLE = 503

_MODELS = {"queue": models.Queue, "job": models.Job, "worker": models.Worker}


def may(request: HttpRequest, action: str, model: str) -> bool:
    """Whether the user may ``'view'``, ``'change'`` or ``'delete'`` objects of a model.

    The permission to change includes the one to view, as in Django's admin.
    """
    actions = ("view", "change") if action == "view" else (action,)
    user = request.user
    return any(user.has_perm(f"django_rqlite.{each}_{model}") for each in actions)


def breadcrumbs_to(request: HttpRequest, links: Links, model: str) -> list[Crumb]:
    """The breadcrumb of a model's page; without its address if the user may not view it."""
    title = capfirst(str(_MODELS[model]._meta.verbose_name_plural))
    address = {"queue": links.queues, "job": links.jobs, "worker": links.workers}[model]()
    return [(title, address if may(request, "view", model) else "")]


def breadcrumbs_to_job(
    request: HttpRequest, links: Links, job: JobRecord, place: Place | None
) -> list[Crumb]:
    """The breadcrumbs of the list that has a job, as far as its queue and place are known."""
    breadcrumbs = breadcrumbs_to(request, links, "queue")
    if job.origin:
        breadcrumbs.append((shortened(job.origin, 60), links.queue(job.origin)))
        if place:
            breadcrumbs.append((str(labels.PLACES[place]), links.queue(job.origin, place)))
    return breadcrumbs


def render(
    site: AdminSite,
    request: HttpRequest,
    template: str,
    *,
    model: str,
    title: str,
    breadcrumbs: Sequence[Crumb] = (),
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """A page in the admin's frame.

    Args:
        template: Its name below ``admin/django_rqlite/``.
        model: The entry of the admin's index that the page belongs to.
        breadcrumbs: The steps between the application and the page.
    """
    frame = site.each_context(request)
    values = {
        **frame,
        # RQ_SHOW_ADMIN_LINK may hide the application, which then has no index page.
        "app_listed": any(app["app_label"] == "django_rqlite" for app in frame["available_apps"]),
        "opts": _MODELS[model]._meta,
        "title": title,
        "breadcrumbs": breadcrumbs,
        "may_view_workers": may(request, "view", "worker"),
        "may_view_jobs": may(request, "view", "job"),
        "may_change_jobs": may(request, "change", "job"),
        **context,
    }
    names = [f"admin/django_rqlite/{template}"]
    response = TemplateResponse(request, names, values, status=status)
    if status == UNAVAILABLE:
        # Django logs each 5xx as an error and mails it to ADMINS: for every refresh of every open
        # page while a server is down. This attribute says that it has been logged.
        response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def error_page(
    site: AdminSite, request: HttpRequest, model: str, sentence: str, *, status: int = 200
) -> HttpResponse:
    """The page with the reason why there is nothing to show."""
    missing = status == 404
    return render(
        site,
        request,
        "error.html",
        model=model,
        title=_("Not found") if missing else _("No answer from Redis"),
        breadcrumbs=breadcrumbs_to(request, Links(site.name), model),
        status=status,
        sentence=sentence,
        missing=missing,
        posted=request.method == "POST",
    )
