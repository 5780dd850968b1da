"""What needs a person first, in words: whether it is stuck, since when, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...engine.wrong_type_keys import WrongTypeKey
from ...protocol.places import Place
from ...queries.leases import StartedJob
from ...queries.snapshots import Overview, Workers
from .. import formatting as shown
from ..links import Links
from ..listening import any_at_work
from .concern import Concern, of_server
from .dead_workers import silent
from .queue_state import State
from .queues import about_queue

#: Queues that one sentence names at the most.
_MOST_NAMED = 5


def concerns(
    states: Sequence[State],
    of_servers: Sequence[Concern],
    troubles: Sequence[str],
    now: datetime,
) -> list[Concern]:
    """Everything that needs attention, the gravest first.

    Args:
        of_servers: what :func:`about_workers`, :func:`about_server`, :func:`about_keys` and others
            found.
        troubles: why servers could not be asked, in sentences.
    """
    found = [Concern(50, shown.shortened(trouble, 300), "") for trouble in troubles]
    found += [*of_servers, *(concern for state in states for concern in about_queue(state, now))]
    return sorted(found, key=lambda concern: -concern.weight)


def about_keys(misfits: Sequence[WrongTypeKey]) -> Iterator[Concern]:
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


def about_server(
    states: Sequence[State], overview: Overview, links: Links, server: str, now: datetime
) -> Iterator[Concern]:
    """What keeps a whole server's jobs from running, and what was not looked at.

    Args:
        states: of its queues.
        server: its address, if there are others.
    """
    workers = overview.workers
    waiting = [state for state in states if state.counts.places[Place.QUEUED]]
    if workers.suspended and not waiting:
        sentence = _("All workers are suspended: no job runs until they are resumed.")
        yield Concern(20, of_server(sentence, server), links.workers(), "worker")
    idle = [state for state in states if state.needs_worker and not state.listeners]
    if not any_at_work(workers, now) and not waiting:
        sentence = _("No worker is running: jobs wait until one is started (manage.py rqworker).")
        yield Concern(20, of_server(sentence, server), links.workers(), "worker")
    elif unheard := [state.counts.name for state in idle if not _to_come(state)]:
        listed = ", ".join(f"“{shown.shortened(name, 60)}”" for name in unheard[:_MOST_NAMED])
        more = len(unheard) - _MOST_NAMED
        sentence = (
            _("No worker listens on %(queues)s and %(more)d more.")
            if more > 0
            else _("No worker listens on %(queues)s.")
        ) % {"queues": listed, "more": more}
        yield Concern(5, of_server(sentence, server), "")
    for count, sentence in (
        (
            overview.more,
            ngettext(
                "%(count)s more queue was not looked at.",
                "%(count)s more queues were not looked at.",
                overview.more,
            ),
        ),
        (
            workers.more,
            ngettext(
                "%(count)s more worker was not looked at.",
                "%(count)s more workers were not looked at.",
                workers.more,
            ),
        ),
    ):
        if count:
            yield Concern(4, of_server(sentence % {"count": f"{count:,}"}, server), "")


def _to_come(state: State) -> int:
    """How many jobs wait, or wait to wait."""
    places = (Place.QUEUED, Place.SCHEDULED, Place.DEFERRED)
    return sum(state.counts.places[place] for place in places)


def about_workers(
    workers: Workers, held: Mapping[str, Sequence[StartedJob]], links: Links, now: datetime
) -> Iterator[Concern]:
    """Those that are silent, and those that are dead and hold jobs."""
    for each in workers.found:
        if silent(each, now):
            sentence = _silent(each.name, each.last_heartbeat, len(held.get(each.name, ())), now)
            yield Concern(25, sentence, links.worker(each.name), "worker")
    for name in workers.expired:
        if count := len(held.get(name, ())):
            sentence = ngettext(
                "Worker “%(worker)s” is dead and holds %(count)d job.",
                "Worker “%(worker)s” is dead and holds %(count)d jobs.",
                count,
            ) % {"worker": shown.shortened(name, 60), "count": count}
            yield Concern(25, sentence, links.worker(name), "worker")


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
