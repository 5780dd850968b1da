"""An action on all matching jobs, however many there are.

It runs in batches. Each batch is a request of about two seconds; its response is the form for the
next one, with the signed state. So nothing runs in the background, an interrupted action continues
when the user presses a button, and sending a form twice does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from ...broker.servers import Server
from .. import labels
from ..errors import Unavailable
from ..filters import PERIODS, TEXT_FILTERS, JobFilters
from ..formatting import shortened
from ..frame import UNAVAILABLE, Crumb, breadcrumbs_to, render
from ..links import Links
from .admin_log import log_jobs
from .batch import Batch, stops
from .batch_state import BatchState
from .job_action import JobAction, format_sentence
from .job_operations import ACTIONS
from .match_count import MatchCount

_MISSING = ngettext_lazy(
    "%(count)d job no longer exists: it has expired or was deleted.",
    "%(count)d jobs no longer exist: they have expired or were deleted.",
    "count",
)
_SKIPPED = ngettext_lazy(
    "%(count)d job was left alone: its state had changed.",
    "%(count)d jobs were left alone: their states had changed.",
    "count",
)
_UNREACHABLE = ngettext_lazy(
    "%(count)d job was not stopped: its worker did not respond.",
    "%(count)d jobs were not stopped: their workers did not respond.",
    "count",
)


def confirm(
    site: AdminSite,
    request: HttpRequest,
    filters: JobFilters,
    servers: Sequence[Server],
    to_queue: str,
    breadcrumbs: Sequence[Crumb],
    back: str,
) -> HttpResponse:
    """The page that asks for confirmation, with the number of jobs. Changes nothing."""
    action = ACTIONS[request.POST["action"]]
    query = filters.query(group="").removeprefix("?")
    names = [server.name for server in servers]
    state = BatchState(request.POST["action"], query, names, to_queue, back, time.time())
    errors = []
    found = MatchCount()
    for server in servers:
        try:
            where = stops(server, filters, action)
            found.add(server, where, filters, state.started_at)
        except Unavailable as error:
            errors.append(str(error))
    state.total = found.total
    return render(
        site,
        request,
        "batches.html",
        model="job",
        title=_("Are you sure?"),
        breadcrumbs=breadcrumbs,
        question=str(action.question_all) % {"queue": shortened(to_queue, 60)},
        error=" ".join(errors),
        facts=_facts(filters, action),
        sentence=_match_sentence(found),
        address=Links(site.name).jobs_batch(),
        token=state.token(str(request.user.pk)),
        back=back,
        status=UNAVAILABLE if servers and len(errors) == len(servers) else 200,
    )


def _match_sentence(found: MatchCount) -> str:
    """How many jobs match, in a sentence."""
    named = {
        "count": f"{found.matching:,}",
        "examined": f"{found.examined:,}",
        "total": f"{found.total:,}",
    }
    if found.is_exact:
        sentence = ngettext(
            "%(count)s of %(total)s job matches.",
            "%(count)s of %(total)s jobs match.",
            found.total,
        )
    else:
        sentence = _(
            "At least %(count)s match: %(examined)s of %(total)s jobs were examined so far."
        )
    return sentence % named


def run_batch(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Run one batch; show the form for the next one, or return to where the action began."""
    state = BatchState.from_token(request.POST.get("token", ""), str(request.user.pk))
    action = ACTIONS[state.action]
    action.allow(request)
    batch = Batch(state, action, request.user.get_username())
    error, finished = "", False
    try:
        finished = batch.run()
    except Unavailable as exc:
        error = str(exc)
    if batch.ids:
        log_jobs(request, action.flag, batch.ids, str(action.logged), batch.done, state.to_queue)
    if finished:
        _report(request, state, action)
        return HttpResponseRedirect(state.back)
    links = Links(site.name)
    return render(
        site,
        request,
        "batches.html",
        model="job",
        title=str(action.label),
        breadcrumbs=breadcrumbs_to(request, links, "job"),
        facts=_facts(state.filters, action),
        error=error,
        state=state,
        percent=min(100 * state.examined // max(state.total, 1), 100),
        sentence=_("Processed %(examined)s of %(total)s jobs.")
        % {"examined": f"{state.examined:,}", "total": f"{max(state.total, state.examined):,}"},
        done=format_sentence(action.done, state.done, state.to_queue),
        address=links.jobs_batch(),
        token=state.token(str(request.user.pk)),
        back=state.back,
        status=UNAVAILABLE if error else 200,
    )


def _facts(filters: JobFilters, action: JobAction) -> list[tuple[str, str]]:
    """Which jobs are selected, for people."""
    places = [place for place in filters.places if place in action.places]
    facts = [
        (_("State"), ", ".join(str(labels.PLACES[place]) for place in places)),
        (_("Queue"), shortened(filters.queue, 100) or _("all")),
        (_("Text"), shortened(filters.text, 200)),
        *((str(TEXT_FILTERS[name]), shortened(text, 200)) for name, text in filters.texts.items()),
        (_("Since"), str(PERIODS[filters.since][0]) if filters.since else ""),
    ]
    return [(name, value) for name, value in facts if value]


def _report(request: HttpRequest, state: BatchState, action: JobAction) -> None:
    """Report the outcome of all batches on the next page."""
    level = messages.SUCCESS if state.done else messages.WARNING
    messages.add_message(request, level, format_sentence(action.done, state.done, state.to_queue))
    for count, sentence in (
        (state.missing, _MISSING),
        (state.skipped, _SKIPPED),
        (state.unreachable, _UNREACHABLE),
    ):
        if count:
            messages.warning(request, format_sentence(sentence, count))
    for problem in state.problems:
        messages.warning(request, problem)
