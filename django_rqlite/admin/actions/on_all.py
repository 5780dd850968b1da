"""Doing something to all jobs that match, however many there are.

It is done in batches, each of them a request that takes about two seconds. What is left to do is in
the form that asks for the next batch, signed: so nothing runs where nobody looks, an interrupted
round goes on with a press of a button, and to send a form twice harms nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import redis
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ... import shown
from ...engine.finding import Filter
from ...engine.monitor import Place
from ...engine.walking import Position
from .. import labels
from ..links import Links
from ..pages.frame import Crumb, render, way_to
from ..sources import Gone, Source, Trouble, all_sources
from ..wanted import SINCE, Wanted
from .job_actions import ACTIONS, JobAction, Order, Outcome, told
from .log import log_jobs

#: Jobs that are looked at between two looks at the clock.
STRETCH = 1000

#: Seconds after which a batch ends.
BATCH_SECONDS = 2.0

#: Keys that could not be read, of which is told.
_MOST_PROBLEMS = 5

_SALT = "django_rqlite.admin.on_all"


@dataclass(frozen=True, slots=True)
class Stop:
    """One place of one queue, and its source by name."""

    source: str
    queue: str
    place: str


@dataclass(slots=True)
class Round:
    """What is to be done, and how far it has come.

    Attributes:
        query: of :class:`Wanted`.
        sources: names of those that are gone through.
        to: the queue that jobs are moved to, or ''.
        begun: unix seconds; what came to its place later is not meant.
        total: jobs that there were to look at.
        stop, position: where to go on; None: at the beginning.
        done, missing, left, unheard: how many jobs, as in :class:`Outcome`.
    """

    action: str
    query: str
    sources: list[str]
    to: str
    back: str
    begun: float
    total: int
    stop: Stop | None = None
    position: Position = field(default_factory=Position)
    looked: int = 0
    done: int = 0
    missing: int = 0
    left: int = 0
    unheard: int = 0
    problems: list[str] = field(default_factory=list)

    def note(self, problem: str) -> None:
        """Keep what could not be done, to be told at the end."""
        problem = shown.shortened(problem, 300)
        if problem not in self.problems and len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)

    def token(self) -> str:
        return signing.dumps(asdict(self), salt=_SALT, compress=True)

    @classmethod
    def of(cls, token: str) -> Round:
        """What a form brought back.

        Raises:
            Gone: it does not come from a form of ours.
        """
        try:
            given: dict[str, Any] = signing.loads(token, salt=_SALT)
            stop, position = given.pop("stop"), Position(**given.pop("position"))
            return cls(**given, stop=stop and Stop(**stop), position=position)
        except (signing.BadSignature, KeyError, TypeError):  # or another version of us made it
            raise Gone(
                _("This form was changed, or made with another SECRET_KEY. Begin anew.")
            ) from None

    @property
    def wanted(self) -> Wanted:
        return Wanted.of(QueryDict(self.query).dict())


def ask(
    site: AdminSite,
    request: HttpRequest,
    wanted: Wanted,
    sources: Sequence[Source],
    to: str,
    way: Sequence[Crumb],
    back: str,
) -> HttpResponse:
    """Ask whether that is meant. Changes nothing."""
    action = ACTIONS[request.POST["action"]]
    query = wanted.query(group="").removeprefix("?")
    names = [source.name for source in sources]
    started = Round(request.POST["action"], query, names, to, back, time.time(), 0)
    troubles = []
    for source in sources:
        try:
            with source.asked():
                stops = [(stop.queue, Place(stop.place)) for stop in _stops(source, wanted, action)]
                started.total += source.walker.count(stops)
        except Trouble as trouble:
            troubles.append(str(trouble))
    return render(
        site,
        request,
        "batches.html",
        model="job",
        title=_("Are you sure?"),
        way=way,
        question=str(action.question_all) % {"queue": shown.shortened(to, 60)},
        trouble=" ".join(troubles),
        facts=_facts(wanted, action),
        sentence=ngettext(
            "There is %(count)s job to look at.",
            "There are %(count)s jobs to look at.",
            started.total,
        )
        % {"count": f"{started.total:,}"},
        address=Links(site.name).jobs_batch(),
        token=started.token(),
        back=back,
    )


def batch(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Do some of it; answer with the form for more, or go back where it began."""
    going = Round.of(request.POST.get("token", ""))
    action = ACTIONS[going.action]
    trouble, finished = "", False
    try:
        finished = _go_on(request, going, action)
    except Trouble as found:
        trouble = str(found)
    if finished:
        _tell(request, going, action)
        return HttpResponseRedirect(going.back)
    links = Links(site.name)
    return render(
        site,
        request,
        "batches.html",
        model="job",
        title=str(action.label),
        way=way_to(request, links, "job"),
        facts=_facts(going.wanted, action),
        trouble=trouble,
        going=going,
        percent=min(100 * going.looked // max(going.total, 1), 100),
        sentence=_("Looked at %(looked)s of %(total)s jobs.")
        % {"looked": f"{going.looked:,}", "total": f"{max(going.total, going.looked):,}"},
        done=told(action.done, going.done, going.to),
        address=links.jobs_batch(),
        token=going.token(),
        back=going.back,
    )


def _go_on(request: HttpRequest, going: Round, action: JobAction) -> bool:
    """Do one batch; whether that was the last.

    Raises:
        Trouble: a server can't be asked.
    """
    until = time.monotonic() + BATCH_SECONDS
    begun = datetime.fromtimestamp(going.begun, UTC).astimezone(timezone.get_current_timezone())
    takes = going.wanted.filter_at(begun)
    asked: list[str] = []
    outcome = Outcome()
    try:
        for source, stop in _ahead(going, action):
            if going.stop != stop:
                going.stop, going.position = stop, Position()
            while _stretch(source, stop, going, action, takes, asked, outcome):
                if time.monotonic() >= until:
                    return False
        return True
    finally:
        if asked:
            log_jobs(request, action.flag, asked, str(action.logged), outcome.done, going.to)


def _stretch(
    source: Source,
    stop: Stop,
    going: Round,
    action: JobAction,
    takes: Filter,
    asked: list[str],
    outcome: Outcome,
) -> bool:
    """Go through the next jobs of a place; whether there may be more."""
    place = Place(stop.place)
    try:
        with source.asked():
            stretch = source.walker.stretch(stop.queue, place, going.position, STRETCH)
            ids = list(dict.fromkeys(each.id for each in stretch.jobs if takes.takes(each)))
            found = action.act(Order(source, ids, going.to, stretch.behind)) if ids else Outcome()
            if found.missing and going.action == "delete" and place is not Place.QUEUED:
                # What has expired stays in its list until somebody sweeps.
                source.transitions.trim(stop.queue)
    except Trouble as trouble:
        if not isinstance(trouble.__cause__, redis.ResponseError):
            raise
        # Something else stands under a key: the other places can be gone through all the same.
        going.note(f"{stop.queue}: {trouble}")
        return False
    if not stretch.jobs:
        return False
    asked += ids
    outcome.done.extend(found.done)
    going.done += len(found.done)
    going.missing += len(found.missing)
    going.left += len(found.left)
    going.unheard += len(found.unheard)
    going.looked += len(stretch.jobs)
    left = {each.id for each in stretch.jobs} - set(found.done if action.leaves else ())
    # What is missing may stand in its list all the same, or not.
    going.position = stretch.next(left.difference(found.missing) or left)
    # Behind the end of a list are those that came since.
    return not all(_is_later(each.moment, takes.until) for each in stretch.jobs)


def _is_later(moment: datetime | None, until: datetime | None) -> bool:
    return bool(moment and until and moment > until)


def _ahead(going: Round, action: JobAction) -> Iterator[tuple[Source, Stop]]:
    """The stops that are left, the one that was begun first.

    Raises:
        Trouble: there is but one server, and it can't be asked.
    """
    sources = {source.name: source for source in all_sources()}
    stops = []
    for name in going.sources:
        source = sources.get(name)
        if source is None or (going.to and going.to not in [conf.name for conf in source.queues]):
            continue
        try:
            with source.asked():
                stops += [(source, stop) for stop in _stops(source, going.wanted, action)]
        except Trouble as trouble:
            if len(going.sources) == 1:
                raise
            going.note(str(trouble))  # the other servers can be gone through all the same
    first = next((i for i, (_source, stop) in enumerate(stops) if stop == going.stop), 0)
    return iter(stops[first:])


def _stops(source: Source, wanted: Wanted, action: JobAction) -> list[Stop]:
    """Where there may be jobs that match. One round trip at the most."""
    if wanted.queue:
        queues: Sequence[str] = [wanted.queue]
    else:
        queues = source.finder.known([conf.name for conf in source.queues]).names
    places = [place for place in wanted.places if place in action.places]
    return [Stop(source.name, queue, place.value) for queue in queues for place in places]


def _facts(wanted: Wanted, action: JobAction) -> list[tuple[str, str]]:
    """Which jobs are meant, for people."""
    places = [place for place in wanted.places if place in action.places]
    facts = [
        (_("State"), ", ".join(str(labels.PLACES[place]) for place in places)),
        (_("Queue"), shown.shortened(wanted.queue, 100) or _("all")),
        (_("Text"), shown.shortened(wanted.text, 200)),
        (_("Function"), shown.shortened(wanted.function, 200)),
        (_("Error begins with"), shown.shortened(wanted.error, 200)),
        (_("Since"), str(SINCE[wanted.since][0]) if wanted.since else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _tell(request: HttpRequest, going: Round, action: JobAction) -> None:
    """Say on the next page what became of all of them."""
    sentence = told(action.done, going.done, going.to)
    (messages.success if going.done else messages.warning)(request, sentence)
    if going.missing:
        sentence = ngettext(
            "%(count)d job was not there any more, expired or deleted.",
            "%(count)d jobs were not there any more, expired or deleted.",
            going.missing,
        )
        messages.warning(request, sentence % {"count": going.missing})
    if going.left:
        sentence = ngettext(
            "%(count)d job was left alone: it had gone elsewhere meanwhile.",
            "%(count)d jobs were left alone: they had gone elsewhere meanwhile.",
            going.left,
        )
        messages.warning(request, sentence % {"count": going.left})
    if going.unheard:
        sentence = ngettext(
            "%(count)d job was not stopped: its worker does not listen.",
            "%(count)d jobs were not stopped: their workers do not listen.",
            going.unheard,
        )
        messages.warning(request, sentence % {"count": going.unheard})
    for problem in going.problems:
        messages.warning(request, problem)
