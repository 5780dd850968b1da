"""Outages of Redis: log each once, and wait between two attempts."""

from __future__ import annotations

import logging
import time

from .errors import explain

logger = logging.getLogger("django_rqlite.worker")

#: Seconds between two attempts, at first and at most.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


class Outage:
    """Whether Redis answers, and when to try again.

    Args:
        address: The address of the server, for the log.
        meanwhile: What happens until it answers, for the log.
    """

    def __init__(
        self, address: str, meanwhile: str = "Running jobs go on; the worker waits"
    ) -> None:
        self._address = address
        self._meanwhile = meanwhile
        self._pause = SHORTEST_PAUSE
        self._began: float | None = None
        #: Monotonic time of the next attempt; None while Redis answers.
        self.retry_at: float | None = None

    @property
    def ongoing(self) -> bool:
        """Whether Redis did not answer the last command."""
        return self._began is not None

    def note_failure(self, exc: Exception) -> None:
        """Note that a command failed. The pause before the next attempt doubles."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
            logger.error(
                "Lost Redis at %s: %s. %s and tries again.",
                self._address,
                explain(exc),
                self._meanwhile,
            )
        else:
            logger.debug("Redis at %s still does not answer: %s", self._address, exc)
        self.retry_at = now + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def note_success(self) -> None:
        """Note that a command succeeded. Without effect if there is no outage."""
        if self._began is not None:
            logger.warning(
                "Redis at %s answers again, after %.1f s.",
                self._address,
                time.monotonic() - self._began,
            )
        self._began = self.retry_at = None
        self._pause = SHORTEST_PAUSE
