"""Runs one job in this process. This module does not access Redis."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
import time
from collections.abc import Callable
from typing import Any, cast

from .. import conf
from ..exceptions import JobTimeoutException
from ..jobs import callables
from ..jobs.job import Job, running
from ..jobs.policies import Retry, path_of
from ..protocol.durations import LONGEST
from ..protocol.records import DEFAULT_TIMEOUT, JobStatus
from ..signals import job_failed, job_finished, job_started, send
from . import callbacks
from .failure import failure, log_failure
from .outcome import AskedForRetry, Report, Succeeded
from .own_process import OwnProcess
from .return_value import kept
from .timeout import Deadline

logger = logging.getLogger("django_rqlite.job")


def time_limit(timeout: int | None) -> int | None:
    """Seconds that a job with this ``timeout`` may run; ``None`` without limit."""
    if timeout == -1:
        return None
    # Another tool may have written any number, and the system's timers have a limit.
    return min(timeout or DEFAULT_TIMEOUT, LONGEST)


def perform(
    job: Job,
    announce: Callable[..., None] = send,
    at_timeout: Callable[[], None] | None = None,
) -> Report:
    """Call the job's function under its timeout. Never raises: an exception is an outcome.

    The timeout is enforced in the main thread only, since other threads receive no signals. This
    function returns only in the process that called it. A process that the job forks ends when it
    returns from the job's function.

    Args:
        announce: Sends Django's signals.
        at_timeout: Called when the job has run out of time, before its failure is logged and its
            callbacks are called.
    """
    own = OwnProcess()
    begun = time.monotonic()
    deadline = Deadline(time_limit(job.timeout))
    try:
        with running(job):
            with deadline:
                announce(job_started, job)
                own.end_if_forked()
                value = _call(job)
                own.end_if_forked()
                retry = _asked_for_retry(value)
                payload, not_kept = (b"", "") if retry else kept(job, value)
                own.end_if_forked()
            if deadline.passed:
                raise JobTimeoutException(
                    f"{deadline.message}, and the exception that should have ended it was "
                    "swallowed. The job went on and returned. Its return value is dropped."
                )
            if retry:
                return retry
            # Most jobs have neither. A forked child then touches fewer pages.
            if job.success_callback_name or job_finished.receivers:
                job._set_outcome(JobStatus.FINISHED, time.monotonic() - begun, value)
                callbacks.on_success(job, value)
                announce(job_finished, job, result=value)
                own.end_if_forked()
    except BaseException as exc:  # noqa: BLE001 - sys.exit() in a job is a failure of the job too
        own.end_if_forked(exc)
        deadline.disarm()
        if at_timeout is not None and (deadline.passed or isinstance(exc, JobTimeoutException)):
            at_timeout()
        log_failure(job.origin, job.id, exc)
        job._set_outcome(JobStatus.FAILED, time.monotonic() - begun)
        callbacks.on_failure(job, type(exc), exc, exc.__traceback__)
        announce(job_failed, job, exception=exc)
        own.end_if_forked()
        _call_exception_handlers(job, exc, own)
        return failure(exc)
    return Succeeded(payload, not_kept)


def _call(job: Job) -> Any:
    value = job.func(*job.args, **job.kwargs)
    if inspect.iscoroutine(value):
        return asyncio.run(value)
    return value


def _asked_for_retry(value: object) -> AskedForRetry | None:
    if value is None:
        return None
    # A function that RQ's workers run too may return RQ's Retry, which has the same attributes.
    if isinstance(value, Retry) or path_of(type(value)) == "rq.job.Retry":
        retry = cast(Retry, value)
        return AskedForRetry(retry.max, tuple(retry.intervals), retry.enqueue_at_front)
    return None


def _call_exception_handlers(job: Job, exc: BaseException, own: OwnProcess) -> None:
    """Call ``RQ_EXCEPTION_HANDLERS`` as RQ does: until one returns a false value but ``None``."""
    for path in conf.exception_handlers():
        try:
            handler: Callable[..., Any] = callables.resolve(path, None)
            go_on = handler(job, type(exc), exc, exc.__traceback__)
            own.end_if_forked()
            if go_on is not None and not go_on:
                return
        except BaseException as problem:
            own.end_if_forked(problem)
            logger.exception("The handler %s of RQ_EXCEPTION_HANDLERS failed", path)
            sys.stderr.flush()
