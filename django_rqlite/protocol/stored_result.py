"""The record of an execution's outcome, and how it is read from the results stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from . import codec
from .stored_fields import FieldReader, optional_text

#: What is stored instead of a result that cannot be serialized (RQ's text: rq/defaults.py), and
#: instead of one that is too large.
UNSERIALIZABLE = "Unserializable return value"
TOO_LARGE = "Return value too large"


class ResultType(StrEnum):
    """Kinds of entries in the results stream (rq/results.py)."""

    SUCCESSFUL = "1"
    FAILED = "2"
    STOPPED = "3"
    RETRIED = "4"
    MAX_RETRIES = "5"


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """One entry of a job's results stream: the outcome of one execution."""

    id: str
    job_id: str
    #: A value of :class:`ResultType`, or another text that a tool wrote.
    type: str
    worker_name: str
    execution_id: str
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    #: Serialized; None if the job returned None.
    return_value: bytes | None
    #: The signature of the return value; None if it is not signed.
    signature: str | None
    #: Why the return value is not the value that the job returned; empty if it is.
    not_kept: str
    #: The traceback, or the reason; empty if neither is stored.
    exc_string: str
    problems: tuple[str, ...]


def read_result(
    job_id: str,
    entry_id: bytes,
    fields: Mapping[bytes, bytes],
    room: codec.Room | None = None,
) -> ResultRecord:
    """Return the record of a stream's entry. Never raises; ``problems`` says what is unreadable.

    Args:
        room: The limit for unpacking the traceback; None: the limit of a single traceback.
    """
    packed = codec.from_base64(fields.get(b"exc_string", b""))
    read = FieldReader(fields)
    returned = fields.get(b"return_value")
    return ResultRecord(
        id=codec.text(entry_id),
        job_id=job_id,
        type=read.text("type"),
        worker_name=read.text("worker_name"),
        execution_id=read.text("execution_id"),
        created_at=_added_at(entry_id),
        started_at=read.unix_moment("execution_started_at"),
        ended_at=read.unix_moment("execution_ended_at"),
        return_value=None if returned is None else codec.from_base64(returned),
        signature=optional_text(fields, b"x_sig"),
        not_kept=read.text("x_not_kept"),
        exc_string=codec.traceback_text(packed, room),
        problems=tuple(read.problems),
    )


def _added_at(entry_id: bytes) -> datetime | None:
    """Return the time with which an entry's id begins; None if the id was chosen by a tool."""
    milliseconds = entry_id.partition(b"-")[0]
    try:
        return codec.unix_moment(b"%.3f" % (int(milliseconds) / 1000))
    except ValueError:
        return None
