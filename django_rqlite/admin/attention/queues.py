"""What needs attention in a queue: jobs that wait, are overdue, failed, or run too long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...protocol.places import Place
from ...queries.leases import StartedJob
from .. import formatting
from ..formatting import shortened
from .concern import Concern
from .queue_state import QueueState
from .slots import LONG_RUN, count_functions, seconds_running

#: A job that has waited for this many seconds needs attention.
LONG_WAIT = 60

#: Functions that one sentence names.
_MAX_FUNCTIONS = 3


def about_queue(state: QueueState, now: datetime) -> Iterator[Concern]:
    """Everything that needs attention in a queue."""
    counts, waiting = state.counts, state.counts.places[Place.QUEUED]
    age = (now - state.oldest).total_seconds() if state.oldest else 0
    name = shortened(counts.name, 60)
    for problem in counts.problems:
        yield Concern(40, f"{name}: {shortened(problem, 300)}", state.address)
    if waiting and (why := _why_blocked(state)):
        yield Concern(30 if not counts.paused else 20, _waits(state, age, why), state.address)
    elif waiting and age > LONG_WAIT:
        yield Concern(20, _waits(state, age, _why_waiting(state, now)), state.address)
    elif waiting and state.oldest is None:
        sentence = ngettext(
            "%(count)d job waits in “%(queue)s”; it is not known since when.",
            "%(count)d jobs wait in “%(queue)s”; it is not known since when.",
            waiting,
        ) % {"count": waiting, "queue": name}
        yield Concern(9, sentence, state.address)
    elif counts.paused:
        sentence = _("“%(queue)s” is paused: no worker takes a job from it.") % {"queue": name}
        yield Concern(5, sentence, state.address)
    yield from _about_scheduled(state, name, now)
    yield from _about_expired(state, name, now)
    if state.runs.failed:
        sentence = ngettext(
            "%(count)d run failed in the last hour in “%(queue)s”.",
            "%(count)d runs failed in the last hour in “%(queue)s”.",
            state.runs.failed,
        ) % {"count": state.runs.failed, "queue": name}
        yield Concern(10, sentence, state.failed_address)
    yield from _about_long_runs(state, name, now)


def _about_scheduled(state: QueueState, name: str, now: datetime) -> Iterator[Concern]:
    """Scheduled jobs that are overdue, and jobs that no worker would run when their time comes."""
    scheduled = state.counts.places[Place.SCHEDULED]
    deferred = state.counts.places[Place.DEFERRED]
    # If jobs wait for a worker, another sentence says so already.
    already_said = state.counts.places[Place.QUEUED] and not state.counts.paused
    due = formatting.from_timestamp(state.schedule_delay.first_due)
    if state.schedule_delay.overdue:
        named: dict[str, object] = {
            "count": state.schedule_delay.overdue,
            "queue": name,
            "age": formatting.duration((now - due).total_seconds()) if due else "?",
            "why": _("its workers do not enqueue them")
            if state.listeners
            else _("no worker listens on it"),
        }
        sentence = ngettext(
            "%(count)d scheduled job of “%(queue)s” is overdue, for %(age)s: %(why)s.",
            "%(count)d scheduled jobs of “%(queue)s” are overdue, the first for %(age)s: %(why)s.",
            state.schedule_delay.overdue,
        )
        yield Concern(30, sentence % named, state.scheduled_address)
    elif not (state.listeners or already_said) and (scheduled or deferred):
        yield Concern(20, _no_listener(name, scheduled, deferred), state.address)


def _no_listener(name: str, scheduled: int, deferred: int) -> str:
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


def _about_expired(state: QueueState, name: str, now: datetime) -> Iterator[Concern]:
    """Started jobs whose leases expired long ago."""
    if not state.expired:
        return
    count = len(state.expired)
    until = formatting.from_timestamp(min(lease.until for lease in state.expired))
    why = (
        _("its workers have not recovered them")
        if state.listeners
        else _("no worker listens on it to recover them")
    )
    named = {
        "count": f"{count:,}" + ("+" if state.more_expired else ""),
        "queue": name,
        "age": formatting.duration((now - until).total_seconds()) if until else "?",
        "why": why,
    }
    sentence = ngettext(
        "The lease of %(count)s started job in “%(queue)s” expired %(age)s ago: %(why)s.",
        "The leases of %(count)s started jobs in “%(queue)s” expired, the first %(age)s ago: "
        "%(why)s.",
        count,
    )
    yield Concern(25, sentence % named, state.started_address)


def _about_long_runs(state: QueueState, name: str, now: datetime) -> Iterator[Concern]:
    """Jobs that have run for longer than is usual."""
    if not state.unusual or state.usual is None:
        return
    named: dict[str, object] = {
        "count": len(state.unusual),
        "queue": name,
        "age": formatting.duration(seconds_running(state.unusual[0], now)),
        "usual": formatting.duration(state.usual),
        "what": _listed(state.unusual),
    }
    sentence = ngettext(
        "%(count)d job in “%(queue)s” has run for %(age)s (p95: %(usual)s): %(what)s.",
        "%(count)d jobs in “%(queue)s” have run for up to %(age)s (p95: %(usual)s): %(what)s.",
        len(state.unusual),
    )
    yield Concern(8, sentence % named, state.started_address)


def _why_blocked(state: QueueState) -> str:
    """Why no job of the queue can run now; ``''`` if jobs can run."""
    if state.counts.paused:
        return _("it is paused")
    if not state.listeners:
        return _("no worker listens on it")
    return _("all workers are suspended") if state.suspended else ""


def _why_waiting(state: QueueState, now: datetime) -> str:
    """Why jobs wait although workers listen on the queue."""
    slots = state.slots
    if slots is None:
        return _("its workers are busy with other jobs")
    if not slots.full:
        counted = {"busy": slots.busy, "total": slots.total}
        return _("its workers have free slots (%(busy)d of %(total)d in use)") % counted
    longest = seconds_running(slots.jobs[0], now)
    named = {"total": slots.total, "age": formatting.duration(longest), "what": _listed(slots.jobs)}
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
    """The functions that these jobs call: ``long_import ×3``."""
    called = count_functions(held)
    parts = [
        f"{shortened(name or '?', 60)} ×{count}" if count > 1 else shortened(name, 60)
        for name, count in called[:_MAX_FUNCTIONS]
    ]
    return ", ".join([*parts, *(["…"] if len(called) > _MAX_FUNCTIONS else [])])


def _waits(state: QueueState, age: float, why: str) -> str:
    waiting = state.counts.places[Place.QUEUED]
    named = {"queue": shortened(state.counts.name, 60), "why": why, "count": waiting}
    if age > LONG_WAIT:
        named["age"] = formatting.duration(age)
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
