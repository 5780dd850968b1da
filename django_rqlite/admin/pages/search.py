"""Finding jobs: by id, or by what they call, how they failed, where they are and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ... import shown
from ...engine import finding
from ...engine.finding import Filter, Found, Searched, Window
from ...engine.monitor import Place
from .. import labels
from ..links import Links
from ..segments import LONGEST, from_segment, segment
from ..sources import Gone, Source, Trouble, all_sources
from .frame import render
from .jobs import page_number, place_named

PER_PAGE = 50

#: Groups, and sentences about places that were not read to their end, that are shown at the most.
MOST_GROUPS = 200
MOST_SENTENCES = 20

SINCE: dict[str, tuple[Promise, timedelta | None]] = {
    "": (gettext_lazy("any time"), None),
    "15m": (gettext_lazy("last 15 minutes"), timedelta(minutes=15)),
    "1h": (gettext_lazy("last hour"), timedelta(hours=1)),
    "1d": (gettext_lazy("last day"), timedelta(days=1)),
}
SORTS = {"newest": gettext_lazy("newest first"), "oldest": gettext_lazy("oldest first")}


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
    address: str
    state: str
    queue_address: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Failed jobs of one function and one class of errors."""

    group: finding.Group
    address: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form says; its values are as they were given, in any case valid.

    Attributes:
        queue: its name, or '' for all.
    """

    text: str
    place: Place | None
    queue: str
    error: str
    function: str
    since: str
    sort: str
    group: bool

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Wanted:
        """What an address says.

        Raises:
            Gone: a value is none of those that the form has.
        """
        state = given.get("state", "")
        since, sort = given.get("since", ""), given.get("sort") or "newest"
        for value, choices in ((since, SINCE), (sort, SORTS)):
            if value not in choices:
                raise Gone(_("“%(value)s” is none of %(choices)s.") % _choices(value, choices))
        place = place_named(state) if state else None
        return cls(
            given.get("q", "").strip(),
            place,
            # As in addresses: an empty value means all, so the name must not be empty.
            from_segment(given["queue"]) if given.get("queue") else "",
            given.get("error", "").strip(),
            given.get("function", "").strip(),
            since,
            sort,
            place is Place.FAILED and given.get("group") == "1",
        )

    @property
    def filter(self) -> Filter:
        period = SINCE[self.since][1]
        since: datetime | None = timezone.now() - period if period else None
        return Filter(self.text, self.function, self.error, since)

    def query(self, **changed: str) -> str:
        """The form as the query of an address; an empty value is left out."""
        given = {
            "q": self.text,
            "state": self.place.value if self.place else "",
            "queue": segment(self.queue) if self.queue else "",
            "error": self.error,
            "function": self.function,
            "since": self.since,
            "sort": "" if self.sort == "newest" else self.sort,
            "group": "1" if self.group else "",
            **changed,
        }
        # What is too long for an address finds nothing anyway.
        kept = {key: value[:LONGEST] for key, value in given.items() if value}
        return "?" + urlencode(kept, errors="surrogateescape")


def _choices(value: str, choices: Mapping[str, object]) -> dict[str, str]:
    return {
        "value": shown.shortened(value, 40),
        "choices": ", ".join(f"“{choice}”" for choice in choices if choice),
    }


@dataclass(slots=True)
class _Looking:
    """What all servers said."""

    windows: list[tuple[Source, Window]]
    troubles: list[str]
    queues: list[str]
    problems: list[str]
    #: The address of the job with the id that was asked for.
    at: str = ""


def search(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The jobs of all places that are wanted. Four round trips for each server."""
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
    groups = finding.grouped(matches) if wanted.group else []
    unknown = bool(wanted.queue) and wanted.queue not in looked.queues
    return render(
        site,
        request,
        "job_search.html",
        model="job",
        title=_("Jobs"),
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
        rows=[_row(each, sources[id(each)], site) for each in page.object_list],
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
        page=page,
        before=wanted.query(p=str(page.previous_page_number())) if page.has_previous() else "",
        after=wanted.query(p=str(page.next_page_number())) if page.has_next() else "",
        list_address=wanted.query(group=""),
        group_address=wanted.query(state=Place.FAILED.value, group="1"),
    )


def _look(site: AdminSite, wanted: Wanted) -> _Looking:
    """Ask every server."""
    looked = _Looking([], [], [], [])
    all_ = all_sources()
    places = [wanted.place] if wanted.place else list(Place)
    most = max(finding.MOST // len(all_), 1) if all_ else 0
    for source in all_:
        try:
            with source.asked():
                configured = [conf.name for conf in source.queues]
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
                    queues, places, newest=wanted.sort == "newest", most=most
                )
        except Trouble as trouble:
            looked.troubles.append(str(trouble))
        else:
            looked.windows.append((source, window))
            looked.problems += window.problems[:MOST_SENTENCES]
    return looked


def _row(found: Found, source: Source, site: AdminSite) -> Row:
    links = Links.to(source, site.name)
    queue = links.queue(found.queue, found.place)
    return Row(found, links.job(found.id), str(labels.PLACES[found.place]), queue)


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
    told.append(
        ngettext("%(count)s matches.", "%(count)s match.", matches) % {"count": f"{matches:,}"}
    )
    return told


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
