"""The state of a queue, from which the overview decides whether it needs attention."""

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
    """The state of a queue.

    Attributes:
        runs: The runs that ended in the last hour.
        oldest: When the next job was enqueued; None: no job waits, or its hash does not say.
        listeners: How many workers that are alive listen on it.
        slots: The slots of these workers; None: not all workers or running jobs were read.
        suspended: Whether all workers of the server are suspended.
        schedule_delay: How late its scheduled jobs are.
        unusual: Jobs that have run for longer than is usual, the longest first.
        usual: The 95th percentile of the run times of the last hour, in seconds.
        expired: Leases that expired long ago, of jobs that no known dead worker holds.
        more_expired: Whether there may be more of those.
        needs_worker: Whether workers run its jobs (``ASYNC`` is not False).
        address, failed_address, scheduled_address, started_address: The pages that list its jobs.
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
