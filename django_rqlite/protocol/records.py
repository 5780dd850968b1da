"""The record of a job. Reads it from a hash and writes it to one.

:func:`read_job` never raises. A field that it cannot read becomes None and a sentence in
``problems``, so that a worker can fail the job with the reason and a page can show it.
"""

# ruff: noqa: RUF009 - stored_as() is dataclasses.field()
from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import datetime
from enum import StrEnum
from operator import itemgetter
from typing import Any, Literal

from . import codec
from .problems import Problem
from .signed_terms import DEFAULT_CALLBACK_TIMEOUT, terms_of
from .stored_fields import (
    BYTES,
    COUNT,
    FLAG,
    FREE_TEXT,
    TEXT,
    TEXTS,
    TIME,
    TRACEBACK,
    TTL,
    WHOLE,
    WHOLES,
    Form,
    StoredField,
    Written,
    encode_text,
    parse_texts,
    stored_as,
    unreadable,
)

#: Ids as RQ 2.12 accepts them (rq/job.py: ``validate_job_id``).
JOB_ID = re.compile(r"[A-Za-z0-9_-]+")

#: The default of ``DEFAULT_TIMEOUT``: seconds that a job may run (as in RQ).
DEFAULT_TIMEOUT = 180
#: The default of ``DEFAULT_RESULT_TTL``: seconds that a result is kept (as in RQ).
DEFAULT_RESULT_TTL = 500
#: The default of ``failure_ttl``: seconds that a failed job is kept, a year (as in RQ).
DEFAULT_FAILURE_TTL = 31_536_000

#: Bytes that the tags of a job may take in Redis. The search reads no more of a field.
MOST_TAGS_BYTES = 500


class JobStatus(StrEnum):
    """The statuses of a job (the values of RQ 2.12)."""

    #: Made, but not in Redis yet.
    CREATED = "created"
    #: Waits in its queue.
    QUEUED = "queued"
    #: Runs.
    STARTED = "started"
    #: Succeeded; its result is kept for ``result_ttl``.
    FINISHED = "finished"
    #: Ended with an error; it is kept for ``failure_ttl``.
    FAILED = "failed"
    #: Waits for other jobs.
    DEFERRED = "deferred"
    #: Waits for its time.
    SCHEDULED = "scheduled"
    #: Was stopped while it ran; it is in the registry of failed jobs.
    STOPPED = "stopped"
    #: Was canceled before it ran.
    CANCELED = "canceled"


_STATUSES = frozenset(JobStatus)


def write_tags(tags: Sequence[str]) -> bytes:
    """Return tags as they are stored: a JSON list that people can read."""
    return encode_text(json.dumps(tags, ensure_ascii=False, separators=(",", ":")))


def _read_tags(stored: bytes) -> tuple[str, ...]:
    """Return the tags; empty if they cannot be read, because a job can run without them."""
    try:
        return parse_texts(stored)
    except ValueError:
        return ()


_TAGS = Form(_read_tags, "", (), write_tags)


@dataclass(frozen=True)
class JobRecord:
    """The values of a job's hash. Times are in UTC, durations in whole seconds.

    Most jobs have few of these attributes. Without slots, a record stores only those, and the class
    has the defaults of the others. Such a record is made in a tenth of the time and takes half of
    the memory. Use :meth:`of` and :meth:`changed` where that matters.
    """

    id: str
    origin: str = stored_as(TEXT)
    status: str = stored_as(TEXT)
    created_at: datetime | None = stored_as(TIME)
    enqueued_at: datetime | None = stored_as(TIME)
    started_at: datetime | None = stored_as(TIME)
    ended_at: datetime | None = stored_as(TIME)
    last_heartbeat: datetime | None = stored_as(TIME)
    worker_name: str = stored_as(TEXT)
    description: str = stored_as(FREE_TEXT, by_client=True)
    timeout: int | None = stored_as(WHOLE, by_client=True)
    result_ttl: int | None = stored_as(WHOLE, by_client=True)
    failure_ttl: int | None = stored_as(WHOLE, by_client=True)
    ttl: int | None = stored_as(TTL, by_client=True)
    #: The serialized ``(func_name, instance, args, kwargs)`` as it is stored, compressed or not;
    #: None if it is missing. A few bytes can unpack to many, so the signature is verified first.
    packed: bytes | None = stored_as(BYTES, "data", by_client=True)
    #: The job's ``meta``, a serialized dictionary.
    meta: bytes | None = None
    #: The serialized return value of the last run.
    result: bytes | None = None
    #: The traceback, or the reason, of the last failure.
    exc_info: str = stored_as(TRACEBACK)
    #: One line that names the last error.
    error: str = stored_as(TEXT, "x_error")
    #: How many more times the job runs after a failure, the first value of that counter, and the
    #: seconds to wait before each such run.
    retries_left: int | None = stored_as(WHOLE, by_client=True, signed=True)
    retries_max: int | None = stored_as(WHOLE, "x_retries_max", by_client=True, signed=True)
    retry_intervals: tuple[int, ...] = stored_as(
        WHOLES, by_client=True, signed=True, beside="retries_left", otherwise=(0,)
    )
    enqueue_at_front_on_retry: bool = stored_as(FLAG, by_client=True, signed=True)
    #: The values for which RQ has no fields, as JSON.
    retry_extras: str = stored_as(TEXT, "x_retry", by_client=True, signed=True)
    #: How often the job has returned a ``Retry``, which asks for another run.
    number_of_retries: int | None = stored_as(WHOLE)
    #: How often it was retried after a failure.
    attempts: int = stored_as(COUNT, "x_attempts")
    #: How many more times it runs after a success, the first value of that counter, and the seconds
    #: to wait before each such run.
    repeats_left: int | None = stored_as(WHOLE, by_client=True, signed=True)
    repeats_max: int | None = stored_as(WHOLE, "x_repeats_max", by_client=True, signed=True)
    repeat_intervals: tuple[int, ...] = stored_as(
        WHOLES, by_client=True, signed=True, beside="repeats_left", otherwise=(0,)
    )
    repeats_done: int = stored_as(COUNT, "x_repeats")
    #: Ids of the jobs that it was enqueued to wait for.
    dependency_ids: tuple[str, ...] = stored_as(TEXTS, by_client=True, copied=False)
    allow_dependency_failures: bool = stored_as(
        FLAG, by_client=True, copied=False, beside="dependency_ids", otherwise=False
    )
    #: Whether it enters its queue at the front when it is due, or when its dependencies have ended.
    #: Only the scripts read it.
    enqueue_at_front: bool = stored_as(FLAG, by_client=True, copied=False)
    #: Dotted paths of the functions to call when it has ended, or "". Timeouts in seconds.
    success_callback_name: str = stored_as(TEXT, by_client=True, signed=True)
    success_callback_timeout: int | None = stored_as(
        WHOLE,
        by_client=True,
        signed=True,
        beside="success_callback_name",
        otherwise=DEFAULT_CALLBACK_TIMEOUT,
    )
    failure_callback_name: str = stored_as(TEXT, by_client=True, signed=True)
    failure_callback_timeout: int | None = stored_as(
        WHOLE,
        by_client=True,
        signed=True,
        beside="failure_callback_name",
        otherwise=DEFAULT_CALLBACK_TIMEOUT,
    )
    stopped_callback_name: str = stored_as(TEXT, by_client=True, signed=True)
    stopped_callback_timeout: int | None = stored_as(
        WHOLE,
        by_client=True,
        signed=True,
        beside="stopped_callback_name",
        otherwise=DEFAULT_CALLBACK_TIMEOUT,
    )
    #: How often its worker died while it ran.
    crashes: int = stored_as(COUNT, "x_crashes")
    #: The name of its group; empty without a group.
    group_id: str = stored_as(TEXT, by_client=True, copied=False)
    #: The name of the cron entry that it comes from; empty without one.
    cron_entry: str = stored_as(TEXT, "x_cron", by_client=True, signed=True, copied=False)
    #: Short texts by which people find the job.
    tags: tuple[str, ...] = stored_as(_TAGS, "x_tags", by_client=True)
    #: The text that no other job may have while this one waits or runs, and the seconds after which
    #: another job may have it nevertheless.
    unique_key: str = stored_as(TEXT, "x_unique", by_client=True)
    unique_for: int | None = stored_as(WHOLE, "x_unique_for", by_client=True, beside="unique_key")
    signature: str | None = None
    meta_signature: str | None = None
    result_signature: str | None = None
    #: Sentences that say why the job cannot run.
    problems: tuple[str, ...] = ()

    @staticmethod
    def of(attributes: dict[str, Any]) -> JobRecord:
        """Make a record from its attributes, including the id. It keeps the dictionary."""
        record = _new(JobRecord)
        _set_attribute(record, "__dict__", attributes)
        return record

    @property
    def state(self) -> dict[str, Any]:
        """The attributes that a run of the job needs, without those that have their defaults."""
        state = self.__dict__.copy()
        for name in ("result", "result_signature", "problems"):
            state.pop(name, None)
        return state

    def changed(self, **changes: Any) -> JobRecord:
        """Make a copy with other values of these attributes."""
        return JobRecord.of({**self.__dict__, **changes})

    @property
    def retries_allowed(self) -> int | None:
        """:attr:`retries_left`, but not more than the signed :attr:`retries_max`."""
        return _at_most(self.retries_left, self.retries_max)

    @property
    def repeats_allowed(self) -> int | None:
        """:attr:`repeats_left`, but not more than the signed :attr:`repeats_max`."""
        return _at_most(self.repeats_left, self.repeats_max)

    @property
    def terms(self) -> bytes:
        """The values that are signed together with the call; see :mod:`.signed_terms`."""
        return b"" if _SIGNED.isdisjoint(self.__dict__) else terms_of(self)

    def callback_time(self, end: Literal["success", "failure", "stopped"]) -> int:
        """Return the seconds that the callback may run; 0 if the job has no such callback."""
        name, timeout = {
            "success": (self.success_callback_name, self.success_callback_timeout),
            "failure": (self.failure_callback_name, self.failure_callback_timeout),
            "stopped": (self.stopped_callback_name, self.stopped_callback_timeout),
        }[end]
        return (timeout or DEFAULT_CALLBACK_TIMEOUT) if name else 0


_new, _set_attribute = object.__new__, object.__setattr__


def _at_most(left: int | None, most: int | None) -> int | None:
    return left if left is None or most is None else min(left, most)


def _stored_fields() -> dict[str, StoredField]:
    found = {}
    for column in fields_of(JobRecord):
        if column.metadata:
            said = dict(column.metadata)
            said["field"] = said["field"] or column.name
            found[column.name] = StoredField(attribute=column.name, **said)
    return found


#: How the attributes of a record are stored, except results, ``meta`` and signatures.
STORED_FIELDS: Mapping[str, StoredField] = _stored_fields()

_SIGNED = frozenset(name for name, stored in STORED_FIELDS.items() if stored.signed)

#: How fields are read: the attribute, the parser, and what it expects. :func:`read_job` looks up
#: the few fields that a hash has.
_READERS = {
    stored.field.encode(): (stored.attribute, stored.form.read, stored.form.expected)
    for stored in STORED_FIELDS.values()
    if stored.attribute not in ("packed", "enqueue_at_front")
}

_UNPARSED = (
    (b"data", "packed"),
    (b"meta", "meta"),
    (b"result", "result"),
)
_SIGNATURES = (
    (b"x_sig", "signature"),
    (b"x_sig_meta", "meta_signature"),
    (b"x_sig_result", "result_signature"),
)


def read_job(job_id: str, fields: Mapping[bytes, bytes]) -> JobRecord:
    """Return the record of a job's hash. Never raises; see the module's docstring."""
    read: dict[str, Any] = {"id": job_id}
    problems = []
    if not JOB_ID.fullmatch(job_id):
        problems.append(Problem("its id has characters other than letters, digits, '_' and '-'"))
    for name, stored in fields.items():
        reader = _READERS.get(name)
        if reader is None or not stored:
            continue
        attribute, parse, expected = reader
        try:
            read[attribute] = parse(stored)
        except ValueError:
            problems.append(unreadable(codec.text(name), stored, expected))
    for name, attribute in _UNPARSED:
        if name in fields:
            read[attribute] = fields[name]
    for name, attribute in _SIGNATURES:
        if name in fields:
            read[attribute] = codec.text(fields[name])
    if found := fields.get(b"x_found_status"):  # before the job was claimed
        read["status"] = codec.text(found)
    status = read.get("status", "")
    if status not in _STATUSES:
        problems.append(
            Problem(
                "its status %(status)s is not one of %(statuses)s",
                status=repr(status[:40]),
                statuses=", ".join(JobStatus),
            )
        )
    if "packed" not in read:
        problems.append(Problem("its field 'data' is missing, so no function is known"))
    _make_precise(read, fields)
    if not read.get("dependency_ids") and (only := fields.get(b"dependency_id")):
        read["dependency_ids"] = (codec.text(only),)
    if problems:
        read["problems"] = tuple(problems)
    return JobRecord.of(read)


def _writers() -> dict[str, tuple[Any, ...]]:
    """Return how attributes are written: the field, the writer, the absent value, and companions.

    Companions are fields that are always written together with this one. Each is a tuple of the
    attribute, the field, the writer, and what is written if the attribute is absent.
    """
    companions: dict[str, list[Any]] = {}
    for stored in STORED_FIELDS.values():
        if stored.beside:
            one = (stored.attribute, stored.field, stored.form.write, stored.otherwise)
            companions.setdefault(stored.beside, []).append(one)
    first = ("dependency_ids", "dependency_id", itemgetter(0), None)  # for older workers of RQ
    companions["dependency_ids"].append(first)
    return {
        stored.attribute: (
            stored.field,
            stored.form.write,
            stored.form.absent,
            companions.get(stored.attribute),
        )
        for stored in STORED_FIELDS.values()
        if stored.by_client and not stored.beside
    }


_WRITERS = _writers()


def job_fields(record: JobRecord, fields: dict[str, Written] | None = None) -> dict[str, Written]:
    """Return the fields that the client writes when it enqueues a job, without absent values.

    ``meta`` and the signatures are not among them.

    Args:
        fields: Fields to which these are added. The hash has its fields in this order.
    """
    fields = {} if fields is None else fields
    for attribute, value in record.__dict__.items():
        writer = _WRITERS.get(attribute)
        if writer is None or value is None:
            continue
        name, write, absent, companions = writer
        if not value and value == absent:
            continue
        if write is not None:
            value = write(value)
            if value is None:
                continue
        fields[name] = value
        if companions is not None:
            _write_companions(record, name, companions, fields)
    return fields


def _write_companions(
    record: JobRecord, name: str, companions: Sequence[Any], fields: dict[str, Written]
) -> None:
    for attribute, field_name, write, otherwise in companions:
        value = getattr(record, attribute) or otherwise
        if value is None:
            del fields[name]
            return
        fields[field_name] = value if write is None else write(value)


def _make_precise(read: dict[str, Any], fields: Mapping[bytes, bytes]) -> None:
    """Add microseconds to times. They are in fields of ours, because RQ's have whole seconds.

    A worker does this for each job, so times that are equal are computed once.
    """
    created, enqueued = read.get("created_at"), read.get("enqueued_at")
    if stored := fields.get(b"x_created"):
        read["created_at"] = precise = _precise(created, stored)
        if enqueued == created:
            read["enqueued_at"] = precise
    if stored := fields.get(b"x_enqueued"):  # missing if it was enqueued when it was made
        read["enqueued_at"] = _precise(enqueued, stored)
    if stored := fields.get(b"x_span"):
        started, ended = read.get("started_at"), read.get("ended_at")
        begin, _, lasted = stored.partition(b" ")
        read["started_at"] = precise = _precise(started, begin)
        if read.get("last_heartbeat") == started:
            read["last_heartbeat"] = precise
        if ended:
            read["ended_at"] = _precise(ended, begin, lasted or b"0")


def _precise(whole: datetime | None, begin: bytes, lasted: bytes = b"0") -> datetime | None:
    """Return a stored time with its microseconds; see :func:`.codec.precise`."""
    try:
        return whole and codec.precise(whole, int(begin) + int(lasted))
    except ValueError:
        return whole
