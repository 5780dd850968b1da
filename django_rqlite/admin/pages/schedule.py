"""What runs next and when: scheduled jobs of all queues, and cron entries."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ...broker.servers import Server
from ...queries.queries import Queries
from .. import formatting
from ..errors import Unavailable
from ..frame import UNAVAILABLE, breadcrumbs_to, may, render
from ..links import Links
from ..servers import address_of, all_servers, connected
from . import cron, upcoming


@dataclass(frozen=True, slots=True)
class Group:
    """One server; without rows if it does not answer.

    Attributes:
        error: Why it does not answer, or ``''``.
        later: How many more jobs are scheduled.
        more: How many more cron entries there are.
    """

    server: str
    error: str = ""
    problems: tuple[str, ...] = ()
    upcoming: tuple[upcoming.Row, ...] = ()
    later: int = 0
    entries: tuple[cron.Row, ...] = ()
    more: int = 0


def index(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """What runs next, by server. Three round trips for each server."""
    groups = [_group(server, Links.to(server, site.name)) for server in all_servers()]
    return render(
        site,
        request,
        "schedule.html",
        model="queue",
        title=_("Schedules"),
        status=UNAVAILABLE if groups and all(group.error for group in groups) else 200,
        breadcrumbs=breadcrumbs_to(request, Links(site.name), "queue"),
        groups=groups,
        several=len(groups) > 1,
        may_change_queues=may(request, "change", "queue"),
    )


def _group(server: Server, links: Links) -> Group:
    address = address_of(server)
    try:
        with connected(server) as broker:
            found = Queries(broker).schedule(
                server.queue_names,
                jobs=upcoming.MAX_SHOWN,
                entries=cron.MAX_SHOWN,
            )
    except Unavailable as error:
        return Group(address, str(error))
    now = formatting.now()
    return Group(
        address,
        problems=tuple(found.problems),
        upcoming=upcoming.rows(found.upcoming, links, now),
        later=max(0, found.scheduled - len(found.upcoming)),
        entries=cron.rows(found.entries, server, links, now),
        more=max(0, found.entries.total - len(found.entries.found)),
    )
