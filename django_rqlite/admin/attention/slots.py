"""How many slots the workers of a queue have, which jobs occupy them, and which run too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ...protocol.stored_worker import WorkerRecord
from ...queries.found_jobs import function_of
from ...queries.leases import StartedJob

#: A run that takes this many seconds may count as long.
LONG_RUN = 60

#: The fewest runs from which a queue's usual run time is computed.
MIN_RUNS = 20

#: A run is unusually long if it exceeds this many times the 95th percentile. The percentile is an
#: upper bound, because runs are counted by powers of two.
TIMES_USUAL = 2


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of some workers.

    Attributes:
        total: How many jobs they can run at once.
        jobs: What they run, from any of their queues, the longest first.
    """

    total: int
    jobs: Sequence[StartedJob]

    @property
    def busy(self) -> int:
        """How many slots are in use."""
        return min(len(self.jobs), self.total)

    @property
    def full(self) -> bool:
        """Whether no slot is free."""
        return len(self.jobs) >= self.total


def slots_of(
    workers: Sequence[WorkerRecord], running: Sequence[StartedJob], now: datetime
) -> Slots:
    """The slots of these workers.

    Args:
        running: What all workers run.
    """
    names = {worker.name for worker in workers}
    jobs = [each for each in running if each.job.worker_name in names]
    return Slots(
        sum(worker.concurrency for worker in workers),
        sorted(jobs, key=lambda each: seconds_running(each, now), reverse=True),
    )


def seconds_running(held: StartedJob, now: datetime) -> float:
    """For how long a job has run; 0 if its start is not known."""
    return (now - held.job.started_at).total_seconds() if held.job.started_at else 0


def unusually_long(
    held: Sequence[StartedJob], usual: float | None, runs: int, now: datetime
) -> list[StartedJob]:
    """The jobs of a queue that have run for longer than is usual there, the longest first.

    Args:
        usual: The 95th percentile of run times in seconds; None: not known.
        runs: How many runs it is computed from.
    """
    if usual is None or runs < MIN_RUNS:
        return []
    limit = max(usual * TIMES_USUAL, LONG_RUN)
    found = [each for each in held if seconds_running(each, now) > limit]
    return sorted(found, key=lambda each: seconds_running(each, now), reverse=True)


def count_functions(held: Sequence[StartedJob]) -> list[tuple[str, int]]:
    """The functions that these jobs call, and how many jobs call each, most frequent first."""
    return Counter(function_of(each.job.description) for each in held).most_common()
