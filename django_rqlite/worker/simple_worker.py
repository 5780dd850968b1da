"""A worker that runs jobs in its own process, one at a time: for tests and debuggers.

It replaces the children of :class:`Worker`. The commands to Redis are the same.
"""

from __future__ import annotations

import selectors
from collections.abc import Iterable, Mapping

import redis

from ..engine.engine import Claim, Hold
from ..execution.outcome import Failed, Stopped
from ..execution.own_process import OwnProcess
from ..execution.run import time_limit
from ..protocol.records import JobRecord, read_job
from .children import child, database_connections
from .children.assignment import Assignment
from .children.job_factory import JobFactory, factory_of
from .children.messages import HEADER_SIZE, pack_callback, pack_run, unpack_instruction
from .children.pool import Child, ChildPool
from .children.process_reset import check_databases
from .claims import Claims
from .dispatcher import Dispatcher
from .heartbeat import Heartbeat
from .worker import Worker

#: Seconds for which a job without a timeout stays claimed.
LONGEST_HOLD = 86_400

#: Seconds for which a job stays claimed beyond its timeout.
SLACK = 60


class SimpleWorker(Worker):
    """Runs jobs where it is called, one after the other, with this process's database connections.

    While a job runs, the worker does nothing else. The job stays claimed for as long as its timeout
    lets it run, a command to stop it comes too late, and a signal to end waits for it. A job that
    ends its process ends the worker, and one that swallows its timeout goes on. ``concurrency``,
    ``max_jobs_per_child`` and ``max_child_memory`` have no effect.
    """

    def _make_children(self, selector: selectors.BaseSelector, heartbeat: Heartbeat) -> ChildPool:
        return _InProcessPool({queue.name: factory_of(queue) for queue in self.queues}, heartbeat)

    def _make_dispatcher(self, children: ChildPool, claims: Claims) -> Dispatcher:
        return _InProcessDispatcher(children, claims, self._name, 1)

    def _prepare(self) -> None:
        """Do nothing, because nothing is forked."""

    def _restore(self) -> None:
        """Do nothing, because nothing was changed."""


class _InProcessPool(ChildPool):
    """Runs jobs in this process, in place of children."""

    def __init__(self, factories: Mapping[str, JobFactory], heartbeat: Heartbeat) -> None:
        self._factories = factories
        self._heartbeat = heartbeat
        self._ended: list[Assignment] = []
        self.jobs_per_child = 0
        self.peak = 0

    def start(self, to_close: Iterable[int]) -> None:
        #: Databases that were in use before. They stay open.
        self._callers_databases = database_connections.in_use()

    def assign(self, hold: Hold, record: JobRecord, allowed: float | None) -> None:
        """Run the job.

        Raises:
            redis.RedisError: Its lease could not be extended, and it did not run.
        """
        limit = time_limit(record.timeout)
        calls = max(record.callback_time("success"), record.callback_time("failure"))
        self._heartbeat.hold(hold, LONGEST_HOLD if limit is None else limit + calls + SLACK)
        self._check_databases()  # the process may have waited for long
        message = pack_run(hold.queue, hold.execution, record)
        assignment = Assignment(hold, record, None)
        own = OwnProcess()
        assignment.outcome = child.run(
            unpack_instruction(message[HEADER_SIZE:]), self._factories[hold.queue]
        )
        own.end_if_forked()
        self._ended.append(assignment)
        self._check_databases(failed=isinstance(assignment.outcome, Failed))

    def call_back(self, queue: str, record: JobRecord, outcome: Failed | Stopped) -> None:
        message = pack_callback(queue, record, outcome)
        child.call_back(unpack_instruction(message[HEADER_SIZE:]), self._factories[queue])
        self._check_databases()

    def _check_databases(self, *, failed: bool = False) -> None:
        check_databases(failed=failed, but=self._callers_databases)

    def reap(self) -> tuple[list[Assignment], OSError | None]:
        """Return the jobs that have ended since the last call."""
        ended, self._ended = self._ended, []
        return ended, None

    # There are no children, and there is no fork server.

    @property
    def server_pid(self) -> int:
        return 0

    def __len__(self) -> int:
        return 0

    @property
    def busy(self) -> list[Child]:
        return []

    def assignments(self) -> list[Assignment]:
        return []

    def overdue(self, now: float) -> list[Child]:
        return []

    def next_kill_at(self) -> float | None:
        return None

    def abandon(self) -> list[Assignment]:
        return []

    def dismiss_idle(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


class _InProcessDispatcher(Dispatcher):
    """Runs a claimed job at once, and takes its outcome."""

    def start(self, claim: Claim) -> None:
        try:
            super().start(claim)
        except redis.RedisError:
            assert claim.hold is not None
            record = read_job(claim.hold.job_id, claim.fields)
            self._claims.add([Assignment(claim.hold, record, None)])  # put it back
            raise
        self.reap_children()

    @property
    def has_room(self) -> bool:
        """Whether another job may run: not before the outcome of the last one is stored."""
        return not self._claims.unsettled

    def fork_spares(self) -> None:
        """Do nothing."""
