"""What is stored, as frozen values.

The readers are total: they never raise. What can't be understood becomes None and a sentence in
``problems``, so that a worker can fail the job with the reason and a page can show it.
"""

# ruff: noqa: RUF009 - _stored() is dataclasses.field()
from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from datetime import datetime
from enum import StrEnum
from operator import itemgetter
from typing import Any, Literal, TypeVar

from . import codec
from .problems import Problem
from .signed_terms import DEFAULT_CALLBACK_TIMEOUT, terms_of

_T = TypeVar("_T")

#: What redis-py writes.
Written = str | bytes | int | float

#: Ids as RQ 2.12 accepts them (rq/job.py: ``validate_job_id``).
JOB_ID = re.compile(r"[A-Za-z0-9_-]+")

#: Seconds a job may run where neither the call nor ``DEFAULT_TIMEOUT`` says (RQ's default).
DEFAULT_TIMEOUT = 180
#: Seconds a result is kept where neither the call nor ``DEFAULT_RESULT_TTL`` says (RQ's default).
DEFAULT_RESULT_TTL = 500
#: Seconds a failed job is kept where the call does not say: a year (RQ's default).
DEFAULT_FAILURE_TTL = 31_536_000

#: What is kept in place of a result that can't be serialized (RQ's words: rq/defaults.py), and in
#: place of one that is too large.
UNSERIALIZABLE = "Unserializable return value"
TOO_LARGE = "Return value too large"


class JobStatus(StrEnum):
    """Where a job is in its life (the values of RQ 2.12)."""

    #: Made, not yet in any place.
    CREATED = "created"
    #: Waits in its queue.
    QUEUED = "queued"
    #: Runs.
    STARTED = "started"
    #: Ended well; its result is kept for ``result_ttl``.
    FINISHED = "finished"
    #: Ended with an error; kept for ``failure_ttl``.
    FAILED = "failed"
    #: Waits for other jobs.
    DEFERRED = "deferred"
    #: Waits for its time.
    SCHEDULED = "scheduled"
    #: Was stopped while it ran; found among the failed jobs.
    STOPPED = "stopped"
    #: Was canceled before it ran.
    CANCELED = "canceled"


_STATUSES = frozenset(JobStatus)


class ResultType(StrEnum):
    """Kinds of entries in the results stream (rq/results.py)."""

    SUCCESSFUL = "1"
    FAILED = "2"
    STOPPED = "3"
    RETRIED = "4"
    MAX_RETRIES = "5"


def _json(stored: bytes) -> object:
    try:
        return json.loads(stored)
    except RecursionError as exc:
        raise ValueError(stored[:40]) from exc


def _texts(stored: bytes) -> tuple[str, ...]:
    found = _json(stored)
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise ValueError(stored[:40])
    return tuple(found)


def _is_usable(number: object) -> bool:
    return type(number) is int and abs(number) <= codec.LARGEST_NUMBER


def _wholes(stored: bytes) -> tuple[int, ...]:
    numbers = _json(stored)
    if isinstance(numbers, int):
        numbers = [numbers]
    if not isinstance(numbers, list) or not all(map(_is_usable, numbers)):
        raise ValueError(stored[:40])
    return tuple(numbers)


class _Reader:
    """Reads the fields of one hash and remembers what it could not read."""

    __slots__ = ("fields", "problems")

    def __init__(self, fields: Mapping[bytes, bytes]) -> None:
        self.fields = fields
        self.problems: list[str] = []

    def _parsed(self, name: str, parse: Callable[[bytes], _T], expected: str) -> _T | None:
        stored = self.fields.get(name.encode())
        if stored is None or stored == b"":
            return None
        try:
            return parse(stored)
        except ValueError:
            self.problems.append(_unreadable(name, stored, expected))
            return None

    def text(self, name: str) -> str:
        return codec.text(self.fields.get(name.encode(), b""))

    def whole(self, name: str) -> int | None:
        return self._parsed(name, codec.whole, Problem("a whole number"))

    def number(self, name: str) -> float | None:
        return self._parsed(name, codec.number, Problem("a number"))

    def moment(self, name: str) -> datetime | None:
        return self._parsed(name, codec.moment, Problem("a time"))

    def unix_moment(self, name: str) -> datetime | None:
        return self._parsed(name, codec.unix_moment, Problem("unix seconds"))


# How values are stored


@dataclass(frozen=True, slots=True)
class _Kind:
    """A form in which values are stored.

    Attributes:
        read: From the stored form. Raises ValueError.
        expected: What should stand there, for people.
        absent: What a record holds where the field is missing.
        write: To the stored form; gives None where the field is to be left out. None: as it is.
    """

    read: Callable[[bytes], Any]
    expected: str
    absent: Any
    write: Callable[[Any], Written | None] | None = None


def _same(value: Any) -> Any:
    return value


def _flag(stored: bytes) -> bool:
    return bool(codec.whole(stored))


def _if_positive(seconds: int) -> int | None:
    return seconds if seconds > 0 else None


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


_TEXT = _Kind(codec.text, "", "")
#: Text of the caller's, which may hold anything.
_FREE_TEXT = _Kind(codec.text, "", "", _encoded)
_TRACEBACK = _Kind(codec.traceback_text, "", "")
_TIME = _Kind(codec.moment, Problem("a time"), None)
_WHOLE = _Kind(codec.whole, Problem("a whole number"), None)
_COUNT = _Kind(codec.whole, Problem("a whole number"), 0)
#: The ttl of a job that has run is −1, which says nothing about its next run.
_TTL = _Kind(codec.whole, Problem("a whole number"), None, _if_positive)
_FLAG = _Kind(_flag, Problem("a whole number"), False, int)
_WHOLES = _Kind(_wholes, Problem("a list of whole numbers"), (), json.dumps)
_TEXTS = _Kind(_texts, Problem("a list of texts"), (), json.dumps)
_BYTES = _Kind(_same, "", None)


@dataclass(frozen=True, slots=True)
class StoredField:
    """How an attribute of a job's record is stored.

    Attributes:
        attribute: Its name in the record.
        field: Its name in the hash.
        by_client: Whether who enqueues the job writes it. The scripts write all others.
        signed: Whether it is part of the job's terms; see :mod:`.signed_terms`.
        copied: Whether a copy of the job has it too.
        beside: The attribute that it is written together with, and never without.
        otherwise: What is then written if it is absent. None: neither of the two is written.
    """

    attribute: str
    field: str
    kind: _Kind
    by_client: bool
    signed: bool
    copied: bool
    beside: str
    otherwise: Any


def _stored(
    kind: _Kind,
    name: str = "",
    *,
    by_client: bool = False,
    signed: bool = False,
    copied: bool | None = None,
    beside: str = "",
    otherwise: object = None,
) -> Any:
    """An attribute of a record that is stored in a field; see :class:`StoredField`.

    Args:
        name: Of the field; "": the attribute's own.
        copied: None: if the client writes it.
    """
    column = {
        "field": name,
        "kind": kind,
        "by_client": by_client,
        "signed": signed,
        "copied": by_client if copied is None else copied,
        "beside": beside,
        "otherwise": otherwise,
    }
    return field(default=kind.absent, metadata=column)


@dataclass(frozen=True)
class JobRecord:
    """A job, as its hash holds it. Times are in UTC, durations in whole seconds.

    Most jobs have few of these attributes. A record without slots has room for those only, and
    takes the others from its class: it is made in a tenth of the time, and takes half of the
    memory. So use :meth:`of` and :meth:`changed` where speed matters.
    """

    id: str
    origin: str = _stored(_TEXT)
    status: str = _stored(_TEXT)
    created_at: datetime | None = _stored(_TIME)
    enqueued_at: datetime | None = _stored(_TIME)
    started_at: datetime | None = _stored(_TIME)
    ended_at: datetime | None = _stored(_TIME)
    last_heartbeat: datetime | None = _stored(_TIME)
    worker_name: str = _stored(_TEXT)
    description: str = _stored(_FREE_TEXT, by_client=True)
    timeout: int | None = _stored(_WHOLE, by_client=True)
    result_ttl: int | None = _stored(_WHOLE, by_client=True)
    failure_ttl: int | None = _stored(_WHOLE, by_client=True)
    ttl: int | None = _stored(_TTL, by_client=True)
    #: Serialized ``(func_name, instance, args, kwargs)`` as it is stored, compressed or not; None
    #: where it is missing. A few bytes can stand for many, so nobody unpacks it before its
    #: signature was verified.
    packed: bytes | None = _stored(_BYTES, "data", by_client=True)
    #: Serialized dictionary.
    meta: bytes | None = None
    #: Serialized return value of the last run.
    result: bytes | None = None
    #: The traceback, or the reason, of the last failure.
    exc_info: str = _stored(_TRACEBACK)
    #: One line that names the last error.
    error: str = _stored(_TEXT, "x_error")
    #: How many more times the job is retried when it fails, how many times that was at first, and
    #: the seconds to wait before each.
    retries_left: int | None = _stored(_WHOLE, by_client=True, signed=True)
    retries_max: int | None = _stored(_WHOLE, "x_retries_max", by_client=True, signed=True)
    retry_intervals: tuple[int, ...] = _stored(
        _WHOLES, by_client=True, signed=True, beside="retries_left", otherwise=(0,)
    )
    enqueue_at_front_on_retry: bool = _stored(_FLAG, by_client=True, signed=True)
    #: JSON: what RQ's fields have no words for.
    retry_extras: str = _stored(_TEXT, "x_retry", by_client=True, signed=True)
    #: How often the job has asked for another run itself.
    number_of_retries: int | None = _stored(_WHOLE)
    #: How often it was retried after a failure.
    attempts: int = _stored(_COUNT, "x_attempts")
    #: How many more times it runs after a success, how many times that was at first, and the
    #: seconds to wait before each.
    repeats_left: int | None = _stored(_WHOLE, by_client=True, signed=True)
    repeats_max: int | None = _stored(_WHOLE, "x_repeats_max", by_client=True, signed=True)
    repeat_intervals: tuple[int, ...] = _stored(
        _WHOLES, by_client=True, signed=True, beside="repeats_left", otherwise=(0,)
    )
    repeats_done: int = _stored(_COUNT, "x_repeats")
    #: Ids of the jobs that it was enqueued to wait for.
    dependency_ids: tuple[str, ...] = _stored(_TEXTS, by_client=True, copied=False)
    allow_dependency_failures: bool = _stored(
        _FLAG, by_client=True, copied=False, beside="dependency_ids", otherwise=False
    )
    #: Whether it goes before all others of its queue once it need not wait any more. Not read.
    enqueue_at_front: bool = _stored(_FLAG, by_client=True, copied=False)
    #: Dotted paths of what is called when it has ended; empty for nothing. Timeouts in seconds.
    success_callback_name: str = _stored(_TEXT, by_client=True, signed=True)
    success_callback_timeout: int | None = _stored(
        _WHOLE,
        by_client=True,
        signed=True,
        beside="success_callback_name",
        otherwise=DEFAULT_CALLBACK_TIMEOUT,
    )
    failure_callback_name: str = _stored(_TEXT, by_client=True, signed=True)
    failure_callback_timeout: int | None = _stored(
        _WHOLE,
        by_client=True,
        signed=True,
        beside="failure_callback_name",
        otherwise=DEFAULT_CALLBACK_TIMEOUT,
    )
    stopped_callback_name: str = _stored(_TEXT, by_client=True, signed=True)
    stopped_callback_timeout: int | None = _stored(
        _WHOLE,
        by_client=True,
        signed=True,
        beside="stopped_callback_name",
        otherwise=DEFAULT_CALLBACK_TIMEOUT,
    )
    #: How often its worker died while it ran.
    crashes: int = _stored(_COUNT, "x_crashes")
    #: The name of its group; empty where it is in none.
    group_id: str = _stored(_TEXT, by_client=True, copied=False)
    #: The name of the cron entry that it comes from; empty where it comes from none.
    cron_entry: str = _stored(_TEXT, "x_cron", by_client=True, signed=True, copied=False)
    #: What no other job may be enqueued with while this one waits or runs, and for how many
    #: seconds.
    unique_key: str = _stored(_TEXT, "x_unique", by_client=True)
    unique_for: int | None = _stored(_WHOLE, "x_unique_for", by_client=True, beside="unique_key")
    signature: str | None = None
    meta_signature: str | None = None
    result_signature: str | None = None
    #: What keeps the job from being run, in sentences.
    problems: tuple[str, ...] = ()

    @staticmethod
    def of(attributes: dict[str, Any]) -> JobRecord:
        """Make a record of attributes, the id among them. It keeps the dictionary."""
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
        """Make a record that differs in these attributes."""
        return JobRecord.of({**self.__dict__, **changes})

    @property
    def retries_allowed(self) -> int | None:
        """:attr:`retries_left`, which anyone may have raised, but no more than at first."""
        return _at_most(self.retries_left, self.retries_max)

    @property
    def repeats_allowed(self) -> int | None:
        """:attr:`repeats_left`, likewise."""
        return _at_most(self.repeats_left, self.repeats_max)

    @property
    def terms(self) -> bytes:
        """What is signed together with the call; see :mod:`.signed_terms`."""
        return b"" if _SIGNED.isdisjoint(self.__dict__) else terms_of(self)

    def callback_time(self, end: Literal["success", "failure", "stopped"]) -> int:
        """Seconds that what is called at this end may take; 0 where nothing is."""
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


#: How the attributes of a record are stored, but for what is serialized and the signatures.
STORED_FIELDS: Mapping[str, StoredField] = _stored_fields()

_SIGNED = frozenset(name for name, stored in STORED_FIELDS.items() if stored.signed)

#: How fields are read: the attribute, the parser, what that expects. The few fields that a hash has
#: are looked up here, rather than all that it might have.
_READERS = {
    stored.field.encode(): (stored.attribute, stored.kind.read, stored.kind.expected)
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
    """Return the record of a job's hash. Never raises: see the module."""
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
            problems.append(_unreadable(codec.text(name), stored, expected))
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
                "its status %(status)s is none of %(statuses)s",
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
    """How the client's attributes are written: the field, the writer, what is absent, companions.

    Companions are written beside it: the attribute, the field, the writer, and what where that
    attribute is absent.
    """
    companions: dict[str, list[Any]] = {}
    for stored in STORED_FIELDS.values():
        if stored.beside:
            one = (stored.attribute, stored.field, stored.kind.write, stored.otherwise)
            companions.setdefault(stored.beside, []).append(one)
    first = ("dependency_ids", "dependency_id", itemgetter(0), None)  # for older workers of RQ
    companions["dependency_ids"].append(first)
    return {
        stored.attribute: (
            stored.field,
            stored.kind.write,
            stored.kind.absent,
            companions.get(stored.attribute),
        )
        for stored in STORED_FIELDS.values()
        if stored.by_client and not stored.beside
    }


_WRITERS = _writers()


def job_fields(record: JobRecord) -> dict[str, Written]:
    """Return the fields of a job's hash that who enqueues it writes, absent values left out.

    Not among them are ``meta`` and the signatures.
    """
    fields: dict[str, Written] = {}
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
    """Give times their microseconds, which stand in fields of ours; RQ's have whole seconds.

    A worker does this for each job, so what two times have in common is worked out once.
    """
    created, enqueued = read.get("created_at"), read.get("enqueued_at")
    if stored := fields.get(b"x_created"):
        read["created_at"] = precise = _precise(created, stored)
        if enqueued == created:
            read["enqueued_at"] = precise
    if stored := fields.get(b"x_enqueued"):  # it was enqueued at another time than made
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
    """The time of this whole second that is so many microseconds after that one."""
    try:
        return whole and codec.precise(whole, int(begin) + int(lasted))
    except ValueError:
        return whole


def _unreadable(name: str, stored: bytes, expected: str) -> Problem:
    return Problem(
        "its field %(name)s holds %(value)s instead of %(expected)s",
        name=repr(name),
        value=repr(codec.text(stored[:40])),
        expected=expected,
    )


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """One entry of a job's results stream: the outcome of one execution."""

    id: str
    job_id: str
    #: A value of :class:`ResultType`, or whatever stands there.
    type: str
    worker_name: str
    execution_id: str
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    #: Serialized; None where the job returned None.
    return_value: bytes | None
    #: Of the return value; None where it is not signed.
    signature: str | None
    #: Why the return value is not what the job returned; empty where it is.
    not_kept: str
    #: The traceback or reason; empty where there is none.
    exc_string: str
    problems: tuple[str, ...]


def read_result(
    job_id: str,
    entry_id: bytes,
    fields: Mapping[bytes, bytes],
    room: codec.Room | None = None,
) -> ResultRecord:
    """The record of a stream's entry. Total: see the module.

    Args:
        room: that its traceback is unpacked in; None: as much as there is for one.
    """
    packed = codec.from_base64(fields.get(b"exc_string", b""))
    read = _Reader(fields)
    returned = fields.get(b"return_value")
    return ResultRecord(
        id=codec.text(entry_id),
        job_id=job_id,
        type=read.text("type"),
        worker_name=read.text("worker_name"),
        execution_id=read.text("execution_id"),
        created_at=_entered_at(entry_id),
        started_at=read.unix_moment("execution_started_at"),
        ended_at=read.unix_moment("execution_ended_at"),
        return_value=None if returned is None else codec.from_base64(returned),
        signature=_optional(fields, b"x_sig"),
        not_kept=read.text("x_not_kept"),
        exc_string=codec.traceback_text(packed, room),
        problems=tuple(read.problems),
    )


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """A worker's hash."""

    name: str
    #: ``started``, ``idle``, ``busy``, ``suspended``; empty where nothing is recorded.
    state: str
    queues: tuple[str, ...]
    hostname: str
    pid: int | None
    birth: datetime | None
    death: datetime | None
    last_heartbeat: datetime | None
    shutdown_requested_at: datetime | None
    current_job: str
    #: Seconds.
    current_job_working_time: float | None
    successful_jobs: int
    failed_jobs: int
    #: Seconds.
    total_working_time: float
    #: Bytes of resident memory when last heard of, and at the most in the process of its last job
    #: that ended. None: not known, as of RQ's own workers.
    memory: int | None
    child_memory: int | None
    #: Of what the worker runs: RQ's, or ours.
    version: str
    python_version: str
    #: How many jobs it runs at once.
    concurrency: int
    problems: tuple[str, ...]


def read_worker(name: str, fields: Mapping[bytes, bytes]) -> WorkerRecord:
    """The record of a worker's hash. Total: see the module."""
    read = _Reader(fields)
    return WorkerRecord(
        name=name,
        state=read.text("state"),
        queues=tuple(filter(None, read.text("queues").split(","))),
        hostname=read.text("hostname"),
        pid=read.whole("pid"),
        birth=read.moment("birth"),
        death=read.moment("death"),
        last_heartbeat=read.moment("last_heartbeat"),
        shutdown_requested_at=read.moment("shutdown_requested_date"),
        current_job=read.text("current_job"),
        current_job_working_time=read.number("current_job_working_time"),
        successful_jobs=read.whole("successful_job_count") or 0,
        failed_jobs=read.whole("failed_job_count") or 0,
        total_working_time=read.number("total_working_time") or 0.0,
        memory=read.whole("x_memory"),
        child_memory=read.whole("x_child_memory"),
        version=read.text("version"),
        python_version=read.text("python_version"),
        # RQ's own workers run one, and say nothing of it.
        concurrency=max(read.whole("x_concurrency") or 1, 1),
        problems=tuple(read.problems),
    )


def _entered_at(entry_id: bytes) -> datetime | None:
    """When an entry was added: its id begins with unix milliseconds, unless someone chose it."""
    milliseconds = entry_id.partition(b"-")[0]
    try:
        return codec.unix_moment(b"%.3f" % (int(milliseconds) / 1000))
    except ValueError:
        return None


def _optional(fields: Mapping[bytes, bytes], name: bytes) -> str | None:
    stored = fields.get(name)
    return None if stored is None else codec.text(stored)
