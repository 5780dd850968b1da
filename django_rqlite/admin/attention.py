"""What needs a person first, in words: whether it is stuck, since when, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import shown
from ..engine.foreign import Misfit
from ..engine.holding import Held
from ..engine.monitor import Place, QueueCounts, Workers
from .links import Links
from .silence import silent

#: Seconds that a job may wait before anybody has to know.
LONG_WAIT = 60


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a queue.

    Attributes:
        oldest: when the job that is next was enqueued; None: none waits, or it does not say.
        listeners: how many workers listen on it, as far as they are alive.
        failed_lately: runs that failed in the last hour.
        address, failed_address: of its waiting and of its failed jobs.
    """

    counts: QueueCounts
    oldest: datetime | None
    listeners: int
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
    #: Whether the address is that of a worker; else it is that of jobs.
    of_worker: bool = False


def concerns(
    states: Sequence[State],
    of_workers: Sequence[Concern],
    troubles: Sequence[str],
    now: datetime,
) -> list[Concern]:
    """Everything that needs attention, the gravest first.

    Args:
        of_workers: what :func:`about_workers` found, and :func:`about_keys`.
        troubles: why servers could not be asked, in sentences.
    """
    found = [Concern(50, shown.shortened(trouble, 300), "") for trouble in troubles]
    found += [*of_workers, *(concern for state in states for concern in _of(state, now))]
    return sorted(found, key=lambda concern: -concern.weight)


def about_keys(misfits: Sequence[Misfit]) -> Iterator[Concern]:
    """Keys that hold something other than they should."""
    for misfit in misfits:
        sentence = _(
            "The key “%(key)s” holds a %(found)s instead of a %(wanted)s, so it is left out. "
            "Delete or rename it."
        ) % {
            "key": shown.shortened(misfit.key, 120),
            "found": misfit.found,
            "wanted": misfit.wanted,
        }
        yield Concern(40, sentence, "")


def lost(workers: Workers, now: datetime) -> set[str]:
    """Names of those that are dead, or probably are."""
    return {*workers.expired, *(each.name for each in workers.found if silent(each, now))}


def listeners(counts: QueueCounts, workers: Workers, now: datetime) -> int:
    """How many workers listen on a queue, without those that are dead, or probably are."""
    there = [each for each in workers.found if counts.name in each.queues and not each.death]
    dumb = sum(silent(each, now) for each in there)
    # Records divide the names by commas. Where not all were read, the rest counts as alive.
    if workers.more or "," in counts.name:
        return max(counts.workers - dumb, 0)
    return len(there) - dumb


def about_workers(
    workers: Workers, held: Mapping[str, Sequence[Held]], links: Links, now: datetime
) -> Iterator[Concern]:
    """Those that are silent, and those that are dead and hold jobs."""
    for each in workers.found:
        if silent(each, now):
            sentence = _silent(each.name, each.last_heartbeat, len(held.get(each.name, ())), now)
            yield Concern(25, sentence, links.worker(each.name), of_worker=True)
    for name in workers.expired:
        if count := len(held.get(name, ())):
            sentence = ngettext(
                "Worker “%(worker)s” is dead and holds %(count)d job.",
                "Worker “%(worker)s” is dead and holds %(count)d jobs.",
                count,
            ) % {"worker": shown.shortened(name, 60), "count": count}
            yield Concern(25, sentence, links.worker(name), of_worker=True)


def _silent(name: str, heard: datetime | None, count: int, now: datetime) -> str:
    named: dict[str, object] = {"worker": shown.shortened(name, 60), "count": count}
    if heard is None:
        return _("Worker “%(worker)s” does not say when it was alive.") % named
    named["age"] = shown.duration((now - heard).total_seconds())
    if not count:
        return _("Worker “%(worker)s” has not been heard of for %(age)s.") % named
    return (
        ngettext(
            "Worker “%(worker)s” has not been heard of for %(age)s and holds %(count)d job.",
            "Worker “%(worker)s” has not been heard of for %(age)s and holds %(count)d jobs.",
            count,
        )
        % named
    )


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
    if not state.listeners:
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
