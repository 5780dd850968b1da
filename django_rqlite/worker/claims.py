"""Stores outcomes and claims the next job, and repeats both until Redis has answered.

Both can be repeated after a connection broke: outcomes are fenced, and a claim keeps its execution
id until there is an answer. One script stores an outcome and claims the next job.
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
from .dequeue_strategy import DequeueStrategy, ordered_queues
from .worker_name import WorkerName

logger = logging.getLogger("django_rqlite.worker")

#: How often Redis may refuse an outcome before a failure with that reason is stored instead. If
#: Redis refuses that as often, nothing is stored.
MOST_REFUSALS = 3

#: How often the connection may break over an outcome, although Redis answers a PING each time,
#: before that counts as a refusal. The limit is higher, because the network may be the cause.
MOST_BREAKS = 10


class Claims:
    """The claimed jobs whose outcomes are not stored yet, and the claim that has no answer yet.

    Args:
        worker: The name to claim under.
        queues: The queues to claim from, in the order in which they were given.
        lease: Seconds for which a job stays claimed without a heartbeat.
        strategy: The order in which the queues are looked at.
    """

    def __init__(
        self,
        engine: Engine,
        worker: WorkerName,
        queues: Sequence[str],
        lease: int,
        strategy: DequeueStrategy = DequeueStrategy.DEFAULT,
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._queues = queues
        self._lease = lease
        self._strategy = strategy
        # SystemRandom has no state, which each child would have to seed anew.
        self._random = random.SystemRandom()
        #: The queue that the last job came from.
        self._last_queue: str | None = None
        self._unsettled: deque[Assignment] = deque()
        self._next_claim: NextClaim | None = None
        #: How often the connection broke over the answer to a claim.
        self._claim_breaks = 0
        #: Jobs whose outcomes are stored, and whose callbacks another process must call.
        self.callbacks_due: deque[Assignment] = deque()

    def forget_claim(self) -> None:
        """Forget a claim without an answer, because the worker has another name.

        The record of the old name holds the job that the claim may have taken. It is queued again
        when its lease expires.
        """
        self._next_claim = None

    @property
    def unsettled(self) -> bool:
        """Whether an outcome is not stored yet."""
        return bool(self._unsettled)

    def add(self, assignments: Iterable[Assignment]) -> None:
        """Take jobs whose outcomes are to be stored, or that are to be put back."""
        self._unsettled.extend(assignments)

    def claim(self) -> Claim:
        """Claim the next job.

        Raises:
            redis.RedisError: There was no answer. Call again.
        """
        wanted = self._next()
        if self._claim_breaks:
            self._engine.connection.ping()  # as in settle()
        try:
            claim = self._engine.claim(self._worker.value, wanted)
        except (redis.ConnectionError, redis.TimeoutError, OSError) as exc:
            self._claim_breaks += 1
            if self._claim_breaks > MOST_BREAKS:
                self._fail_unreadable(wanted, exc)
            raise
        self._answered(claim)
        return claim

    def _fail_unreadable(self, wanted: NextClaim, exc: Exception) -> None:
        """Fail a job whose claim breaks the connection each time."""
        self._claim_breaks = 0
        hold = self._engine.find_claim(self._worker.value, wanted.execution)
        if hold is None:
            return
        headline = f"The job can't be read: the connection breaks over it each time ({exc})"
        reason = (
            f"{headline}\nIt may be too large for the server's client-output-buffer-limit, or the "
            "network may be too slow for it within the socket_timeout of RQ_QUEUES."
        )
        logger.error("%s: job %s fails. %s", hold.queue, hold.job_id, headline)
        outcome = Failed(reason, headline[:300], final=True)
        self.add([Assignment(hold, read_job(hold.job_id, {}), None, outcome=outcome)])
        self._next_claim = None

    def settle(self, claim_next: bool) -> Claim | None:
        """Store the oldest outcome.

        An outcome that Redis refuses is tried again a few times, with the next calls.

        Args:
            claim_next: Whether to claim the next job in the same step.

        Returns:
            The answer to the claim, if there was one.

        Raises:
            redis.RedisError, OSError: There was no answer. Call again.
        """
        assignment = self._unsettled[0]
        if assignment.breaks:
            # If Redis does not answer at all, the PING raises, and that does not count as a break
            # over the outcome. No job is claimed, because that answer could break the connection.
            self._engine.connection.ping()
            claim_next = False
        try:
            claim = self._store(assignment, self._next() if claim_next else None)
        except redis.ResponseError as exc:
            if is_transient(exc):
                raise
            assignment.refusals += 1
            if assignment.refusals >= MOST_REFUSALS:
                self._replace_outcome(assignment, exc)
            return None
        except (redis.RedisError, OSError) as exc:
            assignment.breaks += 1
            if assignment.breaks > MOST_BREAKS:
                self._replace_outcome(assignment, exc)
            raise
        self._unsettled.popleft()
        if claim is not None:
            self._answered(claim)
        return claim

    def _replace_outcome(self, assignment: Assignment, exc: Exception) -> None:
        """Replace an outcome that Redis does not store by a failure with that reason.

        If Redis does not store that either, drop it: endless attempts would stop the worker.
        """
        outcome = assignment.outcome
        if outcome is None or assignment.replaced:
            self._unsettled.popleft()
            logger.error(
                "Worker %s: the outcome of job %s can't be stored. The job stays among the "
                "started ones until its lease expires.",
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
        assignment.callback_due = assignment.callback_due or not isinstance(outcome, Failed)
        assignment.refusals = assignment.breaks = 0

    def close(self) -> None:
        """Store all outcomes, and put back the job that an unanswered claim may have taken.

        Raises:
            redis.RedisError: There was no answer.
        """
        while self._unsettled:
            self.settle(claim_next=False)
        if self._next_claim is not None:
            # The claim may have succeeded. If it is repeated, it returns the same job, or takes
            # another. Either is put back.
            claim = self.claim()
            if claim.hold is not None:
                self._engine.release(self._worker.value, claim.hold)

    def _next(self) -> NextClaim:
        if self._next_claim is None:
            queues = ordered_queues(self._strategy, self._queues, self._last_queue, self._random)
            self._next_claim = NextClaim(uuid.uuid4().hex, queues, self._lease)
        return self._next_claim

    def _answered(self, claim: Claim) -> None:
        self._next_claim = None
        self._claim_breaks = 0
        if claim.hold is not None:
            self._last_queue = claim.hold.queue

    def _store(self, assignment: Assignment, then: NextClaim | None) -> Claim | None:
        worker, hold = self._worker.value, assignment.hold
        if assignment.outcome is None:
            if self._engine.release(worker, hold):
                logger.warning("%s: put back to the front (%s)", hold.queue, hold.job_id)
            return None
        settled = settle(
            self._engine, worker, hold, assignment.record, assignment.outcome, worker, then
        )
        if not settled.stored and not settled.repeated:
            logger.warning(
                "%s: the outcome of job %s was dropped: it was deleted or taken over meanwhile.",
                hold.queue,
                hold.job_id,
            )
        elif assignment.callback_due:
            self.callbacks_due.append(assignment)
        return settled.claim if then else None
