"""When Redis does not answer: say so once, wait, go on."""

from __future__ import annotations

import logging
import time

from .errors import explain

logger = logging.getLogger("django_rqlite.worker")

#: Seconds between two tries, at first and at the most.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


class Outage:
    """The worker's memory of whether Redis answers.

    Args:
        meanwhile: what goes on until it does, for the log.
    """

    def __init__(
        self, address: str, meanwhile: str = "Jobs that run go on; the worker waits"
    ) -> None:
        self._address = address
        self._meanwhile = meanwhile
        self._pause = SHORTEST_PAUSE
        self._began: float | None = None
        self.retry_at: float | None = None

    @property
    def lasts(self) -> bool:
        return self._began is not None

    def note(self, exc: Exception) -> None:
        """A call failed: wait a little longer than the last time."""
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

    def over(self) -> None:
        """A call succeeded."""
        if self._began is not None:
            logger.warning(
                "Redis at %s answers again, after %.1f s.",
                self._address,
                time.monotonic() - self._began,
            )
        self._began = self.retry_at = None
        self._pause = SHORTEST_PAUSE
