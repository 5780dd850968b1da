"""The outcomes of a job's executions, one entry of the results stream each."""

from __future__ import annotations

import time
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

import redis

from ..broker.errors import translate_errors
from ..broker.wire import max_block_seconds
from ..compat.missing_names import module_getattr
from ..protocol import codec
from ..protocol.keys import Keys
from ..protocol.records import JobStatus
from ..protocol.stored_result import ResultRecord, ResultType, read_result
from .stored_job import StoredJob

#: Where an outcome is still to come.
_PENDING = frozenset(
    {
        JobStatus.CREATED,
        JobStatus.QUEUED,
        JobStatus.STARTED,
        JobStatus.DEFERRED,
        JobStatus.SCHEDULED,
    }
)


class Result:
    """How one execution of a job went. Times are aware and in UTC.

    Attributes:
        id: of the entry in the stream.
        job: whose execution it was.
        exc_string: the traceback, or the reason; None where there is none.
        not_kept: why :attr:`return_value` is a text in place of what the function returned: that
            can't be serialized, or is larger than ``RQ["MAX_RESULT_SIZE"]``. None where it is kept.
        worker_name: who ran it.
        created_at: when the outcome was stored.
        execution_id, execution_started_at, execution_ended_at: None where not recorded.
    """

    class Type(Enum):
        """What an execution came to (RQ's names and numbers)."""

        SUCCESSFUL = 1
        FAILED = 2
        STOPPED = 3
        #: It failed, or asked for it, and the job ran again.
        RETRIED = 4
        #: It asked for another run once too often.
        MAX_RETRIES_EXCEEDED = 5

    def __init__(self, job: StoredJob, record: ResultRecord) -> None:
        self.job = job
        self.id = record.id
        self.not_kept = record.not_kept or None
        self.worker_name = record.worker_name
        self.exc_string = record.exc_string or None
        self.created_at: datetime | None = record.created_at
        self.execution_id = record.execution_id or None
        self.execution_started_at: datetime | None = record.started_at
        self.execution_ended_at: datetime | None = record.ended_at
        self._record = record

    def __repr__(self) -> str:
        kind = self.type.name if isinstance(self.type, Enum) else repr(self.type)
        return f"Result(id={self.id}, type={kind})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Result) and (other.job_id, other.id) == (self.job_id, self.id)

    def __hash__(self) -> int:
        return hash((self.job_id, self.id))

    @property
    def job_id(self) -> str:
        """The id of :attr:`job`."""
        return self.job.id

    @property
    def type(self) -> Result.Type | str:
        """A :class:`Result.Type`; what another tool wrote instead, as it is."""
        try:
            return self.Type(int(self._record.type))
        except ValueError:
            return self._record.type

    @property
    def return_value(self) -> Any:
        """What the function returned; None where it returned None, or did not return.

        Read when it is asked for: other results of the job are none the worse for one that can't
        be.

        Raises:
            SignatureError: the value is not signed as it should be.
            DeserializationError: the serializer can't read it.
        """
        payload = self._record.return_value
        return (
            None if payload is None else self.job._loads("result", payload, self._record.signature)
        )

    @classmethod
    def all(cls, job: StoredJob, serializer: object = None) -> list[Result]:
        """The job's results that are kept, newest first.

        Where their tracebacks unpack to more than 8 MiB together, or one to more than 1 MiB, the
        rest is left out, and each text says so.

        Args:
            serializer: accepted for RQ's sake: the job knows its own.
        """
        link, key = _stream(job)
        with translate_errors(link):
            entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", link.xrevrange(key))
        room = codec.Room(codec.SHOWN_TOGETHER)
        return [cls(job, read_result(job.id, *entry, room)) for entry in entries]

    @classmethod
    def count(cls, job: StoredJob) -> int:
        """How many results of the job are kept."""
        link, key = _stream(job)
        with translate_errors(link):
            return link.xlen(key)

    @classmethod
    def fetch_latest(
        cls, job: StoredJob, serializer: object = None, timeout: float = 0
    ) -> Result | None:
        """The newest result; see :meth:`Job.latest_result`.

        Args:
            serializer: accepted for RQ's sake: the job knows its own.
            timeout: seconds to wait while the outcome is still to come.
        """
        link, key = _stream(job)
        deadline = time.monotonic() + timeout
        with translate_errors(link):
            while True:
                status, latest = _look(link, job, key)
                left = deadline - time.monotonic()
                if left <= 0 or _has_come(job, status, latest):
                    return None if latest is None else cls(job, latest)
                # What was added since the look is newer than what it saw, so nothing is missed.
                wait = min(left, max_block_seconds(link) or left)
                link.xread({key: latest.id if latest else "0-0"}, block=max(1, int(wait * 1000)))


def _stream(job: StoredJob) -> tuple[redis.Redis, str]:
    return job.connection, Keys(job.key_prefix).results(job.id)


def _look(link: redis.Redis, job: StoredJob, key: str) -> tuple[str | None, ResultRecord | None]:
    """The job's status and its newest result, as they are at one moment."""
    with link.pipeline(transaction=True) as pipeline:
        pipeline.hget(job.key, "status")
        pipeline.xrevrange(key, count=1)
        status, entries = pipeline.execute()
    latest = read_result(job.id, *entries[0]) if entries else None
    return None if status is None else codec.text(status), latest


def _has_come(job: StoredJob, status: str | None, latest: ResultRecord | None) -> bool:
    if latest is not None and latest.type == ResultType.SUCCESSFUL:
        return True  # also of a job that repeats itself
    if status is None:
        return job._record.status != JobStatus.CREATED  # else it is yet to be enqueued
    return status not in _PENDING


if not TYPE_CHECKING:  # else type checkers would take any name for one of this module's
    __getattr__ = module_getattr(__name__)
