"""Makes a job from a call or a hash, and the hash of a job."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

import redis

from ..broker.broker import Broker
from ..broker.clients import get_connection
from ..conf.signer import own_signer, sign, signer
from ..engine.scripts import Argument
from ..exceptions import ConfigurationError, InvalidJobError, NoSuchJobError, UnserializableError
from ..protocol import codec
from ..protocol.records import STORED_FIELDS, JobRecord, JobStatus, job_fields, read_job
from ..protocol.serializers import PickleSerializer
from . import callables
from .meta import JobMeta
from .options import NOTHING_SAID, JobOptions
from .record import JobBase

#: The attributes that a copy of a job has, too.
_COPIED = {name for name, stored in STORED_FIELDS.items() if stored.copied} | {"origin", "meta"}


class StoredJob(JobMeta):
    """A job that can be made from a call or a hash, and written to Redis."""

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
        defaults: Mapping[str, Any] | None = None,
    ) -> Self:
        """Make a job from a call.

        Args:
            defaults: Attributes of the record, which the options override.
        """
        job = cls(options.job_id, connection, serializer)
        name, instance = callables.reference(func)
        job._call = (name, instance, args, kwargs)
        recorded = job._record.__dict__  # no other code has the record yet
        recorded["origin"] = origin
        if defaults:
            recorded |= defaults
        if options is not NOTHING_SAID:
            recorded |= options.recorded()
            if options.depends_on is not None:
                job._parents = [one for one in options.depends_on.jobs if isinstance(one, JobBase)]
            if options.meta:
                job._meta = dict(options.meta)
        if not recorded.get("description"):
            recorded["description"] = callables.description(name, instance, args, kwargs)
        job._data = job._dump_call(name, instance, args, kwargs)
        return job

    # Reading

    @classmethod
    def fetch(
        cls,
        id: str,
        connection: redis.Redis | None = None,
        serializer: object = None,
    ) -> Self:
        """Return the job with this id.

        Args:
            connection: None: the connection of the queue ``default``.

        Raises:
            NoSuchJobError: There is no such job.
            RedisUnavailableError: The server does not answer.
        """
        job = cls(id, connection, serializer)
        job.refresh()
        return job

    @classmethod
    def fetch_many(
        cls,
        job_ids: Iterable[str],
        connection: redis.Redis | None = None,
        serializer: object = None,
    ) -> list[Self | None]:
        """Return the jobs with these ids, or None for each that does not exist. One round trip."""
        broker = Broker.of(connection or get_connection())
        ids = list(job_ids)
        with broker.translate_errors(), broker.client.pipeline(transaction=False) as pipeline:
            for job_id in ids:
                pipeline.hgetall(broker.keys.job(job_id))
            answers = pipeline.execute()
        return [
            cls.from_record(read_job(job_id, fields), broker.client, serializer) if fields else None
            for job_id, fields in zip(ids, answers, strict=True)
        ]

    @classmethod
    def exists(cls, job_id: str, connection: redis.Redis | None = None) -> bool:
        """Return whether there is a job with this id."""
        broker = Broker.of(connection or get_connection())
        with broker.translate_errors():
            return bool(broker.client.exists(broker.keys.job(job_id)))

    def refresh(self) -> None:
        """Read everything again.

        Raises:
            NoSuchJobError: The job no longer exists.
        """
        fields = self._ask(lambda broker: broker.client.hgetall(broker.keys.job(self.id)))
        if not fields:
            raise NoSuchJobError(
                f"There is no job {self.id!r}. It was deleted, it has expired, or the transaction "
                "that enqueues it has not committed."
            )
        self._take(read_job(self.id, fields))

    @classmethod
    def from_record(
        cls,
        record: JobRecord,
        connection: redis.Redis | None = None,
        serializer: object = None,
    ) -> Self:
        """Make a job from a record that was read from Redis."""
        job = cls(record.id, connection, serializer)
        job._take(record)
        return job

    def _take(self, record: JobRecord) -> None:
        """Take over a record that was read from Redis."""
        if not record.origin and self.origin:
            record = record.changed(origin=self.origin)
        self._record = self._read = record
        self._data = self._call = self._meta = self._unstored = None
        self._verified = ()

    @classmethod
    def from_state(
        cls,
        job_id: str,
        state: dict[str, Any],
        serializer: object = None,
        *,
        verified: bool = False,
    ) -> Self:
        """Make a job from the attributes of a record; see :attr:`JobRecord.state`.

        Args:
            verified: Whether the signature of its call was verified.
        """
        job = cls(job_id, None, serializer)
        job._record = job._read = JobRecord.of(state)
        if verified:
            job._verified = ("data",)
        return job

    def copied(self) -> Self:
        """Make a new job with the same call and the same options.

        The copy does not wait for other jobs, and has no group and no cron entry. It is retried as
        often as a new job, and repeated as often as this one still would be. Nothing is
        deserialized. Values without a signature get none in the copy.

        Raises:
            SignatureError: A signature of this job is wrong, or missing although it is required.
        """
        record, payload = self._record, self._payload
        if payload is not None:
            self._check_call()
        if self._meta is None and record.meta is not None:
            signer().check("meta", self.id, record.meta, record.meta_signature)
        copy = type(self)(None, self._connection, self._serializer)
        copied = {name: value for name, value in record.__dict__.items() if name in _COPIED}
        copied |= {"id": copy.id, "status": JobStatus.CREATED, "created_at": datetime.now(UTC)}
        copied["repeats_left"] = record.repeats_allowed
        copied["retries_left"] = record.retries_max
        if record.retries_max is None and record.retries_left is not None:
            copied["retries_left"] = record.retries_left + (record.number_of_retries or 0)
        made = JobRecord.of(copied)
        if payload is not None and record.signature is not None:
            made = made.changed(signature=sign("data", copy.id, payload, made.terms))
        if record.meta is not None and record.meta_signature is not None:
            made = made.changed(meta_signature=sign("meta", copy.id, record.meta))
        copy._record = copy._read = made
        copy._data, copy._call = self._data, self._call
        copy._meta = None if self._meta is None else dict(self._meta)
        return copy

    # Writing

    def to_fields(self) -> dict[str, Argument]:
        """Return the hash as an enqueueing script writes it, without absent values.

        Raises:
            InvalidJobError: The job has no call, or its ``meta`` cannot be serialized.
            SignatureError: The job was read from Redis, and a signature is wrong, or missing
                although it is required.
        """
        record = self._record
        if self._data is None and record.packed is None:
            raise InvalidJobError(
                f"Job {self.id} has no function to call, so it can't be enqueued. Make it with "
                "create_job(), or fetch it."
            )
        said = record.__dict__  # most jobs have few attributes
        if "retries_left" in said or "repeats_left" in said:
            self._record = record = _counting_anew(record)
        fields: dict[str, Argument] = {}
        if self._data is not None:
            data = self._data
            # Most calls are short pickles, which stay as they are.
            is_short = len(data) <= codec.COMPRESS_ABOVE and data[:1] == pickle.PROTO
            fields["data"] = data if is_short else codec.compress(data)
            fields["x_sig"] = own_signer().sign("data", self.id, data, record.terms)
        elif signature := self._read_signature(record):
            fields["x_sig"] = signature
        job_fields(record, fields)
        if self._meta or "meta" in said:
            fields |= self._meta_to_enqueue()
        return fields

    def _dump_call(
        self, name: str, instance: object | None, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> bytes:
        args = args if type(args) is tuple else tuple(args)
        kwargs = kwargs if type(kwargs) is dict else dict(kwargs)
        try:
            serializer = self._serializer
            if serializer is not PickleSerializer:
                serializer = self.serializer
            dumped = serializer.dumps((name, instance, args, kwargs))
            return without_frame(dumped) if serializer is PickleSerializer else dumped
        except ConfigurationError:
            raise
        except Exception as exc:
            culprit = self._culprit(name, instance, args, kwargs)
            raise UnserializableError(
                f"{name}: {culprit} can't be serialized ({type(exc).__name__}: {exc}). Pass an id "
                "or plain data instead and load the object inside the job."
            ) from exc

    def _read_signature(self, record: JobRecord) -> str | None:
        """Sign a call that was read from Redis, with the terms as they are now.

        A call without a signature gets none, because anyone may have written it.
        """
        self._check_call()
        if record.signature is None:
            return None
        assert record.packed is not None
        return sign("data", self.id, codec.pieces(record.packed), record.terms)

    def to_record(self) -> JobRecord:
        """Return the record as a worker would read it."""
        record = self._record
        fields = {"origin": record.origin, "status": record.status, **self.to_fields()}
        return read_job(
            self.id,
            {
                name.encode(): value if isinstance(value, bytes) else str(value).encode()
                for name, value in fields.items()
            },
        )


def _counting_anew(record: JobRecord) -> JobRecord:
    """Limit counters, which anyone can raise in Redis, to their first values."""
    changes: dict[str, Any] = {}
    for left, most, allowed in (
        ("retries_left", "retries_max", record.retries_allowed),
        ("repeats_left", "repeats_max", record.repeats_allowed),
    ):
        if allowed is not None:
            changes[left] = allowed
            if allowed > (getattr(record, most) or 0):
                changes[most] = allowed
    return record.changed(**changes)


def without_frame(pickled: bytes) -> bytes:
    """Return a pickle without its frame header, which is useful only for reading from a file.

    A Redis hash takes twice the memory if a field is longer than 64 bytes, so every byte counts. Do
    not use this for ``meta``: RQ's workers pickle it again, and their bytes must match the
    signature.
    """
    if (
        pickled[2:3] == pickle.FRAME
        and int.from_bytes(pickled[3:11], "little") == len(pickled) - 11
    ):
        return pickled[:2] + pickled[11:]
    return pickled
