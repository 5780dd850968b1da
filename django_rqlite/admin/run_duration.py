"""How long the runs of a job took.

The hash of a job has whole seconds. The outcome of the same run has microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..protocol.records import JobRecord
from ..protocol.stored_result import ResultRecord


def run_seconds(job: JobRecord, results: Sequence[ResultRecord] = ()) -> float | None:
    """Seconds that the last run took; None if it is not known.

    Args:
        results: Outcomes that are stored, newest first.
    """
    last = results[0] if results else None
    # The newest outcome may be that of an older run than the one in the hash.
    if (
        last
        and last.ended_at
        and job.ended_at
        and abs((last.ended_at - job.ended_at).total_seconds()) < 1
    ):
        return attempt_seconds(last)
    return _between(job.started_at, job.ended_at)


def wait_seconds(job: JobRecord) -> float | None:
    """Seconds between the last enqueueing and the start; None if it is not known."""
    return _between(job.enqueued_at, job.started_at)


def attempt_seconds(result: ResultRecord) -> float | None:
    """Seconds that an execution took; None if it is not known."""
    return _between(result.started_at, result.ended_at)


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return max((end - start).total_seconds(), 0) if start and end else None
