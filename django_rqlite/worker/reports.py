"""What a child is told about its job, and what it reports of it, as message parts."""

from __future__ import annotations

import json

from ..engine.transitions import Claim, Hold
from ..execution import AskedForRetry, Failed, Report, Succeeded
from .frames import BrokenFrameError

_SUCCEEDED, _FAILED, _ASKED = b"succeeded", b"failed", b"asked for retry"


def pack_claim(claim: Claim) -> list[bytes]:
    """A claimed job, for the child."""
    hold = claim.hold
    assert hold is not None
    head = [_bytes(hold.job_id), _bytes(hold.queue), _bytes(hold.execution)]
    return head + [part for pair in claim.fields.items() for part in pair]


def unpack_claim(parts: list[bytes]) -> tuple[Hold, dict[bytes, bytes]]:
    """The reverse of :func:`pack_claim`."""
    values = iter(parts[3:])
    hold = Hold(*(part.decode("utf-8", "surrogateescape") for part in parts[:3]))
    return hold, dict(zip(values, values, strict=True))


def pack_outcome(execution: str, outcome: Report) -> list[bytes]:
    """How the job went, for the parent."""
    if isinstance(outcome, Succeeded):
        return [_bytes(execution), _SUCCEEDED, outcome.result, outcome.signature.encode()]
    if isinstance(outcome, AskedForRetry):
        asked = [outcome.most, outcome.intervals, outcome.at_front]
        return [_bytes(execution), _ASKED, json.dumps(asked).encode()]
    said = (outcome.reason, outcome.headline, *outcome.kinds)
    return [_bytes(execution), _FAILED, *(text.encode("utf-8", "replace") for text in said)]


def unpack_outcome(execution: str, parts: list[bytes]) -> Report:
    """The reverse of :func:`pack_outcome`.

    Raises:
        BrokenFrameError: it is not about this execution, or is no outcome.
    """
    if len(parts) < 3 or parts[0] != _bytes(execution):
        raise BrokenFrameError
    _, kind, *rest = parts
    if kind == _SUCCEEDED and len(rest) == 2:
        return Succeeded(rest[0], rest[1].decode("ascii", "replace"))
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


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
