"""What a person can do to jobs: where it makes sense, how it is done, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, DELETION
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext_lazy

from ...protocol.places import Place
from ...protocol.records import JobStatus
from .. import formatting as shown
from ..pages.frame import may
from ..sources import Source
from ..url_segments import LONGEST, segment
from .log import listed, log_jobs


@dataclass(frozen=True, slots=True)
class Order:
    """Some jobs of one source, and what is to be known beside their ids.

    Attributes:
        queue: to which they are moved; '' for every other action.
        behind: entries of their queue's list that stood after them a moment ago, if that is known.
        by: the name of the user who orders it.
    """

    source: Source
    ids: Sequence[str]
    queue: str = ""
    behind: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of them.

    Attributes:
        done: ids of those to which it was done.
        missing: of those that are not there any more.
        left: of those that are in a state in which it makes no sense.
        unheard: of those whose worker does not listen.
    """

    done: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unheard: list[str] = field(default_factory=list)


#: A sentence with the places ``%(count)d`` and ``%(queue)s``, for one and for several. (What
#: ``ngettext_lazy`` gives has no type of its own.)
Sentence = Any


@dataclass(frozen=True, slots=True)
class JobAction:
    """One thing that can be done.

    Attributes:
        label: in the list of actions.
        places: where jobs are that it can be done to.
        question: asked before it is done to several, or to all that match.
        done: told afterwards.
        left: told of those that were left alone; has the place ``%(ids)s`` too.
        logged: for the admin's own log, with the places ``%(done)d`` and ``%(count)d``.
        to_queue: whether it needs to be told a queue.
        leaves: whether jobs leave their places with it.
        permission: to ``'change'`` or to ``'delete'`` jobs.
    """

    label: Promise
    places: frozenset[Place]
    act: Callable[[Order], Outcome]
    question: Sentence
    question_all: Promise
    done: Sentence
    left: Sentence
    logged: Promise
    flag: int = CHANGE
    to_queue: bool = False
    leaves: bool = True
    permission: str = "change"

    def allow(self, request: HttpRequest) -> None:
        """Nothing, for a user who may do it.

        Raises:
            PermissionDenied: for others.
        """
        if not may(request, self.permission, "job"):
            raise PermissionDenied

    def carry_out(self, request: HttpRequest, order: Order) -> Outcome:
        """Do it, and write it into the admin's log.

        Raises:
            PermissionDenied: the user may not.
            Trouble: the server can't be asked.
        """
        self.allow(request)
        with order.source.asked():
            outcome = self.act(replace(order, by=request.user.get_username()))
        log_jobs(request, self.flag, order.ids, str(self.logged), outcome.done, order.queue)
        return outcome

    def tell(self, request: HttpRequest, outcome: Outcome, queue: str = "") -> None:
        """Say on the next page what became of some jobs."""
        if outcome.done:
            messages.success(request, told(self.done, len(outcome.done), queue))
        if outcome.missing:
            messages.warning(request, told(_MISSING, outcome.missing))
        if outcome.left:
            messages.warning(request, told(self.left, outcome.left, queue))
        if outcome.unheard:
            messages.warning(request, told(_UNHEARD, outcome.unheard))


def told(sentence: Sentence, about: int | Sequence[str], queue: str = "") -> str:
    """A sentence about so many jobs, or about these."""
    count = about if isinstance(about, int) else len(about)
    ids = "" if isinstance(about, int) else listed(about)
    named = {"count": count, "ids": ids, "queue": shown.shortened(queue, 60)}
    return str(sentence % named)


_MISSING = ngettext_lazy(
    "%(count)d job was not there any more, expired or deleted: %(ids)s",
    "%(count)d jobs were not there any more, expired or deleted: %(ids)s",
    "count",
)
_UNHEARD = ngettext_lazy(
    "%(count)d job was not stopped: its worker does not listen. If that worker is dead, the job’s "
    "lease will end and it be queued again: %(ids)s",
    "%(count)d jobs were not stopped: their workers do not listen. If those are dead, the jobs’ "
    "leases will end and they be queued again: %(ids)s",
    "count",
)


def _sorted(order: Order, verdicts: Sequence[str], done: str) -> Outcome:
    """What the engine's verdicts come to; ``done`` is the one that says so."""
    outcome = Outcome()
    for job_id, verdict in zip(order.ids, verdicts, strict=True):
        if verdict == done:
            outcome.done.append(job_id)
        elif verdict == "missing":
            outcome.missing.append(job_id)
        else:
            outcome.left.append(job_id)
    return outcome


def _requeue(order: Order) -> Outcome:
    return _sorted(order, order.source.transitions.requeue(order.ids), "queued")


def _run_now(order: Order) -> Outcome:
    return _sorted(order, order.source.transitions.enqueue_now(order.ids), "queued")


def _cancel(order: Order) -> Outcome:
    verdicts = order.source.transitions.cancel(order.ids, behind=order.behind)
    return _sorted(order, verdicts, "canceled")


def _move(order: Order) -> Outcome:
    verdicts = order.source.transitions.move(order.ids, order.queue, behind=order.behind)
    return _sorted(order, verdicts, "moved")


def _delete(order: Order) -> Outcome:
    there = order.source.transitions.delete(order.ids, behind=order.behind)
    verdicts = ["deleted" if each else "missing" for each in there]
    return _sorted(order, verdicts, "deleted")


def _stop(order: Order) -> Outcome:
    """Tell the workers; when each job ends is up to its worker."""
    outcome, transitions = Outcome(), order.source.transitions
    for job_id, job in zip(order.ids, order.source.queries.jobs(order.ids), strict=True):
        if job is None:
            outcome.missing.append(job_id)
        elif job.status != JobStatus.STARTED or not job.worker_name:
            outcome.left.append(job_id)
        elif transitions.send_command(job.worker_name, "stop-job", job_id=job_id, by=order.by):
            outcome.done.append(job_id)
        else:
            outcome.unheard.append(job_id)
    return outcome


ACTIONS: Mapping[str, JobAction] = {
    "requeue": JobAction(
        gettext_lazy("Requeue"),
        frozenset({Place.FAILED, Place.CANCELED}),
        _requeue,
        question=ngettext_lazy(
            "Requeue this job? It runs once more from its beginning.",
            "Requeue these %(count)d jobs? They run once more from their beginnings.",
            "count",
        ),
        question_all=gettext_lazy(
            "Requeue all of these jobs? They run once more from their beginnings."
        ),
        done=ngettext_lazy("Requeued %(count)d job.", "Requeued %(count)d jobs.", "count"),
        left=ngettext_lazy(
            "%(count)d job is not failed or canceled (any more), so it was left alone: %(ids)s",
            "%(count)d jobs are not failed or canceled (any more), so they were left alone: "
            "%(ids)s",
            "count",
        ),
        logged=gettext_lazy("Requeued %(done)d of %(count)d"),
    ),
    "run_now": JobAction(
        gettext_lazy("Run now"),
        frozenset({Place.SCHEDULED}),
        _run_now,
        question=ngettext_lazy(
            "Enqueue this job now, before its time?",
            "Enqueue these %(count)d jobs now, before their times?",
            "count",
        ),
        question_all=gettext_lazy("Enqueue all of these jobs now, before their times?"),
        done=ngettext_lazy(
            "Enqueued %(count)d job now, before its time.",
            "Enqueued %(count)d jobs now, before their times.",
            "count",
        ),
        left=ngettext_lazy(
            "%(count)d job is not scheduled (any more), so it was left alone: %(ids)s",
            "%(count)d jobs are not scheduled (any more), so they were left alone: %(ids)s",
            "count",
        ),
        logged=gettext_lazy("Enqueued before the time %(done)d of %(count)d"),
    ),
    "cancel": JobAction(
        gettext_lazy("Cancel"),
        frozenset({Place.QUEUED, Place.SCHEDULED, Place.DEFERRED}),
        _cancel,
        question=ngettext_lazy(
            "Cancel this job? Jobs that wait for it are canceled too.",
            "Cancel these %(count)d jobs? Jobs that wait for them are canceled too.",
            "count",
        ),
        question_all=gettext_lazy(
            "Cancel all of these jobs? Jobs that wait for them are canceled too."
        ),
        done=ngettext_lazy("Canceled %(count)d job.", "Canceled %(count)d jobs.", "count"),
        left=ngettext_lazy(
            "%(count)d job does not wait (any more), so it was left alone: %(ids)s",
            "%(count)d jobs do not wait (any more), so they were left alone: %(ids)s",
            "count",
        ),
        logged=gettext_lazy("Canceled %(done)d of %(count)d"),
    ),
    "stop": JobAction(
        gettext_lazy("Stop"),
        frozenset({Place.STARTED}),
        _stop,
        question=ngettext_lazy(
            "Stop this job? It ends as stopped, and is not retried.",
            "Stop these %(count)d jobs? They end as stopped, and are not retried.",
            "count",
        ),
        question_all=gettext_lazy(
            "Stop all of these jobs? They end as stopped, and are not retried."
        ),
        done=ngettext_lazy(
            "Told the worker of %(count)d job to stop it.",
            "Told the workers of %(count)d jobs to stop them.",
            "count",
        ),
        left=ngettext_lazy(
            "%(count)d job does not run (any more), so it was left alone: %(ids)s",
            "%(count)d jobs do not run (any more), so they were left alone: %(ids)s",
            "count",
        ),
        logged=gettext_lazy("Told the workers of %(done)d of %(count)d to stop them"),
        leaves=False,  # their workers end them
    ),
    "move": JobAction(
        gettext_lazy("Move to another queue"),
        frozenset(Place) - {Place.STARTED, Place.FINISHED},
        _move,
        question=ngettext_lazy(
            "Move this job to “%(queue)s”?",
            "Move these %(count)d jobs to “%(queue)s”?",
            "count",
        ),
        question_all=gettext_lazy("Move all of these jobs to “%(queue)s”?"),
        done=ngettext_lazy(
            "Moved %(count)d job to “%(queue)s”.", "Moved %(count)d jobs to “%(queue)s”.", "count"
        ),
        left=ngettext_lazy(
            "%(count)d job runs or was there already, so it was left alone: %(ids)s",
            "%(count)d jobs run or were there already, so they were left alone: %(ids)s",
            "count",
        ),
        logged=gettext_lazy("Moved %(done)d of %(count)d to “%(queue)s”"),
        to_queue=True,
    ),
    "delete": JobAction(
        gettext_lazy("Delete"),
        frozenset(Place),
        _delete,
        question=ngettext_lazy(
            "Are you sure you want to delete this job? Its arguments, result and history go with "
            "it.",
            "Are you sure you want to delete these %(count)d jobs? Their arguments, results and "
            "history go with them.",
            "count",
        ),
        question_all=gettext_lazy(
            "Are you sure you want to delete all of these jobs? Their arguments, results and "
            "history go with them."
        ),
        done=ngettext_lazy("Deleted %(count)d job.", "Deleted %(count)d jobs.", "count"),
        left=_MISSING,  # whatever is there can be deleted
        logged=gettext_lazy("Deleted %(done)d of %(count)d"),
        flag=DELETION,
        permission="delete",
    ),
}


def possible(request: HttpRequest, places: Collection[Place]) -> dict[str, JobAction]:
    """What the user may do to jobs, and can be done where."""
    return {
        name: action
        for name, action in ACTIONS.items()
        if action.places & set(places) and may(request, action.permission, "job")
    }


def targets(actions: Mapping[str, JobAction], queues: Sequence[str]) -> list[tuple[str, str]]:
    """The queues to which jobs can be moved, as a form sends and shows them."""
    if not any(action.to_queue for action in actions.values()):
        return []
    return [(segment(name), shown.shortened(name, 60)) for name in queues if len(name) <= LONGEST]
