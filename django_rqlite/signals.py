"""Django signals about jobs. Receivers get the job as ``job``; the sender is its class.

``job_enqueued`` is sent by whoever enqueued, once the job is in its place; ``args``: none. The
others are sent in the job's own process (in the caller's, where ``ASYNC`` is off), before the
outcome is stored: ``job_started``; ``job_finished`` with ``result``; ``job_failed`` with
``exception``, after every attempt that failed. A process that dies can send nothing; its job's
failure callback is still called. What a receiver raises is logged and changes nothing.
"""

from __future__ import annotations

import logging
from typing import Any

from django.dispatch import Signal

from .jobs.job import Job

logger = logging.getLogger("django_rqlite.job")

job_enqueued = Signal()
job_started = Signal()
job_finished = Signal()
job_failed = Signal()


def send(signal: Signal, job: Job, **details: Any) -> None:
    """Send a signal about a job; never raises."""
    if not signal.receivers:
        return
    for receiver, answer in signal.send_robust(sender=type(job), job=job, **details):
        if isinstance(answer, Exception):
            logger.error(
                "The receiver %r of a signal about job %s failed", receiver, job.id, exc_info=answer
            )
