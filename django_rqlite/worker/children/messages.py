"""The messages between a worker and its children: instructions to a child, reports to the worker.

A child trusts its worker, whose memory it was forked from, so instructions are pickled. A worker
does not trust a child, since a job may write anything into the pipe. So a report is a frame of
byte strings (:mod:`.framing`), and no byte of it is unpickled.
"""

from __future__ import annotations

import json
import pickle
import struct
from dataclasses import dataclass
from typing import Any

from ...conf.signer import signature_problem
from ...execution.outcome import AskedForRetry, Failed, Report, Stopped, Succeeded
from ...protocol.records import JobRecord
from .framing import BrokenFrameError

_LENGTH = struct.Struct("=Q")

#: Bytes in front of an instruction. They hold its length.
HEADER_SIZE = _LENGTH.size

_SUCCEEDED, _FAILED, _ASKED = b"succeeded", b"failed", b"asked for retry"


@dataclass(frozen=True, slots=True)
class Instruction:
    """Run a job and report its outcome, or call the callback of a job whose process has died.

    Attributes:
        execution: The execution to run; ``""`` if a callback is due.
        state: The attributes of the job's record; see :attr:`JobRecord.state`.
        verified: Whether the signature of the job's call is valid.
        stopped: Whether the job was stopped by a command.
        reason: Why the process of the job died.
    """

    job_id: str
    queue: str
    execution: str
    state: dict[str, Any]
    verified: bool = False
    stopped: bool = False
    reason: str = ""


def pack_run(queue: str, execution: str, record: JobRecord) -> bytes:
    """Return the instruction to run a job, with its header."""
    return _pack(record, queue, execution)


def pack_callback(queue: str, record: JobRecord, outcome: Stopped | Failed) -> bytes:
    """Return the instruction to call a job's callback, with its header."""
    stopped = isinstance(outcome, Stopped)
    return _pack(record, queue, "", stopped, outcome.reason)


def _pack(record: JobRecord, queue: str, execution: str, *details: object) -> bytes:
    # The signature is verified here, because a freshly forked child would copy a page of memory for
    # nearly every object that this uses.
    verified = not signature_problem(record)
    fields = (record.id, queue, execution, record.state, verified, *details)
    body = pickle.dumps(fields, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def body_size(header: bytes | bytearray) -> int:
    """Return how many bytes follow the header."""
    found: int = _LENGTH.unpack_from(header)[0]
    return found


def unpack_instruction(body: bytes) -> Instruction:
    """Return the instruction that follows a header."""
    return Instruction(*pickle.loads(body))


def pack_report(execution: str, outcome: Report, *, stays: bool) -> list[bytes]:
    """Return the parts of the frame that reports a job's outcome.

    Args:
        stays: Whether the child can run another job.
    """
    head = [_encode(execution), b"stays" if stays else b"goes"]
    if isinstance(outcome, Succeeded):
        return [*head, _SUCCEEDED, outcome.result, outcome.not_kept.encode("utf-8", "replace")]
    if isinstance(outcome, AskedForRetry):
        asked = [outcome.most, outcome.intervals, outcome.at_front]
        return [*head, _ASKED, json.dumps(asked).encode()]
    texts = (outcome.reason, outcome.headline, *outcome.kinds)
    return [*head, _FAILED, *(text.encode("utf-8", "replace") for text in texts)]


def unpack_report(execution: str, parts: list[bytes]) -> tuple[Report, bool]:
    """Return the outcome of an execution, and whether the child can run another job.

    Raises:
        BrokenFrameError: The parts are not a report, or one of another execution.
    """
    if len(parts) < 4 or parts[0] != _encode(execution):
        raise BrokenFrameError
    _, stays, kind, *rest = parts
    return _outcome(kind, rest), stays == b"stays"


def _outcome(kind: bytes, rest: list[bytes]) -> Report:
    if kind == _SUCCEEDED and len(rest) == 2:
        return Succeeded(rest[0], rest[1].decode("utf-8", "replace"))
    if kind == _ASKED:
        try:
            most, intervals, at_front = json.loads(rest[0])
            return AskedForRetry(most, tuple(intervals), at_front)
        except (ValueError, TypeError) as exc:
            raise BrokenFrameError from exc
    if kind == _FAILED and len(rest) >= 2:
        reason, headline, *kinds = (part.decode("utf-8", "replace") for part in rest)
        return Failed(reason, headline, tuple(kinds))
    raise BrokenFrameError


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
