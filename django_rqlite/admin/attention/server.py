"""What needs attention on a whole server: why its jobs do not run, and keys of the wrong type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...engine.wrong_type_keys import WrongTypeKey
from ...protocol.places import Place
from ...queries.snapshots import Overview
from ..formatting import quoted_names, shortened
from ..links import Links
from .concern import Concern, with_server
from .listeners import any_accepts_jobs
from .queue_state import QueueState

#: Queues that one sentence names.
_MAX_NAMES = 5


def about_server(
    states: Sequence[QueueState], overview: Overview, links: Links, server: str, now: datetime
) -> Iterator[Concern]:
    """Why the jobs of a whole server do not run, and what was not checked.

    Args:
        states: The states of its queues.
        server: Its address, or ``''`` if there is no other.
    """
    workers = overview.workers
    waiting = [state for state in states if state.counts.places[Place.QUEUED]]
    if workers.suspended and not waiting:
        sentence = _("All workers are suspended: no job runs until they are resumed.")
        yield Concern(20, with_server(sentence, server), links.workers(), "worker")
    without_listener = [state for state in states if state.needs_worker and not state.listeners]
    # If jobs wait, or will wait, the concerns of their queues say that no worker listens.
    empty = [state.counts.name for state in without_listener if not _waiting_jobs(state)]
    if not any_accepts_jobs(workers, now) and not waiting:
        sentence = _("No worker is running: jobs wait until one is started (manage.py rqworker).")
        yield Concern(20, with_server(sentence, server), links.workers(), "worker")
    elif empty:
        more = len(empty) - _MAX_NAMES
        sentence = (
            _("No worker listens on %(queues)s and %(more)d more.")
            if more > 0
            else _("No worker listens on %(queues)s.")
        ) % {"queues": quoted_names(empty[:_MAX_NAMES], _MAX_NAMES), "more": more}
        yield Concern(5, with_server(sentence, server), "")
    yield from _not_checked(overview, server)


def _waiting_jobs(state: QueueState) -> int:
    """How many jobs of a queue wait, now or until their time or their dependencies."""
    places = (Place.QUEUED, Place.SCHEDULED, Place.DEFERRED)
    return sum(state.counts.places[place] for place in places)


def _not_checked(overview: Overview, server: str) -> Iterator[Concern]:
    for count, sentence in (
        (
            overview.more,
            ngettext(
                "%(count)s more queue was not checked.",
                "%(count)s more queues were not checked.",
                overview.more,
            ),
        ),
        (
            overview.workers.more,
            ngettext(
                "%(count)s more worker was not checked.",
                "%(count)s more workers were not checked.",
                overview.workers.more,
            ),
        ),
    ):
        if count:
            yield Concern(4, with_server(sentence % {"count": f"{count:,}"}, server), "")


def about_keys(keys: Sequence[WrongTypeKey]) -> Iterator[Concern]:
    """Keys that hold a value of the wrong type."""
    for each in keys:
        sentence = _(
            "The key “%(key)s” holds a %(found)s instead of a %(wanted)s, so it is ignored. "
            "Delete or rename it."
        ) % {
            "key": shortened(each.key, 120),
            "found": each.found,
            "wanted": each.wanted,
        }
        yield Concern(40, sentence, "")
