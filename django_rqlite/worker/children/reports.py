"""What a child reports of its job, as message parts."""

from __future__ import annotations

import json

from ...execution.outcome import AskedForRetry, Failed, Report, Succeeded
from .framing import BrokenFrameError

_SUCCEEDED, _FAILED, _ASKED = b"succeeded", b"failed", b"asked for retry"


def pack_report(execution: str, outcome: Report, *, stays: bool) -> list[bytes]:
    """How the job went.

    Args:
        stays: whether the child can be given another job.
    """
    head = [_bytes(execution), b"stays" if stays else b"goes"]
    if isinstance(outcome, Succeeded):
        return [*head, _SUCCEEDED, outcome.result, outcome.not_kept.encode("utf-8", "replace")]
    if isinstance(outcome, AskedForRetry):
        asked = [outcome.most, outcome.intervals, outcome.at_front]
        return [*head, _ASKED, json.dumps(asked).encode()]
    said = (outcome.reason, outcome.headline, *outcome.kinds)
    return [*head, _FAILED, *(text.encode("utf-8", "replace") for text in said)]


def unpack_report(execution: str, parts: list[bytes]) -> tuple[Report, bool]:
    """The reverse of :func:`pack_report`: how the job went, and whether the child stays.

    Raises:
        BrokenFrameError: it is not about this execution, or is no report.
    """
    if len(parts) < 4 or parts[0] != _bytes(execution):
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


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
