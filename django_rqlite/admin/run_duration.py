"""How long a job's last run took: the one place that says so.

A job's hash has whole seconds, and the entry of the same run among its outcomes has microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..protocol.records import JobRecord, ResultRecord


def ran_for(job: JobRecord, results: Sequence[ResultRecord] = ()) -> float | None:
    """Seconds that the last run took; None where that is not known.

    Args:
        results: outcomes that are kept, newest first.
    """
    last = results[0] if results else None
    # Of the run that the hash tells of there may be no outcome, but one of an older run.
    if (
        last
        and last.ended_at
        and job.ended_at
        and abs((last.ended_at - job.ended_at).total_seconds()) < 1
    ):
        return attempt_took(last)
    return _between(job.started_at, job.ended_at)


def waited_for(job: JobRecord) -> float | None:
    """Seconds between its last enqueueing and its start; None where that is not known."""
    return _between(job.enqueued_at, job.started_at)


def attempt_took(result: ResultRecord) -> float | None:
    """Seconds that an execution took; None where that is not known."""
    return _between(result.started_at, result.ended_at)


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return max((end - start).total_seconds(), 0) if start and end else None
