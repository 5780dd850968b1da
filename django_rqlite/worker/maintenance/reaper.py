"""Takes jobs from dead workers: jobs with expired leases are queued again, or fail."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ...engine.engine import Engine, Hold, Reaped
from ...execution.outcome import Failed
from ...execution.settle import settle
from ...protocol.records import JobRecord, read_job

logger = logging.getLogger("django_rqlite.worker")

#: How often a job is queued again because its worker died.
MOST_CRASHES = 3

#: Seconds for which an expired lease of RQ's own worker is left alone. That worker renews a lease
#: of 90 s every 30 s, and shortens it when the job's time is up, before it ends the job (RQ 2.12:
#: rq/worker/base.py).
PATIENCE_WITH_RQ = 90

#: Seconds after which a job that RQ's worker took but never recorded counts as abandoned. RQ's own
#: maintenance waits as long, and then fails the job.
PATIENCE_WITH_TAKEN = 60

_PLACED = "%s: job %s is in its place now. A key of the wrong type had kept it out."


def reap(
    engine: Engine, queues: Sequence[str], *, requeue: bool
) -> list[tuple[Hold, JobRecord, Failed]]:
    """Take jobs from dead workers. Any number of workers may do so at once.

    Args:
        requeue: Whether such a job is queued again, at most three times, instead of failing.

    Returns:
        The jobs that have failed, for their callbacks.

    Raises:
        redis.RedisError: The server does not answer.
    """
    failed = []
    for reaped in engine.reap(
        queues, most_crashes=MOST_CRASHES if requeue else 0, patience=PATIENCE_WITH_RQ
    ):
        if reaped.verdict == "requeued":
            logger.warning(
                "%s: job %s was taken from worker %s, which has died, and queued again.",
                reaped.hold.queue,
                reaped.hold.job_id,
                reaped.worker or "?",
            )
        elif reaped.verdict == "placed":
            logger.info(_PLACED, reaped.hold.queue, reaped.hold.job_id)
        elif reaped.verdict == "spent":
            record, outcome = _fail(engine, reaped)
            if outcome is not None:
                failed.append((reaped.hold, record, outcome))
    return failed


def rescue(engine: Engine, queues: Sequence[str]) -> None:
    """Put back jobs that an RQ worker took and never recorded.

    Raises:
        redis.RedisError: The server does not answer.
    """
    for queue, job_id in engine.clean_intermediate_queues(queues, patience=PATIENCE_WITH_TAKEN):
        logger.warning("%s: job %s was left by a worker of RQ; queued again.", queue, job_id)


def place(engine: Engine, queues: Sequence[str]) -> None:
    """Move jobs whose parents have ended to the places that a key of the wrong type kept them from.

    Raises:
        redis.RedisError: The server does not answer.
    """
    for queue, job_id in engine.promote_deferred(queues):
        logger.info(_PLACED, queue, job_id)


def _fail(engine: Engine, reaped: Reaped) -> tuple[JobRecord, Failed | None]:
    """Fail a job that has lost its worker too often. Its own policies apply.

    Returns:
        The job, and its outcome; None if the execution no longer held the job.
    """
    hold = reaped.hold
    fields = engine.job_fields(hold.job_id)
    record = read_job(hold.job_id, fields)
    times = f" for the {_ordinal(record.crashes + 1)} time" if record.crashes else ""
    headline = f"Worker {reaped.worker or '?'} died while it ran the job{times}"
    outcome = Failed(
        f"{headline}, and its lease has expired. The machine may have failed or run out of memory, "
        "or the worker was killed.",
        headline,
    )
    settled = settle(engine, "", hold, record, outcome, reaped.worker)
    if settled.stored:
        logger.error("%s: %s (%s)", hold.queue, headline, hold.job_id)
    return record, outcome if settled.stored else None


def _ordinal(number: int) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")
