"""What needs a person first, in words: whether it is stuck, since when, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import shown
from ..engine.monitor import Place, QueueCounts

#: Seconds that a job may wait before anybody has to know.
LONG_WAIT = 60


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a queue.

    Attributes:
        oldest: when the job that is next was enqueued; None: none waits, or it does not say.
        failed_lately: runs that failed in the last hour.
        address, failed_address: of its waiting and of its failed jobs.
    """

    counts: QueueCounts
    oldest: datetime | None
    failed_lately: int
    suspended: bool
    address: str
    failed_address: str


@dataclass(frozen=True, slots=True)
class Concern:
    """A sentence, and where to look. The greater its weight, the sooner."""

    weight: int
    sentence: str
    address: str


def concerns(states: Sequence[State], troubles: Sequence[str], now: datetime) -> list[Concern]:
    """Everything that needs attention, the gravest first.

    Args:
        troubles: why servers could not be asked, in sentences.
    """
    found = [Concern(50, shown.shortened(trouble, 300), "") for trouble in troubles]
    found += [concern for state in states for concern in _of(state, now)]
    return sorted(found, key=lambda concern: -concern.weight)


def _of(state: State, now: datetime) -> Iterator[Concern]:
    counts, waiting = state.counts, state.counts.places[Place.QUEUED]
    age = (now - state.oldest).total_seconds() if state.oldest else 0
    for problem in counts.problems:
        sentence = f"{shown.shortened(counts.name, 60)}: {shown.shortened(problem, 300)}"
        yield Concern(40, sentence, state.address)
    if waiting and (why := _why(state)):
        yield Concern(30 if not counts.paused else 20, _waits(state, age, why), state.address)
    elif waiting and age > LONG_WAIT:
        why = _("its workers do not keep up")
        yield Concern(20, _waits(state, age, why), state.address)
    if state.failed_lately:
        sentence = ngettext(
            "%(count)d run failed in the last hour in “%(queue)s”.",
            "%(count)d runs failed in the last hour in “%(queue)s”.",
            state.failed_lately,
        ) % {"count": state.failed_lately, "queue": shown.shortened(counts.name, 60)}
        yield Concern(10, sentence, state.failed_address)


def _why(state: State) -> str:
    """Why nothing of the queue can run now; ``''`` where it can."""
    if state.counts.paused:
        return _("it is paused")
    if not state.counts.workers:
        return _("no worker listens on it")
    return _("all workers are suspended") if state.suspended else ""


def _waits(state: State, age: float, why: str) -> str:
    waiting = state.counts.places[Place.QUEUED]
    named = {"queue": shown.shortened(state.counts.name, 60), "why": why, "count": waiting}
    if age > LONG_WAIT:
        named["age"] = shown.duration(age)
        return (
            ngettext(
                "%(count)d job waits in “%(queue)s”, for %(age)s: %(why)s.",
                "%(count)d jobs wait in “%(queue)s”, the next for %(age)s: %(why)s.",
                waiting,
            )
            % named
        )
    return (
        ngettext(
            "%(count)d job waits in “%(queue)s”: %(why)s.",
            "%(count)d jobs wait in “%(queue)s”: %(why)s.",
            waiting,
        )
        % named
    )
