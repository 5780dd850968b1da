"""Jobs whose workers have died: found by their leases, queued again, or failed with the reason."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ...engine.engine import Engine, Hold, Reaped
from ...execution.outcome import Failed
from ...execution.settle import settle
from ...protocol.records import JobRecord, read_job

logger = logging.getLogger("django_rqlite.worker")

#: How often a job may lose its worker and be queued again.
MOST_CRASHES = 3

#: Seconds that a lease of RQ's own worker may be over: it renews every 30 s for 90 s, and lets it
#: shrink when its job's time is up, before it ends the job itself (RQ 2.12: rq/worker/base.py).
PATIENCE_WITH_RQ = 90

#: Seconds after which an id that RQ's worker took but never recorded counts as left. RQ's own
#: maintenance says the same, and would fail the job.
PATIENCE_WITH_TAKEN = 60

#: What the log says of a job and its queue.
PLACED = "%s: job %s has its place now; a key that held something else had kept it from there."


def reap(
    transitions: Engine, queues: Sequence[str], *, requeue: bool
) -> list[tuple[Hold, JobRecord, Failed]]:
    """Take jobs from workers that are gone. Safe with any number of workers at once.

    Args:
        requeue: whether such a job is queued again, at most three times (True), or fails at once.

    Returns:
        the jobs that have failed so, for their callbacks.

    Raises:
        redis.RedisError: the server does not answer.
    """
    failed = []
    for reaped in transitions.reap(
        queues, most_crashes=MOST_CRASHES if requeue else 0, patience=PATIENCE_WITH_RQ
    ):
        if reaped.verdict == "requeued":
            logger.warning(
                "%s: job %s was taken from worker %s, which is gone, and queued again.",
                reaped.hold.queue,
                reaped.hold.job_id,
                reaped.worker or "?",
            )
        elif reaped.verdict == "placed":
            logger.info(PLACED, reaped.hold.queue, reaped.hold.job_id)
        elif reaped.verdict == "spent":
            record, outcome = _fail(transitions, reaped)
            if outcome is not None:
                failed.append((reaped.hold, record, outcome))
    return failed


def rescue(transitions: Engine, queues: Sequence[str]) -> None:
    """Put back what a worker of RQ took and never recorded, once it was seen long enough.

    Raises:
        redis.RedisError: the server does not answer.
    """
    for queue, job_id in transitions.clean_intermediate_queues(
        queues, patience=PATIENCE_WITH_TAKEN
    ):
        logger.warning("%s: job %s was left by a worker of RQ; queued again.", queue, job_id)


def place(transitions: Engine, queues: Sequence[str]) -> None:
    """Bring jobs whose parents have ended to places that could not take them then.

    Raises:
        redis.RedisError: the server does not answer.
    """
    for queue, job_id in transitions.promote_deferred(queues):
        logger.info(PLACED, queue, job_id)


def _fail(transitions: Engine, reaped: Reaped) -> tuple[JobRecord, Failed | None]:
    """End what has lost its worker too often, through the fence and by the job's own policies."""
    hold = reaped.hold
    fields = transitions.job_fields(hold.job_id)
    record = read_job(hold.job_id, fields)
    times = f" for the {_ordinal(record.crashes + 1)} time" if record.crashes else ""
    headline = f"Worker {reaped.worker or '?'} died while it ran the job{times}"
    outcome = Failed(
        f"{headline}, without a sign until its lease had ended. The machine or its memory may have "
        "given out, or the worker was killed.",
        headline,
    )
    settled = settle(transitions, "", hold, record, outcome, reaped.worker)
    if settled.stored:
        logger.error("%s: %s (%s)", hold.queue, headline, hold.job_id)
    return record, outcome if settled.stored else None


def _ordinal(number: int) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")
