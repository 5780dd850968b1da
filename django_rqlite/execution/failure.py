"""Logs the exception that ended a run, and converts it to an outcome."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from types import TracebackType

from ..jobs.policies import paths_of
from .outcome import Failed

logger = logging.getLogger("django_rqlite.worker")

#: The maximum number of characters of a traceback that are stored. The middle of a longer one is
#: cut out.
LONGEST_TRACEBACK = 100_000

_OWN_FOLDER = str(Path(__file__).parent.parent)


def log_failure(queue: str, job_id: str, exc: BaseException) -> None:
    """Log that a run has failed, with its exception, so that logging handlers get both.

    The record goes to the logger of the workers, as in RQ. An exception of a logging filter or
    handler is printed and not raised: storing the outcome matters more.
    """
    error = (type(exc), exc, _trace_of_job(exc))
    extra = {"job_id": job_id, "queue": queue}
    try:
        logger.error("%s: Job failed (%s)", queue, job_id, exc_info=error, extra=extra)
    except Exception:  # noqa: BLE001 - of a filter or handler of the project's
        traceback.print_exc()


def failure(exc: BaseException) -> Failed:
    """The outcome that an exception describes, without the frames of this package above it."""
    trace = _trace_of_job(exc)
    try:
        text = "".join(traceback.format_exception(type(exc), exc, trace))
        headline = traceback.format_exception_only(exc)[-1].strip()
    except Exception as problem:  # noqa: BLE001 - an exception may carry anything
        text = headline = f"{type(exc).__name__} (its text can't be shown: {problem!r})"
    return Failed(_shortened(text), headline[:300], paths_of(exc))


def _trace_of_job(exc: BaseException) -> TracebackType | None:
    """The traceback of an exception without the frames of this package above the job's."""
    trace = exc.__traceback__
    while trace is not None and _is_ours(trace):
        trace = trace.tb_next
    return trace


def _is_ours(trace: TracebackType) -> bool:
    filename = trace.tb_frame.f_code.co_filename
    # Frames of the import machinery come between this package and a module that raises.
    return filename.startswith((_OWN_FOLDER, "<frozen importlib"))


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_TRACEBACK:
        return text
    half = LONGEST_TRACEBACK // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"
