"""What a worker tells a child to do."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...conf.signer import signature_problem
from ...execution.run import Failed, Stopped
from ...jobs.job_data import JobData, state_of
from ...protocol.records import JobRecord

_LENGTH = struct.Struct("=Q")

#: Bytes in front of an order that say how long it is.
HEAD = _LENGTH.size


@dataclass(frozen=True, slots=True)
class Order:
    """Run a job and report how it went; or call what it names, since its own process has died.

    Attributes:
        execution: of the run; '' where a callback is due.
        state: the job, as :func:`state_of` describes it.
        stopped: whether the job that died was stopped by order of a person.
        reason: what is said of the death.
    """

    job_id: str
    queue: str
    execution: str
    state: Mapping[str, Any]
    stopped: bool = False
    reason: str = ""


def run(queue: str, execution: str, record: JobRecord) -> bytes:
    """The order to run a job, as a message."""
    return _packed(Order(record.id, queue, execution, _told(record)))


def call_back(queue: str, record: JobRecord, outcome: Stopped | Failed) -> bytes:
    """The order to call what a job names, as a message."""
    stopped = isinstance(outcome, Stopped)
    return _packed(Order(record.id, queue, "", _told(record), stopped, outcome.reason))


def _told(record: JobRecord) -> dict[str, Any]:
    """What a job does not begin with anyhow."""
    state = state_of(record)
    if not signature_problem(record, state["_terms"]):
        # Looked at here, since a child, which was just forked, would have to copy a page for
        # nearly everything that takes.
        state["_verified"] = ("data",)
    return {
        name: value
        for name, value in state.items()
        if value != getattr(JobData, name, []) or name == "created_at"
    }


def _packed(order: Order) -> bytes:
    said = (
        order.job_id,
        order.queue,
        order.execution,
        order.state,
        order.stopped,
        order.reason,
    )
    body = pickle.dumps(said, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def length(beginning: bytes | bytearray) -> int:
    """How many bytes follow the first :data:`HEAD`."""
    found: int = _LENGTH.unpack_from(beginning)[0]
    return found


def unpack(body: bytes) -> Order:
    """The reverse of :func:`run` and :func:`call_back`.

    A child trusts its worker, whose memory it was made of, so it may unpickle what that sends. Not
    the other way round: a job may write anything into its pipe.
    """
    return Order(*pickle.loads(body))
