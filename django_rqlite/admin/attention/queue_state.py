"""What is known of a queue when the overview decides whether it needs attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ...queries.leases import Lease, StartedJob
from ...queries.schedule_delay import ScheduleDelay
from ...queries.snapshots import QueueCounts
from ...queries.throughput import Runs
from .slots import Slots


@dataclass(frozen=True, slots=True)
class QueueState:
    """What is known of a queue.

    Attributes:
        runs: those that ended in the last hour.
        oldest: when the next job was enqueued; None: no job waits, or its hash does not say.
        listeners: how many workers that are alive listen on it.
        slots: the slots of these workers; None: not all workers or running jobs were read.
        suspended: whether all workers of the server are suspended.
        schedule_delay: how late its scheduled jobs are.
        unusual: jobs that have run for longer than is usual, the longest first.
        usual: the 95th percentile of the run times of the last hour, in seconds.
        expired: leases that expired long ago, of jobs that no known dead worker holds.
        more_expired: whether there may be more of those.
        needs_worker: whether workers run its jobs (``ASYNC`` is not False).
        address, failed_address, scheduled_address, started_address: the pages that list its jobs.
    """

    counts: QueueCounts
    runs: Runs
    oldest: datetime | None
    listeners: int
    slots: Slots | None
    suspended: bool
    schedule_delay: ScheduleDelay
    unusual: Sequence[StartedJob]
    usual: float | None
    expired: Sequence[Lease]
    more_expired: bool
    needs_worker: bool
    address: str
    failed_address: str
    scheduled_address: str
    started_address: str
