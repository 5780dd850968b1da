"""What an action on jobs is: where it applies, how it is done, logged and reported."""

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

#: A sentence with the placeholders ``%(count)d`` and ``%(queue)s``, in singular and plural. (The
#: result of ``ngettext_lazy`` has no type of its own.)
Sentence = Any


@dataclass(frozen=True, slots=True)
class Selection:
    """The jobs of one server to which an action is done, and its parameters.

    Attributes:
        to_queue: the queue to which jobs are moved; ``''`` for other actions.
        behind: how many entries stood behind them in their queue's list a moment ago; None: not
            known.
        username: the name of the user who runs the action.
    """

    server: Server
    ids: Sequence[str]
    to_queue: str = ""
    behind: int | None = None
    username: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The ids of the jobs of a selection, by what became of them.

    Attributes:
        done: the action was done.
        missing: the job no longer exists.
        skipped: the job is in a state to which the action does not apply.
        unreachable: the worker of the job did not respond.
    """

    done: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class JobAction:
    """An action on jobs.

    Attributes:
        label: its name in the list of actions.
        places: the places of jobs to which it applies.
        act: does it.
        question: is asked before it is done to selected jobs.
        question_all: is asked before it is done to all matching jobs.
        done: reports the jobs to which it was done.
        skipped: reports the jobs to which it does not apply; has the placeholder ``%(ids)s`` too.
        logged: for the admin log, with the placeholders ``%(done)d`` and ``%(count)d``.
        flag: the kind of the entry in the admin log.
        needs_queue: whether it needs a queue to move jobs to.
        moves_jobs: whether jobs leave their places with it.
        permission: the permission that it needs: to ``'change'`` or to ``'delete'`` jobs.
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
            PermissionDenied: the user may not do it.
        """
        if not may(request, self.permission, "job"):
            raise PermissionDenied

    def run(self, request: HttpRequest, selection: Selection) -> Outcome:
        """Do it, and write an entry to the admin log.

        Raises:
            PermissionDenied: the user may not do it.
            Unavailable: the server does not answer.
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
