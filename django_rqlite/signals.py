"""Django signals about jobs. Receivers get the job as ``job``. The sender is the job's class.

- ``job_enqueued`` is sent by the process that enqueues, once the job is stored.
- ``job_started`` is sent before the job's function is called.
- ``job_finished`` is sent with ``result`` when the function has returned.
- ``job_failed`` is sent with ``exception`` after each attempt that has failed.

The last three are sent in the job's own process (with ``ASYNC: False``, in the caller's), before
the outcome is stored. A process that dies sends no signal, but the failure callback of its job is
called. An exception in a receiver is logged and changes nothing.
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
    """Send a signal about a job. An exception in a receiver is logged."""
    if not signal.receivers:
        return
    for receiver, answer in signal.send_robust(sender=type(job), job=job, **details):
        if isinstance(answer, Exception):
            logger.error(
                "The receiver %r of a signal about job %s failed", receiver, job.id, exc_info=answer
            )
