"""``Worker``: its options, and what RQ's users call."""

from __future__ import annotations

import selectors
import uuid
from collections.abc import Sequence

import redis

from .. import conf
from ..broker.broker import Broker
from ..broker.errors import translate_errors
from ..broker.single_connection import open_single_connection
from ..engine.engine import Engine
from ..exceptions import ConfigurationError
from ..jobs.job import Job
from ..protocol.records import DEFAULT_RESULT_TTL
from ..queues.queue import Queue
from .children import database_connections
from .children.job_factory import factory_of
from .children.pool import ChildPool
from .children.preload import import_jobs, share_memory, stop_sharing_memory
from .children.warm_up import RUNS, warm_up
from .claims import Claims
from .dequeue_strategy import DequeueStrategy, named_strategy
from .dispatcher import Dispatcher
from .heartbeat import Heartbeat
from .listed_worker import WorkerListing
from .loop import Loop
from .redis_session import RedisSession
from .run_limits import RunLimits
from .served_queues import resolve_queues, shared_client
from .shutdown import Shutdown
from .worker_name import WorkerName

#: Seconds for which a worker's record stays without a heartbeat, plus a slack.
DEFAULT_WORKER_TTL = 420


def _refuse(name: str, given: object, instead: str) -> None:
    """Refuse an argument of RQ's worker that would have no effect here.

    Raises:
        ConfigurationError: It was given.
    """
    if given:
        raise ConfigurationError(f"Worker({name}=...) has no effect here. {instead}")


class Worker(WorkerListing):
    """Takes jobs from queues of one server, and runs each in a process of its own.

    Durations are in seconds.

    Args:
        queues: Queues, or their names, in the order of preference.
        name: None: ``<host>.<pid>``, with a suffix if a live worker has that name.
        burst: End when no job is left.
        max_jobs: End after so many jobs.
        max_idle_time: End after so long without a job.
        worker_ttl: How long the worker's record stays without a heartbeat; None: 420.
        grace: How long running jobs may go on after the worker was asked to end, before they are
            put back into their queues; None: as long as their timeouts.
        concurrency: How many jobs run at once.
        max_jobs_per_child: After how many jobs a child process is replaced; 0: never.
        max_child_memory: MiB of resident memory above which a child process is replaced after its
            job; None: any. Matters only for children that run more than one job.
        dequeue_strategy: The order in which the queues are looked at; None: the class's own.
        connection: The client for queues given by their names; None: as the settings say.
        queue_class, job_class, serializer: For queues given by their names; None: as the settings
            say.
        default_worker_ttl: The older name of ``worker_ttl`` in RQ.
        maintenance_interval, job_monitoring_interval, log_job_description, prepare_for_work,
            disable_default_exception_handler: Accepted for RQ's callers, without effect.
        exception_handlers, default_result_ttl, work_horse_killed_handler: Refused unless empty:
            these are settings here.

    Attributes:
        queues: The queues, in the order of preference.

    Raises:
        ConfigurationError: There are no queues or no such strategy, or the queues are on several
            servers.
        RedisUnavailableError: Redis does not answer.
    """

    #: The strategy of this class unless the options name another.
    default_dequeue_strategy = DequeueStrategy.DEFAULT

    #: The grace of this class unless the options name another.
    default_grace: float | None = None

    #: Whether SIGTERM ends the process of a job.
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
        self.queues = resolve_queues(queues, connection, queue_class, job_class, serializer)
        self._name = WorkerName(name)
        self._instance = uuid.uuid4().hex
        self._burst = burst
        self._max_jobs = max_jobs
        self._max_idle_time = max_idle_time
        self._worker_ttl = default_worker_ttl or worker_ttl or DEFAULT_WORKER_TTL
        self._grace = self.default_grace if grace is None else grace
        self._concurrency = concurrency
        self._max_jobs_per_child = max_jobs_per_child
        self._max_child_memory = max_child_memory
        self._strategy = named_strategy(dequeue_strategy or self.default_dequeue_strategy)
        self._client = shared_client(self.queues)
        with translate_errors(self._client):
            own_connection = open_single_connection(self._client)
        self._engine = Engine(Broker(own_connection, Broker.of(self._client).prefix))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {', '.join(self.queue_names())}>"

    @property
    def name(self) -> str:
        """The name under which the worker is listed."""
        return self._name.value

    @property
    def connection(self) -> redis.Redis:
        """The client of its queues."""
        return self.queues[0].connection

    @property
    def key(self) -> str:
        """The key of its record."""
        return self._engine.keys.worker(self.name)

    def queue_names(self) -> list[str]:
        """Return the names of its queues, in the order of preference."""
        return [queue.name for queue in self.queues]

    def queue_keys(self) -> list[str]:
        """Return the keys of its queues' lists, in the order of preference."""
        return [queue.key for queue in self.queues]

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
        """Run jobs until asked to end, or until no job is left in burst mode. Main thread only.

        It can be called again. The caller's connections stay open, and no job uses them. This
        includes a database connection in the middle of a transaction.

        Args:
            burst, max_jobs, max_idle_time, dequeue_strategy: As in the constructor, for RQ's
                callers, and for this call alone.
            logging_level, date_format, log_format: Accepted for RQ's callers: the project's
                ``LOGGING`` decides what is logged, and how.
            with_scheduler: Accepted for RQ's callers: every worker enqueues scheduled jobs.

        Returns:
            Whether it took a job.

        Raises:
            ForkServerError: The process that forks could not be started, or has died.
            RedisUnavailableError: Redis does not answer at the start. Later, the worker waits.
            WorkerNameTakenError: A live worker has the name that this one was given.
        """
        limits = RunLimits(
            burst=self._burst or burst,
            jobs_left=self._max_jobs if max_jobs is None else max_jobs,
            max_idle_time=self._max_idle_time if max_idle_time is None else max_idle_time,
        )
        strategy = self._strategy if dequeue_strategy is None else named_strategy(dequeue_strategy)
        loop = self._make_loop(limits, strategy)
        self._prepare()
        try:
            loop.run()
        finally:
            self._restore()
        return limits.took_jobs

    def _make_loop(self, limits: RunLimits, strategy: DequeueStrategy) -> Loop:
        """Make the parts for one call of :meth:`work`."""
        names, lease, selector = self.queue_names(), conf.lease(), selectors.DefaultSelector()
        claims = Claims(self._engine, self._name, names, lease, strategy)
        heartbeat = Heartbeat(
            self._engine,
            self._name,
            names,
            instance=self._instance,
            worker_ttl=self._worker_ttl,
            lease=lease,
            concurrency=self._concurrency,
        )
        children = self._make_children(selector, heartbeat)
        dispatcher = self._make_dispatcher(children, claims)
        shutdown = Shutdown(self._grace)
        session = RedisSession(
            self._engine,
            self._client,
            self._name,
            self.queues,
            instance=self._instance,
            selector=selector,
            claims=claims,
            heartbeat=heartbeat,
            children=children,
            dispatcher=dispatcher,
            shutdown=shutdown,
            limits=limits,
            lease=lease,
        )
        return Loop(
            self._name, selector, session, claims, children, dispatcher, shutdown, limits, lease
        )

    def _make_children(self, selector: selectors.BaseSelector, heartbeat: Heartbeat) -> ChildPool:
        return ChildPool(
            selector,
            {queue.name: factory_of(queue) for queue in self.queues},
            self._max_jobs_per_child,
            self._max_child_memory,
            huge_pages=conf.huge_pages(),
            heed_sigterm=self.children_heed_sigterm,
        )

    def _make_dispatcher(self, children: ChildPool, claims: Claims) -> Dispatcher:
        return Dispatcher(children, claims, self._name, self._concurrency)

    def _prepare(self) -> None:
        """Do once what each child would otherwise do."""
        callers = database_connections.in_use()
        import_jobs()
        warm_up(RUNS)
        database_connections.close(but=callers)  # those that an imported module has opened
        share_memory()

    def _restore(self) -> None:
        """Undo what :meth:`_prepare` changed in this process."""
        stop_sharing_memory()
