"""Finding jobs: by id, or by what they call, how they failed, where they are and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin import AdminSite
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...protocol.places import Place
from ...protocol.records import JobStatus
from ...queries import job_search as finding
from ...queries.job_search import Found, Searched, Window
from ...queries.snapshots import Parents
from .. import formatting as shown
from .. import labels
from ..actions.job_operations import possible, targets
from ..links import Links
from ..relations import Linked, linked
from ..request_filters import page_number
from ..retries import TO_COME, retries_left
from ..search_filters import SINCE, SORTS, Wanted
from ..sources import Source, Trouble, all_sources
from ..url_segments import LONGEST, segment
from .frame import NO_ANSWER, render

PER_PAGE = 50

#: Groups, and sentences about places that were not read to their end, that are shown at the most.
MOST_GROUPS = 200
MOST_SENTENCES = 20


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a select."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One job that was found."""

    found: Found
    segment: str
    address: str
    state: str
    queue_address: str
    #: When a scheduled job is due, how many retries are left, and what a deferred one waits for.
    due: datetime | None
    retries: str
    parents: Linked | None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Failed jobs of one function and one class of errors."""

    group: finding.Group
    address: str


@dataclass(slots=True)
class _Looking:
    """What all servers said."""

    windows: list[tuple[Source, Window]]
    troubles: list[str]
    queues: list[str]
    problems: list[str]
    configured: list[str]
    #: The address of the job with the id that was asked for.
    at: str = ""


def search(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The jobs of all places that are wanted.

    Four round trips for each server; two more where deferred jobs are on the page.
    """
    wanted = Wanted.of(request.GET)
    number = page_number(request.GET.get("p", "1"), least=0)
    looked = _look(site, wanted)
    if looked.at:
        return HttpResponseRedirect(looked.at)
    takes = wanted.filter.takes
    sources = {id(each): source for source, window in looked.windows for each in window.jobs}
    matches = finding.ordered(
        [each for _source, window in looked.windows for each in window.jobs if takes(each)],
        newest=wanted.sort == "newest",
    )
    page = Paginator(matches, PER_PAGE).get_page(number)
    rows = [] if wanted.group else _rows(list(page.object_list), sources, looked.troubles, site)
    groups = finding.grouped(matches) if wanted.group else []
    searched = [each for _source, window in looked.windows for each in window.searched]
    partly = any(each.read < each.total for each in searched)
    actions = possible(request, wanted.places)
    unknown = bool(wanted.queue) and wanted.queue not in looked.queues
    return render(
        site,
        request,
        "job_search.html",
        model="job",
        title=_("Jobs"),
        status=200 if looked.windows or not looked.troubles else NO_ANSWER,
        wanted=wanted,
        states=[Option("", _("all"), wanted.place is None)]
        + [Option(each, str(labels.PLACES[each]), each is wanted.place) for each in Place],
        queues=[Option("", _("all"), not wanted.queue)]
        + [
            Option(segment(name), shown.shortened(name, 60), name == wanted.queue)
            for name in looked.queues
            if name and len(name) <= LONGEST
        ],
        periods=[
            Option(key, str(label), key == wanted.since) for key, (label, _delta) in SINCE.items()
        ],
        sorts=[Option(key, str(label), key == wanted.sort) for key, label in SORTS.items()],
        troubles=looked.troubles,
        problems=looked.problems,
        gone=_("No job has this ID: it has expired, was deleted, or never was.")
        if wanted.text and not matches and not looked.troubles
        else "",
        unknown=_("There is no such queue: it is not in RQ_QUEUES, and nothing was ever enqueued.")
        if unknown and not looked.troubles
        else "",
        sentences=_sentences(looked.windows, wanted, len(matches)),
        rows=rows,
        actions=actions,
        targets=targets(actions, looked.configured),
        action_address=Links(site.name).jobs_action(wanted.query(group="")),
        groups=[
            GroupRow(
                each,
                wanted.query(
                    group="", function=each.function or wanted.function, error=each.error_class
                ),
            )
            for each in groups[:MOST_GROUPS]
        ],
        more_groups=len(groups[MOST_GROUPS:]),
        # Counts are of what was searched; the template says where that was not all.
        partly=partly,
        grouped_of=_grouped_of(searched, newest=wanted.sort == "newest") if partly else "",
        page=page,
        before=wanted.query(p=str(page.previous_page_number())) if page.has_previous() else "",
        after=wanted.query(p=str(page.next_page_number())) if page.has_next() else "",
        list_address=wanted.query(group=""),
        group_address=wanted.query(state=Place.FAILED.value, group="1"),
    )


def _look(site: AdminSite, wanted: Wanted) -> _Looking:
    """Ask every server."""
    looked = _Looking([], [], [], [], [])
    all_ = all_sources()
    most = max(finding.MOST // len(all_), 1) if all_ else 0
    for source in all_:
        try:
            with source.asked():
                configured = [conf.name for conf in source.queues]
                looked.configured += configured
                known = source.finder.known(configured, wanted.text)
                if known.has_job:
                    looked.at = Links.to(source, site.name).job(wanted.text)
                    if looked.at:
                        return looked
                looked.queues += [name for name in known.names if name not in looked.queues]
                if known.more:
                    looked.problems.append(
                        ngettext(
                            "%(count)s more queue was not searched.",
                            "%(count)s more queues were not searched.",
                            known.more,
                        )
                        % {"count": f"{known.more:,}"}
                    )
                queues = [wanted.queue] if wanted.queue else known.names
                window = source.finder.window(
                    queues, wanted.places, newest=wanted.sort == "newest", most=most
                )
        except Trouble as trouble:
            looked.troubles.append(str(trouble))
        else:
            looked.windows.append((source, window))
            looked.problems += window.problems[:MOST_SENTENCES]
    return looked


def _rows(
    page: Sequence[Found], sources: Mapping[int, Source], troubles: list[str], site: AdminSite
) -> list[Row]:
    """The jobs of a page.

    Args:
        sources: where each is, by ``id()``.
        troubles: where to say why a server could not be asked.
    """
    deferred: dict[str, list[Found]] = {}
    for each in page:
        if each.place is Place.DEFERRED:
            deferred.setdefault(sources[id(each)].name, []).append(each)
    parents: dict[int, Parents] = {}
    for waiting in deferred.values():
        source = sources[id(waiting[0])]
        try:
            with source.asked():
                told = source.queries.parents([each.id for each in waiting])
        except Trouble as trouble:
            troubles.append(str(trouble))
        else:
            parents |= {id(each): those for each, those in zip(waiting, told, strict=True)}
    return [_row(each, sources[id(each)], parents.get(id(each)), site) for each in page]


def _row(found: Found, source: Source, parents: Parents | None, site: AdminSite) -> Row:
    links = Links.to(source, site.name)
    queue = links.queue(found.queue, found.place)
    stopped = found.job is not None and found.job.status == JobStatus.STOPPED
    state = labels.STOPPED if stopped else labels.PLACES[found.place]
    return Row(
        found,
        segment(found.id),
        links.job(found.id),
        str(state),
        queue,
        shown.unix(found.due),
        retries_left(found.job) if found.job and found.place in TO_COME else "",
        linked(parents.some, parents.count, links) if parents else None,
    )


def _sentences(windows: Sequence[tuple[Source, Window]], wanted: Wanted, matches: int) -> list[str]:
    """What was searched, and what was not."""
    searched = [each for _source, window in windows for each in window.searched]
    cut = [each for each in searched if each.read < each.total]
    whole = sum(each.read for each in searched if each.read >= each.total)
    told = [_cut(each, newest=wanted.sort == "newest") for each in cut[:MOST_SENTENCES]]
    if len(cut) > MOST_SENTENCES:
        told.append(
            ngettext(
                "%(count)s more place was searched in part.",
                "%(count)s more places were searched in part.",
                len(cut) - MOST_SENTENCES,
            )
            % {"count": f"{len(cut) - MOST_SENTENCES:,}"}
        )
    if whole or not cut:
        sentence = (
            ngettext(
                "Searched the one job of all other places.",
                "Searched all %(count)s jobs of all other places.",
                whole,
            )
            if cut
            else ngettext("Searched the one job.", "Searched all %(count)s jobs.", whole)
        )
        told.append(sentence % {"count": f"{whole:,}"})
    matching = (
        ngettext("%(count)s of those matches.", "%(count)s of those match.", matches)
        if cut
        else ngettext("%(count)s matches.", "%(count)s match.", matches)
    )
    told.append(matching % {"count": f"{matches:,}"})
    return told


def _grouped_of(searched: Sequence[Searched], *, newest: bool) -> str:
    """What the numbers of groups are not, where not all jobs were searched."""
    sentence = (
        _(
            "The groups are counted among the newest %(read)s of %(total)s failed jobs and "
            "ordered by these counts. Older jobs are not counted: a group may be larger than it "
            "seems, stand too low, or be missing."
        )
        if newest
        else _(
            "The groups are counted among the oldest %(read)s of %(total)s failed jobs and "
            "ordered by these counts. Newer jobs are not counted: a group may be larger than it "
            "seems, stand too low, or be missing."
        )
    )
    read, total = sum(each.read for each in searched), sum(each.total for each in searched)
    return sentence % {"read": f"{read:,}", "total": f"{total:,}"}


def _cut(searched: Searched, *, newest: bool) -> str:
    sentence = (
        _("Searched the newest %(read)s of %(total)s %(state)s jobs of “%(queue)s”.")
        if newest
        else _("Searched the oldest %(read)s of %(total)s %(state)s jobs of “%(queue)s”.")
    )
    return sentence % {
        "read": f"{searched.read:,}",
        "total": f"{searched.total:,}",
        "state": str(labels.PLACES[searched.place]).lower(),
        "queue": shown.shortened(searched.queue, 100),
    }
