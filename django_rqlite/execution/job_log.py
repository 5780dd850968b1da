"""Stores the log lines of a job in Redis, where the admin shows them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from ..exceptions import RQLiteError
from ..jobs.job import Job
from .own_process import OwnProcess

logger = logging.getLogger("django_rqlite.worker")

#: Characters of a line, with its traceback, that are stored.
LONGEST_LINE = 4_000

#: Seconds for which the lines of a burst are collected. If the job's process is killed, at most the
#: lines of this time are lost.
BURST = 0.2

#: The maximum number of lines that are sent together.
MOST_TOGETHER = 100


@contextmanager
def kept_log(job: Job, most: int) -> Iterator[None]:
    """Store what reaches the root logger during the block.

    Args:
        most: The maximum number of lines, at least 1.
    """
    handler = _JobLog(job, most)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.flush()


class _JobLog(logging.Handler):
    """Sends a line at once, and the lines of a burst together."""

    def __init__(self, job: Job, most: int) -> None:
        super().__init__()
        formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
        formatter.converter = time.gmtime
        formatter.default_time_format, formatter.default_msec_format = (
            "%Y-%m-%dT%H:%M:%S",
            "%s.%03dZ",
        )
        self.setFormatter(formatter)
        self._job = job
        self._own = OwnProcess()
        self._most = most
        self._lines: list[bytes] = []
        self._sent_at = 0.0
        #: True while lines are sent, so that log lines about the sending are not stored; and always
        #: after sending has failed.
        self._is_closed = False

    def emit(self, record: logging.LogRecord) -> None:
        # A process that the job forks has a copy of these lines, which must be sent only once.
        if self._is_closed or not self._own.is_current:
            return
        if record.name == logger.name:
            return  # the worker's own record; the job's traceback is stored elsewhere
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - as logging's own handlers, such as for wrong arguments
            self.handleError(record)
            return
        if len(line) > LONGEST_LINE:
            line = line[:LONGEST_LINE] + "…"
        self._lines.append(line.encode("utf-8", "replace"))
        if len(self._lines) >= MOST_TOGETHER or time.monotonic() - self._sent_at >= BURST:
            self.flush()

    def flush(self) -> None:
        if self._is_closed or not self._lines or not self._own.is_current:
            return
        lines, self._lines = self._lines, []
        self._is_closed = True
        try:
            self._job._keep_log(lines, self._most)
        except (RQLiteError, redis.RedisError, OSError) as exc:
            logger.warning("The log of job %s is no longer stored: %s", self._job.id, exc)
            return
        self._sent_at = time.monotonic()
        self._is_closed = False
