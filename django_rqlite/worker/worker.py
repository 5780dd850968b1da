"""The worker: one thread, one selector, one conversation with Redis.

Each turn does all that is due with Redis (:meth:`Worker._converse`) and then sleeps until
something happens: a child reports or ends, a queue has a job, a signal arrives, a time is up.
What can't be done because Redis does not answer stays to be done and is tried again; every call
can be repeated safely, since outcomes are fenced and claims carry their execution's id.
"""

from __future__ import annotations

import logging
import selectors
import signal
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import redis

from .. import conf
from ..broker.address import describe
from ..broker.broker import Broker
from ..broker.errors import is_transient, translate_errors
from ..broker.outage import Outage
from ..broker.single_connection import descriptors, disconnect, open_single_connection
from ..cron import ticker as cron
from ..engine.engine import Claim, Engine
from ..exceptions import ConfigurationError, ForkServerError, WorkerNameTakenError
from ..jobs.job import Job
from ..process.signal_pipe import STOP, SignalPipe
from ..process.subreaper import wait_for_orphans
from ..protocol.records import DEFAULT_RESULT_TTL
from ..queues.queue import Queue
from ..version import VERSION
from .children import database_connections as databases
from .children.child import QueueTraits, traits_of
from .children.pool import Child, ChildPool
from .children.preload import import_jobs, share_memory, stop_sharing_memory
from .children.warm_up import TIMES, rehearse
from .claims import Claims
from .dequeue_strategy import DequeueStrategy, strategy
from .dispatcher import Dispatcher
from .heartbeat import Heartbeat, another_name, default_name
from .maintenance import janitor, reaper
from .maintenance.scheduler import Scheduler
from .pubsub import Announcement, Command, PausesChanged, PubSub
from .served_queues import queues_of, shared_client
from .shutdown import Request, Shutdown
from .suspension import Pauses
from .wakeup import Wakeup
from .worker_record import WorkerListing

logger = logging.getLogger("django_rqlite.worker")

#: Heartbeats in one lease.
BEATS_PER_LEASE = 4

#: Heartbeats between two sweeps of the registries.
BEATS_PER_SWEEP = 4


#: Seconds for which a worker's record stays without a heartbeat, beside a slack.
DEFAULT_WORKER_TTL = 420


def _refuse(name: str, given: object, instead: str) -> None:
    """Refuse an argument of RQ's worker that would be overlooked here."""
    if given:
        raise ConfigurationError(f"Worker({name}=...) has no effect here. {instead}")


class Worker(WorkerListing):
    """Takes jobs from queues of one server and has each run in a process of its own.

    Durations are in seconds.

    Args:
        queues: in the order of preference; queues, or their names.
        name: None: ``<host>.<pid>``, with an addition where a live worker bears that.
        burst: end when no job is left.
        max_jobs: end after so many jobs.
        max_idle_time: end after so long without a job.
        worker_ttl: how long the worker's record stays without a heartbeat; None: 420.
        grace: how long running jobs may go on after the worker was asked to end, before they are
            put back into their queues; None: as long as their timeouts let them.
        concurrency: how many jobs run at once.
        max_jobs_per_child: after how many jobs a child process is replaced; 0: never.
        max_child_memory: MiB of resident memory above which it is replaced after its job; None:
            any. Makes a difference to children that run more than one job.
        dequeue_strategy: in which order the queues are looked at; None: the class's own.
        connection: the client for queues given by their names; None: as the settings say.
        queue_class, job_class, serializer: of queues given by their names; None: as the settings
            say.
        default_worker_ttl: the same as ``worker_ttl``, by its older name in RQ.
        maintenance_interval, job_monitoring_interval, log_job_description, prepare_for_work,
            disable_default_exception_handler: accepted for RQ's sake; they change nothing.
        exception_handlers, default_result_ttl, work_horse_killed_handler: refused unless empty:
            the settings say such things.

    Raises:
        ConfigurationError: no queues, queues of several servers, or no such strategy.
        RedisUnavailableError: Redis does not answer.
    """

    #: What a worker of this class does unless told otherwise.
    default_dequeue_strategy = DequeueStrategy.DEFAULT

    #: Seconds that running jobs have when it is asked to end, unless it was told otherwise; None:
    #: as long as their timeouts let them.
    default_grace: float | None = None

    #: Whether a SIGTERM to the process of a job ends the job.
    children_heed_sigterm = True

    def __init__(
        self,
        queues: Queue | str | Sequence[Queue | str],
        name: str | None = None,
        *,
        burst: bool = False,
        max_jobs: int | None = None,
        max_idle_time: float | None = None,
        worker_ttl: int | None = None,
        grace: float | None = None,
        concurrency: int = 1,
        max_jobs_per_child: int = 1,
        max_child_memory: int | None = None,
        dequeue_strategy: str | None = None,
        connection: redis.Redis | None = None,
        queue_class: type[Queue] | str | None = None,
        job_class: type[Job] | str | None = None,
        serializer: object = None,
        default_worker_ttl: int | None = None,
        maintenance_interval: object = None,
        job_monitoring_interval: object = None,
        log_job_description: object = None,
        prepare_for_work: object = None,
        disable_default_exception_handler: object = None,
        exception_handlers: object = None,
        default_result_ttl: int | None = None,
        work_horse_killed_handler: object = None,
    ) -> None:
        _refuse("exception_handlers", exception_handlers, "Name them in RQ_EXCEPTION_HANDLERS.")
        _refuse(
            "default_result_ttl",
            default_result_ttl if default_result_ttl != DEFAULT_RESULT_TTL else None,
            "Set DEFAULT_RESULT_TTL in RQ_QUEUES or RQ, or result_ttl= of the jobs.",
        )
        _refuse(
            "work_horse_killed_handler",
            work_horse_killed_handler,
            "A job's on_failure callback is called also when its process has died.",
        )
        queues = queues_of(queues, connection, queue_class, job_class, serializer)
        self.name = name or default_name()
        self._may_rename = not name
        self._instance = uuid.uuid4().hex
        self.queues = queues
        self._burst = burst
        self._max_jobs = max_jobs
        self._max_idle_time = max_idle_time
        self._worker_ttl = default_worker_ttl or worker_ttl or DEFAULT_WORKER_TTL
        self._grace = self.default_grace if grace is None else grace
        self._concurrency = concurrency
        self._max_jobs_per_child = max_jobs_per_child
        self._max_child_memory = max_child_memory
        self._strategy = strategy(dequeue_strategy or self.default_dequeue_strategy)
        self._names = [queue.name for queue in queues]
        self._client = shared_client(queues)
        with translate_errors(self._client):
            self._link = open_single_connection(self._client)
        link = Broker(self._link, Broker.of(self._client).prefix)
        self._engine = Engine(link)
        self._begin()

    def _begin(self) -> None:
        """Make what one call of :meth:`work` uses up."""
        client, names, keys = self._client, self._names, self._engine.keys
        self._jobs_left = self._max_jobs
        self._shutdown = Shutdown(self._grace)
        self._lease = conf.lease()
        self._claims = Claims(self._engine, self.name, names, self._lease, self._strategy)
        self._pauses = Pauses(self.name)
        self._heartbeat = Heartbeat(
            self._engine,
            self.name,
            names,
            instance=self._instance,
            worker_ttl=self._worker_ttl,
            lease=self._lease,
            concurrency=self._concurrency,
        )
        self._selector = selectors.DefaultSelector()
        self._signals = SignalPipe()
        lists = [queue.key for queue in self.queues]
        self._wakeup = Wakeup(client, self._selector, names, lists)
        self._pubsub = PubSub(client, self._selector, keys, self.name, names, self._instance)
        self._scheduler = Scheduler(self._engine, names)
        self._children = self._make_crew({queue.name: traits_of(queue) for queue in self.queues})
        self._dispatcher = self._make_foreman()
        self._outage = Outage(describe(client))
        self._cron = cron.of_settings(client, self._engine.broker, is_transient)

        #: Whether the queues had nothing at the last look, and nothing was heard since.
        self._nothing_waits = False
        self._took_any = False
        self._complaints: set[str] = set()
        self._beat_at = time.monotonic()
        self._beats = 0
        self._give_up = False
        self._used_up = False
        #: How this call of :meth:`work` ends by itself.
        self._ends_idle = False
        self._idle_limit: float | None = None

    def _make_crew(self, traits: Mapping[str, QueueTraits]) -> ChildPool:
        return ChildPool(
            self._selector,
            traits,
            self._max_jobs_per_child,
            self._max_child_memory,
            huge_pages=conf.huge_pages(),
            heed_sigterm=self.children_heed_sigterm,
        )

    def _make_foreman(self) -> Dispatcher:
        return Dispatcher(self._children, self._claims, self.name, self._concurrency)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {', '.join(self._names)}>"

    @property
    def connection(self) -> redis.Redis:
        """The client of its queues."""
        return self.queues[0].connection

    @property
    def key(self) -> str:
        """The key of its record."""
        return self._engine.keys.worker(self.name)

    def queue_names(self) -> list[str]:
        """The names of its queues, in the order of preference."""
        return list(self._names)

    def queue_keys(self) -> list[str]:
        """The keys of its queues' lists, in the order of preference."""
        return [queue.key for queue in self.queues]

    # The life of a worker

    def work(
        self,
        burst: bool = False,
        logging_level: object = None,
        date_format: object = None,
        log_format: object = None,
        max_jobs: int | None = None,
        max_idle_time: float | None = None,
        with_scheduler: bool = False,
        dequeue_strategy: str | None = None,
    ) -> bool:
        """Run jobs until asked to end, or until there is no more to do. Main thread only.

        It can be called again. What the caller has open stays open, and no job uses it: a database
        connection, too, in the middle of a transaction.

        Args:
            burst, max_jobs, max_idle_time, dequeue_strategy: as where the worker is made, for
                callers of RQ's, and for this call alone.
            logging_level, date_format, log_format: accepted for RQ's sake: the project's LOGGING
                says what is logged, and how.
            with_scheduler: accepted for RQ's sake: every worker enqueues what is due.

        Returns:
            whether it took a job.

        Raises:
            ForkServerError: the process that forks could not be started, or has died.
            RedisUnavailableError: Redis stopped answering before the start. Later it is waited for.
            WorkerNameTakenError: a live worker bears the name that this one was given.
        """
        chosen = self._strategy if dequeue_strategy is None else strategy(dequeue_strategy)
        if self._used_up:
            self._begin()
        self._used_up = True
        self._ends_idle = self._burst or burst
        self._jobs_left = self._max_jobs if max_jobs is None else max_jobs
        self._idle_limit = self._max_idle_time if max_idle_time is None else max_idle_time
        self._claims.strategy = chosen
        self._prepare()
        try:
            with translate_errors(self._link):
                self._register()
            self._live()
        finally:
            self._come_back()
        return self._took_any

    def _live(self) -> None:
        self._signals.open()
        self._selector.register(self._signals.reader, selectors.EVENT_READ, self._signals)
        try:
            self._children.start(self._foreign())
            logger.info("RQ worker %r started, version %s", self.key, VERSION)
            logger.info("*** Listening on %s...", ", ".join(self._names))
            while not self._done():
                self._sleep()
                self._converse()
        except ForkServerError:
            self._claims.owe(self._children.abandon())
            raise
        finally:
            self._close()

    def _prepare(self) -> None:
        """Do once what children need not do then."""
        of_the_caller = databases.in_use()
        import_jobs()
        rehearse(TIMES)
        databases.close(but=of_the_caller)  # what a module that was imported has opened
        share_memory()

    def _come_back(self) -> None:
        """Leave the process as it was before."""
        stop_sharing_memory()

    def _register(self) -> None:
        """Be listed; under another name where the name is our own choice, and a live worker's."""
        self._pubsub.open()  # so that others see that it lives before they see its record
        try:
            self._be_listed()
        except BaseException:
            self._pubsub.close()
            raise

    def _be_listed(self) -> None:
        while True:
            try:
                self._heartbeat.register()
                return
            except WorkerNameTakenError:
                if not self._may_rename:
                    raise
                self._rename()

    def _rename(self) -> None:
        taken, self.name = self.name, another_name()
        logger.info(
            "Worker %s: a live worker of the same host name and process id is called %s.",
            self.name,
            taken,
        )
        self._heartbeat.name = self.name
        for part in (self._claims, self._pauses, self._dispatcher, self._pubsub):
            part.rename(self.name)
        self._pubsub.close()
        self._pubsub.open()

    def _done(self) -> bool:
        if self._give_up:
            return True
        if self._children.busy:
            return False
        if self._claims.owes:
            return self._has_waited_enough
        if self._shutdown.requested:
            return True
        if self._jobs_left == 0:
            logger.info("Worker %s: has run as many jobs as it was asked to, quitting", self.name)
            return True
        if self._nothing_waits and self._ends_idle:
            self._pauses.say_what_is_left()
            return True
        if self._idle_until is not None and time.monotonic() >= self._idle_until:
            logger.info("Worker %s: idle for %g seconds, quitting", self.name, self._idle_limit)
            return True
        return False

    @property
    def _has_waited_enough(self) -> bool:
        """Whether the worker was asked to end, and Redis has been away for a lease since then: now
        its jobs are anybody's."""
        asked = self._shutdown.since
        if asked is None or not self._outage.lasts or time.monotonic() < asked + self._lease:
            return False
        logger.warning(
            "Worker %s: was asked to end %d s ago, and Redis still does not answer. It ends now.",
            self.name,
            self._lease,
        )
        return True

    @property
    def _idle_until(self) -> float | None:
        if self._idle_limit is None or not self._nothing_waits or self._children.busy:
            return None
        if self._pauses.suspended:
            return None  # it would not come back when the workers go on
        return self._dispatcher.idle_since + self._idle_limit

    def _close(self) -> None:
        self._dispatcher.put_back("the worker ended")
        self._children.dismiss()
        while len(self._children):
            self._selector.select(1)
            self._signals.read()
            self._keep_time()
            self._claims.owe(self._children.bury()[0])
        self._children.stop()
        self._wakeup.hang_up()
        self._pubsub.close()
        try:
            self._claims.close()
            self._heartbeat.retire()
        except redis.RedisError as exc:
            logger.error(
                "Worker %s: could not say good-bye to Redis at %s (%s). What it held is queued "
                "again when the lease of %d s ends.",
                self.name,
                describe(self._link),
                exc,
                self._lease,
            )
        disconnect(self._link)
        self._selector.close()
        self._signals.close(asked_to_end=self._shutdown.requested)

    # With Redis

    def _converse(self) -> None:
        """Do all that is due with Redis, as far as it answers."""
        retry_at = self._outage.retry_at
        if retry_at is not None and time.monotonic() < retry_at:
            return
        try:
            self._settle_all()
            if self._pubsub.open():
                # What was announced before is not known.
                self._scheduler.due_at = time.monotonic()
            self._beat_if_due()
            self._cron.tick_if_due()
            moved = 0
            with self._complaining("enqueueing scheduled jobs"):
                moved = self._scheduler.promote()
            if moved or self._pauses.ended():
                self._nothing_waits = False
            self._claim_all()
            if self._may_claim and not self._pauses.suspended:
                self._wakeup.listen(but_not_to=self._pauses.queues)
        except (redis.RedisError, OSError) as exc:
            self._lost(exc)
        else:
            self._outage.over()
        if not self._shutdown.requested and self._jobs_left != 0:
            self._dispatcher.keep_spares()

    def _lost(self, exc: Exception) -> None:
        disconnect(self._link)
        self._wakeup.hang_up()
        self._pubsub.close()
        self._nothing_waits = False
        self._outage.note(exc)

    def _settle_all(self) -> None:
        while self._claims.owes:
            claim = self._claims.settle(claim_too=self._may_claim)
            while self._claims.bereaved:
                died = self._claims.bereaved.popleft()
                self._dispatcher.call_back(died.hold, died.record, died.outcome)
            if claim is not None:
                self._answered(claim)
            if self._pauses.suspended:
                self._beat_at = time.monotonic()  # the record says idle now

    def _beat_if_due(self) -> None:
        now = time.monotonic()
        if now < self._beat_at:
            return
        running = self._children.assignments()
        holds = [assignment.hold for assignment in running]
        lost: frozenset[str] = frozenset()
        with self._complaining("the heartbeat"):
            listed, lost = self._heartbeat.beat(
                holds,
                suspended=self._pauses.suspended,
                ending=self._shutdown.requested,
                child_memory=self._children.peak,
            )
            if not listed:
                self._be_listed_again()
        for assignment in running:
            if assignment.hold.execution in lost and not assignment.lost:
                assignment.lost = True
                logger.warning(
                    "%s: job %s was deleted or taken over while it runs here; its outcome will "
                    "be dropped.",
                    assignment.hold.queue,
                    assignment.hold.job_id,
                )
        with self._complaining("looking for jobs of dead workers"):
            for hold, record, outcome in reaper.reap(
                self._engine, self._names, requeue=conf.requeue_on_worker_death()
            ):
                self._dispatcher.call_back(hold, record, outcome)
        self._beats += 1
        if self._beats % BEATS_PER_SWEEP == 1:
            self._sweep()
        # A look at the queues although nothing was heard: should a connection have died without
        # a sign, the worker is deaf for no longer than this.
        self._nothing_waits = False
        self._beat_at = now + self._lease / BEATS_PER_LEASE

    def _be_listed_again(self) -> None:
        try:
            self._be_listed()
        except WorkerNameTakenError as exc:
            # It was silent for so long that another has taken its name. Both go on.
            self._complain(str(exc))

    def _sweep(self) -> None:
        self._complaints.clear()
        with self._complaining("looking for keys with foreign data"):
            entries = [entry.name for entry in self._cron.entries]
            hour = int(time.time() // 3600)
            for misfit in self._engine.wrong_type_keys(self._names, hour, entries):
                self._complain(str(misfit))
        with self._complaining("looking for what workers of RQ left"):
            reaper.rescue(self._engine, self._names)
        with self._complaining("looking for jobs whose parents have ended"):
            reaper.place(self._engine, self._names)
        for what, tidy in janitor.SWEEPS.items():
            with self._complaining(what):
                tidy(self._engine, self._names)
        self._wakeup.forgive()

    def _claim_all(self) -> None:
        while self._may_claim and not self._nothing_waits:
            self._answered(self._claims.claim())

    @contextmanager
    def _complaining(self, what: str) -> Iterator[None]:
        """Log what a command of the block was refused for, so that it keeps nothing else from being
        done. It is tried again when its time comes. An outage is the caller's.
        """
        try:
            yield
        except redis.ResponseError as exc:
            if is_transient(exc):
                raise
            self._complain(f"{what} failed: {exc}. Everything else goes on.")

    def _complain(self, complaint: str) -> None:
        """Log it, once between two sweeps."""
        if complaint not in self._complaints:
            self._complaints.add(complaint)
            logger.warning("Worker %s: %s", self.name, complaint)

    @property
    def _may_claim(self) -> bool:
        return not self._shutdown.requested and self._jobs_left != 0 and self._dispatcher.has_room

    def _answered(self, claim: Claim) -> None:
        for note in claim.notes:
            self._complain(note)
        if self._pauses.note(claim):
            self._beat_at = self._dispatcher.idle_since = time.monotonic()
        if claim.hold is None:
            if not claim.more:
                self._nothing_waits = True
            return
        self._nothing_waits = False
        self._took_any = True
        if self._jobs_left is not None:
            self._jobs_left -= 1
        self._dispatcher.start(claim)

    def _foreign(self) -> list[int]:
        return [
            self._selector.fileno(),
            *self._signals.descriptors(),
            *self._wakeup.descriptors(),
            *self._pubsub.descriptors(),
            *descriptors(self._link),
        ]

    # Sleeping and waking

    def _sleep(self) -> None:
        """Wait until something happens, and take note of it."""
        now = time.monotonic()
        if not self._outage.lasts and (
            self._claims.owes or (self._may_claim and not self._nothing_waits)
        ):
            timeout = 0.0
        else:
            timeout = max(0.0, self._next_appointment(now) - now)
        for key, _ in self._selector.select(timeout):
            if key.data is self._signals:
                self._take_signals()
            elif key.data is self._wakeup:
                self._hear(key.fd)
            elif key.data is self._pubsub:
                self._take_messages()
            elif key.data is self._children:
                self._dispatcher.bury()
            elif isinstance(key.data, Child):
                self._dispatcher.collect(key.data)
        self._keep_time()

    def _next_appointment(self, now: float) -> float:
        times = [
            self._outage.retry_at or min(self._beat_at, self._scheduler.due_at),
            None if self._outage.lasts else self._cron.due_at,
            None if self._outage.lasts else self._pauses.look_at,
            self._children.next_due(),
            self._idle_until,
            self._grace_ends,
            self._dispatcher.rests_until,
        ]
        return min(at for at in times if at is not None)

    def _keep_time(self) -> None:
        self._dispatcher.keep_time()
        if self._grace_ends is not None and time.monotonic() >= self._grace_ends:
            self._dispatcher.put_back("the grace period is over")

    def _hear(self, descriptor: int) -> None:
        self._nothing_waits = False
        try:
            self._wakeup.hear(descriptor)
        except (redis.RedisError, OSError) as exc:
            self._lost(exc)

    @property
    def _grace_ends(self) -> float | None:
        """Monotonic time at which jobs that still run are put back; None: none is to be."""
        running = (a for a in self._children.assignments() if not a.killed_because)
        return self._shutdown.grace_ends if any(running) else None

    # Messages and signals

    def _take_messages(self) -> None:
        try:
            messages = self._pubsub.read()
        except (redis.RedisError, OSError) as exc:
            self._lost(exc)
            return
        for message in messages:
            if isinstance(message, Announcement):
                self._scheduler.expect(message.due)
            elif isinstance(message, PausesChanged):
                self._nothing_waits = False
            else:
                self._obey(message)

    def _obey(self, command: Command) -> None:
        logger.info("Worker %s: received %s %s", self.name, command.name, command.job_id)
        if command.name == "shutdown":
            self._asked_to_stop("the command shutdown")
        elif command.name == "kill-horse":
            self._dispatcher.kill_all("the worker was sent the command kill-horse")
        elif command.name == "stop-job":
            self._dispatcher.stop(command.job_id, command.by)

    def _take_signals(self) -> None:
        for number in self._signals.read():
            if number in STOP:
                self._asked_to_stop(signal.Signals(number).name)
            elif number == signal.SIGCHLD:
                wait_for_orphans(own={self._children.server_pid})

    def _asked_to_stop(self, name: str) -> None:
        request = self._shutdown.request()
        if request is Request.WARM:
            running = len(self._children.assignments())
            logger.info(
                "Worker %s: got %s, warm shut down requested. %s",
                self.name,
                name,
                f"Waiting for {running} running job(s); once more to put them back at once."
                if running
                else "Nothing runs.",
            )
            self._children.dismiss()
            self._beat_at = time.monotonic()  # the record says so now
        elif request is Request.COLD:
            logger.warning("Worker %s: got %s again, cold shut down", self.name, name)
            if self._children.busy:
                self._dispatcher.put_back("the worker was told to end at once")
            else:
                self._give_up = True
