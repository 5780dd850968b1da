"""The requests that ask a worker to end."""

from __future__ import annotations

import time
from enum import Enum, auto

#: Seconds within which a second signal counts as the first one, sent twice: a terminal's Ctrl-C
#: reaches the worker itself and a process that forwards it (RQ 2.12 does the same).
REPEAT_WINDOW = 1.0


class Request(Enum):
    """The meaning of a request to end."""

    #: Take no more jobs, and let the running ones finish.
    WARM = auto()
    #: The same request, sent twice.
    REPEATED = auto()
    #: End at once.
    COLD = auto()


class Shutdown:
    """The requests to end that one worker has received.

    Args:
        grace: Seconds for which running jobs may go on; None: as long as their timeouts.
    """

    def __init__(self, grace: float | None) -> None:
        self._grace = grace
        #: Monotonic time of the first request; None if there was none.
        self.requested_at: float | None = None

    @property
    def requested(self) -> bool:
        """Whether the worker was asked to end."""
        return self.requested_at is not None

    @property
    def grace_ends(self) -> float | None:
        """Monotonic time at which running jobs are put back; None: never."""
        if self.requested_at is None or self._grace is None:
            return None
        return self.requested_at + self._grace

    def request(self) -> Request:
        """Note a request. Return what it means."""
        now = time.monotonic()
        if self.requested_at is None:
            self.requested_at = now
            return Request.WARM
        return Request.COLD if now - self.requested_at > REPEAT_WINDOW else Request.REPEATED
