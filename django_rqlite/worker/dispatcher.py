"""Between the worker's claims and its children: starts jobs, and takes their outcomes.

Nothing in here talks to Redis. Outcomes to be stored are added to the claims.
"""

from __future__ import annotations

import logging
import time
from typing import Literal

from .. import conf
from ..conf.log_escaping import Multiline
from ..conf.signer import signature_problem
from ..engine.engine import Claim, Hold
from ..execution.outcome import AskedForRetry, Failed, Outcome, Stopped, Succeeded
from ..execution.run import time_limit
from ..protocol.records import JobRecord, read_job
from .children.assignment import Assignment
from .children.pool import Child, ChildPool
from .claims import Claims
from .worker_name import WorkerName

logger = logging.getLogger("django_rqlite.worker")

#: Seconds before the next attempt when the system could not make a process.
FORK_RETRY_DELAY = 5.0

#: The fewest idle children. With only one, the second of several short jobs would have to wait for
#: a new child.
LEAST_SPARES = 2


class Dispatcher:
    """Gives claimed jobs to children, and takes their outcomes.

    Args:
        worker: The worker's name, for the log.
        concurrency: How many jobs run at once.

    Attributes:
        idle_since: Monotonic time at which the last job began or ended.
    """

    def __init__(
        self, children: ChildPool, claims: Claims, worker: WorkerName, concurrency: int
    ) -> None:
        self._children = children
        self._claims = claims
        self._worker = worker
        self._concurrency = concurrency
        self.idle_since = time.monotonic()
        self._retry_at = self.idle_since

    @property
    def fork_retry_at(self) -> float | None:
        """Monotonic time before which no child is forked, and no job is taken; None: now."""
        return self._retry_at if time.monotonic() < self._retry_at else None

    @property
    def has_room(self) -> bool:
        """Whether another job may run."""
        return self.fork_retry_at is None and len(self._children.busy) < self._concurrency

    def start(self, claim: Claim) -> None:
        """Start a claimed job."""
        assert claim.hold is not None
        self.idle_since = time.monotonic()
        record = read_job(claim.hold.job_id, claim.fields)
        logger.info(
            "%s: %s (%s)", claim.hold.queue, record.description or "(no description)", record.id
        )
        if record.problems:
            headline = f"The job can't be run: {'; '.join(record.problems)}"
            assignment = Assignment(claim.hold, record, None)
            assignment.outcome = Failed(f"{headline}.", headline[:300])
            self._take_outcome(assignment)
            self._log_failure(assignment.hold, assignment.outcome)
            return
        limit = time_limit(record.timeout)
        # After the job, its own process calls the callback for success or for failure.
        calls = max(record.callback_time("success"), record.callback_time("failure"))
        allowed = None if limit is None else limit + conf.timeout_grace() + calls
        try:
            self._children.assign(claim.hold, record, allowed)
        except OSError as exc:
            self._delay_forks(exc)
            self._claims.add([Assignment(claim.hold, record, None)])  # put it back

    def call_back(self, hold: Hold, record: JobRecord, outcome: Outcome | None) -> None:
        """Tell a child to call the callback of a job whose own process could not do so.

        A callback of a job that is not trusted is not called.
        """
        if isinstance(outcome, Failed | Stopped):
            end: Literal["stopped", "failure"] = (
                "stopped" if isinstance(outcome, Stopped) else "failure"
            )
            if not record.callback_time(end):
                return
            if why_not := signature_problem(record):
                logger.error(
                    "%s: the %s callback of job %s is not called: %s",
                    hold.queue,
                    end,
                    hold.job_id,
                    why_not,
                )
                return
            try:
                self._children.call_back(hold.queue, record, outcome)
            except OSError as exc:
                self._delay_forks(exc)

    def collect(self, child: Child) -> None:
        """Read a child's messages."""
        assignment = self._children.collect(child)
        if assignment is not None:
            self._take_outcome(assignment)

    def reap_children(self) -> None:
        """Remove the children that have ended, and take the outcomes of their jobs.

        Raises:
            ForkServerError: The fork server has died, and all children with it.
        """
        ended, trouble = self._children.reap()
        if trouble is not None:
            self._delay_forks(trouble)
        for assignment in ended:
            self._take_outcome(assignment)

    def fork_spares(self) -> None:
        """Request children before they are needed."""
        if self.fork_retry_at is not None:
            return
        if self._children.jobs_per_child == 1:
            wanted = max(LEAST_SPARES, self._concurrency)
        else:
            # Busy children will take another job.
            wanted = self._concurrency - len(self._children.busy)
        try:
            while self._children.spares < wanted:
                self._children.fork()
        except OSError as exc:
            self._delay_forks(exc)

    def kill_overdue(self) -> None:
        """Kill the children whose time is up."""
        for child in self._children.overdue(time.monotonic()):
            if child.assignment is None:
                logger.warning(
                    "Worker %s: a process that did not end after its job is killed.", self._worker
                )
                self._children.kill(child, "")
                continue
            limit = time_limit(child.assignment.record.timeout)
            self._children.kill(
                child,
                f"it ran longer than its timeout of {limit} s and did not end within "
                f"{conf.timeout_grace()} s of the exception that its timeout raised",
            )

    def stop_job(self, job_id: str, by: str) -> None:
        """Kill a job's child, if the job runs here, because a person asked for it.

        Args:
            by: The name of that person; ``""`` if unknown.
        """
        for child in self._children.busy:
            if child.assignment and child.assignment.hold.job_id == job_id:
                if not child.assignment.stopped:
                    child.assignment.stopped_by = by
                self._children.kill(child, "it was stopped", stopped=True)

    def kill_all(self, reason: str) -> None:
        """Kill all children that have a job. The jobs fail."""
        for child in self._children.busy:
            self._children.kill(child, reason)

    def put_back_all(self, reason: str) -> None:
        """Kill all children that have a job. The jobs go back to the front of their queues."""
        for child in self._children.busy:
            self._children.kill(child, reason, put_back=True)

    def _take_outcome(self, assignment: Assignment) -> None:
        """Log the end of a run, and add its outcome to those to be stored."""
        self._claims.add([assignment])
        self.idle_since = time.monotonic()
        hold, outcome = assignment.hold, assignment.outcome
        if isinstance(outcome, Succeeded):
            logger.info("%s: Job OK (%s)", hold.queue, hold.job_id)
            if outcome.not_kept:
                logger.warning(
                    "%s: the result of job %s is not kept. %s",
                    hold.queue,
                    hold.job_id,
                    outcome.not_kept,
                )
        elif isinstance(outcome, Stopped):
            logger.warning("%s: Job stopped (%s)", hold.queue, hold.job_id)
        elif isinstance(outcome, AskedForRetry):
            logger.info("%s: Job asks for another run (%s)", hold.queue, hold.job_id)
        elif isinstance(outcome, Failed) and assignment.callback_due:
            self._log_failure(hold, outcome)

    @staticmethod
    def _log_failure(hold: Hold, outcome: Failed) -> None:
        """Log a failure without an exception. The job's own process logs one with an exception."""
        logger.error(
            "%s: Job failed (%s)\n%s",
            hold.queue,
            hold.job_id,
            Multiline(outcome.reason),
            extra={"job_id": hold.job_id, "queue": hold.queue},
        )

    def _delay_forks(self, exc: OSError) -> None:
        self._retry_at = time.monotonic() + FORK_RETRY_DELAY
        logger.error(
            "Worker %s: could not make a process: %s. No job is taken for %g s.",
            self._worker,
            exc,
            FORK_RETRY_DELAY,
        )
