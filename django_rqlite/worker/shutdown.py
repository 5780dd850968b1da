"""Whether, since when and how urgently the worker was asked to end."""

from __future__ import annotations

import time
from enum import Enum, auto

#: Seconds within which a second signal is taken for the first, sent twice: a terminal's Ctrl-C
#: reaches the worker itself and whoever forwards it (RQ 2.12 does the same).
SAME_SIGNAL = 1.0


class Request(Enum):
    """What a signal to end means."""

    #: Take no more jobs, let the running ones end.
    WARM = auto()
    #: The one before, sent twice.
    REPEATED = auto()
    #: End at once.
    COLD = auto()


class Shutdown:
    """The requests to end that have come so far.

    Args:
        grace: seconds for which running jobs may go on; None: as long as their timeouts.
    """

    def __init__(self, grace: float | None) -> None:
        self._grace = grace
        self._since: float | None = None

    @property
    def requested(self) -> bool:
        return self._since is not None

    @property
    def since(self) -> float | None:
        """Monotonic time of the first request; None: there was none."""
        return self._since

    @property
    def grace_ends(self) -> float | None:
        """Monotonic time at which running jobs are put back; None: never."""
        if self._since is None or self._grace is None:
            return None
        return self._since + self._grace

    def request(self) -> Request:
        """A signal to end has come."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
            return Request.WARM
        return Request.COLD if now - self._since > SAME_SIGNAL else Request.REPEATED
