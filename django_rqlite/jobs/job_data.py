"""What a job consists of, and its form in Redis: serialized, signed, field by field."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import redis

from .. import conf
from ..broker.broker import Broker
from ..broker.clients import connection_for, get_connection
from ..broker.errors import translate_errors
from ..conf.signer import sign, signer
from ..engine.engine import Engine
from ..engine.scripts import Argument
from ..exceptions import (
    ConfigurationError,
    DeserializationError,
    InvalidJobError,
    UnserializableError,
)
from ..protocol import codec
from ..protocol.keys import Keys
from ..protocol.records import JobRecord, JobStatus, read_job
from ..protocol.serializers import PickleSerializer, Serializer, resolve
from ..protocol.signed_terms import DEFAULT_CALLBACK_TIMEOUT, terms_of
from ..protocol.signing import FIELDS, Payload, Purpose
from . import callables
from .options import NOTHING_SAID, JobOptions
from .policies import Repeat

#: The ends at which something may be called, as RQ's fields call them.
_ENDS = ("success", "failure", "stopped")


def minted_id() -> str:
    """A version 4 UUID as text, of 120 random bits, in a third of the time that ``uuid`` takes."""
    drawn = os.urandom(15).hex()
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[12:15]}-a{drawn[15:18]}-{drawn[18:]}"


class JobData:
    """One call of one function, now or later.

    Durations are in whole seconds, times are aware and in UTC. Attributes are what was last read
    or written.

    Attributes:
        id: unique among all jobs of the connection.
        origin: the name of the queue.
        description: what logs and pages show.
        timeout: how long it may run; −1 without limit; None: the default.
        result_ttl, failure_ttl: how long it is kept; −1 for ever; None: the default.
        ttl: how long it may wait; −1 once it has run.
        created_at, enqueued_at, started_at, ended_at, last_heartbeat: None where not (yet) so.
        worker_name: who runs it, or ran it last.
    """

    # What most jobs are never told stands here, not in each of them: setting forty attributes took
    # as long as serializing the call.
    origin = ""
    description: str | None = None
    timeout: int | None = None
    result_ttl: int | None = None
    failure_ttl: int | None = None
    ttl: int | None = None
    enqueued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    last_heartbeat: datetime | None = None
    worker_name: str | None = None
    #: How many more times it is retried when it fails, and repeated after it has succeeded; and how
    #: many times that was at first.
    retries_left: int | None = None
    retries_max: int | None = None
    retry_intervals: list[int] | None = None
    enqueue_at_front_on_retry = False
    number_of_retries: int | None = None
    #: JSON: what RQ's fields have no words for.
    retry_extras: str | None = None
    repeats_left: int | None = None
    repeats_max: int | None = None
    repeat_intervals: list[int] | None = None
    #: Dotted paths of what is called when it has ended, and for how many seconds at the most.
    success_callback_name: str | None = None
    success_callback_timeout: int | None = None
    failure_callback_name: str | None = None
    failure_callback_timeout: int | None = None
    stopped_callback_name: str | None = None
    stopped_callback_timeout: int | None = None
    #: The name of its group; None where it is in none.
    group_id: str | None = None
    #: The name of the cron entry that it comes from; None where it comes from none.
    cron_entry: str | None = None
    #: What no other job may be enqueued with while this one waits or runs, and for how long.
    unique_key: str | None = None
    unique_for: int | None = None
    allow_dependency_failures: bool | None = None
    enqueue_at_front: bool | None = None

    #: The jobs it is to wait for, as far as they were given as jobs; until it is enqueued.
    _parents: Sequence[JobData] = ()
    #: The delivery that waits until its transaction or request has ended; None: there is none.
    _pending: Any = None

    _status: str = JobStatus.CREATED
    #: The call, serialized; and as it is stored, where it was read. Not unpacked before it must be.
    _data: bytes | None = None
    _packed: bytes | None = None
    #: What was signed with it, as it was read.
    _terms = b""
    _call: tuple[str, object | None, Sequence[Any], Mapping[str, Any]] | None = None
    _meta_stored: bytes | None = None
    _meta: dict[str, Any] | None = None
    _exc_info = ""
    #: Whose signatures this process need not look at again.
    _verified: tuple[Purpose, ...] = ()
    #: What it has come to, in the process that ran it and until that is stored: what the function
    #: returned, in a tuple, or an empty one where it failed. None: Redis knows.
    _unstored: tuple[Any, ...] | None = None

    def __init__(
        self,
        id: str | None = None,
        connection: redis.Redis | None = None,
        serializer: object = None,
    ) -> None:
        #: Whether the id was made here, so that no other job can bear it.
        self.minted = id is None
        self.id = minted_id() if id is None else id
        self._connection = connection
        self._serializer = serializer
        self.created_at: datetime | None = datetime.now(UTC)
        self._signatures: dict[Purpose, str | None] = {}
        #: Ids of the jobs it waits for, or waited for.
        self.dependency_ids: list[str] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}: {self.description or '(unread)'}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobData) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    # Where it is stored

    @property
    def connection(self) -> redis.Redis:
        """The client of its server: given, or its queue's, or that of the queue ``default``."""
        if self._connection is None:
            configured = conf.queues().get(self.origin)
            self._connection = connection_for(configured) if configured else get_connection()
        return self._connection

    @property
    def _is_unpushed(self) -> bool:
        """Whether this process made the job and has not enqueued it yet."""
        # Of a job that it knows by the id alone it knows nothing.
        called = self._data is not None or self._packed is not None  # as that of a copy
        return called and self._status == JobStatus.CREATED

    @property
    def key(self) -> str:
        """The key of its hash."""
        return Broker.of(self.connection).keys.job(self.id)

    @property
    def key_prefix(self) -> str:
        """What all keys of its connection begin with."""
        return Broker.of(self.connection).prefix

    @property
    def serializer(self) -> Serializer:
        """The one given, or its queue's.

        Raises:
            ConfigurationError: it can't be imported.
        """
        if self._serializer is PickleSerializer:
            return PickleSerializer
        if self._serializer is None:
            configured = conf.queues().get(self.origin)
            self._serializer = configured.serializer if configured else None
        found = resolve(self._serializer, setting=f"RQ_QUEUES[{self.origin!r}]['SERIALIZER']")
        self._serializer = found
        return found

    @property
    def _engine(self) -> Engine:
        return Engine(Broker.of(self.connection))

    def _ask(self, question: Callable[[redis.Redis, Keys], Any]) -> Any:
        link = self.connection
        with translate_errors(link):
            return question(link, Broker.of(link).keys)

    # The call

    @property
    def func_name(self) -> str:
        """The dotted path, or the method's name where there is an :attr:`instance`."""
        return self._loaded()[0]

    @property
    def instance(self) -> object | None:
        """Whose method is called; None for a function."""
        return self._loaded()[1]

    @property
    def args(self) -> Sequence[Any]:
        """Positional arguments."""
        return self._loaded()[2]

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """Keyword arguments."""
        return self._loaded()[3]

    @property
    def func(self) -> Callable[..., Any]:
        """What is called; importing it may raise whatever its module raises."""
        return callables.resolve(self.func_name, self.instance)

    @property
    def data(self) -> bytes:
        """The serialized ``(func_name, instance, args, kwargs)``; ``b''`` where it is missing.

        Its signature is not looked at.

        Raises:
            DeserializationError: it unpacks to more than Redis itself could hold.
        """
        if self._data is None and self._packed is not None:
            self._data, more = codec.head(self._packed, codec.LONGEST)
            if more:
                self._data = None
                raise DeserializationError(
                    f"The data of job {self.id} unpacks to more than {codec.LONGEST:,} bytes, so "
                    "it is not loaded. Pass an id or the path of a file instead of such a value."
                )
        return self._data or b""

    def get_call_string(self) -> str:
        """The call as a line of Python, long arguments cut short.

        Raises:
            SignatureError, DeserializationError: as for :attr:`args`.
        """
        return callables.description(self.func_name, self.instance, self.args, self.kwargs)

    def _loaded(self) -> tuple[str, object | None, Sequence[Any], Mapping[str, Any]]:
        """Deserialize the call.

        Raises:
            SignatureError: the bytes are not signed as they should be.
            DeserializationError: the serializer can't read them.
        """
        if self._call is None:
            if self._payload is None:
                raise DeserializationError(f"Job {self.id} has no data, so no function is known.")
            self._check_call()
            loaded = self._deserialized("data", self.data)
            try:
                name, instance, args, kwargs = loaded
                self._call = (str(name), instance, tuple(args), dict(kwargs))
            except (TypeError, ValueError) as exc:
                raise DeserializationError(
                    f"The data of job {self.id} is not (function, instance, args, kwargs): {exc}."
                ) from exc
        return self._call

    @property
    def _payload(self) -> Payload | None:
        """The serialized call, without unpacking what was read; None where it is missing."""
        if self._data is None and self._packed is not None:
            return codec.pieces(self._packed)
        return self._data

    def _check_call(self) -> None:
        """See that the call and the job's terms may be trusted. What was made here may.

        Raises:
            SignatureError: they are not signed as they should be.
        """
        if "data" not in self._signatures or "data" in self._verified:
            return
        payload = self._payload
        signature = self._signatures["data"]
        signer().check("data", self.id, b"" if payload is None else payload, signature, self._terms)
        self._verified = (*self._verified, "data")

    def _dump_call(
        self, name: str, instance: object | None, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> bytes:
        try:
            serializer = self.serializer
            dumped = serializer.dumps((name, instance, tuple(args), dict(kwargs)))
            return codec.without_frame(dumped) if serializer is PickleSerializer else dumped
        except ConfigurationError:
            raise
        except Exception as exc:
            culprit = self._culprit(name, instance, args, kwargs)
            raise UnserializableError(
                f"{name}: {culprit} can't be serialized ({type(exc).__name__}: {exc}). Pass an id "
                "or plain data instead and load the object inside the job."
            ) from exc

    def _culprit(
        self, name: str, instance: object | None, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> str:
        """Which part of the call the serializer refuses."""
        parts = [(f"the object whose method {name} is", instance)]
        parts += [(f"argument {number}", value) for number, value in enumerate(args, 1)]
        parts += [(f"argument {key!r}", value) for key, value in kwargs.items()]
        for label, value in parts:
            try:
                self.serializer.dumps(value)
            except Exception:  # noqa: BLE001 - asked only whether it raises
                return f"{label} (a {type(value).__name__})"
        return "the call as a whole"

    def _dumps(self, what: Purpose, value: object) -> bytes:
        try:
            return self.serializer.dumps(value)
        except Exception as exc:
            raise UnserializableError(
                f"The {what} of job {self.id} (a {type(value).__name__}) can't be serialized "
                f"({type(exc).__name__}: {exc})."
            ) from exc

    def _loads(self, what: Purpose, payload: bytes) -> Any:
        signer().check(what, self.id, payload, self._signatures.get(what))
        return self._deserialized(what, payload)

    def _deserialized(self, what: Purpose, payload: bytes) -> Any:
        try:
            return self.serializer.loads(payload)
        except Exception as exc:
            raise DeserializationError(
                f"The {what} of job {self.id} can't be read by the serializer of queue "
                f"{self.origin!r} ({type(exc).__name__}: {exc}). Does RQ_QUEUES name the "
                "SERIALIZER that wrote it, and are its classes still importable here?"
            ) from exc

    # Meta

    @property
    def meta(self) -> dict[str, Any]:
        """The job's own notes. Change them in place, then :meth:`save_meta`.

        Raises:
            SignatureError: they are not signed as they should be.
        """
        if self._meta is None:
            self._meta = self._loaded_meta(self._meta_stored) if self._meta_stored else {}
        return self._meta

    @meta.setter
    def meta(self, value: Mapping[str, Any]) -> None:
        self._meta = dict(value)

    def _loaded_meta(self, stored: bytes) -> dict[str, Any]:
        try:
            loaded = self._loads("meta", stored)
        except DeserializationError:
            loaded = None
        return loaded if isinstance(loaded, dict) else {codec.UNDECODABLE_META: stored}

    # From and to the stored form

    @classmethod
    def _prepared(
        cls,
        func: Callable[..., Any] | str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: JobOptions,
        origin: str,
        connection: redis.Redis | None,
        serializer: object,
    ) -> Self:
        job = cls(options.job_id, connection, serializer)
        job.origin = origin
        name, instance = callables.reference(func)
        job._call = (name, instance, args, kwargs)
        if options is not NOTHING_SAID:
            job._heed(options)
        if not job.description:
            job.description = callables.description(name, instance, args, kwargs)
        job._data = job._dump_call(name, instance, args, kwargs)
        return job

    def _heed(self, options: JobOptions) -> None:
        for name, value in options.recorded().items():
            setattr(self, name, list(value) if isinstance(value, tuple) else value)
        if options.depends_on is not None:
            self._parents = [one for one in options.depends_on.jobs if isinstance(one, JobData)]
        if options.meta:
            self._meta = dict(options.meta)

    def _repeat_as(self, repeat: Repeat) -> None:
        self.repeats_left = self.repeats_max = repeat.times
        self.repeat_intervals = repeat.intervals

    @classmethod
    def from_record(
        cls,
        record: JobRecord,
        connection: redis.Redis | None = None,
        serializer: object = None,
    ) -> Self:
        """The job that a stored record describes."""
        job = cls(record.id, connection, serializer)
        job._take(record)
        return job

    @classmethod
    def from_state(cls, job_id: str, state: Mapping[str, Any], serializer: object = None) -> Self:
        """The job whose stored record gave this :func:`state_of`."""
        job = cls(job_id, None, serializer)
        job.__dict__.update(state)
        return job

    def copied(self) -> Self:
        """A new job that calls the same with the same options, for its first time.

        It waits for no other job, is in no group, comes from no cron entry, and repeats as often as
        this one still would. Nothing is deserialized.

        Raises:
            SignatureError: this job is not signed as it should be. What bears no signature has
                none in the copy either.
        """
        if self._payload is not None:
            self._check_call()
        if self._meta_stored is not None and "meta" in self._signatures:
            signer().check("meta", self.id, self._meta_stored, self._signatures["meta"])
        copy = type(self)(None, self._connection, self._serializer)
        attributes = {**self.__dict__, "id": copy.id, "minted": True, "created_at": copy.created_at}
        for name in ("enqueued_at", "started_at", "ended_at", "last_heartbeat", "worker_name"):
            attributes[name] = None
        attributes["_signatures"] = {
            # Bytes that were read unsigned stay so; the others are signed for the new id.
            what: None
            for what, signature in self._signatures.items()
            if signature is None
        }
        attributes |= {"_status": JobStatus.CREATED, "_exc_info": "", "_verified": ()}
        attributes["_unstored"] = None
        attributes |= {"group_id": None, "dependency_ids": [], "number_of_retries": None}
        attributes |= {"cron_entry": None, "_terms": b"", "_parents": (), "_pending": None}
        if self.retries_max is not None:
            attributes["retries_left"] = self.retries_max
        elif self.retries_left is not None:
            attributes["retries_left"] = self.retries_left + (self.number_of_retries or 0)
        copy.__dict__.update(attributes)
        return copy

    def _take(self, record: JobRecord) -> None:
        origin = self.origin
        self.__dict__.update(state_of(record))
        self._unstored = None
        self.origin = self.origin or origin

    def to_fields(self) -> dict[str, Argument]:
        """The hash as an enqueueing script writes it, absent values left out.

        Raises:
            InvalidJobError: the job has no call, or its meta can't be serialized.
            SignatureError: it was read from Redis and is not signed as it should be.
        """
        if self._data is None and self._packed is None:
            raise InvalidJobError(
                f"Job {self.id} has no function to call, so it can't be enqueued. Make it with "
                "create_job(), or fetch it."
            )
        fields: dict[str, Argument] = {}
        if self._packed is not None:
            fields["data"] = self._packed
        elif self._data is not None:
            fields["data"] = codec.compress(self._data)
        if self.retries_left is not None or self.repeats_left is not None:
            self._count_anew()
        self._seal_call(fields)
        self._speak(fields)
        if self.ttl is not None and self.waiting_ttl is not None:
            fields["ttl"] = self.waiting_ttl
        if self.success_callback_name or self.failure_callback_name or self.stopped_callback_name:
            self._name_callbacks(fields)
        if self.group_id:
            fields["group_id"] = self.group_id
        if self.unique_key and self.unique_for:
            fields["x_unique"] = self.unique_key
            fields["x_unique_for"] = self.unique_for
        if self.dependency_ids:
            fields["dependency_id"] = self.dependency_ids[0]
            fields["dependency_ids"] = json.dumps(self.dependency_ids)
            fields["allow_dependency_failures"] = int(bool(self.allow_dependency_failures))
        if self.enqueue_at_front:
            fields["enqueue_at_front"] = 1
        if self.retries_left is not None:
            fields["retries_left"] = self.retries_left
            fields["retry_intervals"] = json.dumps(self.retry_intervals or [0])
        if self.retries_max is not None:
            fields["x_retries_max"] = self.retries_max
        if self.enqueue_at_front_on_retry:
            fields["enqueue_at_front_on_retry"] = 1
        if self.retry_extras:
            fields["x_retry"] = self.retry_extras
        if self.repeats_left is not None:
            fields["repeats_left"] = self.repeats_left
            fields["repeat_intervals"] = json.dumps(self.repeat_intervals or [0])
        if self.repeats_max is not None:
            fields["x_repeats_max"] = self.repeats_max
        if self.cron_entry:
            fields["x_cron"] = self.cron_entry
        if self._meta:
            fields |= self._meta_fields()
        elif self._meta is None and self._meta_stored is not None:
            fields["meta"] = self._meta_stored
            self._seal("meta", self._meta_stored, fields)
        return fields

    @property
    def waiting_ttl(self) -> int | None:
        """Seconds that the job may wait; None: for ever. A job that has run has a ttl of −1."""
        return self.ttl if self.ttl and self.ttl > 0 else None

    def _count_anew(self) -> None:
        """Have the counters that someone set count from where they are."""
        if self.retries_left is not None and self.retries_left > (self.retries_max or 0):
            self.retries_max = self.retries_left
        if self.repeats_left is not None and self.repeats_left > (self.repeats_max or 0):
            self.repeats_max = self.repeats_left

    def _seal_call(self, fields: dict[str, Argument]) -> None:
        """Add the signature of the call and the terms.

        What was read from Redis must bear its own. Where that is right, it is signed anew, with the
        terms as they are now; what bears none keeps none, since to sign it would vouch for what
        anyone may have written.
        """
        if "data" in self._signatures:
            self._check_call()
            if self._signatures["data"] is None:
                return
        payload = self._payload
        assert payload is not None
        fields[FIELDS["data"]] = sign("data", self.id, payload, terms_of(self))

    def _seal(self, what: Purpose, payload: bytes, fields: dict[str, Argument]) -> None:
        """Add the signature of bytes made here. What was read from Redis keeps its own, or none."""
        if what not in self._signatures:
            fields[FIELDS[what]] = sign(what, self.id, payload)
            return
        signature = self._signatures[what]
        signer().check(what, self.id, payload, signature)
        if signature is not None:
            fields[FIELDS[what]] = signature

    def _speak(self, fields: dict[str, Argument]) -> None:
        """Add what was said of the job, absent values left out."""
        if self.description:
            fields["description"] = self.description.encode("utf-8", "replace")
        if self.timeout is not None:
            fields["timeout"] = self.timeout
        if self.result_ttl is not None:
            fields["result_ttl"] = self.result_ttl
        if self.failure_ttl is not None:
            fields["failure_ttl"] = self.failure_ttl

    def _name_callbacks(self, fields: dict[str, Argument]) -> None:
        for end in _ENDS:
            if name := getattr(self, f"{end}_callback_name"):
                timeout = getattr(self, f"{end}_callback_timeout") or DEFAULT_CALLBACK_TIMEOUT
                fields[f"{end}_callback_name"] = name
                fields[f"{end}_callback_timeout"] = timeout

    def _meta_fields(self) -> dict[str, Argument]:
        payload = self._dumps("meta", self.meta)
        return {"meta": payload, FIELDS["meta"]: sign("meta", self.id, payload)}

    def _entered(self, status: str, detail: str) -> None:
        """It has taken its place.

        Args:
            detail: when, in unix microseconds, where it is queued or started; why, where it is
                canceled.
        """
        self.minted = False  # to enqueue it again is another thing than to repeat this call
        self._status = status
        self._unstored = None
        if self._parents:
            self._parents = ()  # they need not be kept in memory any longer
        self.started_at = self.ended_at = None
        if status in (JobStatus.QUEUED, JobStatus.STARTED) and detail:
            self.created_at = self.enqueued_at = codec.micro_moment(detail)
        else:
            self._exc_info = detail

    def _ended(self, status: JobStatus) -> None:
        """It has ended just now."""
        self._status = status
        now = datetime.now(UTC)
        self.ended_at = max(now, self.started_at or now)  # this host's clock may be late

    def _came_to(self, status: JobStatus, lasted: float, *returned: object) -> None:
        """It has ended here, which is not stored yet: what its callbacks find.

        Args:
            lasted: seconds that it ran. The server's clock said when it began, so that it does not
                matter what this host's says.
        """
        self._ended(status)
        if self.started_at is not None:
            self.ended_at = self.started_at + timedelta(seconds=lasted)
        self._unstored = returned

    def _stands_as(self, record: JobRecord) -> None:
        """Its run is stored: where that has left it."""
        self._status = record.status
        self.enqueued_at = record.enqueued_at
        self.started_at = record.started_at
        self.ended_at = record.ended_at

    def to_record(self) -> JobRecord:
        """The record as a worker would read it."""
        fields = {"origin": self.origin, "status": self._status, **self.to_fields()}
        return read_job(
            self.id,
            {
                name.encode(): value if isinstance(value, bytes) else str(value).encode()
                for name, value in fields.items()
            },
        )


def state_of(record: JobRecord) -> dict[str, Any]:
    """The attributes of a job that the stored record describes, as plain data."""
    return {
        "origin": record.origin,
        "description": record.description or None,
        "timeout": record.timeout,
        "result_ttl": record.result_ttl,
        "failure_ttl": record.failure_ttl,
        "ttl": record.ttl,
        "created_at": record.created_at,
        "enqueued_at": record.enqueued_at,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "last_heartbeat": record.last_heartbeat,
        "worker_name": record.worker_name or None,
        "_status": record.status,
        "_data": None,
        "_packed": record.packed,
        "_terms": record.terms,
        "_call": None,
        "_meta": None,
        "_meta_stored": record.meta,
        "_exc_info": record.exc_info,
        "retries_left": record.retries_allowed,
        "retries_max": record.retries_max,
        "retry_intervals": list(record.retry_intervals) or None,
        "enqueue_at_front_on_retry": record.enqueue_at_front_on_retry,
        "number_of_retries": record.number_of_retries,
        "repeats_left": record.repeats_allowed,
        "repeats_max": record.repeats_max,
        "repeat_intervals": list(record.repeat_intervals) or None,
        "retry_extras": record.retry_extras or None,
        "success_callback_name": record.success_callback_name or None,
        "success_callback_timeout": record.success_callback_timeout,
        "failure_callback_name": record.failure_callback_name or None,
        "failure_callback_timeout": record.failure_callback_timeout,
        "stopped_callback_name": record.stopped_callback_name or None,
        "stopped_callback_timeout": record.stopped_callback_timeout,
        "group_id": record.group_id or None,
        "cron_entry": record.cron_entry or None,
        "unique_key": record.unique_key or None,
        "unique_for": record.unique_for,
        "dependency_ids": list(record.dependency_ids),
        "allow_dependency_failures": record.allow_dependency_failures,
        "_signatures": {"data": record.signature, "meta": record.meta_signature},
        "_verified": (),
    }
