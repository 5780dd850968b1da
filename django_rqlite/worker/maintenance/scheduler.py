"""Jobs whose time has come. Every worker promotes; a script decides who was first."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ...engine.engine import Engine

#: Seconds after which a worker looks again although nothing was announced: RQ's own client
#: schedules without a word, and an announcement may be lost.
LONGEST_WAIT = 5.0

#: Seconds after a look that found nothing to move: whatever the reason, no worker asks more often.
SHORTEST_WAIT = 0.01


class Scheduler:
    """When to look for jobs that are due, and the looking.

    Times are the server's. This host's clock may be off, so only its monotonic one is asked.
    """

    def __init__(self, transitions: Engine, queues: Sequence[str]) -> None:
        self._engine = transitions
        self._queues = queues
        #: Monotonic time of the next look.
        self.due_at = time.monotonic()
        #: Seconds from the monotonic clock to the server's; None: no answer has told it yet.
        self._offset: float | None = None

    def promote(self) -> int:
        """Move what is due, if it is time to look; gives how many jobs were moved.

        Raises:
            redis.RedisError: the server does not answer.
        """
        if time.monotonic() < self.due_at:
            return 0
        # Also where it is refused.
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
            due: unix seconds by the server's clock.
        """
        if self._offset is not None:
            self.due_at = min(self.due_at, due - self._offset)
