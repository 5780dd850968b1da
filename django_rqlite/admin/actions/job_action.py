"""``JobAction``: where an action on jobs applies, and how it is done, logged and reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import ngettext_lazy

from ...broker.broker import Broker
from ...broker.servers import Server
from ...protocol.places import Place
from ..formatting import shortened
from ..frame import may
from ..servers import connected
from .admin_log import listed, log_jobs

#: A sentence with the placeholders ``%(count)d`` and ``%(queue)s``, in singular and plural. (Django
#: has no public type for the result of ``ngettext_lazy``.)
Sentence = Any


@dataclass(frozen=True, slots=True)
class Selection:
    """The jobs of one server on which an action runs, and its parameters.

    Attributes:
        to_queue: The queue to which jobs are moved; ``''`` for other actions.
        behind: How many entries their queue's list had behind them a moment ago; None: not known.
        username: The name of the user who runs the action.
    """

    server: Server
    ids: Sequence[str]
    to_queue: str = ""
    behind: int | None = None
    username: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The ids of the jobs of a selection, by the result of the action.

    Attributes:
        done: The action has succeeded.
        missing: The job no longer exists.
        skipped: The job is in a state to which the action does not apply.
        unreachable: The worker of the job did not respond.
    """

    done: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class JobAction:
    """An action on jobs.

    Attributes:
        label: Its name in the list of actions.
        places: The places of jobs to which it applies.
        act: Performs the action.
        question: The question before it runs on selected jobs.
        question_all: The question before it runs on all matching jobs.
        done: The report about the jobs on which it succeeded.
        skipped: The report about the jobs to which it does not apply; has the placeholder
            ``%(ids)s`` too.
        logged: The text for the admin log, with the placeholders ``%(done)d`` and ``%(count)d``.
        flag: The kind of the entry in the admin log.
        needs_queue: Whether it needs a queue to which jobs are moved.
        moves_jobs: Whether it removes jobs from their places.
        permission: The permission that it needs: to ``'change'`` or to ``'delete'`` jobs.
    """

    label: Promise
    places: frozenset[Place]
    act: Callable[[Broker, Selection], Outcome]
    question: Sentence
    question_all: Promise
    done: Sentence
    skipped: Sentence
    logged: Promise
    flag: int = CHANGE
    needs_queue: bool = False
    moves_jobs: bool = True
    permission: str = "change"

    def allow(self, request: HttpRequest) -> None:
        """Check the permission of the user.

        Raises:
            PermissionDenied: The user may not do it.
        """
        if not may(request, self.permission, "job"):
            raise PermissionDenied

    def run(self, request: HttpRequest, selection: Selection) -> Outcome:
        """Do it, and write an entry to the admin log.

        Raises:
            PermissionDenied: The user may not do it.
            Unavailable: The server does not answer.
        """
        self.allow(request)
        with connected(selection.server) as broker:
            outcome = self.act(broker, replace(selection, username=request.user.get_username()))
        log_jobs(
            request,
            self.flag,
            selection.ids,
            str(self.logged),
            outcome.done,
            selection.to_queue,
        )
        return outcome

    def report(self, request: HttpRequest, outcome: Outcome, queue: str = "") -> None:
        """Report the outcome on the next page."""
        if outcome.done:
            messages.success(request, format_sentence(self.done, len(outcome.done), queue))
        if outcome.missing:
            messages.warning(request, format_sentence(MISSING, outcome.missing))
        if outcome.skipped:
            messages.warning(request, format_sentence(self.skipped, outcome.skipped, queue))
        if outcome.unreachable:
            messages.warning(request, format_sentence(_UNREACHABLE, outcome.unreachable))


def format_sentence(sentence: Sentence, jobs: int | Sequence[str], queue: str = "") -> str:
    """A sentence about a number of jobs, or about the jobs with these ids."""
    count = jobs if isinstance(jobs, int) else len(jobs)
    ids = "" if isinstance(jobs, int) else listed(jobs)
    named = {"count": count, "ids": ids, "queue": shortened(queue, 60)}
    return str(sentence % named)


MISSING = ngettext_lazy(
    "%(count)d job no longer exists, it has expired or was deleted: %(ids)s",
    "%(count)d jobs no longer exist, they have expired or were deleted: %(ids)s",
    "count",
)
_UNREACHABLE = ngettext_lazy(
    "%(count)d job was not stopped: its worker did not respond. If the worker is dead, the job "
    "will be queued again when its lease expires: %(ids)s",
    "%(count)d jobs were not stopped: their workers did not respond. If the workers are dead, the "
    "jobs will be queued again when their leases expire: %(ids)s",
    "count",
)
