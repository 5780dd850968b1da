"""Jobs whose time has come. Every worker promotes; a script decides who was first."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..engine.transitions import Transitions

#: Seconds after which a worker looks again although nothing was announced: RQ's own client
#: schedules without a word, and an announcement may be lost.
LONGEST_WAIT = 5.0


class Scheduler:
    """When to look for jobs that are due, and the looking."""

    def __init__(self, transitions: Transitions, queues: Sequence[str]) -> None:
        self._transitions = transitions
        self._queues = queues
        #: Monotonic time of the next look.
        self.due_at = time.monotonic()

    def promote(self) -> int:
        """Move what is due, if it is time to look; gives how many jobs were moved.

        Raises:
            redis.RedisError: the server does not answer.
        """
        if time.monotonic() < self.due_at:
            return 0
        promoted = self._transitions.promote(self._queues)
        self.due_at = time.monotonic() + LONGEST_WAIT
        if promoted.next_due is not None:
            self.expect(promoted.next_due)
        return promoted.moved

    def expect(self, due: float) -> None:
        """Look no later than when a job is due.

        Args:
            due: unix seconds by the server's clock; a host's clock that is off costs at most the
                longest wait, and never a run.
        """
        self.due_at = min(self.due_at, time.monotonic() + max(0.0, due - time.time()))
