"""A job's record, the attributes that read and change it, and where the job is stored."""

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
from ..engine.engine import Engine
from ..protocol import codec
from ..protocol.records import JobRecord, JobStatus
from ..protocol.serializers import PickleSerializer, Serializer, resolve
from .policies import Repeat

_new_record = object.__new__
_CREATED = JobStatus.CREATED

#: What a job that enters Redis is told the time of.
_WITH_TIME = frozenset({JobStatus.QUEUED, JobStatus.STARTED})


def random_id() -> str:
    """A version 4 UUID as text, of 120 random bits, in a third of the time that ``uuid`` takes."""
    drawn = os.urandom(15).hex()
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[12:15]}-a{drawn[15:18]}-{drawn[18:]}"


def _attribute(name: str) -> Any:
    """An attribute that the record holds under the same name."""

    def change(job: JobBase, value: object) -> None:
        job._record = job._record.changed(**{name: value})

    return property(attrgetter(f"_record.{name}"), change)


def _or_none(name: str) -> Any:
    """The same for text: the record holds "" where the attribute is None."""
    read = attrgetter(name)

    def change(job: JobBase, value: str | None) -> None:
        job._record = job._record.changed(**{name: value or ""})

    return property(lambda job: read(job._record) or None, change)


def _list(name: str) -> Any:
    """The same for a list: the record holds a tuple."""
    read = attrgetter(name)

    def change(job: JobBase, value: Sequence[object] | None) -> None:
        job._record = job._record.changed(**{name: tuple(value or ())})

    return property(lambda job: list(read(job._record)), change)


def _list_or_none(name: str) -> Any:
    """The same for a list: the record holds an empty tuple where the attribute is None."""
    listed = _list(name)
    return property(lambda job: listed.fget(job) or None, listed.fset)


def _counter(left: str, most: str, allowed: str) -> Any:
    """A counter that goes down in Redis, and counts for no more than its first value there.

    To set it is to let it count from where it is set.
    """

    def change(job: JobBase, value: int | None) -> None:
        first = getattr(job._record, most)
        changes = {left: value}
        if value is not None and value > (first or 0):
            changes[most] = value
        job._record = job._record.changed(**changes)

    return property(attrgetter(f"_record.{allowed}"), change)


class JobBase:
    """What a job is: an id, and a record that is replaced when an attribute is set.

    Durations are in whole seconds, times are aware and in UTC. Attributes are what was last read
    or written.

    Attributes:
        id: Unique among all jobs of the broker.
        minted: Whether the id was made here, so that no other job can have it.
        origin: The name of the queue.
        description: What logs and pages show.
        timeout: How long the job may run; −1 without limit; None: the default.
        result_ttl, failure_ttl: How long it is kept; −1 for ever; None: the default.
        ttl: How long it may wait; −1 once it has run.
        created_at, enqueued_at, started_at, ended_at, last_heartbeat: None where not (yet) so.
        worker_name: The worker that runs the job, or ran it last.
        retries_left, repeats_left: How many more times it is retried when it fails, and repeated
            after it has succeeded.
        retries_max, repeats_max: How many times that was at first.
        retry_intervals, repeat_intervals: Seconds to wait before each; the last one holds for the
            rest.
        retry_extras: JSON: what RQ's fields have no words for.
        number_of_retries: How often the job has asked for another run itself.
        success_callback_name, failure_callback_name, stopped_callback_name: Dotted paths of what is
            called when it has ended.
        success_callback_timeout, failure_callback_timeout, stopped_callback_timeout: For how long
            at the most.
        group_id: The name of its group.
        cron_entry: The name of the cron entry that it comes from.
        unique_key, unique_for: What no other job may be enqueued with while this one waits or runs,
            and for how long at the most.
        tags: Short texts by which people find it.
        dependency_ids: Ids of the jobs that it waits for, or waited for.
    """

    #: As it is here: as it was read, or made, with what was set since.
    _record: JobRecord
    #: As it was read from Redis, with the signatures that it had there. None: it was made here.
    _read: JobRecord | None = None
    #: The call, serialized here. None: it is the record's, which may be compressed. That is not
    #: unpacked before it must be.
    _data: bytes | None = None

    #: The jobs it is to wait for, as far as they were given as jobs; until it is enqueued.
    _parents: Sequence[JobBase] = ()
    #: The delivery that waits until its transaction or request has ended; None: there is none.
    _pending: Any = None
    #: What the function returned, in a tuple, or an empty one where it failed: in the process that
    #: ran it, and until that is stored. None: Redis knows.
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
        attributes = record.__dict__  # nobody has seen it yet
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
        """Seconds that the job may wait; None: for ever. A job that has run has a ttl of −1."""
        ttl = self._record.ttl
        return ttl if ttl and ttl > 0 else None

    # Where it is stored

    @property
    def connection(self) -> redis.Redis:
        """The client of its server: given, or its queue's, or that of the queue ``default``."""
        if self._connection is None:
            configured = conf.queues().get(self.origin)
            self._connection = connection_for(configured) if configured else get_connection()
        return self._connection

    @property
    def _broker(self) -> Broker:
        return Broker.of(self.connection)

    @property
    def _engine(self) -> Engine:
        return Engine(self._broker)

    def _ask(self, question: Callable[[Broker], Any]) -> Any:
        """The answer of the server, its errors translated."""
        broker = self._broker
        with broker.translate_errors():
            return question(broker)

    @property
    def key(self) -> str:
        """The key of its hash."""
        return self._broker.keys.job(self.id)

    @property
    def key_prefix(self) -> str:
        """What all keys of its broker begin with."""
        return self._broker.prefix

    @property
    def serializer(self) -> Serializer:
        """The one given, or its queue's.

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

    # What becomes of it

    @property
    def _is_unpushed(self) -> bool:
        """Whether this process made the job and has not enqueued it yet."""
        # Of a job that it knows by the id alone it knows nothing.
        called = self._data is not None or self._record.packed is not None  # as that of a copy
        return called and self._record.status == JobStatus.CREATED

    def _repeat_as(self, repeat: Repeat) -> None:
        self._record = self._record.changed(
            repeats_left=repeat.times,
            repeats_max=repeat.times,
            repeat_intervals=tuple(repeat.intervals),
        )

    def _entered(self, status: str, detail: str) -> None:
        """Note that the job is in Redis now.

        Args:
            detail: If it is queued or started: when, in unix microseconds. If it is canceled: why.
        """
        self.minted = False  # to enqueue it again is another thing than to repeat this call
        if self._unstored is not None:
            self._unstored = None
        if self._parents:
            self._parents = ()  # they need not be kept in memory any longer
        record = self._record.__dict__.copy()
        record["status"] = status
        if detail and status in _WITH_TIME:
            record["created_at"] = record["enqueued_at"] = codec.micro_moment(detail)
        else:
            record["exc_info"] = detail
        record.pop("started_at", None)
        record.pop("ended_at", None)
        self._record = JobRecord.of(record)

    def _ended(self, status: JobStatus) -> None:
        """Note that the job has ended just now."""
        now = datetime.now(UTC)
        started = self._record.started_at
        # This host's clock may be late.
        self._record = self._record.changed(status=status, ended_at=max(now, started or now))

    def _came_to(self, status: JobStatus, lasted: float, *returned: object) -> None:
        """Note an outcome that is not stored yet, for the callbacks.

        Args:
            lasted: Seconds that the job ran. The server's clock said when it began, so this host's
                does not matter.
        """
        self._ended(status)
        if (started := self._record.started_at) is not None:
            ended = started + timedelta(seconds=lasted)
            self._record = self._record.changed(ended_at=ended)
        self._unstored = returned

    def _stands_as(self, record: JobRecord) -> None:
        """Note where a run has left the job, now that its outcome is stored."""
        self._record = self._record.changed(
            status=record.status,
            enqueued_at=record.enqueued_at,
            started_at=record.started_at,
            ended_at=record.ended_at,
        )
