"""A worker's commands to Redis, and when each is due.

In one turn, a worker stores outcomes, sends its heartbeat, moves jobs that are due into the queues,
claims jobs, and listens for more. A command that fails because Redis does not answer is due again
in the next turn. Each can be repeated safely: outcomes are fenced, and a claim carries the id of
its execution.
"""

from __future__ import annotations

import logging
import selectors
import time
from collections.abc import Sequence

import redis

from ..broker.address import describe
from ..broker.errors import translate_errors
from ..broker.outage import Outage
from ..broker.single_connection import descriptors, disconnect
from ..cron.ticker import Ticker
from ..engine.engine import Claim, Engine
from ..exceptions import WorkerNameTakenError
from ..queues.queue import Queue
from .children.pool import ChildPool
from .claims import Claims
from .dispatcher import Dispatcher
from .heartbeat import Heartbeat
from .maintainer import Maintainer
from .maintenance.scheduler import Scheduler
from .pubsub import Command, JobScheduled, PubSub, SuspensionChanged
from .repeated_warnings import RepeatedWarnings
from .run_limits import RunLimits
from .shutdown import Shutdown
from .suspension import Suspension
from .wakeup import Wakeup
from .worker_name import WorkerName

logger = logging.getLogger("django_rqlite.worker")

#: Heartbeats in one lease.
BEATS_PER_LEASE = 4


class RedisSession:
    """All commands that one worker sends to Redis, and all that it receives.

    Args:
        engine: Uses the worker's own connection.
        client: Other connections are made as this client's are.
        queues: The worker's queues.
        instance: Distinguishes this worker from all others that ever had its name.
        selector: Watches the sockets of ``wakeup`` and ``pubsub``.
        lease: Seconds for which a job stays claimed without a heartbeat.

    Attributes:
        queue_names: The names of the queues, in the order of preference.
        outage: Whether Redis answers.
        suspension: Whether the worker may take jobs, and from which queues.
        queues_empty: Whether the queues were empty at the last look, and no sign of a job has come
            since.
    """

    def __init__(
        self,
        engine: Engine,
        client: redis.Redis,
        worker: WorkerName,
        queues: Sequence[Queue],
        *,
        instance: str,
        selector: selectors.BaseSelector,
        claims: Claims,
        heartbeat: Heartbeat,
        children: ChildPool,
        dispatcher: Dispatcher,
        shutdown: Shutdown,
        limits: RunLimits,
        lease: int,
    ) -> None:
        self.queue_names = names = [queue.name for queue in queues]
        self._connection = engine.connection
        self._keys = engine.keys
        self._worker = worker
        self._claims = claims
        self._heartbeat = heartbeat
        self._children = children
        self._dispatcher = dispatcher
        self._shutdown = shutdown
        self._limits = limits
        self._lease = lease
        self.wakeup = Wakeup(client, selector, names, [queue.key for queue in queues])
        self.pubsub = PubSub(client, selector, engine.keys, worker, names, instance)
        self.outage = Outage(describe(client))
        self.suspension = Suspension(worker)
        self._warnings = RepeatedWarnings(worker)
        self._scheduler = Scheduler(engine, names)
        self._cron = Ticker.from_settings(client, engine.broker)
        cron_entries = [entry.name for entry in self._cron.entries]
        self._maintainer = Maintainer(engine, names, cron_entries, self._warnings)
        self.queues_empty = False
        self._beat_at = time.monotonic()

    def register(self) -> None:
        """Register the worker.

        Raises:
            RedisUnavailableError: Redis does not answer.
            WorkerNameTakenError: A live worker has the name, and the user chose it.
        """
        with translate_errors(self._connection):
            self.pubsub.open()  # before the record exists, so that others see that it is alive
            try:
                self._heartbeat.register(self._renamed)
            except BaseException:
                self.pubsub.close()
                raise

    @property
    def record_key(self) -> str:
        """The key of the worker's record."""
        return self._keys.worker(self._worker.value)

    def _renamed(self) -> None:
        self._claims.forget_claim()
        self.pubsub.close()
        self.pubsub.open()

    # One turn

    def run_due(self) -> bool:
        """Do all that is due, as far as Redis answers.

        Returns:
            False if it was too early for another attempt, because Redis did not answer the last.
        """
        retry_at = self.outage.retry_at
        if retry_at is not None and time.monotonic() < retry_at:
            return False
        try:
            self._settle_all()
            if self.pubsub.open():
                self._scheduler.look_now()
            self._beat_if_due()
            self._cron.tick_if_due()
            moved = 0
            with self._warnings.warn_of_refusals("enqueueing scheduled jobs"):
                moved = self._scheduler.promote()
            if moved or self.suspension.take_ended_pause():
                self.queues_empty = False
            self._claim_all()
            if self.may_claim and not self.suspension.suspended:
                self.wakeup.listen(but_not_to=self.suspension.paused_queues)
        except (redis.RedisError, OSError) as exc:
            self._connection_lost(exc)
        else:
            self.outage.note_success()
        return True

    @property
    def may_claim(self) -> bool:
        """Whether the worker may take another job now."""
        return (
            not self._shutdown.requested and not self._limits.reached and self._dispatcher.has_room
        )

    def _settle_all(self) -> None:
        """Store all outcomes. Each time, claim the next job in the same step if there is room."""
        while self._claims.unsettled:
            claim = self._claims.settle(claim_next=self.may_claim)
            while self._claims.callbacks_due:
                due = self._claims.callbacks_due.popleft()
                self._dispatcher.call_back(due.hold, due.record, due.outcome)
            if claim is not None:
                self._answered(claim)
            if self.suspension.suspended:
                self.beat_now()  # the script has set the state to idle

    def _claim_all(self) -> None:
        while self.may_claim and not self.queues_empty:
            self._answered(self._claims.claim())

    def _answered(self, claim: Claim) -> None:
        """Start a claimed job, and use the rest of the answer."""
        for note in claim.notes:
            self._warnings.warn(note)
        if self.suspension.update(claim):
            self._beat_at = self._dispatcher.idle_since = time.monotonic()
        if claim.hold is None:
            if not claim.more:
                self.queues_empty = True
            return
        self.queues_empty = False
        self._limits.count_job()
        self._dispatcher.start(claim)

    def beat_now(self) -> None:
        """Send the next heartbeat in the next turn, so that the record shows the new state."""
        self._beat_at = time.monotonic()

    def _beat_if_due(self) -> None:
        now = time.monotonic()
        if now < self._beat_at:
            return
        self._beat()
        for hold, record, outcome in self._maintainer.reap():
            self._dispatcher.call_back(hold, record, outcome)
        if self._maintainer.sweep_if_due():
            self.wakeup.retry_refused()
        # Look at the queues although no queue has woken the worker. If a connection was lost
        # unnoticed, the worker misses jobs for no longer than this.
        self.queues_empty = False
        self._beat_at = now + self._lease / BEATS_PER_LEASE

    def _beat(self) -> None:
        running = self._children.assignments()
        lost: frozenset[str] = frozenset()
        with self._warnings.warn_of_refusals("the heartbeat"):
            listed, lost = self._heartbeat.beat(
                [assignment.hold for assignment in running],
                suspended=self.suspension.suspended,
                ending=self._shutdown.requested,
                child_memory=self._children.peak,
            )
            if not listed:
                self._register_again()
        for assignment in running:
            if assignment.hold.execution in lost and not assignment.loss_logged:
                assignment.loss_logged = True
                logger.warning(
                    "%s: job %s was deleted or taken over while it runs here; its outcome will "
                    "be dropped.",
                    assignment.hold.queue,
                    assignment.hold.job_id,
                )

    def _register_again(self) -> None:
        try:
            self._heartbeat.register(self._renamed)
        except WorkerNameTakenError as exc:
            # It sent no heartbeat for so long that another worker has its name. Both go on.
            self._warnings.warn(str(exc))

    def _connection_lost(self, exc: Exception) -> None:
        disconnect(self._connection)
        self.wakeup.close()
        self.pubsub.close()
        self.queues_empty = False
        self.outage.note_failure(exc)

    # Between two turns

    def next_turn_at(self, now: float) -> float:
        """Return the monotonic time at which something is due next."""
        if self.outage.retry_at is not None:
            return self.outage.retry_at
        if self._claims.unsettled or (self.may_claim and not self.queues_empty):
            return now
        times = (
            self._beat_at,
            self._scheduler.due_at,
            self._cron.due_at,
            self.suspension.pause_ends_at,
        )
        return min(at for at in times if at is not None)

    def read_wakeup(self, descriptor: int) -> None:
        """Read the answer that came because a queue has a job."""
        self.queues_empty = False
        try:
            self.wakeup.read(descriptor)
        except (redis.RedisError, OSError) as exc:
            self._connection_lost(exc)

    def read_messages(self) -> list[Command]:
        """Read the messages that have arrived. Return the commands among them."""
        try:
            messages = self.pubsub.read()
        except (redis.RedisError, OSError) as exc:
            self._connection_lost(exc)
            return []
        commands = []
        for message in messages:
            if isinstance(message, JobScheduled):
                self._scheduler.expect(message.due)
            elif isinstance(message, SuspensionChanged):
                self.queues_empty = False
            else:
                commands.append(message)
        return commands

    def descriptors(self) -> list[int]:
        """Return the open descriptors, which a forked process must close."""
        return [
            *self.wakeup.descriptors(),
            *self.pubsub.descriptors(),
            *descriptors(self._connection),
        ]

    def close(self) -> None:
        """Store the last outcomes, unregister the worker, and close all connections."""
        self.wakeup.close()
        self.pubsub.close()
        try:
            self._claims.close()
            self._heartbeat.retire()
        except redis.RedisError as exc:
            logger.error(
                "Worker %s: could not be unregistered at %s (%s). Its jobs are queued again when "
                "their leases of %d s expire.",
                self._worker,
                describe(self._connection),
                exc,
                self._lease,
            )
        disconnect(self._connection)
