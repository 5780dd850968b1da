"""What all pages share: the admin's frame around them, and the page for what can't be shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from ... import models
from ..links import Links

#: A step on the way to a page: its title, and its address ('' for none).
Crumb = tuple[str, str]

#: Of HTTP: Redis does not answer, or can't be asked.
NO_ANSWER = 503

_MODELS = {"queue": models.Queue, "job": models.Job, "worker": models.Worker}


def may(request: HttpRequest, action: str, model: str) -> bool:
    """Whether the user may ``'view'``, ``'change'`` or ``'delete'`` these.

    Who may change may view.
    """
    actions = ("view", "change") if action == "view" else (action,)
    user = request.user
    return any(user.has_perm(f"django_rqlite.{each}_{model}") for each in actions)


def way_to(request: HttpRequest, links: Links, model: str) -> list[Crumb]:
    """The way to the list of a model's objects; without its address for who may not see it."""
    title = capfirst(str(_MODELS[model]._meta.verbose_name_plural))
    address = {"queue": links.queues, "job": links.jobs, "worker": links.workers}[model]()
    return [(title, address if may(request, "view", model) else "")]


def render(
    site: AdminSite,
    request: HttpRequest,
    template: str,
    *,
    model: str,
    title: str,
    way: Sequence[Crumb] = (),
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """A page in the admin's frame.

    Args:
        template: its name below ``admin/django_rqlite/``.
        model: which entry of the admin's index the page belongs to.
        way: the steps between the application and the page.
    """
    frame = site.each_context(request)
    shown = {
        **frame,
        # RQ_SHOW_ADMIN_LINK may hide the application, and then it has no page of its own.
        "app_listed": any(app["app_label"] == "django_rqlite" for app in frame["available_apps"]),
        "opts": _MODELS[model]._meta,
        "title": title,
        "way": way,
        "may_view_workers": may(request, "view", "worker"),
        "may_view_jobs": may(request, "view", "job"),
        "may_change_jobs": may(request, "change", "job"),
        **context,
    }
    names = [f"admin/django_rqlite/{template}"]
    response = TemplateResponse(request, names, shown, status=status)
    if status == NO_ANSWER:
        # Django logs each 5xx as an error, which is mailed to ADMINS: for every open page, again
        # and again while a server is down. This attribute tells it that it has been logged.
        response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def trouble_page(
    site: AdminSite, request: HttpRequest, model: str, sentence: str, *, status: int = 200
) -> HttpResponse:
    """The page that says why there is nothing to show."""
    missing = status == 404
    return render(
        site,
        request,
        "trouble.html",
        model=model,
        title=_("Not found") if missing else _("No answer from Redis"),
        way=way_to(request, Links(site.name), model),
        status=status,
        sentence=sentence,
        missing=missing,
        posted=request.method == "POST",
    )
