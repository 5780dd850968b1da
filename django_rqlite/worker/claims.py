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

from ..broker.errors import is_transient
from ..engine.engine import Claim, Engine, NextClaim
from ..execution.outcome import Failed
from ..execution.settle import settle, unstorable
from ..protocol.records import read_job
from .children.assignment import Assignment
from .dequeue_strategy import DequeueStrategy, order

logger = logging.getLogger("django_rqlite.worker")

#: Times that Redis may refuse an outcome before a failure that says so is stored instead. As often
#: it may refuse that, before the worker goes on without storing anything.
MOST_REFUSALS = 3

#: Times that the connection may break over an outcome before that counts as refused, although Redis
#: answers a PING each time. It may be the network's fault, so there is more patience.
MOST_BREAKS = 10


class Claims:
    """The worker's open dealings with Redis.

    Args:
        worker: its name.
        queues: to claim from, as they were named.
        lease: seconds for which a claimed job is held without a heartbeat.
        strategy: in which order the queues are looked at.
    """

    def __init__(
        self,
        transitions: Engine,
        worker: str,
        queues: Sequence[str],
        lease: int,
        strategy: DequeueStrategy = DequeueStrategy.DEFAULT,
    ) -> None:
        self._engine = transitions
        self._worker = worker
        self._queues = queues
        self._lease = lease
        self.strategy = strategy
        # Not one with a state, which every child would have to seed anew.
        self._chance = random.SystemRandom()
        #: Where the last job came from.
        self._last: str | None = None
        #: Jobs whose outcomes, or whose return to the queue, Redis does not know yet.
        self._owed: deque[Assignment] = deque()
        self._wanted: NextClaim | None = None
        #: How often the connection broke over it.
        self._claim_breaks = 0
        #: Jobs that died with their processes, now that this is stored: their callbacks are due.
        self.bereaved: deque[Assignment] = deque()

    def rename(self, worker: str) -> None:
        """Take the worker's other name.

        The record of the old one knows what an unanswered claim has taken. That goes back when its
        lease ends.
        """
        self._worker = worker
        self._wanted = None

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
        wanted = self._next()
        if self._claim_breaks:
            self._engine.connection.ping()  # as in settle()
        try:
            claim = self._engine.claim(self._worker, wanted)
        except (redis.ConnectionError, redis.TimeoutError, OSError) as exc:
            self._claim_breaks += 1
            if self._claim_breaks > MOST_BREAKS:
                self._give_up_unread(wanted, exc)
            raise
        self._answered(claim)
        return claim

    def _give_up_unread(self, wanted: NextClaim, exc: Exception) -> None:
        """The connection breaks over the answer to a claim: have the job that it took fail."""
        self._claim_breaks = 0
        hold = self._engine.find_claim(self._worker, wanted.execution)
        if hold is None:
            return
        headline = f"The job can't be read: the connection breaks over it each time ({exc})"
        reason = (
            f"{headline}\nIt may be too large for the server's client-output-buffer-limit, or for "
            "the way from the server within the socket_timeout of RQ_QUEUES."
        )
        logger.error("%s: job %s fails. %s", hold.queue, hold.job_id, headline)
        outcome = Failed(reason, headline[:300], final=True)
        self.owe([Assignment(hold, read_job(hold.job_id, {}), None, outcome=outcome)])
        self._wanted = None

    def settle(self, claim_too: bool) -> Claim | None:
        """Store the oldest outcome; gives the answer to the claim made with it, if it was.

        An outcome that Redis refuses stays owed until it has been refused a few times.

        Raises:
            redis.RedisError, OSError: there was no answer; try again.
        """
        assignment = self._owed[0]
        if assignment.breaks:
            # Should Redis be away, this raises, and the outcome is not to blame. Nor is it for a
            # claim's answer.
            self._engine.connection.ping()
            claim_too = False
        try:
            claim = self._store(assignment, self._next() if claim_too else None)
        except redis.ResponseError as exc:
            if is_transient(exc):
                raise
            assignment.refusals += 1
            if assignment.refusals >= MOST_REFUSALS:
                self._give_up(assignment, exc)
            return None
        except (redis.RedisError, OSError) as exc:
            assignment.breaks += 1
            if assignment.breaks > MOST_BREAKS:
                self._give_up(assignment, exc)
            raise
        self._owed.popleft()
        if claim is not None:
            self._answered(claim)
        return claim

    def _give_up(self, assignment: Assignment, exc: Exception) -> None:
        """Redis does not take an outcome: have it told that instead. Trying for ever would stop the
        worker."""
        outcome = assignment.outcome
        if outcome is None or assignment.replaced:
            self._owed.popleft()
            logger.error(
                "Worker %s: the outcome of job %s can't be stored. The job stays among the "
                "started ones, where its lease ends.",
                self._worker,
                assignment.hold.job_id,
                exc_info=exc,
            )
            return
        logger.error(
            "Worker %s: Redis does not take the outcome of job %s (%s). The job fails.",
            self._worker,
            assignment.hold.job_id,
            exc,
        )
        assignment.outcome = unstorable(outcome, exc)
        assignment.replaced = True
        assignment.died = assignment.died or not isinstance(outcome, Failed)
        assignment.refusals = assignment.breaks = 0

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
                self._engine.release(self._worker, claim.hold)

    def _next(self) -> NextClaim:
        if self._wanted is None:
            queues = order(self.strategy, self._queues, self._last, self._chance)
            self._wanted = NextClaim(uuid.uuid4().hex, queues, self._lease)
        return self._wanted

    def _answered(self, claim: Claim) -> None:
        self._wanted = None
        self._claim_breaks = 0
        if claim.hold is not None:
            self._last = claim.hold.queue

    def _store(self, assignment: Assignment, then: NextClaim | None) -> Claim | None:
        hold = assignment.hold
        if assignment.outcome is None:
            if self._engine.release(self._worker, hold):
                logger.warning("%s: put back to the front (%s)", hold.queue, hold.job_id)
            return None
        settled = settle(
            self._engine,
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
