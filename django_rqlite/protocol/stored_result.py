"""The outcome of one execution, as the results stream of its job holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from . import codec
from .stored_fields import FieldReader, optional_text

#: What is kept in place of a result that can't be serialized (RQ's words: rq/defaults.py), and in
#: place of one that is too large.
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
    read = FieldReader(fields)
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
        signature=optional_text(fields, b"x_sig"),
        not_kept=read.text("x_not_kept"),
        exc_string=codec.traceback_text(packed, room),
        problems=tuple(read.problems),
    )


def _entered_at(entry_id: bytes) -> datetime | None:
    """When an entry was added: its id begins with unix milliseconds, unless someone chose it."""
    milliseconds = entry_id.partition(b"-")[0]
    try:
        return codec.unix_moment(b"%.3f" % (int(milliseconds) / 1000))
    except ValueError:
        return None
