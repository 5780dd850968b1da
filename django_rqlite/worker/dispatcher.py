"""Between the worker's queue and its crew: who gets which job, and what is said of it.

Nothing in here speaks to Redis; what it must be told is owed to it through the ledger.
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

logger = logging.getLogger("django_rqlite.worker")

#: Seconds before the worker tries again to make a process when the system would not.
BREATHER = 5.0

#: Children that wait for a job of their own: with one alone, the next but one of several short jobs
#: comes before there is a child for it.
LEAST_SPARES = 2


class Dispatcher:
    """Gives jobs to a crew, and learns how they went.

    Args:
        worker: its name, for the log.
        concurrency: how many jobs run at once.

    Attributes:
        idle_since: monotonic time at which a job has last begun or ended.
    """

    def __init__(self, crew: ChildPool, ledger: Claims, worker: str, concurrency: int) -> None:
        self._children = crew
        self._claims = ledger
        self._worker = worker
        self._concurrency = concurrency
        self.idle_since = time.monotonic()
        self._rest_until = self.idle_since

    def rename(self, worker: str) -> None:
        """Take the worker's other name."""
        self._worker = worker

    @property
    def rests_until(self) -> float | None:
        """Monotonic time before which no process is made, and so no job taken; None: it works."""
        return self._rest_until if time.monotonic() < self._rest_until else None

    @property
    def has_room(self) -> bool:
        """Whether another job may run."""
        return self.rests_until is None and len(self._children.busy) < self._concurrency

    def start(self, claim: Claim) -> None:
        """Have a claimed job run."""
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
            self._ended(assignment)
            self._log_failure(assignment.hold, assignment.outcome)
            return
        limit = time_limit(record.timeout)
        # Its own process may call back, after the job, at one end or the other.
        calls = max(record.callback_time("success"), record.callback_time("failure"))
        allowed = None if limit is None else limit + conf.timeout_grace() + calls
        try:
            self._children.hand_over(claim.hold, record, allowed)
        except OSError as exc:
            self._rest(exc)
            self._claims.owe([Assignment(claim.hold, record, None)])

    def call_back(self, hold: Hold, record: JobRecord, outcome: Outcome | None) -> None:
        """Have the callback called of a job that could not do so itself.

        Not of one that may not be trusted: what it names may be anybody's.
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
                self._rest(exc)

    def collect(self, child: Child) -> None:
        """Take what a child has to report."""
        assignment = self._children.collect(child)
        if assignment is not None:
            self._ended(assignment)

    def bury(self) -> None:
        """Take leave of the children that have ended.

        Raises:
            ForkServerError: all have.
        """
        bereaved, trouble = self._children.bury()
        if trouble is not None:
            self._rest(trouble)
        for assignment in bereaved:
            self._ended(assignment)

    def keep_spares(self) -> None:
        """Have children made before they are needed."""
        if self.rests_until is not None:
            return
        if self._children.jobs_per_child == 1:
            wanted = max(LEAST_SPARES, self._concurrency)
        else:
            wanted = self._concurrency - len(
                self._children.busy
            )  # who wait for another before long
        try:
            while self._children.spares < wanted:
                self._children.fork()
        except OSError as exc:
            self._rest(exc)

    def keep_time(self) -> None:
        """Kill what should have ended long ago."""
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
                f"{conf.timeout_grace()} s of the exception that told it so",
            )

    # By order

    def stop(self, job_id: str, by: str) -> None:
        """End a job, if it runs here, as a person has asked, whose name is ``by`` if not ``''``."""
        for child in self._children.busy:
            if child.assignment and child.assignment.hold.job_id == job_id:
                if not child.assignment.stopped:
                    child.assignment.stopped_by = by
                self._children.kill(child, "it was stopped", stopped=True)

    def kill_all(self, because: str) -> None:
        """Have all jobs that run fail."""
        for child in self._children.busy:
            self._children.kill(child, because)

    def put_back(self, because: str) -> None:
        """End all jobs that run; they go back to the front of their queues."""
        for child in self._children.busy:
            self._children.kill(child, because, give_back=True)

    def _ended(self, assignment: Assignment) -> None:
        """A job has an outcome, or its process died: log it, and have Redis told."""
        self._claims.owe([assignment])
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
        elif isinstance(outcome, Failed) and assignment.died:
            self._log_failure(hold, outcome)

    @staticmethod
    def _log_failure(hold: Hold, outcome: Failed) -> None:
        """Log a failure without an exception. One with it was logged by the job's process."""
        logger.error(
            "%s: Job failed (%s)\n%s",
            hold.queue,
            hold.job_id,
            Multiline(outcome.reason),
            extra={"job_id": hold.job_id, "queue": hold.queue},
        )

    def _rest(self, exc: OSError) -> None:
        self._rest_until = time.monotonic() + BREATHER
        logger.error(
            "Worker %s: could not make a process: %s. No job is taken for %g s.",
            self._worker,
            exc,
            BREATHER,
        )
