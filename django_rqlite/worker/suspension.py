"""What keeps a worker from its queues: that they are paused, or the workers suspended.

A worker asks for nothing extra: each answer to a claim says so. It does not listen to queues that
it must not take from, since what waits there would wake it over and over. It looks again when
that was announced to change, when a pause ends by itself, and with every heartbeat.
"""

from __future__ import annotations

import logging
import time

from ..engine.engine import Claim

logger = logging.getLogger("django_rqlite.worker")


class Pauses:
    """What the last answers to claims said.

    Args:
        worker: its name, for the log.
    """

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self.suspended = False
        #: Names of paused queues.
        self.queues: frozenset[str] = frozenset()
        #: Monotonic time at which a pause ends by itself; None: none does.
        self.look_at: float | None = None

    def rename(self, worker: str) -> None:
        """Take the worker's other name."""
        self._worker = worker

    def note(self, claim: Claim) -> bool:
        """Learn from an answer; gives whether the worker is suspended now and was not, or vice
        versa.
        """
        before = self.suspended
        self.suspended = any(not pause.queue for pause in claim.pauses)
        if self.suspended != before:
            logger.info(
                "Worker %s: suspended, run `manage.py rqresume` to resume"
                if self.suspended
                else "Worker %s: resumed",
                self._worker,
            )
        # With a job in hand it did not look at all of them.
        if claim.hold is None and not claim.more:
            ends = [pause.ends_in for pause in claim.pauses if pause.ends_in is not None]
            self.look_at = time.monotonic() + min(ends) if ends else None
            if not self.suspended:
                self._learn(frozenset(pause.queue for pause in claim.pauses))
        return self.suspended != before

    def _learn(self, queues: frozenset[str]) -> None:
        for name in sorted(queues - self.queues):
            logger.info(
                "Worker %s: queue %s is paused, run `manage.py rqresume --queue %s` to resume",
                self._worker,
                name,
                name,
            )
        for name in sorted(self.queues - queues):
            logger.info("Worker %s: queue %s is no longer paused", self._worker, name)
        self.queues = queues

    def ended(self) -> bool:
        """Whether it is time to look again since one should have ended by itself; says it once."""
        if self.look_at is None or time.monotonic() < self.look_at:
            return False
        self.look_at = None
        return True

    def say_what_is_left(self) -> None:
        """For a worker in burst mode, which ends although jobs may wait."""
        if self.suspended:
            logger.info("Worker %s: suspended in burst mode, exiting", self._worker)
            logger.info(
                "Worker %s: note: there could still be unfinished jobs on the queue", self._worker
            )
        else:
            logger.info("Worker %s: done, quitting", self._worker)
            if self.queues:
                paused = ", ".join(sorted(self.queues))
                logger.info(
                    "Worker %s: note: jobs may wait in paused queues: %s", self._worker, paused
                )
