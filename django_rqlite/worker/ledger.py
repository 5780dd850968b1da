"""What a worker owes Redis and asks of it, kept until it was answered.

Everything in here may be tried again after a connection broke: outcomes are fenced, and the next
claim keeps its execution id until there was an answer.
"""

from __future__ import annotations

import logging
import random
import uuid
from collections import deque
from collections.abc import Iterable, Sequence

import redis

from ..engine.transitions import Claim, NextClaim, Transitions
from ..outcomes import settle
from .assignment import Assignment
from .outage import passes
from .strategies import DequeueStrategy, order

logger = logging.getLogger("django_rqlite.worker")

#: Times that Redis may refuse an outcome before the worker goes on without storing it.
MOST_REFUSALS = 3


class Ledger:
    """The worker's open dealings with Redis.

    Args:
        worker: its name.
        queues: to claim from, as they were named.
        lease: seconds for which a claimed job is held without a heartbeat.
        strategy: in which order the queues are looked at.
    """

    def __init__(
        self,
        transitions: Transitions,
        worker: str,
        queues: Sequence[str],
        lease: int,
        strategy: DequeueStrategy = DequeueStrategy.DEFAULT,
    ) -> None:
        self._transitions = transitions
        self._worker = worker
        self._queues = queues
        self._lease = lease
        self.strategy = strategy
        self._chance = random.Random()
        #: Where the last job came from.
        self._last: str | None = None
        #: Jobs whose outcomes, or whose return to the queue, Redis does not know yet.
        self._owed: deque[Assignment] = deque()
        self._wanted: NextClaim | None = None
        #: Jobs that died with their processes, now that this is stored: their callbacks are due.
        self.bereaved: deque[Assignment] = deque()

    @property
    def owes(self) -> bool:
        """Whether an outcome is not stored yet."""
        return bool(self._owed)

    def owe(self, assignments: Iterable[Assignment]) -> None:
        """Have these outcomes stored, or these jobs given back."""
        self._owed.extend(assignments)

    def claim(self) -> Claim:
        """Ask for the next job.

        Raises:
            redis.RedisError: there was no answer; ask again.
        """
        claim = self._transitions.claim(self._worker, self._next())
        self._answered(claim)
        return claim

    def settle(self, claim_too: bool) -> Claim | None:
        """Store the oldest outcome; gives the answer to the claim made with it, if it was.

        Raises:
            redis.RedisError: there was no answer, or a refusal; try again.
        """
        assignment = self._owed[0]
        try:
            claim = self._store(assignment, self._next() if claim_too else None)
        except redis.ResponseError as exc:
            assignment.refusals += 1
            if passes(exc) or assignment.refusals < MOST_REFUSALS:
                raise
            # Trying for ever would stop the worker.
            logger.exception(
                "Worker %s: the outcome of job %s can't be stored. The job stays among the "
                "started ones, where its lease ends.",
                self._worker,
                assignment.hold.job_id,
            )
            claim = None
        self._owed.popleft()
        if claim is not None:
            self._answered(claim)
        return claim

    def close(self) -> None:
        """Settle everything, and give back what may have been claimed.

        Raises:
            redis.RedisError: there was no answer.
        """
        while self._owed:
            self.settle(claim_too=False)
        if self._wanted is not None:
            # A claim without an answer may have succeeded. Asked again it gives the same job, or
            # another; either goes back.
            claim = self.claim()
            if claim.hold is not None:
                self._transitions.release(self._worker, claim.hold)

    def _next(self) -> NextClaim:
        if self._wanted is None:
            queues = order(self.strategy, self._queues, self._last, self._chance)
            self._wanted = NextClaim(uuid.uuid4().hex, queues, self._lease)
        return self._wanted

    def _answered(self, claim: Claim) -> None:
        self._wanted = None
        if claim.hold is not None:
            self._last = claim.hold.queue

    def _store(self, assignment: Assignment, then: NextClaim | None) -> Claim | None:
        hold = assignment.hold
        if assignment.outcome is None:
            if self._transitions.release(self._worker, hold):
                logger.warning("%s: put back to the front (%s)", hold.queue, hold.job_id)
            return None
        settled = settle(
            self._transitions,
            self._worker,
            hold,
            assignment.record,
            assignment.outcome,
            self._worker,
            then,
        )
        if not settled.stored and not settled.repeated:
            logger.warning(
                "%s: the outcome of job %s was dropped: it was deleted or taken over meanwhile.",
                hold.queue,
                hold.job_id,
            )
        elif assignment.died:
            self.bereaved.append(assignment)
        return settled.claim if then else None
