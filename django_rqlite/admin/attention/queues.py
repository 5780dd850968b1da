"""What needs attention in one queue: what waits, what is late, what failed, what runs long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...protocol.places import Place
from ...queries.leases import StartedJob
from .. import formatting as shown
from ..slots import LONG_RUN, functions, seconds
from .concern import Concern
from .queue_state import State

#: Seconds that a job may wait before anybody has to know.
LONG_WAIT = 60

#: Functions that one sentence names at the most.
_MOST_FUNCTIONS = 3


def about_queue(state: State, now: datetime) -> Iterator[Concern]:
    """Everything that needs attention in a queue."""
    counts, waiting = state.counts, state.counts.places[Place.QUEUED]
    age = (now - state.oldest).total_seconds() if state.oldest else 0
    name = shown.shortened(counts.name, 60)
    for problem in counts.problems:
        yield Concern(40, f"{name}: {shown.shortened(problem, 300)}", state.address)
    if waiting and (why := _why(state)):
        yield Concern(30 if not counts.paused else 20, _waits(state, age, why), state.address)
    elif waiting and age > LONG_WAIT:
        yield Concern(20, _waits(state, age, _all_busy(state, now)), state.address)
    elif waiting and state.oldest is None:
        sentence = ngettext(
            "%(count)d job waits in “%(queue)s”; since when is not known.",
            "%(count)d jobs wait in “%(queue)s”; since when is not known.",
            waiting,
        ) % {"count": waiting, "queue": name}
        yield Concern(9, sentence, state.address)
    elif counts.paused:
        sentence = _("“%(queue)s” is paused: no worker takes a job from it.") % {"queue": name}
        yield Concern(5, sentence, state.address)
    yield from _to_be_queued(state, name, now)
    yield from _expired(state, name, now)
    if state.runs.failed:
        sentence = ngettext(
            "%(count)d run failed in the last hour in “%(queue)s”.",
            "%(count)d runs failed in the last hour in “%(queue)s”.",
            state.runs.failed,
        ) % {"count": state.runs.failed, "queue": name}
        yield Concern(10, sentence, state.failed_address)
    yield from _long(state, name, now)


def _to_be_queued(state: State, name: str, now: datetime) -> Iterator[Concern]:
    """Scheduled jobs that nobody queues, and those that nobody would run."""
    scheduled = state.counts.places[Place.SCHEDULED]
    deferred = state.counts.places[Place.DEFERRED]
    # That nobody listens is said already where jobs wait for that reason.
    told = state.counts.places[Place.QUEUED] and not state.counts.paused
    due = shown.unix(state.lateness.first_due)
    if state.lateness.overdue:
        named: dict[str, object] = {
            "count": state.lateness.overdue,
            "queue": name,
            "age": shown.duration((now - due).total_seconds()) if due else "?",
            "why": _("its workers do not enqueue them")
            if state.listeners
            else _("no worker listens on it"),
        }
        sentence = ngettext(
            "%(count)d scheduled job of “%(queue)s” is overdue, for %(age)s: %(why)s.",
            "%(count)d scheduled jobs of “%(queue)s” are overdue, the first for %(age)s: %(why)s.",
            state.lateness.overdue,
        )
        yield Concern(30, sentence % named, state.scheduled_address)
    elif not (state.listeners or told) and (scheduled or deferred):
        yield Concern(20, _unheard(name, scheduled, deferred), state.address)


def _unheard(name: str, scheduled: int, deferred: int) -> str:
    counted = {"scheduled": scheduled, "deferred": deferred, "queue": name}
    if scheduled and deferred:
        sentence = _(
            "No worker listens on “%(queue)s”, which has scheduled jobs (%(scheduled)d) and "
            "deferred jobs (%(deferred)d)."
        )
    elif scheduled:
        sentence = ngettext(
            "No worker listens on “%(queue)s”, which has %(scheduled)d scheduled job.",
            "No worker listens on “%(queue)s”, which has %(scheduled)d scheduled jobs.",
            scheduled,
        )
    else:
        sentence = ngettext(
            "No worker listens on “%(queue)s”, which has %(deferred)d deferred job.",
            "No worker listens on “%(queue)s”, which has %(deferred)d deferred jobs.",
            deferred,
        )
    return sentence % counted


def _expired(state: State, name: str, now: datetime) -> Iterator[Concern]:
    """Jobs that stand as started although nobody keeps them any more."""
    if not state.expired:
        return
    count = len(state.expired)
    until = shown.unix(min(lease.until for lease in state.expired))
    why = (
        _("its workers have not taken them back")
        if state.listeners
        else _("no worker listens on it to take them back")
    )
    named = {
        "count": f"{count:,}" + ("+" if state.more_expired else ""),
        "queue": name,
        "age": shown.duration((now - until).total_seconds()) if until else "?",
        "why": why,
    }
    sentence = ngettext(
        "The lease of %(count)s started job in “%(queue)s” ended %(age)s ago: %(why)s.",
        "The leases of %(count)s started jobs in “%(queue)s” ended, the first %(age)s ago: "
        "%(why)s.",
        count,
    )
    yield Concern(25, sentence % named, state.started_address)


def _long(state: State, name: str, now: datetime) -> Iterator[Concern]:
    """Jobs that have run longer than is usual."""
    if not state.unusual or state.usual is None:
        return
    named: dict[str, object] = {
        "count": len(state.unusual),
        "queue": name,
        "age": shown.duration(seconds(state.unusual[0], now)),
        "usual": shown.duration(state.usual),
        "what": _listed(state.unusual),
    }
    sentence = ngettext(
        "%(count)d job in “%(queue)s” has run for %(age)s, where 95 of 100 took at most "
        "%(usual)s: %(what)s.",
        "%(count)d jobs in “%(queue)s” have run for up to %(age)s, where 95 of 100 took at most "
        "%(usual)s: %(what)s.",
        len(state.unusual),
    )
    yield Concern(8, sentence % named, state.started_address)


def _why(state: State) -> str:
    """Why nothing of the queue can run now; ``''`` where it can."""
    if state.counts.paused:
        return _("it is paused")
    if not state.listeners:
        return _("no worker listens on it")
    return _("all workers are suspended") if state.suspended else ""


def _all_busy(state: State, now: datetime) -> str:
    """Why jobs have to wait although workers listen."""
    slots = state.slots
    if slots is None:
        return _("its workers are busy with other jobs")
    if not slots.full:
        counted = {"busy": slots.busy, "total": slots.total}
        return _("its workers have free slots (%(busy)d of %(total)d in use)") % counted
    longest = seconds(slots.jobs[0], now)
    named = {"total": slots.total, "age": shown.duration(longest), "what": _listed(slots.jobs)}
    if longest < LONG_RUN:
        return (
            ngettext(
                "the %(total)d slot of its workers is busy",
                "all %(total)d slots of its workers are busy",
                slots.total,
            )
            % named
        )
    return (
        ngettext(
            "the %(total)d slot of its workers has been busy for %(age)s with %(what)s",
            "all %(total)d slots of its workers are busy, for up to %(age)s, with %(what)s",
            slots.total,
        )
        % named
    )


def _listed(held: Sequence[StartedJob]) -> str:
    """What these jobs call: ``long_import ×3``."""
    called = functions(held)
    parts = [
        f"{shown.shortened(name or '?', 60)} ×{count}" if count > 1 else shown.shortened(name, 60)
        for name, count in called[:_MOST_FUNCTIONS]
    ]
    return ", ".join([*parts, *(["…"] if len(called) > _MOST_FUNCTIONS else [])])


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
