"""The loop of a worker: one thread, one selector.

Each turn does everything that is due with Redis (:meth:`RedisSession.run_due`), and then waits
until something happens: a child reports or ends, a queue has a job, a message or a signal arrives,
or something else is due.
"""

from __future__ import annotations

import logging
import selectors
import signal
import time

from ..exceptions import ForkServerError
from ..process.signal_pipe import STOP_SIGNALS, SignalPipe
from ..process.subreaper import wait_for_orphans
from ..version import VERSION
from .children.pool import Child, ChildPool
from .claims import Claims
from .dispatcher import Dispatcher
from .pubsub import Command
from .redis_session import RedisSession
from .run_limits import RunLimits
from .shutdown import Request, Shutdown
from .worker_name import WorkerName

logger = logging.getLogger("django_rqlite.worker")


class Loop:
    """One call of ``Worker.work()``.

    Args:
        selector: Watches the children and all connections.
        lease: Seconds for which a job stays claimed without a heartbeat.
    """

    def __init__(
        self,
        worker: WorkerName,
        selector: selectors.BaseSelector,
        session: RedisSession,
        claims: Claims,
        children: ChildPool,
        dispatcher: Dispatcher,
        shutdown: Shutdown,
        limits: RunLimits,
        lease: int,
    ) -> None:
        self._worker = worker
        self._selector = selector
        self._session = session
        self._claims = claims
        self._children = children
        self._dispatcher = dispatcher
        self._shutdown = shutdown
        self._limits = limits
        self._lease = lease
        self._signals = SignalPipe()
        self._end_at_once = False

    def run(self) -> None:
        """Run jobs until the worker is asked to end, or a limit is reached. Main thread only.

        Raises:
            ForkServerError: The fork server could not be started, or has died.
            RedisUnavailableError: Redis does not answer at the start.
            WorkerNameTakenError: A live worker has the name, and the user chose it.
        """
        self._session.register()
        self._signals.open()
        self._selector.register(self._signals.reader, selectors.EVENT_READ, self._signals)
        try:
            self._children.start(self._descriptors())
            logger.info("RQ worker %r started, version %s", self._session.record_key, VERSION)
            logger.info("*** Listening on %s...", ", ".join(self._session.queue_names))
            while not self._done():
                self._wait()
                if self._session.run_due() and self._takes_jobs:
                    self._dispatcher.fork_spares()
        except ForkServerError:
            self._claims.add(self._children.abandon())
            raise
        finally:
            self._close()

    @property
    def _takes_jobs(self) -> bool:
        return not self._shutdown.requested and not self._limits.reached

    def _descriptors(self) -> list[int]:
        return [
            self._selector.fileno(),  # type: ignore[attr-defined]
            *self._signals.descriptors(),
            *self._session.descriptors(),
        ]

    # Waiting for events

    def _wait(self) -> None:
        """Wait until something happens or is due, and handle it."""
        now = time.monotonic()
        for key, _ in self._selector.select(max(0.0, self._wake_at(now) - now)):
            if key.data is self._signals:
                self._read_signals()
            elif key.data is self._session.wakeup:
                self._session.read_wakeup(key.fd)
            elif key.data is self._session.pubsub:
                for command in self._session.read_messages():
                    self._obey(command)
            elif key.data is self._children:
                self._dispatcher.reap_children()
            elif isinstance(key.data, Child):
                self._dispatcher.collect(key.data)
        self._enforce_deadlines()

    def _wake_at(self, now: float) -> float:
        times = [
            self._session.next_turn_at(now),
            self._children.next_kill_at(),
            self._idle_until,
            self._grace_ends,
            self._dispatcher.fork_retry_at,
        ]
        return min(at for at in times if at is not None)

    def _enforce_deadlines(self) -> None:
        self._dispatcher.kill_overdue()
        if self._grace_ends is not None and time.monotonic() >= self._grace_ends:
            self._dispatcher.put_back_all("the grace period is over")

    @property
    def _grace_ends(self) -> float | None:
        """Monotonic time at which running jobs are put back; None: never."""
        running = (each for each in self._children.assignments() if not each.kill_reason)
        return self._shutdown.grace_ends if any(running) else None

    @property
    def _idle_until(self) -> float | None:
        """Monotonic time at which the worker has been idle for too long; None: it is not idle."""
        limit = self._limits.max_idle_time
        if limit is None or not self._session.queues_empty or self._children.busy:
            return None
        if self._session.suspension.suspended:
            return None  # it would not be started again when the workers are resumed
        return self._dispatcher.idle_since + limit

    # Commands and signals

    def _obey(self, command: Command) -> None:
        logger.info("Worker %s: received %s %s", self._worker, command.name, command.job_id)
        if command.name == "shutdown":
            self._request_shutdown("the command shutdown")
        elif command.name == "kill-horse":
            self._dispatcher.kill_all("the worker was sent the command kill-horse")
        elif command.name == "stop-job":
            self._dispatcher.stop_job(command.job_id, command.by)

    def _read_signals(self) -> None:
        for number in self._signals.read():
            if number in STOP_SIGNALS:
                self._request_shutdown(signal.Signals(number).name)
            elif number == signal.SIGCHLD:
                wait_for_orphans(own={self._children.server_pid})

    def _request_shutdown(self, source: str) -> None:
        request = self._shutdown.request()
        if request is Request.WARM:
            running = len(self._children.assignments())
            logger.info(
                "Worker %s: got %s, warm shut down requested. %s",
                self._worker,
                source,
                f"Waiting for {running} running job(s). Ask again to put them back at once."
                if running
                else "No job is running.",
            )
            self._children.dismiss_idle()
            self._session.beat_now()
        elif request is Request.COLD:
            logger.warning("Worker %s: got %s again, cold shut down", self._worker, source)
            if self._children.busy:
                self._dispatcher.put_back_all("the worker was asked to end at once")
            else:
                self._end_at_once = True

    # The end

    def _done(self) -> bool:
        if self._end_at_once:
            return True
        if self._children.busy:
            return False
        if self._claims.unsettled:
            return self._has_waited_enough
        if self._shutdown.requested:
            return True
        if self._limits.reached:
            logger.info("Worker %s: has run its maximum number of jobs, quitting", self._worker)
            return True
        if self._session.queues_empty and self._limits.burst:
            self._session.suspension.log_end_of_burst()
            return True
        if self._idle_until is not None and time.monotonic() >= self._idle_until:
            logger.info(
                "Worker %s: idle for %g seconds, quitting", self._worker, self._limits.max_idle_time
            )
            return True
        return False

    @property
    def _has_waited_enough(self) -> bool:
        """Whether Redis has not answered for the length of a lease since the request to end.

        By then, other workers take its jobs.
        """
        requested_at = self._shutdown.requested_at
        if (
            requested_at is None
            or not self._session.outage.ongoing
            or time.monotonic() < requested_at + self._lease
        ):
            return False
        logger.warning(
            "Worker %s: was asked to end %d s ago, and Redis still does not answer. It ends now.",
            self._worker,
            self._lease,
        )
        return True

    def _close(self) -> None:
        self._dispatcher.put_back_all("the worker ended")
        self._children.dismiss_idle()
        while len(self._children):
            self._selector.select(1)
            self._signals.read()
            self._enforce_deadlines()
            self._claims.add(self._children.reap()[0])
        self._children.stop()
        self._session.close()
        self._selector.close()
        self._signals.close(stop_requested=self._shutdown.requested)
