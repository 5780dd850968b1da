"""The timeline of a job: when it waited, and when it ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from ..protocol.records import JobRecord, JobStatus
from ..protocol.stored_result import ResultRecord
from . import formatting, labels

#: The width of the timeline, in units of its SVG.
WIDTH = 1000

#: The width of the shortest stretch, so that it is visible.
MIN_WIDTH = 4

_UNFINISHED = (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.SCHEDULED, JobStatus.DEFERRED)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A period in which a job waited or ran.

    Attributes:
        kind: ``waiting``, ``running``, ``good`` (a run that succeeded) or ``bad``.
        left, width: In units of the SVG.
        text: What the job did, and for how long.
    """

    kind: str
    left: int
    width: int
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The stretches of a job, in order.

    Attributes:
        open: Whether the job is not finished.
        sentence: The stretches in words, for people who cannot see the picture.
    """

    stretches: Sequence[Stretch]
    begin: datetime
    end: datetime
    open: bool
    sentence: str


def timeline(job: JobRecord, results: Sequence[ResultRecord], now: datetime) -> Timeline | None:
    """The timeline of a job; None if too few of its times are known.

    Args:
        results: The outcomes that are stored, newest first.
    """
    runs = [
        (result.started_at, result.ended_at, result)
        for result in reversed(results)
        if result.started_at and result.ended_at and result.ended_at >= result.started_at
    ]
    known = [start for start, _end, _result in runs]
    begin = min([m for m in (job.created_at, job.enqueued_at, *known[:1]) if m], default=None)
    if begin is None:
        return None
    parts: list[tuple[str, datetime, datetime, str]] = []
    at = begin
    for start, end, result in runs:
        parts.append(("waiting", at, start, _("waited")))
        kind = "bad" if result.exc_string else "good"
        parts.append((kind, start, end, labels.outcome(result)))
        at = max(at, end)
    unfinished = job.status in _UNFINISHED
    if job.status == JobStatus.STARTED and job.started_at:
        parts.append(("waiting", at, job.started_at, _("waited")))
        parts.append(("running", max(at, job.started_at), now, _("running")))
    elif unfinished:
        parts.append(("waiting", at, now, _("waiting")))
    # Some times are whole seconds: a start may seem to lie before the enqueueing.
    parts = [(kind, start, end, text) for kind, start, end, text in parts if end > start]
    if not parts:
        return None
    return _draw(parts, begin, unfinished)


def _draw(
    parts: Sequence[tuple[str, datetime, datetime, str]], begin: datetime, unfinished: bool
) -> Timeline:
    last = max(end for _kind, _start, end, _text in parts)
    whole = (last - begin).total_seconds()
    stretches = []
    for kind, start, end, text in parts:
        left = min(round((start - begin).total_seconds() / whole * WIDTH), WIDTH - MIN_WIDTH)
        width = max(round((end - start).total_seconds() / whole * WIDTH), MIN_WIDTH)
        took = formatting.duration((end - start).total_seconds())
        named = {"what": formatting.shortened(text, 60), "duration": took}
        label = _("%(what)s %(duration)s") % named
        stretches.append(Stretch(kind, left, min(width, WIDTH - left), label))
    sentence = ", ".join(stretch.text for stretch in stretches)
    return Timeline(stretches, begin, last, unfinished, sentence)
