"""Warnings that would repeat with every heartbeat: each is logged once, until cleared."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from ..broker.errors import is_transient
from .worker_name import WorkerName

logger = logging.getLogger("django_rqlite.worker")


class RepeatedWarnings:
    """The warnings that were logged since the last :meth:`clear`.

    Args:
        worker: The worker's name, for the log.
    """

    def __init__(self, worker: WorkerName) -> None:
        self._worker = worker
        self._logged: set[str] = set()

    def warn(self, text: str) -> None:
        """Log a warning, unless it was logged already."""
        if text not in self._logged:
            self._logged.add(text)
            logger.warning("Worker %s: %s", self._worker, text)

    @contextmanager
    def warn_of_refusals(self, what: str) -> Iterator[None]:
        """Warn if Redis refuses a command of the block, so that everything else still runs.

        Args:
            what: What the block does, for the log.

        Raises:
            redis.RedisError: The server does not answer, or is in a state that will pass.
        """
        try:
            yield
        except redis.ResponseError as exc:
            if is_transient(exc):
                raise
            self.warn(f"{what} failed: {exc}. Everything else goes on.")

    def clear(self) -> None:
        """Forget the warnings, so that they are logged again."""
        self._logged.clear()
