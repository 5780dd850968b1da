"""A queue in Redis: finding it, looking at it, pausing, emptying and deleting it."""

from __future__ import annotations

import warnings
from functools import total_ordering
from typing import Self, cast

import redis

from .. import conf
from ..broker.broker import Broker
from ..broker.clients import connection_for, get_connection
from ..broker.errors import translate_errors
from ..conf.classes import resolve_class
from ..engine.engine import Engine
from ..exceptions import ConfigurationError, InvalidJobOperation, InvalidQueueError
from ..jobs.job import Job
from ..protocol import codec
from ..protocol.durations import parse_duration
from ..protocol.records import DEFAULT_TIMEOUT
from ..protocol.serializers import Serializer, resolve
from ..queries.queries import Queries
from .commit import AFTER_REQUEST, AT_ONCE
from .registries import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from .suspension import seconds_to_rest


@total_ordering
class StoredQueue:
    """A queue of jobs on one Redis connection. Durations are in whole seconds.

    Attributes:
        name: as in ``RQ_QUEUES``.
        connection: the client of its server.
        is_async: whether a worker runs the jobs (True), or the caller, at once.
        job_class: what :meth:`enqueue` makes.
    """

    #: What :attr:`job_class` is unless the settings or the caller say otherwise.
    default_job_class: type[Job] = Job

    def __init__(
        self,
        name: str = "default",
        connection: redis.Redis | None = None,
        default_timeout: int | str | None = None,
        is_async: bool = True,
        job_class: type[Job] | str | None = None,
        serializer: object = None,
        *,
        commit_mode: str | None = None,
        autocommit: bool | None = None,
        default_result_ttl: int | None = None,
    ) -> None:
        if autocommit is not None:
            warnings.warn(
                "The argument autocommit is deprecated; use commit_mode.",
                DeprecationWarning,
                stacklevel=2,
            )
            commit_mode = commit_mode or (AT_ONCE if autocommit else AFTER_REQUEST)
        if commit_mode is not None and commit_mode not in conf.COMMIT_MODES:
            raise ConfigurationError(
                f"commit_mode {commit_mode!r} is none of {', '.join(conf.COMMIT_MODES)}."
            )
        if problem := conf.queue_name_problem(name):
            raise ConfigurationError(
                f"{name!r} can't be the name of a queue: it {problem}. Choose another name."
            )
        self.name = name
        self.connection = connection if connection is not None else _configured_connection(name)
        self.is_async = is_async
        self.job_class = resolve_class(job_class, self.default_job_class, Job, "JOB_CLASS")
        self.serializer: Serializer = resolve(
            serializer, setting=f"RQ_QUEUES[{name!r}]['SERIALIZER']"
        )
        self.commit_mode = commit_mode or conf.commit_mode()
        self._default_timeout = (
            parse_duration(default_timeout, name="default_timeout", minimum=1) or DEFAULT_TIMEOUT
        )
        self._default_result_ttl = default_result_ttl
        self._broker = Broker.of(self.connection)
        self._engine = Engine(self._broker)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def __len__(self) -> int:
        return self.count

    def __bool__(self) -> bool:
        return True  # an empty queue is a queue

    # By their names alone, as RQ's.

    def __eq__(self, other: object) -> bool:
        return self.name == other.name if isinstance(other, StoredQueue) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self.name < other.name if isinstance(other, StoredQueue) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    # Finding

    @classmethod
    def all(
        cls,
        connection: redis.Redis | None = None,
        job_class: type[Job] | str | None = None,
        serializer: object = None,
    ) -> list[Self]:
        """The queues that anything was ever enqueued to, by name. What ``RQ_QUEUES`` says of them
        is not considered; :func:`get_queue` does.

        Args:
            connection: None: that of the queue ``default``.
        """
        connection = connection if connection is not None else get_connection()
        with translate_errors(connection):
            names = Queries(Broker.of(connection)).queues()
        return [
            cls(name, connection, job_class=job_class, serializer=serializer)
            for name in names
            if not conf.queue_name_problem(name)
        ]

    @classmethod
    def from_queue_key(
        cls,
        queue_key: str,
        connection: redis.Redis | None = None,
        job_class: type[Job] | str | None = None,
        serializer: object = None,
    ) -> Self:
        """The queue whose list has this key.

        Args:
            connection: None: that of the queue ``default``.

        Raises:
            InvalidQueueError: it is not the key of a queue.
        """
        connection = connection if connection is not None else get_connection()
        keys = Broker.of(connection).keys
        name = keys.queue_name(queue_key)
        if name == queue_key or conf.queue_name_problem(name):
            raise InvalidQueueError(
                f"{queue_key!r} is not the key of a queue. Such keys begin with {keys.queue('')!r}."
            )
        return cls(name, connection, job_class=job_class, serializer=serializer)

    # Looking

    @property
    def key(self) -> str:
        """The key of its list."""
        return self._broker.keys.queue(self.name)

    @property
    def count(self) -> int:
        """How many jobs wait."""
        with translate_errors(self.connection):
            return self.connection.llen(self.key)

    def is_empty(self) -> bool:
        """Whether no job waits."""
        return self.count == 0

    def get_job_ids(self, offset: int = 0, length: int = -1) -> list[str]:
        """Ids of jobs that wait, next one first.

        Args:
            length: how many at the most; −1: all.
        """
        last = offset + length - 1 if length >= 0 else -1
        with translate_errors(self.connection):
            members = cast("list[bytes]", self.connection.lrange(self.key, offset, last))
        return [codec.text(member) for member in members] if length else []

    @property
    def job_ids(self) -> list[str]:
        """Ids of all jobs that wait, next one first."""
        return self.get_job_ids()

    def get_jobs(self, offset: int = 0, length: int = -1) -> list[Job]:
        """Jobs that wait, next one first, in two round trips; see :meth:`get_job_ids`."""
        ids = self.get_job_ids(offset, length)
        found = self.job_class.fetch_many(ids, self.connection, self.serializer)
        return [job for job in found if job is not None]

    @property
    def jobs(self) -> list[Job]:
        """All jobs that wait, next one first."""
        return self.get_jobs()

    def fetch_job(self, job_id: str) -> Job | None:
        """The job with this id if it belongs to this queue, whatever its state; else None."""
        job = self.job_class.fetch_many([job_id], self.connection, self.serializer)[0]
        return job if job is not None and job.origin == self.name else None

    def get_job_position(self, job_or_id: Job | str) -> int | None:
        """How many jobs wait before this one; None where it does not wait here."""
        job_id = job_or_id.id if isinstance(job_or_id, Job) else job_or_id
        with translate_errors(self.connection):
            return cast("int | None", self.connection.lpos(self.key, job_id))

    @property
    def started_job_registry(self) -> StartedJobRegistry:
        """Jobs that run."""
        return StartedJobRegistry(queue=self)

    @property
    def finished_job_registry(self) -> FinishedJobRegistry:
        """Jobs that ended well."""
        return FinishedJobRegistry(queue=self)

    @property
    def failed_job_registry(self) -> FailedJobRegistry:
        """Jobs that failed."""
        return FailedJobRegistry(queue=self)

    @property
    def deferred_job_registry(self) -> DeferredJobRegistry:
        """Jobs that wait for other jobs."""
        return DeferredJobRegistry(queue=self)

    @property
    def scheduled_job_registry(self) -> ScheduledJobRegistry:
        """Jobs that wait for their time."""
        return ScheduledJobRegistry(queue=self)

    @property
    def canceled_job_registry(self) -> CanceledJobRegistry:
        """Jobs that were canceled."""
        return CanceledJobRegistry(queue=self)

    # Pausing

    def pause(self, ttl: int | str | None = None) -> None:
        """Have no worker take a job from this queue any more. Jobs that run go on.

        Only workers of django_rqlite heed it; RQ's know no such thing.

        Args:
            ttl: seconds, or a form such as ``'1h30m'``, after which it ends by itself; None: it
                lasts until :meth:`resume`.

        Raises:
            InvalidDurationError: ``ttl`` is none, or less than a second.
        """
        seconds = seconds_to_rest(ttl)
        with translate_errors(self.connection):
            Engine(self._broker).pause_queues([self.name], seconds)

    def resume(self) -> bool:
        """Let workers take jobs from this queue again; gives whether it was paused."""
        with translate_errors(self.connection):
            return bool(Engine(self._broker).resume_queues([self.name]))

    @property
    def is_paused(self) -> bool:
        """Whether workers take no job from this queue. See also ``suspension.is_suspended``."""
        with translate_errors(self.connection):
            return Engine(self._broker).is_paused(self.name)

    # Deleting

    def empty(self) -> int:
        """Delete all jobs that wait; returns how many. Those that run or have ended stay."""
        with translate_errors(self.connection):
            return self._engine.empty(self.name)

    def delete(self, delete_jobs: bool = True) -> None:
        """Take the queue out of the set of queues; it comes back with the next enqueue.

        Args:
            delete_jobs: delete the jobs that wait first.

        Raises:
            InvalidJobOperation: jobs wait in it, and they were not to be deleted.
        """
        if delete_jobs:
            self.empty()
        with translate_errors(self.connection):
            waiting = self._engine.delete_queue(self.name)
        if waiting:
            raise InvalidJobOperation(
                f"Queue {self.name!r} was not deleted: {waiting} jobs wait in it and would be "
                "lost. Let them run, or delete them too with delete_jobs=True."
            )


def _configured_connection(name: str) -> redis.Redis:
    return connection_for(conf.queue(name))
