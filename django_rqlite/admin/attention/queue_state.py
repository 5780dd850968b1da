"""What is known of a queue when it is asked whether it needs attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ...queries.leases import Lease, StartedJob
from ...queries.schedule_delay import ScheduleDelay
from ...queries.snapshots import QueueCounts
from ...queries.throughput import Runs
from ..slots import Slots


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a queue.

    Attributes:
        runs: that ended in the last hour.
        oldest: when the job that is next was enqueued; None: none waits, or it does not say.
        listeners: how many workers listen on it, as far as they are alive.
        slots: theirs; None: not all workers, or not all that runs, were read.
        unusual: jobs that have run longer than is usual in the queue, the longest first; ``usual``
            is what 95 of 100 runs of the last hour stayed within, in seconds.
        expired: leases that ended long ago, of jobs that no dead worker is told to hold.
        more_expired: whether there may be more of those.
        needs_worker: whether its jobs are run by workers at all.
        address, failed_address, scheduled_address, started_address: of its jobs.
    """

    counts: QueueCounts
    runs: Runs
    oldest: datetime | None
    listeners: int
    slots: Slots | None
    suspended: bool
    lateness: ScheduleDelay
    unusual: Sequence[StartedJob]
    usual: float | None
    expired: Sequence[Lease]
    more_expired: bool
    needs_worker: bool
    address: str
    failed_address: str
    scheduled_address: str
    started_address: str
