"""The progress that a job reports in its meta."""

from __future__ import annotations

import math

from ..protocol import safe_repr
from .payloads import MAX_PAYLOAD


def percent_done(meta: bytes | None) -> float | None:
    """Return the progress in percent, or None if the job reports none.

    ``meta["progress"]`` is a fraction as a float up to 1.0 (``Job.set_progress()`` stores it so),
    a percentage, or a dictionary with ``done`` and ``total``.
    """
    if meta is None or len(meta) > MAX_PAYLOAD:
        return None
    try:
        loaded = safe_repr.load(meta)
    except ValueError:
        return None
    match loaded:
        case {"progress": {"done": int() | float() as done, "total": int() | float() as total}}:
            percent = _ratio(done, total)
        case {"progress": bool()}:
            return None
        case {"progress": float() as value} if value <= 1:
            percent = value * 100
        case {"progress": int() | float() as value}:
            percent = min(value, 100)  # an int may be too large to become a float
        case _:
            return None
    return None if percent is None or math.isnan(percent) else min(max(percent, 0), 100)


def _ratio(done: float, total: float) -> float | None:
    try:
        return done / total * 100
    except (ZeroDivisionError, OverflowError):
        return None
