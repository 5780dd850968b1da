"""Calls the callbacks of a job, with RQ's arguments.

If the job's signature is wrong, or is missing although it is required, no callback is imported or
called; see :mod:`django_rqlite.protocol.signing`.
"""

from __future__ import annotations

import logging
from types import TracebackType

from ..exceptions import JobDiedError, SignatureError
from ..jobs import callables
from ..jobs.job import Job, running
from ..protocol.signed_terms import DEFAULT_CALLBACK_TIMEOUT
from .own_process import OwnProcess
from .timeout import Deadline

logger = logging.getLogger("django_rqlite.job")


def on_success(job: Job, result: object) -> None:
    """Call the success callback, if there is one, with ``(job, connection, result)``.

    Raises:
        Exception: The exception of the callback. The job has then failed, as in RQ.
    """
    if job.success_callback_name and _may_be_trusted(job, "success"):
        _call(job, job.success_callback_name, job.success_callback_timeout, result)


def on_failure(
    job: Job,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
) -> None:
    """Call the failure callback, if there is one. Its exceptions are logged.

    Its arguments are ``(job, connection, type, value, traceback)``.
    """
    if not job.failure_callback_name or not _may_be_trusted(job, "failure"):
        return
    try:
        _call(job, job.failure_callback_name, job.failure_callback_timeout, kind, error, trace)
    except BaseException:
        logger.exception("The failure callback of job %s failed itself", job.id)


def on_death(job: Job, reason: str) -> None:
    """Call the failure callback of a job whose process ended without an outcome.

    Args:
        reason: Sentences that say how the process ended.
    """
    on_failure(job, JobDiedError, JobDiedError(reason), None)


def on_stopped(job: Job) -> None:
    """Call the stopped callback, if there is one, with ``(job, connection)``.

    Its exceptions are logged.
    """
    if not job.stopped_callback_name or not _may_be_trusted(job, "stopped"):
        return
    try:
        _call(job, job.stopped_callback_name, job.stopped_callback_timeout)
    except BaseException:
        logger.exception("The stopped callback of job %s failed itself", job.id)


def _may_be_trusted(job: Job, end: str) -> bool:
    """Whether the signature of the job passes the check. If not, log that."""
    try:
        job._check_call()
    except SignatureError as exc:
        logger.error("The %s callback of job %s is not called: %s", end, job.id, exc)
        return False
    return True


def _call(job: Job, name: str, timeout: int | None, *arguments: object) -> None:
    own = OwnProcess()
    try:
        callback = callables.resolve(name, None)
        with running(job), Deadline(timeout or DEFAULT_CALLBACK_TIMEOUT):
            callback(job, job.connection, *arguments)
    except BaseException as exc:
        own.end_if_forked(exc)
        raise
    own.end_if_forked()
