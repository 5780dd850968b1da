"""The arrows of a job's life. One method, one script, one round trip each.

``docs/design.md`` draws the state machine; the header of each file under ``lua/`` says what the
arrow promises. All values are bytes, text or whole seconds: serializing is the caller's work.
"""

from __future__ import annotations

from .cron import CronScripts
from .enqueue import EnqueueScripts
from .execution import ExecutionScripts
from .failed_mirror import FailedMirrorScripts
from .removal import RemovalScripts
from .requeue import RequeueScripts
from .suspension import SuspensionScripts
from .values import Claim, Hold, NewJob, NextClaim, Owner, Pause, Promoted, Reaped, Settled
from .workers import WorkerScripts

__all__ = [
    "Claim",
    "Engine",
    "Hold",
    "NewJob",
    "NextClaim",
    "Owner",
    "Pause",
    "Promoted",
    "Reaped",
    "Settled",
]


class Engine(
    EnqueueScripts,
    RequeueScripts,
    ExecutionScripts,
    RemovalScripts,
    FailedMirrorScripts,
    WorkerScripts,
    SuspensionScripts,
    CronScripts,
):
    """Every change of state on one connection below one key prefix."""

    __slots__ = ()
