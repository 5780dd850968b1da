"""The jobs that a dead worker holds, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from .. import conf
from ..exceptions import ConfigurationError
from ..queries.leases import StartedJob
from . import formatting as shown
from .links import Links

#: Jobs of one worker that are shown at the most.
MOST_OF_A_WORKER = 100


@dataclass(frozen=True, slots=True)
class HeldJob:
    """One of them.

    Attributes:
        what: what it calls, as its description says.
        fate: a sentence: when its lease ends, and what comes then.
    """

    id: str
    address: str
    what: str
    queue: str
    queue_address: str
    since: datetime | None
    fate: str


def held_jobs(held: Sequence[StartedJob], links: Links, now: datetime) -> tuple[HeldJob, ...]:
    """What the pages show of them."""
    return tuple(
        HeldJob(
            each.job.id,
            links.job(each.job.id),
            each.job.description,
            each.queue,
            links.queue(each.queue),
            each.job.started_at,
            _fate(each, now),
        )
        for each in held[:MOST_OF_A_WORKER]
    )


def _fate(held: StartedJob, now: datetime) -> str:
    until = shown.unix(held.until)
    if until is None:
        return _("Its lease has no end.")
    seconds = (until - now).total_seconds()
    named = {"duration": shown.duration(int(abs(seconds)))}
    if _requeued():
        if seconds > 0:
            return _("Its lease ends in %(duration)s; then it is queued again.") % named
        return (
            _("Its lease ended %(duration)s ago; a worker of its queue will queue it again.")
            % named
        )
    if seconds > 0:
        return _("Its lease ends in %(duration)s; then it fails.") % named
    return _("Its lease ended %(duration)s ago; a worker of its queue will fail it.") % named


def _requeued() -> bool:
    try:
        return conf.requeue_on_worker_death()
    except ConfigurationError:
        return True
