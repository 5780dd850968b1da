"""Doing something to all jobs that match, however many there are.

It is done in batches, each of them a request that takes about two seconds. What is left to do is in
the form that asks for the next batch, signed: so nothing runs where nobody looks, an interrupted
round goes on with a press of a button, and to send a form twice harms nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from .. import formatting as shown
from .. import labels
from ..links import Links
from ..pages.frame import NO_ANSWER, Crumb, render, way_to
from ..search_filters import SINCE, Wanted
from ..sources import Source, Trouble
from .batch import Batch, stops
from .job_operations import ACTIONS, JobAction, told
from .log import log_jobs
from .match_count import Matching
from .progress import Round

_MISSING = ngettext_lazy(
    "%(count)d job was not there any more, expired or deleted.",
    "%(count)d jobs were not there any more, expired or deleted.",
    "count",
)
_LEFT = ngettext_lazy(
    "%(count)d job was left alone: it had gone elsewhere meanwhile.",
    "%(count)d jobs were left alone: they had gone elsewhere meanwhile.",
    "count",
)
_UNHEARD = ngettext_lazy(
    "%(count)d job was not stopped: its worker does not listen.",
    "%(count)d jobs were not stopped: their workers do not listen.",
    "count",
)


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
    found = Matching()
    for source in sources:
        try:
            with source.asked():
                where = stops(source, wanted, action)
            found.add(source, where, wanted, started.begun)
        except Trouble as trouble:
            troubles.append(str(trouble))
    started.total = found.total
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
        sentence=_matching(found),
        address=Links(site.name).jobs_batch(),
        token=started.token(str(request.user.pk)),
        back=back,
        status=NO_ANSWER if sources and len(troubles) == len(sources) else 200,
    )


def _matching(found: Matching) -> str:
    """How many jobs it would be done to."""
    named = {
        "count": f"{found.matching:,}",
        "looked": f"{found.looked:,}",
        "total": f"{found.total:,}",
    }
    if found.whole:
        sentence = ngettext(
            "%(count)s of %(total)s job matches.",
            "%(count)s of %(total)s jobs match.",
            found.total,
        )
    else:
        sentence = _(
            "At least %(count)s match: %(looked)s of %(total)s jobs have been looked at so far."
        )
    return sentence % named


def batch(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Do some of it; answer with the form for more, or go back where it began."""
    going = Round.of(request.POST.get("token", ""), str(request.user.pk))
    action = ACTIONS[going.action]
    action.allow(request)
    doing = Batch(going, action, request.user.get_username())
    trouble, finished = "", False
    try:
        finished = doing.run()
    except Trouble as found:
        trouble = str(found)
    if doing.ids:
        log_jobs(request, action.flag, doing.ids, str(action.logged), doing.done, going.to)
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
        token=going.token(str(request.user.pk)),
        back=going.back,
        status=NO_ANSWER if trouble else 200,
    )


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
    tell = messages.success if going.done else messages.warning
    tell(request, told(action.done, going.done, going.to))
    for count, sentence in (
        (going.missing, _MISSING),
        (going.left, _LEFT),
        (going.unheard, _UNHEARD),
    ):
        if count:
            messages.warning(request, told(sentence, count))
    for problem in going.problems:
        messages.warning(request, problem)
