"""What runs next and when: scheduled jobs of all queues, and cron entries."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from .. import formatting as shown
from ..links import Links
from ..sources import Source, Trouble, all_sources
from . import cron, upcoming
from .frame import NO_ANSWER, may, render, way_to


@dataclass(frozen=True, slots=True)
class Group:
    """One server; without rows where it can't be asked."""

    server: str
    trouble: str = ""
    problems: tuple[str, ...] = ()
    upcoming: tuple[upcoming.Row, ...] = ()
    #: How many more jobs are scheduled.
    later: int = 0
    entries: tuple[cron.Row, ...] = ()
    #: How many more cron entries there are.
    more: int = 0


def index(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """What comes next, by server. Three round trips for each server."""
    groups = [_group(source, Links.to(source, site.name)) for source in all_sources()]
    return render(
        site,
        request,
        "schedule.html",
        model="queue",
        title=_("Schedules"),
        status=NO_ANSWER if groups and all(group.trouble for group in groups) else 200,
        way=way_to(request, Links(site.name), "queue"),
        groups=groups,
        several=len(groups) > 1,
        may_change_queues=may(request, "change", "queue"),
    )


def _group(source: Source, links: Links) -> Group:
    try:
        with source.asked():
            found = source.queries.schedule(
                [queue.name for queue in source.queues],
                jobs=upcoming.MOST_SHOWN,
                entries=cron.MOST_SHOWN,
            )
    except Trouble as trouble:
        return Group(source.address, str(trouble))
    now = shown.now()
    return Group(
        source.address,
        problems=tuple(found.problems),
        upcoming=upcoming.rows(found.upcoming, links, now),
        later=max(0, found.scheduled - len(found.upcoming)),
        entries=cron.rows(found.entries, source, links, now),
        more=max(0, found.entries.total - len(found.entries.found)),
    )
