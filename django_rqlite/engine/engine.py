"""The arrows of a job's life. One method, one script, one round trip each.

``docs/design.md`` draws the state machine; the header of each file under ``lua/`` says what the
arrow promises. All values are bytes, text or whole seconds: serializing is the caller's work.
"""

from __future__ import annotations

from .enqueue import Entering
from .execution import Executing
from .failed_mirror import Mirroring
from .removal import Leaving
from .requeue import Moving
from .values import Claim, Hold, NewJob, NextClaim, Owner, Pause, Promoted, Reaped, Settled
from .workers import Attending

__all__ = [
    "Claim",
    "Hold",
    "NewJob",
    "NextClaim",
    "Owner",
    "Pause",
    "Promoted",
    "Reaped",
    "Settled",
    "Transitions",
]


class Transitions(Entering, Moving, Executing, Leaving, Mirroring, Attending):
    """Every change of state on one connection below one key prefix."""

    __slots__ = ()
