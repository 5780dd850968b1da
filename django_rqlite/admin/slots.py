"""How many of the jobs that a queue's workers can run at once are running, and which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..protocol.records import WorkerRecord
from ..queries.job_search import function_of
from ..queries.leases import StartedJob

#: Runs without which it is not known what is usual, and the least number of seconds that is long.
FEWEST_RUNS = 20
LONG_RUN = 60

#: How many times as long as 95 of 100 runs a job must have run to be told of: those counts are in
#: powers of two.
TIMES_USUAL = 2


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of some workers.

    Attributes:
        total: how many jobs they can run at once.
        jobs: what they run, in any of their queues; what has run longest comes first.
    """

    total: int
    jobs: Sequence[StartedJob]

    @property
    def busy(self) -> int:
        """How many slots are in use."""
        return min(len(self.jobs), self.total)

    @property
    def full(self) -> bool:
        """Whether there is no slot for another job."""
        return len(self.jobs) >= self.total


def slots(workers: Sequence[WorkerRecord], running: Sequence[StartedJob], now: datetime) -> Slots:
    """The slots of these workers.

    Args:
        running: what all workers run.
    """
    names = {worker.name for worker in workers}
    jobs = [each for each in running if each.job.worker_name in names]
    return Slots(
        sum(worker.concurrency for worker in workers),
        sorted(jobs, key=lambda each: seconds(each, now), reverse=True),
    )


def seconds(held: StartedJob, now: datetime) -> float:
    """For how long a job has run; 0 where it does not say since when."""
    return (now - held.job.started_at).total_seconds() if held.job.started_at else 0


def unusual(
    held: Sequence[StartedJob], usual: float | None, runs: int, now: datetime
) -> list[StartedJob]:
    """Those of a queue's jobs that have run longer than is usual there, the longest first.

    Args:
        usual: seconds within which 95 of 100 of the runs ended; None: not known.
        runs: how many there were.
    """
    if usual is None or runs < FEWEST_RUNS:
        return []
    least = max(usual * TIMES_USUAL, LONG_RUN)
    found = [each for each in held if seconds(each, now) > least]
    return sorted(found, key=lambda each: seconds(each, now), reverse=True)


def functions(held: Sequence[StartedJob]) -> list[tuple[str, int]]:
    """What these jobs call and how many call it, the most frequent first."""
    return Counter(function_of(each.job.description) for each in held).most_common()
