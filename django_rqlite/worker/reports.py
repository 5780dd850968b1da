"""What a child is told about its job, and what it reports of it, as message parts."""

from __future__ import annotations

from ..engine.transitions import Claim, Hold
from ..execution import Failed, Outcome, Succeeded
from .frames import BrokenFrameError

_SUCCEEDED, _FAILED = b"succeeded", b"failed"


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


def pack_outcome(execution: str, outcome: Outcome) -> list[bytes]:
    """How the job went, for the parent."""
    if isinstance(outcome, Succeeded):
        return [_bytes(execution), _SUCCEEDED, outcome.result, outcome.signature.encode()]
    reason, headline = (
        text.encode("utf-8", "replace") for text in (outcome.reason, outcome.headline)
    )
    return [_bytes(execution), _FAILED, reason, headline]


def unpack_outcome(execution: str, parts: list[bytes]) -> Outcome:
    """The reverse of :func:`pack_outcome`.

    Raises:
        BrokenFrameError: it is not about this execution, or is no outcome.
    """
    if len(parts) != 4 or parts[0] != _bytes(execution):
        raise BrokenFrameError
    _, kind, first, second = parts
    if kind == _SUCCEEDED:
        return Succeeded(first, second.decode("ascii", "replace"))
    if kind == _FAILED:
        return Failed(first.decode("utf-8", "replace"), second.decode("utf-8", "replace"))
    raise BrokenFrameError


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
