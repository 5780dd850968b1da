"""How long each measurement takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Seconds and counts, of one round of one contestant where nothing else is said."""

    rounds: int
    #: Rounds of what hardly varies: bytes, and peers that start a process anew for each job.
    few_rounds: int
    #: Seconds of the middle of a run whose rate is taken.
    drain: float
    #: The longest that those may take who need seconds for a job.
    slow: float
    enqueue: float
    #: Jobs whose latency is taken, and seconds between two.
    latencies: int
    pause: float
    #: Jobs whose bytes are counted.
    kept: int
    #: Seconds for which workers are watched that have nothing to do.
    idle: float
    #: Jobs that wait, and jobs that have failed, in the large case.
    many_pending: int
    many_failed: int
    #: Single calls of each operation in a round.
    calls: int
    #: Requests of each page of the admin in a round, on each server.
    pages: int
    #: Jobs that wait, and that have failed, in the small case.
    few: int = 1000


FULL = Effort(
    rounds=5,
    few_rounds=2,
    drain=3.5,
    slow=30.0,
    enqueue=1.5,
    latencies=200,
    pause=0.03,
    kept=4000,
    idle=60.0,
    many_pending=1_000_000,
    many_failed=200_000,
    calls=300,
    pages=20,
)

QUICK = Effort(
    rounds=2,
    few_rounds=1,
    drain=1.2,
    slow=12.0,
    enqueue=0.4,
    latencies=70,
    pause=0.03,
    kept=1000,
    idle=15.5,
    many_pending=100_000,
    many_failed=5_000,
    calls=200,
    pages=10,
)
