"""Whether workers are suspended, or some of their queues paused.

A worker sends no extra command to find out, because each answer to a claim contains it. The worker
does not listen to paused queues: the jobs that wait there would wake it again and again. It looks
again when a change is announced, when a pause ends by itself, and with every heartbeat.
"""

from __future__ import annotations

import logging
import time

from ..engine.engine import Claim
from .worker_name import WorkerName

logger = logging.getLogger("django_rqlite.worker")


class Suspension:
    """The suspension and the pauses, as the last answers to claims gave them.

    Args:
        worker: The worker's name, for the log.
    """

    def __init__(self, worker: WorkerName) -> None:
        self._worker = worker
        #: Whether all workers are suspended.
        self.suspended = False
        self.paused_queues: frozenset[str] = frozenset()
        #: Monotonic time at which the next pause ends by itself; None: no pause does.
        self.pause_ends_at: float | None = None

    def update(self, claim: Claim) -> bool:
        """Take over an answer. Return whether the workers were suspended or resumed since."""
        before = self.suspended
        self.suspended = any(not pause.queue for pause in claim.pauses)
        if self.suspended != before:
            logger.info(
                "Worker %s: suspended, run `manage.py rqresume` to resume"
                if self.suspended
                else "Worker %s: resumed",
                self._worker,
            )
        # If it took a job, it did not look at the queues behind that one.
        if claim.hold is None and not claim.more:
            ends = [pause.ends_in for pause in claim.pauses if pause.ends_in is not None]
            self.pause_ends_at = time.monotonic() + min(ends) if ends else None
            if not self.suspended:
                self._update_queues(frozenset(pause.queue for pause in claim.pauses))
        return self.suspended != before

    def _update_queues(self, paused: frozenset[str]) -> None:
        for name in sorted(paused - self.paused_queues):
            logger.info(
                "Worker %s: queue %s is paused, run `manage.py rqresume --queue %s` to resume",
                self._worker,
                name,
                name,
            )
        for name in sorted(self.paused_queues - paused):
            logger.info("Worker %s: queue %s is no longer paused", self._worker, name)
        self.paused_queues = paused

    def take_ended_pause(self) -> bool:
        """Return True once when a pause has ended by itself."""
        if self.pause_ends_at is None or time.monotonic() < self.pause_ends_at:
            return False
        self.pause_ends_at = None
        return True

    def log_end_of_burst(self) -> None:
        """Log the end of a worker in burst mode, and why jobs may still wait."""
        if self.suspended:
            logger.info("Worker %s: suspended in burst mode, exiting", self._worker)
            logger.info(
                "Worker %s: note: there could still be unfinished jobs on the queue", self._worker
            )
        else:
            logger.info("Worker %s: done, quitting", self._worker)
            if self.paused_queues:
                paused = ", ".join(sorted(self.paused_queues))
                logger.info(
                    "Worker %s: note: jobs may wait in paused queues: %s", self._worker, paused
                )
