"""A job's life as a picture: when it waited, and when it ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from ..protocol.records import JobRecord, JobStatus, ResultRecord
from . import formatting as shown
from . import labels

#: Units of the picture's width.
WIDTH = 1000

#: Units that even the shortest stretch has, so that it can be seen.
THINNEST = 4

_GOING_ON = (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.SCHEDULED, JobStatus.DEFERRED)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time between two moments.

    Attributes:
        kind: ``waiting``, ``running``, ``good`` (a run that succeeded) or ``bad``.
        left, width: in units of the picture.
        text: what it was, and for how long.
    """

    kind: str
    left: int
    width: int
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The stretches in their order; the whole of it as a sentence, for those who can't see it."""

    stretches: Sequence[Stretch]
    begin: datetime
    end: datetime
    #: Whether it goes on.
    open: bool
    sentence: str


def timeline(job: JobRecord, results: Sequence[ResultRecord], now: datetime) -> Timeline | None:
    """The picture of a job; None where too few of its times are known.

    Args:
        results: the outcomes that are kept, newest first.
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
    going_on = job.status in _GOING_ON
    if job.status == JobStatus.STARTED and job.started_at:
        parts.append(("waiting", at, job.started_at, _("waited")))
        parts.append(("running", max(at, job.started_at), now, _("running")))
    elif going_on:
        parts.append(("waiting", at, now, _("waiting")))
    # Whole seconds beside microseconds: a start may seem to lie before its enqueueing.
    parts = [(kind, start, end, text) for kind, start, end, text in parts if end > start]
    if not parts:
        return None
    return _drawn(parts, begin, going_on)


def _drawn(
    parts: Sequence[tuple[str, datetime, datetime, str]], begin: datetime, going_on: bool
) -> Timeline:
    last = max(end for _kind, _start, end, _text in parts)
    whole = (last - begin).total_seconds()
    stretches = []
    for kind, start, end, text in parts:
        left = min(round((start - begin).total_seconds() / whole * WIDTH), WIDTH - THINNEST)
        width = max(round((end - start).total_seconds() / whole * WIDTH), THINNEST)
        took = shown.duration((end - start).total_seconds())
        named = {"what": shown.shortened(text, 60), "duration": took}
        label = _("%(what)s %(duration)s") % named
        stretches.append(Stretch(kind, left, min(width, WIDTH - left), label))
    sentence = ", ".join(stretch.text for stretch in stretches)
    return Timeline(stretches, begin, last, going_on, sentence)
