"""Every change of state in Redis: one method, one Lua script and one round trip for each.

``docs/design.md`` has the state machine. The header of each file under ``lua/`` says what the
script takes, what it returns and which invariant it keeps. All values are bytes, text or whole
seconds; the caller serializes.
"""

from __future__ import annotations

from .cron import CronScripts
from .enqueue import EnqueueScripts
from .execution import ExecutionScripts
from .failed_mirror import FailedMirrorScripts
from .groups import GroupScripts
from .job_hash import JobHashScripts
from .promotion import PromotionScripts
from .recovery import RecoveryScripts
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
    PromotionScripts,
    ExecutionScripts,
    RecoveryScripts,
    RequeueScripts,
    RemovalScripts,
    JobHashScripts,
    GroupScripts,
    FailedMirrorScripts,
    WorkerScripts,
    SuspensionScripts,
    CronScripts,
):
    """Every change of state on one broker."""

    __slots__ = ()
