"""What is stored, as frozen values.

The readers are total: they never raise. What can't be understood becomes None and a sentence in
``problems``, so that a worker can fail the job with the reason and a page can show it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeVar

from . import codec
from .problems import Problem
from .signed_terms import DEFAULT_CALLBACK_TIMEOUT, terms_of

_T = TypeVar("_T")

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


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job's hash. Times are in UTC, durations in whole seconds."""

    id: str
    origin: str
    status: str
    created_at: datetime | None
    enqueued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    last_heartbeat: datetime | None
    description: str
    timeout: int | None
    result_ttl: int | None
    failure_ttl: int | None
    ttl: int | None
    worker_name: str
    #: Serialized ``(func_name, instance, args, kwargs)`` as it is stored, compressed or not; None
    #: where it is missing. A few bytes can stand for many, so nobody unpacks it before its
    #: signature was looked at.
    packed: bytes | None
    #: Serialized dictionary.
    meta: bytes | None
    #: Serialized return value of the last run.
    result: bytes | None
    #: The traceback, or the reason, of the last failure.
    exc_info: str
    #: One line that names the last error.
    error: str
    #: How many more times it is retried when it fails, how many times that was at first, and the
    #: seconds to wait before each.
    retries_left: int | None
    retries_max: int | None
    retry_intervals: tuple[int, ...]
    enqueue_at_front_on_retry: bool
    #: How often it has asked for another run itself.
    number_of_retries: int | None
    #: JSON: what RQ's fields have no words for.
    retry_extras: str
    #: How often it was retried after a failure.
    attempts: int
    #: How many more times it runs after a success, how many times that was at first, and the
    #: seconds to wait before each.
    repeats_left: int | None
    repeats_max: int | None
    repeat_intervals: tuple[int, ...]
    repeats_done: int
    #: Ids of the jobs it was enqueued to wait for.
    dependency_ids: tuple[str, ...]
    allow_dependency_failures: bool
    #: Dotted paths of what is called when it has ended; empty for nothing. Timeouts in seconds.
    success_callback_name: str
    success_callback_timeout: int | None
    failure_callback_name: str
    failure_callback_timeout: int | None
    stopped_callback_name: str
    stopped_callback_timeout: int | None
    #: How often its worker died while it ran.
    crashes: int
    #: The name of its group; empty where it is in none.
    group_id: str
    #: The name of the cron entry that it comes from; empty where it comes from none.
    cron_entry: str
    #: What no other job may be enqueued with while this one is to run, and for how many seconds.
    unique_key: str
    unique_for: int | None
    signature: str | None
    meta_signature: str | None
    result_signature: str | None
    #: What keeps the job from being run, in sentences.
    problems: tuple[str, ...]

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
        """What is signed together with the data; see :mod:`.terms`."""
        return terms_of(self)

    def callback_time(self, end: Literal["success", "failure", "stopped"]) -> int:
        """Seconds that what is called at this end may take; 0 where nothing is."""
        name, timeout = {
            "success": (self.success_callback_name, self.success_callback_timeout),
            "failure": (self.failure_callback_name, self.failure_callback_timeout),
            "stopped": (self.stopped_callback_name, self.stopped_callback_timeout),
        }[end]
        return (timeout or DEFAULT_CALLBACK_TIMEOUT) if name else 0


def _at_most(left: int | None, most: int | None) -> int | None:
    return left if left is None or most is None else min(left, most)


def _whole_as_flag(stored: bytes) -> bool:
    return bool(codec.whole(stored))


def _reading(
    parse: Callable[[bytes], object], expected: str, *names: str, **renamed: str
) -> dict[bytes, tuple[str, Callable[[bytes], object], str]]:
    same = {name.encode(): (name, parse, expected) for name in names}
    return same | {name.encode(): (to, parse, expected) for name, to in renamed.items()}


#: How the fields of a job's hash are read: the record's attribute, the parser, what it expects. A
#: worker reads each job before it hands it over, so the few fields that are there are looked up
#: here, rather than all that might be there.
_JOB_READERS = {
    **_reading(
        codec.text,
        "",
        *("origin", "status", "description", "worker_name", "group_id", "success_callback_name"),
        *("failure_callback_name", "stopped_callback_name"),
        x_error="error",
        x_retry="retry_extras",
        x_cron="cron_entry",
        x_unique="unique_key",
    ),
    **_reading(
        codec.moment,
        Problem("a time"),
        *("created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat"),
    ),
    **_reading(
        codec.whole,
        Problem("a whole number"),
        *("timeout", "result_ttl", "failure_ttl", "ttl", "retries_left", "number_of_retries"),
        *("repeats_left", "success_callback_timeout", "failure_callback_timeout"),
        "stopped_callback_timeout",
        x_attempts="attempts",
        x_repeats="repeats_done",
        x_crashes="crashes",
        x_unique_for="unique_for",
        x_retries_max="retries_max",
        x_repeats_max="repeats_max",
    ),
    **_reading(
        _whole_as_flag,
        Problem("a whole number"),
        *("enqueue_at_front_on_retry", "allow_dependency_failures"),
    ),
    **_reading(_wholes, Problem("a list of whole numbers"), "retry_intervals", "repeat_intervals"),
    **_reading(_texts, Problem("a list of texts"), "dependency_ids"),
    **_reading(codec.traceback_text, "", "exc_info"),
}

#: What a hash without any of these fields says.
_UNSAID: dict[str, Any] = {
    **dict.fromkeys(attribute for attribute, _, _ in _JOB_READERS.values()),
    **dict.fromkeys(
        (
            *("origin", "status", "description", "worker_name", "group_id", "exc_info", "error"),
            *("retry_extras", "unique_key", "success_callback_name", "failure_callback_name"),
            *("stopped_callback_name", "cron_entry"),
        ),
        "",
    ),
    **dict.fromkeys(("attempts", "repeats_done", "crashes"), 0),
    **dict.fromkeys(("retry_intervals", "repeat_intervals", "dependency_ids"), ()),
    **dict.fromkeys(("enqueue_at_front_on_retry", "allow_dependency_failures"), False),
}


def read_job(job_id: str, fields: Mapping[bytes, bytes]) -> JobRecord:
    """The record of a job's hash. Total: see the module."""
    read, problems = _UNSAID.copy(), []
    if not JOB_ID.fullmatch(job_id):
        problems.append(Problem("its id has characters other than letters, digits, '_' and '-'"))
    for name, stored in fields.items():
        reader = _JOB_READERS.get(name)
        if reader is None or not stored:
            continue
        attribute, parse, expected = reader
        try:
            read[attribute] = parse(stored)
        except ValueError:
            problems.append(_unreadable(codec.text(name), stored, expected))
    # Before it was claimed, if it was.
    status = codec.text(fields.get(b"x_found_status", b"")) or read["status"]
    if status not in _STATUSES:
        problems.append(
            Problem(
                "its status %(status)s is none of %(statuses)s",
                status=repr(status[:40]),
                statuses=", ".join(JobStatus),
            )
        )
    data = fields.get(b"data")
    if data is None:
        problems.append(Problem("its field 'data' is missing, so no function is known"))
    _make_precise(read, fields)
    if not read["dependency_ids"] and (only := fields.get(b"dependency_id")):
        read["dependency_ids"] = (codec.text(only),)
    return JobRecord(
        id=job_id,
        packed=data,
        meta=fields.get(b"meta"),
        result=fields.get(b"result"),
        signature=_optional(fields, b"x_sig"),
        meta_signature=_optional(fields, b"x_sig_meta"),
        result_signature=_optional(fields, b"x_sig_result"),
        problems=tuple(problems),
        **read,
    )


def _make_precise(read: dict[str, Any], fields: Mapping[bytes, bytes]) -> None:
    """Give times their microseconds, which stand in fields of ours; RQ's have whole seconds.

    A worker does this for each job, so what two times have in common is worked out once.
    """
    created, enqueued = read["created_at"], read["enqueued_at"]
    if stored := fields.get(b"x_created"):
        read["created_at"] = precise = _precise(created, stored)
        if enqueued == created:
            read["enqueued_at"] = precise
    if stored := fields.get(b"x_enqueued"):  # it was enqueued at another time than made
        read["enqueued_at"] = _precise(enqueued, stored)
    if stored := fields.get(b"x_span"):
        started, ended = read["started_at"], read["ended_at"]
        begin, _, lasted = stored.partition(b" ")
        read["started_at"] = precise = _precise(started, begin)
        if read["last_heartbeat"] == started:
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
