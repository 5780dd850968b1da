"""Workers as Redis lists them, by RQ's names: ``Worker.all()``, ``Worker.count()`` and others.

They are read-only. Workers themselves do not use this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from .. import conf
from ..broker.broker import Broker
from ..broker.clients import get_connection
from ..broker.errors import translate_errors
from ..exceptions import NoSuchJobError
from ..jobs.job import Job
from ..protocol import codec
from ..protocol.stored_worker import WorkerRecord, read_worker
from ..queues.lookup import get_queue_class
from ..queues.queue import Queue

if TYPE_CHECKING:
    import redis


class WorkerStatus(StrEnum):
    """The states of a worker, by RQ's names."""

    STARTED = "started"
    SUSPENDED = "suspended"
    BUSY = "busy"
    IDLE = "idle"


class ListedWorker:
    """The record of a worker, ours or RQ's. It cannot be changed through this object.

    Times are aware and in UTC, durations are in seconds. Attributes are as they were last read.

    Attributes:
        name: Unique on its server.
        connection: The client of its server.
    """

    def __init__(
        self,
        record: WorkerRecord,
        connection: redis.Redis,
        job_class: type[Job] | None = None,
        queue_class: type[Queue] | str | None = None,
        serializer: object = None,
    ) -> None:
        self.name = record.name
        self.connection = connection
        self._keys = Broker.of(connection).keys
        self._record = record
        self._job_class = job_class or Job
        self._queue_class = get_queue_class(queue_class=queue_class)
        self._serializer = serializer

    def __repr__(self) -> str:
        return f"<ListedWorker {self.name}: {self.state}>"

    def __eq__(self, other: object) -> bool:
        return self.name == other.name if isinstance(other, ListedWorker) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def refresh(self) -> None:
        """Read the record again. If it is gone, nothing changes, as in RQ."""
        found = _records(self.connection, [self.name])
        if found:
            self._record = found[0]

    @property
    def key(self) -> str:
        """The key of its record."""
        return self._keys.worker(self.name)

    @property
    def pubsub_channel_name(self) -> str:
        """The channel of its commands."""
        return self._keys.commands_channel(self.name)

    @property
    def state(self) -> str:
        """``started``, ``idle``, ``busy`` or ``suspended``; ``?`` if the record does not say."""
        return self._record.state or "?"

    def get_state(self) -> str:
        """Return :attr:`state`."""
        return self.state

    def queue_names(self) -> list[str]:
        """Return the names of its queues, in its order."""
        return list(self._record.queues)

    def queue_keys(self) -> list[str]:
        """Return the keys of its queues' lists, in its order."""
        return [self._keys.queue(name) for name in self._record.queues]

    @property
    def queues(self) -> list[Queue]:
        """Its queues, in its order. The options of ``RQ_QUEUES`` do not apply to them."""
        return [
            self._queue_class(
                name, self.connection, job_class=self._job_class, serializer=self._serializer
            )
            for name in self._record.queues
            if not conf.queue_name_problem(name)
        ]

    def get_current_job_id(self) -> str | None:
        """Return the id of a job that it runs; None if it runs none."""
        return self._record.current_job or None

    def get_current_job(self) -> Job | None:
        """Return a job that it runs; None if it runs none, or the job is gone."""
        job_id = self.get_current_job_id()
        if job_id is None:
            return None
        try:
            return self._job_class.fetch(job_id, self.connection, self._serializer)
        except NoSuchJobError:
            return None

    @property
    def birth_date(self) -> datetime | None:
        """When it started."""
        return self._record.birth

    @property
    def death_date(self) -> datetime | None:
        """When it ended."""
        return self._record.death

    @property
    def last_heartbeat(self) -> datetime | None:
        """When it sent its last heartbeat."""
        return self._record.last_heartbeat

    @property
    def shutdown_requested_date(self) -> datetime | None:
        """When it was asked to end."""
        return self._record.shutdown_requested_at

    @property
    def hostname(self) -> str | None:
        """The host it runs on."""
        return self._record.hostname or None

    @property
    def pid(self) -> int | None:
        """Its process id there."""
        return self._record.pid

    @property
    def version(self) -> str:
        """The release that it runs; for ours, after the name of the package."""
        return self._record.version

    @property
    def python_version(self) -> str:
        """The version of its Python."""
        return self._record.python_version

    @property
    def successful_job_count(self) -> int:
        """How many jobs have succeeded since it started."""
        return self._record.successful_jobs

    @property
    def failed_job_count(self) -> int:
        """How many jobs have failed since it started."""
        return self._record.failed_jobs

    @property
    def total_working_time(self) -> float:
        """How many seconds its jobs have taken."""
        return self._record.total_working_time

    @property
    def current_job_working_time(self) -> float:
        """How many seconds its job has taken so far; 0 unless it is RQ's worker."""
        return self._record.current_job_working_time or 0.0


class WorkerListing:
    """The class methods with which RQ's users find workers. Worker classes inherit them."""

    @classmethod
    def all(
        cls,
        connection: redis.Redis | None = None,
        job_class: type[Job] | None = None,
        queue_class: type[Queue] | str | None = None,
        queue: Queue | None = None,
        serializer: object = None,
    ) -> list[ListedWorker]:
        """Return the workers of a connection, ours and RQ's, sorted by name. Two round trips.

        Args:
            connection: None: the client of ``queue``, or of the queue ``default``.
            queue: Only workers that listen to this queue.
            job_class, queue_class, serializer: For :meth:`ListedWorker.get_current_job` and
                :attr:`ListedWorker.queues`.

        Raises:
            RedisUnavailableError: The server does not answer.
        """
        connection = _connection(connection, queue)
        records = _records(connection, _names(connection, queue))
        return [
            ListedWorker(record, connection, job_class, queue_class, serializer)
            for record in records
        ]

    @classmethod
    def all_keys(
        cls, connection: redis.Redis | None = None, queue: Queue | None = None
    ) -> list[str]:
        """Return the keys of the workers' records, sorted."""
        connection = _connection(connection, queue)
        keys = Broker.of(connection).keys
        return [keys.worker(name) for name in _names(connection, queue)]

    @classmethod
    def count(cls, connection: redis.Redis | None = None, queue: Queue | None = None) -> int:
        """Return how many workers are listed. As in RQ, this includes some that have just died."""
        return len(_names(_connection(connection, queue), queue))

    @classmethod
    def find_by_key(
        cls,
        worker_key: str,
        connection: redis.Redis | None = None,
        job_class: type[Job] | None = None,
        queue_class: type[Queue] | str | None = None,
        serializer: object = None,
    ) -> ListedWorker | None:
        """Return the worker whose record has this key; None if there is no such worker.

        Raises:
            ValueError: It is not the key of a worker.
            RedisUnavailableError: The server does not answer.
        """
        connection = _connection(connection, None)
        keys = Broker.of(connection).keys
        name = keys.worker_name(worker_key)
        if name == worker_key:
            raise ValueError(
                f"{worker_key!r} is not the key of a worker. Such keys begin with "
                f"{keys.worker('')!r}."
            )
        found = _records(connection, [name])
        if not found:
            return None
        return ListedWorker(found[0], connection, job_class, queue_class, serializer)


def _connection(given: redis.Redis | None, queue: Queue | None) -> redis.Redis:
    if queue is not None:
        return queue.connection
    return given if given is not None else get_connection()


def _names(connection: redis.Redis, queue: Queue | None) -> list[str]:
    keys = Broker.of(connection).keys
    listed = keys.workers if queue is None else keys.queue_workers(queue.name)
    with translate_errors(connection):
        members = cast("set[bytes]", connection.smembers(listed))
    return sorted(keys.worker_name(codec.text(member)) for member in members)


def _records(connection: redis.Redis, names: Iterable[str]) -> list[WorkerRecord]:
    """Return the records that exist and can be read."""
    keys = Broker.of(connection).keys
    wanted = list(names)
    with translate_errors(connection), connection.pipeline(transaction=False) as pipeline:
        for name in wanted:
            pipeline.hgetall(keys.worker(name))
        execute: Callable[..., list[Any]] = pipeline.execute
        answers = execute(raise_on_error=False)
    return [
        read_worker(name, fields)
        for name, fields in zip(wanted, answers, strict=True)
        if fields and not isinstance(fields, Exception)
    ]
