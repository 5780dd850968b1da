"""The jobs that a dead worker still holds, and what happens to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from .. import conf
from ..exceptions import ConfigurationError
from ..queries.leases import StartedJob
from . import formatting
from .links import Links

#: Jobs of one worker that are shown.
MAX_SHOWN = 100


@dataclass(frozen=True, slots=True)
class HeldJob:
    """A job that a dead worker holds.

    Attributes:
        description: The call.
        started_at: When the worker started it.
        lease: A sentence that says when its lease expires, and what happens then.
    """

    id: str
    address: str
    description: str
    queue: str
    queue_address: str
    started_at: datetime | None
    lease: str


def held_jobs(held: Sequence[StartedJob], links: Links, now: datetime) -> tuple[HeldJob, ...]:
    """The first :data:`MAX_SHOWN` jobs, for the pages."""
    return tuple(
        HeldJob(
            each.job.id,
            links.job(each.job.id),
            each.job.description,
            each.queue,
            links.queue(each.queue),
            each.job.started_at,
            _lease(each, now),
        )
        for each in held[:MAX_SHOWN]
    )


def _lease(held: StartedJob, now: datetime) -> str:
    until = formatting.from_timestamp(held.until)
    if until is None:
        return _("The lease never expires.")
    seconds = (until - now).total_seconds()
    named = {"duration": formatting.duration(int(abs(seconds)))}
    if _is_requeued():
        if seconds > 0:
            return _("The lease expires in %(duration)s; then the job is requeued.") % named
        return (
            _("The lease expired %(duration)s ago; a worker of the queue will requeue the job.")
            % named
        )
    if seconds > 0:
        return _("The lease expires in %(duration)s; then the job fails.") % named
    return _("The lease expired %(duration)s ago; a worker of the queue will fail the job.") % named


def _is_requeued() -> bool:
    try:
        return conf.requeue_on_worker_death()
    except ConfigurationError:
        return True
