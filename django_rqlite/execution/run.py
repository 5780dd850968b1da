"""Running one job in this process, and saying how it went. No Redis in here."""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from .. import conf
from ..exceptions import JobTimeoutException
from ..jobs import callables
from ..jobs.job import Job, running
from ..jobs.policies import Retry, path_of, paths_of
from ..protocol.durations import LONGEST
from ..protocol.records import DEFAULT_TIMEOUT, JobStatus
from ..signals import job_failed, job_finished, job_started, tell
from . import callbacks
from .own_process import OwnProcess
from .return_value import kept
from .timeout import Deadline

logger = logging.getLogger("django_rqlite.job")
worker_logger = logging.getLogger("django_rqlite.worker")

#: Characters of a traceback that are kept; what is longer loses its middle.
LONGEST_TRACEBACK = 100_000

_OWN_FOLDER = str(Path(__file__).parent.parent)


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The job returned.

    Attributes:
        result: serialized; ``b''`` for None.
        not_kept: why it is not what the job returned; ``''`` where it is.
    """

    result: bytes
    not_kept: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The job raised, or could not be run.

    Attributes:
        reason: the traceback, or sentences.
        headline: one line that names the error.
    """

    reason: str
    headline: str
    #: Paths of the exception's class and its bases; empty where there was no exception.
    kinds: tuple[str, ...] = ()
    #: Whether the job runs no more, although its policy may have it retried.
    final: bool = False


@dataclass(frozen=True, slots=True)
class AskedForRetry:
    """The job returned a :class:`Retry`.

    Attributes:
        most: how often it may do so.
        intervals: seconds to wait before each of its next runs.
    """

    most: int
    intervals: tuple[int, ...]
    at_front: bool


#: What a run itself can come to.
Report = Succeeded | Failed | AskedForRetry


@dataclass(frozen=True, slots=True)
class Stopped:
    """The job was ended by a person's order."""

    reason: str


Outcome = Report | Stopped


def time_limit(timeout: int | None) -> int | None:
    """Seconds that a job with this ``timeout`` may run; None: no limit."""
    if timeout == -1:
        return None
    # Other tools may have written anything; the system's timers have no room for more.
    return min(timeout or DEFAULT_TIMEOUT, LONGEST)


def perform(
    job: Job,
    announce: Callable[..., None] = tell,
    at_timeout: Callable[[], None] | None = None,
) -> Report:
    """Call the job's function under its timeout. Never raises: an error is an outcome.

    In the main thread, the timeout is enforced; elsewhere there are no signals to enforce it with.
    It returns in the process that it was called in only: a process that the job forks ends where
    the job's function would return to.

    Args:
        announce: what Django's signals are sent by.
        at_timeout: called once the job has ended because its time was up, before anything else is
            told of that.
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
                asked = _asked_for_retry(value)
                payload, not_kept = (b"", "") if asked else kept(job, value)
                own.end_if_forked()
            if deadline.passed:
                raise JobTimeoutException(
                    f"{deadline.message}, and the exception that should have ended it was "
                    "swallowed. The job went on and returned; what it returned is dropped."
                )
            if asked:
                return asked
            # Mostly nobody listens, and a child does not touch what it need not.
            if job.success_callback_name or job_finished.receivers:
                job._came_to(JobStatus.FINISHED, time.monotonic() - begun, value)
                callbacks.on_success(job, value)
                announce(job_finished, job, result=value)
                own.end_if_forked()
    except BaseException as exc:  # noqa: BLE001 - sys.exit() in a job is the job's failure too
        own.end_if_forked(exc)
        deadline.disarm()
        if at_timeout is not None and (deadline.passed or isinstance(exc, JobTimeoutException)):
            at_timeout()
        log_failure(job.origin, job.id, exc)
        job._came_to(JobStatus.FAILED, time.monotonic() - begun)
        callbacks.on_failure(job, type(exc), exc, exc.__traceback__)
        announce(job_failed, job, exception=exc)
        own.end_if_forked()
        _tell_handlers(job, exc, own)
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
    # A function that serves RQ's workers too returns RQ's Retry, which says the same.
    if isinstance(value, Retry) or path_of(type(value)) == "rq.job.Retry":
        asked = cast(Retry, value)
        return AskedForRetry(asked.max, tuple(asked.intervals), asked.enqueue_at_front)
    return None


def log_failure(queue: str, job_id: str, exc: BaseException) -> None:
    """Log that a run has failed, in the process that has the exception, so that handlers get it.

    In the log of the workers, as RQ does. What raises in there is printed: the outcome counts more.
    """
    error = (type(exc), exc, _their_trace(exc))
    told = {"job_id": job_id, "queue": queue}
    try:
        worker_logger.error("%s: Job failed (%s)", queue, job_id, exc_info=error, extra=told)
    except Exception:  # noqa: BLE001 - of a filter or handler of the project's
        traceback.print_exc()


def failure(exc: BaseException) -> Failed:
    """The outcome that an exception describes, without the frames of this package above it."""
    trace = _their_trace(exc)
    try:
        text = "".join(traceback.format_exception(type(exc), exc, trace))
        headline = traceback.format_exception_only(exc)[-1].strip()
    except Exception as problem:  # noqa: BLE001 - an exception may carry anything
        text = headline = f"{type(exc).__name__} (its text can't be shown: {problem!r})"
    return Failed(_shortened(text), headline[:300], paths_of(exc))


def _their_trace(exc: BaseException) -> TracebackType | None:
    """The frames of an exception without those of this package above them."""
    trace = exc.__traceback__
    while trace is not None and _is_ours(trace):
        trace = trace.tb_next
    return trace


def _is_ours(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(_OWN_FOLDER) or (
        # the import machinery between us and a module that raises
        trace.tb_frame.f_code.co_filename.startswith("<frozen importlib")
    )


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_TRACEBACK:
        return text
    half = LONGEST_TRACEBACK // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"


def _tell_handlers(job: Job, exc: BaseException, own: OwnProcess) -> None:
    """Call ``RQ_EXCEPTION_HANDLERS`` as RQ does: until one returns something false but None."""
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
