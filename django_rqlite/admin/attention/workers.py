"""Which workers need attention: those that are silent, and those that are dead and hold jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...queries.leases import StartedJob
from ...queries.snapshots import Workers
from .. import formatting
from ..formatting import shortened
from ..links import Links
from .concern import Concern
from .dead_workers import is_silent


def about_workers(
    workers: Workers, held: Mapping[str, Sequence[StartedJob]], links: Links, now: datetime
) -> Iterator[Concern]:
    """What needs attention among the workers of one server.

    Args:
        held: The jobs that dead and silent workers hold, by the worker's name.
    """
    for each in workers.found:
        if is_silent(each, now):
            sentence = _silent(each.name, each.last_heartbeat, len(held.get(each.name, ())), now)
            yield Concern(25, sentence, links.worker(each.name), "worker")
    for name in workers.expired:
        if count := len(held.get(name, ())):
            sentence = ngettext(
                "Worker “%(worker)s” is dead and holds %(count)d job.",
                "Worker “%(worker)s” is dead and holds %(count)d jobs.",
                count,
            ) % {"worker": shortened(name, 60), "count": count}
            yield Concern(25, sentence, links.worker(name), "worker")


def _silent(name: str, last_heartbeat: datetime | None, count: int, now: datetime) -> str:
    named: dict[str, object] = {"worker": shortened(name, 60), "count": count}
    if last_heartbeat is None:
        return _("The record of worker “%(worker)s” has no time of a heartbeat.") % named
    named["age"] = formatting.duration((now - last_heartbeat).total_seconds())
    if not count:
        return _("Worker “%(worker)s” has sent no heartbeat for %(age)s.") % named
    return (
        ngettext(
            "Worker “%(worker)s” has sent no heartbeat for %(age)s and holds %(count)d job.",
            "Worker “%(worker)s” has sent no heartbeat for %(age)s and holds %(count)d jobs.",
            count,
        )
        % named
    )
