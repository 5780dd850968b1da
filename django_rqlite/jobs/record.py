"""The base of a job: its record, the attributes that read and replace it, and its broker."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import redis

from .. import conf
from ..broker.broker import Broker
from ..broker.clients import connection_for, get_connection
from ..exceptions import InvalidJobError
from ..protocol import codec
from ..protocol.records import JobRecord, JobStatus
from ..protocol.serializers import PickleSerializer, Serializer, resolve
from .policies import Repeat

_new_record = object.__new__
_CREATED = JobStatus.CREATED

#: Statuses for which the script returns the time at which the job entered Redis.
_WITH_TIME = frozenset({JobStatus.QUEUED, JobStatus.STARTED})


def random_id() -> str:
    """Return a version 4 UUID with 120 random bits, in a third of the time that ``uuid`` takes."""
    drawn = os.urandom(15).hex()
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[12:15]}-a{drawn[15:18]}-{drawn[18:]}"


def _attribute(name: str) -> Any:
    """Make an attribute that reads the record. Setting it replaces the record."""

    def change(job: JobBase, value: object) -> None:
        job._record = job._record.changed(**{name: value})

    return property(attrgetter(f"_record.{name}"), change)


def _or_none(name: str) -> Any:
    """Make such an attribute for text: the record has "" if the attribute is None."""
    read = attrgetter(name)

    def change(job: JobBase, value: str | None) -> None:
        job._record = job._record.changed(**{name: value or ""})

    return property(lambda job: read(job._record) or None, change)


def _list(name: str) -> Any:
    """Make such an attribute for a list: the record has a tuple."""
    read = attrgetter(name)

    def change(job: JobBase, value: Sequence[object] | None) -> None:
        if isinstance(value, str):
            raise InvalidJobError(f"{name} must be a list. Write [{value!r}].")
        job._record = job._record.changed(**{name: tuple(value or ())})

    return property(lambda job: list(read(job._record)), change)


def _list_or_none(name: str) -> Any:
    """Make such an attribute for a list: the record has () if the attribute is None."""
    listed = _list(name)
    return property(lambda job: listed.fget(job) or None, listed.fset)


def _counter(left: str, most: str, allowed: str) -> Any:
    """Make such an attribute for a counter, which counts for no more than its first value.

    Setting it to more also sets the first value.
    """

    def change(job: JobBase, value: int | None) -> None:
        first = getattr(job._record, most)
        changes = {left: value}
        if value is not None and value > (first or 0):
            changes[most] = value
        job._record = job._record.changed(**changes)

    return property(attrgetter(f"_record.{allowed}"), change)


class JobBase:
    """A job's id and its record, which is replaced when an attribute is set.

    Durations are in whole seconds, times are aware and in UTC. Attributes have the values that were
    last read or set.

    Attributes:
        id: Unique among all jobs of the broker.
        minted: Whether the id was made here, so that no other job can have it.
        origin: The name of the queue.
        description: What logs and pages show.
        timeout: How long the job may run; −1 without limit; None: the default.
        result_ttl, failure_ttl: How long it is kept; −1 for ever; None: the default.
        ttl: How long it may wait; −1 once it has run.
        created_at, enqueued_at, started_at, ended_at, last_heartbeat: None: not (yet) known.
        worker_name: The worker that runs the job, or ran it last.
        retries_left, repeats_left: How many more times it runs after a failure, and after a
            success.
        retries_max, repeats_max: The first values of these counters.
        retry_intervals, repeat_intervals: Seconds to wait before each such run; the last one also
            holds for all further runs.
        retry_extras: The values for which RQ has no fields, as JSON.
        number_of_retries: How often the job has returned a :class:`Retry`.
        success_callback_name, failure_callback_name, stopped_callback_name: The dotted paths of the
            functions to call when it has ended.
        success_callback_timeout, failure_callback_timeout, stopped_callback_timeout: How long they
            may run.
        group_id: The name of its group.
        cron_entry: The name of the cron entry that it comes from.
        unique_key: The text that no other job may have while this one waits or runs.
        unique_for: The time after which another job may have it nevertheless.
        tags: Short texts by which people find it.
        dependency_ids: Ids of the jobs that it waits for, or waited for.
    """

    #: The record with all attributes that were set.
    _record: JobRecord
    #: The record as it was read from Redis, which is what its signature covers. None: the job was
    #: made here.
    _read: JobRecord | None = None
    #: The call, if it was serialized here. None: it is in the record, may be compressed there, and
    #: is unpacked only when it is needed.
    _data: bytes | None = None

    #: The jobs that it depends on, if they were given as jobs and not as ids; empty once it is
    #: enqueued.
    _parents: Sequence[JobBase] = ()
    #: The delivery that waits for the end of a transaction or a request, or None.
    _pending: Any = None
    #: An outcome that is not stored yet, in the process that ran the job: a tuple with the return
    #: value, or an empty tuple if the job failed. None: the outcome is in Redis.
    _unstored: tuple[Any, ...] | None = None

    origin: str = _attribute("origin")
    description: str | None = _or_none("description")
    timeout: int | None = _attribute("timeout")
    result_ttl: int | None = _attribute("result_ttl")
    failure_ttl: int | None = _attribute("failure_ttl")
    ttl: int | None = _attribute("ttl")
    created_at: datetime | None = _attribute("created_at")
    enqueued_at: datetime | None = _attribute("enqueued_at")
    started_at: datetime | None = _attribute("started_at")
    ended_at: datetime | None = _attribute("ended_at")
    last_heartbeat: datetime | None = _attribute("last_heartbeat")
    worker_name: str | None = _or_none("worker_name")
    retries_left: int | None = _counter("retries_left", "retries_max", "retries_allowed")
    retries_max: int | None = _attribute("retries_max")
    retry_intervals: list[int] | None = _list_or_none("retry_intervals")
    retry_extras: str | None = _or_none("retry_extras")
    enqueue_at_front_on_retry: bool = _attribute("enqueue_at_front_on_retry")
    number_of_retries: int | None = _attribute("number_of_retries")
    repeats_left: int | None = _counter("repeats_left", "repeats_max", "repeats_allowed")
    repeats_max: int | None = _attribute("repeats_max")
    repeat_intervals: list[int] | None = _list_or_none("repeat_intervals")
    success_callback_name: str | None = _or_none("success_callback_name")
    success_callback_timeout: int | None = _attribute("success_callback_timeout")
    failure_callback_name: str | None = _or_none("failure_callback_name")
    failure_callback_timeout: int | None = _attribute("failure_callback_timeout")
    stopped_callback_name: str | None = _or_none("stopped_callback_name")
    stopped_callback_timeout: int | None = _attribute("stopped_callback_timeout")
    group_id: str | None = _or_none("group_id")
    cron_entry: str | None = _or_none("cron_entry")
    unique_key: str | None = _or_none("unique_key")
    unique_for: int | None = _attribute("unique_for")
    tags: list[str] = _list("tags")
    dependency_ids: list[str] = _list("dependency_ids")
    allow_dependency_failures: bool = _attribute("allow_dependency_failures")
    enqueue_at_front: bool = _attribute("enqueue_at_front")

    def __init__(
        self,
        id: str | None = None,
        connection: redis.Redis | None = None,
        serializer: object = None,
    ) -> None:
        self.minted = id is None
        self.id = random_id() if id is None else id
        self._connection = connection
        self._serializer = serializer
        self._record = record = _new_record(JobRecord)
        attributes = record.__dict__  # no other code has the record yet
        attributes["id"] = self.id
        attributes["status"] = _CREATED
        attributes["created_at"] = datetime.now(UTC)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {self.description or '(unread)'}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobBase) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def waiting_ttl(self) -> int | None:
        """Seconds that the job may wait; None: for ever. The ttl of a job that has run is −1."""
        ttl = self._record.ttl
        return ttl if ttl and ttl > 0 else None

    # Where it is stored

    @property
    def connection(self) -> redis.Redis:
        """The client: the given one, that of its queue, or that of the queue ``default``."""
        if self._connection is None:
            configured = conf.queues().get(self.origin)
            self._connection = connection_for(configured) if configured else get_connection()
        return self._connection

    @property
    def _broker(self) -> Broker:
        return Broker.of(self.connection)

    def _ask(self, question: Callable[[Broker], Any]) -> Any:
        """Return the server's answer. Errors of the client become exceptions of this package."""
        broker = self._broker
        with broker.translate_errors():
            return question(broker)

    @property
    def key(self) -> str:
        """The key of its hash."""
        return self._broker.keys.job(self.id)

    @property
    def key_prefix(self) -> str:
        """The prefix of all keys of its broker."""
        return self._broker.prefix

    @property
    def serializer(self) -> Serializer:
        """The given serializer, or that of its queue.

        Raises:
            ConfigurationError: It cannot be imported.
        """
        if self._serializer is PickleSerializer:
            return PickleSerializer
        if self._serializer is None:
            configured = conf.queues().get(self.origin)
            self._serializer = configured.serializer if configured else None
        found = resolve(self._serializer, setting=f"RQ_QUEUES[{self.origin!r}]['SERIALIZER']")
        self._serializer = found
        return found

    # Its status

    @property
    def _is_unpushed(self) -> bool:
        """Whether this process made the job and has not enqueued it yet."""
        # A job that was made from its id alone may be anywhere. A copy has its call in the record.
        has_call = self._data is not None or self._record.packed is not None
        return has_call and self._record.status == JobStatus.CREATED

    def _repeat_as(self, repeat: Repeat) -> None:
        self._record = self._record.changed(
            repeats_left=repeat.times,
            repeats_max=repeat.times,
            repeat_intervals=tuple(repeat.intervals),
        )

    def _entered(self, status: str, detail: str) -> None:
        """Note that the job is in Redis now.

        Args:
            detail: For a queued or started job, the time in unix microseconds; for a canceled job,
                the reason.
        """
        self.minted = False  # from now on, its id is in Redis
        if self._unstored is not None:
            self._unstored = None
        if self._parents:
            self._parents = ()  # frees their memory
        record = self._record.__dict__.copy()
        record["status"] = status
        if detail and status in _WITH_TIME:
            record["created_at"] = record["enqueued_at"] = codec.micro_moment(detail)
        else:
            record["exc_info"] = detail
        if "ended_at" in record or "started_at" in record:
            record.pop("started_at", None)
            record.pop("ended_at", None)
        self._record = JobRecord.of(record)

    def _ended(self, status: JobStatus) -> None:
        """Note that the job has just ended."""
        now = datetime.now(UTC)
        started = self._record.started_at
        # The clock of this host may be behind that of the server.
        self._record = self._record.changed(status=status, ended_at=max(now, started or now))

    def _set_outcome(self, status: JobStatus, lasted: float, *returned: object) -> None:
        """Note an outcome that is not stored yet, for the callbacks.

        Args:
            lasted: Seconds that the job ran. They are added to the start, which is the server's
                time, so that the clock of this host does not matter.
            returned: The return value; nothing if the job failed.
        """
        self._ended(status)
        if (started := self._record.started_at) is not None:
            ended = started + timedelta(seconds=lasted)
            self._record = self._record.changed(ended_at=ended)
        self._unstored = returned

    def _set_stored_outcome(self, record: JobRecord) -> None:
        """Note the status and the times that were stored with the outcome."""
        self._record = self._record.changed(
            status=record.status,
            enqueued_at=record.enqueued_at,
            started_at=record.started_at,
            ended_at=record.ended_at,
        )
