"""Moves scheduled jobs that are due into their queues.

Every worker does so. A script moves each job once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from ...engine.engine import Engine

#: Seconds after which a worker looks again although no job was announced. RQ's client schedules
#: without an announcement, and one of ours may be lost.
LONGEST_WAIT = 5.0

#: Seconds to wait after a look that found nothing to move, for any reason.
SHORTEST_WAIT = 0.01


class Scheduler:
    """Looks for jobs that are due, at the right times.

    Due times are the server's. The clock of this host may be wrong, so only its monotonic clock is
    used.
    """

    def __init__(self, engine: Engine, queues: Sequence[str]) -> None:
        self._engine = engine
        self._queues = queues
        #: Monotonic time of the next look.
        self.due_at = time.monotonic()
        #: The server's clock minus the monotonic clock, in seconds; None before the first answer.
        self._offset: float | None = None

    def promote(self) -> int:
        """Move the jobs that are due, if it is time to look. Return how many were moved.

        Raises:
            redis.RedisError: The server does not answer.
        """
        if time.monotonic() < self.due_at:
            return 0
        # Set first, so that a refused command is not repeated at once.
        self.due_at = time.monotonic() + LONGEST_WAIT
        promoted = self._engine.promote(self._queues)
        now = time.monotonic()
        self._offset = promoted.server_time - now
        self.due_at = now + LONGEST_WAIT
        if promoted.next_due is not None:
            self.expect(promoted.next_due)
        if not promoted.moved:
            self.due_at = max(self.due_at, now + SHORTEST_WAIT)
        return promoted.moved

    def expect(self, due: float) -> None:
        """Look no later than when a job is due.

        Args:
            due: Unix seconds by the server's clock.
        """
        if self._offset is not None:
            self.due_at = min(self.due_at, due - self._offset)

    def look_now(self) -> None:
        """Look with the next call, because announcements may have been missed."""
        self.due_at = time.monotonic()
