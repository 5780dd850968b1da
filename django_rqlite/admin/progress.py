"""How far a job says it is, from what stands in its meta."""

from __future__ import annotations

import math

from ..protocol import safe_repr as inert
from . import formatting as shown


def percent_done(meta: bytes | None) -> float | None:
    """0 to 100, or None where the job does not say.

    ``meta["progress"]`` may be a fraction as a float up to 1.0 (as ``Job.set_progress()`` leaves
    it), a percentage, or a dictionary with ``done`` and ``total``.
    """
    if meta is None or len(meta) > shown.LARGEST_VALUE:
        return None
    try:
        loaded = inert.load(meta)
    except ValueError:
        return None
    match loaded:
        case {"progress": {"done": int() | float() as done, "total": int() | float() as total}}:
            percent = _ratio(done, total)
        case {"progress": bool()}:
            return None
        case {"progress": float() as said} if said <= 1:
            percent = said * 100
        case {"progress": int() | float() as said}:
            percent = min(said, 100)  # before it becomes a float: an int may be too large for one
        case _:
            return None
    return None if percent is None or math.isnan(percent) else min(max(percent, 0), 100)


def _ratio(done: float, total: float) -> float | None:
    try:
        return done / total * 100
    except (ZeroDivisionError, OverflowError):
        return None
