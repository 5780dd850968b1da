"""A worker that runs jobs in its own process, one at a time: for tests and debuggers.

It is :class:`Worker` with other hands: everything that is said to Redis is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import redis

from ..engine.engine import Claim, Hold
from ..execution.outcome import Failed, Stopped
from ..execution.own_process import OwnProcess
from ..execution.run import time_limit
from ..protocol.records import JobRecord, read_job
from .children import child
from .children import database_connections as databases
from .children.assignment import Assignment
from .children.child import QueueTraits
from .children.messages import HEADER_SIZE, pack_callback, pack_run, unpack_instruction
from .children.pool import Child, ChildPool
from .children.process_reset import look_after_databases
from .dispatcher import Dispatcher
from .worker import Worker

#: Seconds for which a job without a timeout is held.
LONGEST_HOLD = 86_400

#: Seconds for which a job is held beyond its timeout.
SLACK = 60


class SimpleWorker(Worker):
    """Runs jobs where it is called, one after the other, with this process's database connections.

    While a job runs, nothing else is done: the job is held for as long as its timeout lets it run,
    a command to stop it comes too late, and a signal to end waits for it. A job that ends its
    process ends the worker, and one that swallows its timeout goes on. ``concurrency``,
    ``max_jobs_per_child`` and ``max_child_memory`` have no meaning.
    """

    def _make_crew(self, traits: Mapping[str, QueueTraits]) -> ChildPool:
        return _InPlace(traits, self._hold)

    def _make_foreman(self) -> Dispatcher:
        return _Alone(self._children, self._claims, self.name, 1)

    def _prepare(self) -> None:
        """Nothing is forked, so there is nothing to prepare."""

    def _come_back(self) -> None:
        """Nothing was changed."""

    def _hold(self, hold: Hold, seconds: int) -> None:
        self._heartbeat.hold(hold, seconds)


class _InPlace(ChildPool):
    """Instead of children: the process itself.

    Args:
        keep: makes sure that an execution holds its job for so many seconds.
    """

    def __init__(
        self, traits: Mapping[str, QueueTraits], keep: Callable[[Hold, int], None]
    ) -> None:
        self._traits = traits
        self._keep = keep
        self._ended: list[Assignment] = []
        self.jobs_per_child = 0
        self.peak = 0

    def start(self, foreign: Iterable[int]) -> None:
        #: Databases that were in use before are the caller's to close.
        self._of_the_caller = databases.in_use()

    def hand_over(self, hold: Hold, record: JobRecord, allowed: float | None) -> None:
        """Run the job.

        Raises:
            redis.RedisError: it could not be held, and was not run.
        """
        limit = time_limit(record.timeout)
        calls = max(record.callback_time("success"), record.callback_time("failure"))
        self._keep(hold, LONGEST_HOLD if limit is None else limit + calls + SLACK)
        self._tidy()  # it may have waited for long
        instruction = unpack_instruction(pack_run(hold.queue, hold.execution, record)[HEADER_SIZE:])
        assignment = Assignment(hold, record, None)
        own = OwnProcess()
        assignment.outcome = child.run(instruction, self._traits[hold.queue])
        own.end_if_forked()
        self._ended.append(assignment)
        self._tidy(failed=isinstance(assignment.outcome, Failed))

    def call_back(self, queue: str, record: JobRecord, outcome: Failed | Stopped) -> None:
        instruction = unpack_instruction(pack_callback(queue, record, outcome)[HEADER_SIZE:])
        child.call_back(instruction, self._traits[queue])
        self._tidy()

    def _tidy(self, *, failed: bool = False) -> None:
        look_after_databases(failed=failed, but=self._of_the_caller)

    def bury(self) -> tuple[list[Assignment], OSError | None]:
        """The jobs that have ended since the last call."""
        ended, self._ended = self._ended, []
        return ended, None

    # There are no children, nor who would make them.

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

    def next_due(self) -> float | None:
        return None

    def abandon(self) -> list[Assignment]:
        return []

    def dismiss(self) -> None:
        """Let nobody go."""

    def stop(self) -> None:
        """End nobody."""


class _Alone(Dispatcher):
    """Who runs the jobs is who gives them."""

    def start(self, claim: Claim) -> None:
        try:
            super().start(claim)
        except redis.RedisError:
            assert claim.hold is not None
            record = read_job(claim.hold.job_id, claim.fields)
            self._claims.owe([Assignment(claim.hold, record, None)])  # it goes back
            raise
        self.bury()

    @property
    def has_room(self) -> bool:
        """Whether another job may run: not before the outcome of the one before is stored."""
        return not self._claims.owes

    def keep_spares(self) -> None:
        """Nobody waits for a job."""
