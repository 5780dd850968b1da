"""The outcomes of a job's executions. Each is an entry of the job's results stream."""

from __future__ import annotations

import time
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from ..broker.broker import Broker
from ..broker.wire import max_block_seconds
from ..compat.missing_names import module_getattr
from ..protocol import codec
from ..protocol.records import JobStatus
from ..protocol.stored_result import ResultRecord, ResultType, read_result
from .stored_job import StoredJob

#: Statuses of jobs whose outcome is still to come.
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
    """The outcome of one execution of a job. Times are aware and in UTC.

    Attributes:
        id: The id of the entry in the stream.
        job: The job.
        exc_string: The traceback, or the reason; None if neither is stored.
        not_kept: Why :attr:`return_value` is a text instead of the function's return value: that
            value cannot be serialized, or is larger than ``RQ["MAX_RESULT_SIZE"]``. None if the
            value is stored.
        worker_name: The worker that ran the job.
        created_at: When the outcome was stored.
        execution_id, execution_started_at, execution_ended_at: None if not recorded.
    """

    class Type(Enum):
        """Kinds of outcomes, with RQ's names and numbers."""

        SUCCESSFUL = 1
        FAILED = 2
        STOPPED = 3
        #: The execution failed, or asked for another run, and the job ran again.
        RETRIED = 4
        #: The execution asked for another run once too often.
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
        """A :class:`Result.Type`, or the text that another tool wrote instead."""
        try:
            return self.Type(int(self._record.type))
        except ValueError:
            return self._record.type

    @property
    def return_value(self) -> Any:
        """The function's return value; None if it returned None, or did not return.

        It is deserialized on access, so that an unreadable value does not affect other results.

        Raises:
            SignatureError: The signature of the value is wrong, or missing although it is required.
            DeserializationError: The serializer cannot read the value.
        """
        payload = self._record.return_value
        return (
            None if payload is None else self.job._loads("result", payload, self._record.signature)
        )

    @classmethod
    def all(cls, job: StoredJob, serializer: object = None) -> list[Result]:
        """Return the job's stored results, newest first.

        If their tracebacks unpack to more than 8 MiB together, or one of them to more than 1 MiB,
        the rest is left out, and each text says so.

        Args:
            serializer: Without effect, for RQ's callers: the job has its own.
        """
        broker = job._broker
        with broker.translate_errors():
            entries = broker.client.xrevrange(broker.keys.results(job.id))
        room = codec.Room(codec.SHOWN_TOGETHER)
        return [
            cls(job, read_result(job.id, *entry, room))
            for entry in cast("list[tuple[bytes, dict[bytes, bytes]]]", entries)
        ]

    @classmethod
    def count(cls, job: StoredJob) -> int:
        """Return how many results of the job are stored."""
        broker = job._broker
        with broker.translate_errors():
            return broker.client.xlen(broker.keys.results(job.id))

    @classmethod
    def fetch_latest(
        cls, job: StoredJob, serializer: object = None, timeout: float = 0
    ) -> Result | None:
        """Return the newest result; see :meth:`Job.latest_result`.

        Args:
            serializer: Without effect, for RQ's callers: the job has its own.
            timeout: Seconds to wait while the outcome is still to come.
        """
        broker = job._broker
        client, key = broker.client, broker.keys.results(job.id)
        deadline = time.monotonic() + timeout
        with broker.translate_errors():
            while True:
                status, latest = _read_latest(broker, job.id)
                left = deadline - time.monotonic()
                if left <= 0 or _is_final(job, status, latest):
                    return None if latest is None else cls(job, latest)
                # An entry that was added after the read has a higher id, so none is missed.
                wait = min(left, max_block_seconds(client) or left)
                client.xread({key: latest.id if latest else "0-0"}, block=max(1, int(wait * 1000)))


def _read_latest(broker: Broker, job_id: str) -> tuple[str | None, ResultRecord | None]:
    """Return the job's status and its newest result at one moment."""
    with broker.client.pipeline(transaction=True) as pipeline:
        pipeline.hget(broker.keys.job(job_id), "status")
        pipeline.xrevrange(broker.keys.results(job_id), count=1)
        status, entries = pipeline.execute()
    latest = read_result(job_id, *entries[0]) if entries else None
    return None if status is None else codec.text(status), latest


def _is_final(job: StoredJob, status: str | None, latest: ResultRecord | None) -> bool:
    """Return whether there is nothing to wait for."""
    if latest is not None and latest.type == ResultType.SUCCESSFUL:
        return True  # even if the job is repeated
    if status is None:
        return job._record.status != JobStatus.CREATED  # a created job will still be enqueued
    return status not in _PENDING


if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__ = module_getattr(__name__)
