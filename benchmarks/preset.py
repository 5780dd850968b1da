"""Rounds, durations and counts of the measurements: the full benchmark, and ``--quick``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """Seconds and counts. Unless noted, they are for one round of one contestant."""

    rounds: int
    #: Rounds of measurements that hardly vary: memory, and peers that start a process for each job.
    few_rounds: int
    #: Seconds of the middle of a run, over which the rate is measured.
    drain: float
    #: The limit of the same, for contestants that need seconds for a job.
    slow: float
    #: Seconds of enqueueing.
    enqueue: float
    #: Jobs whose latency is measured, and the mean seconds between two.
    latencies: int
    pause: float
    #: Jobs whose memory in the server is measured.
    kept: int
    #: Seconds for which idle workers are watched.
    idle: float
    #: Queued and failed jobs of the large server.
    many_pending: int
    many_failed: int
    #: Calls of each operation in a round of "growth".
    calls: int
    #: Requests of each page of the admin in a round, on each server.
    pages: int
    #: Queued jobs, and as many failed ones, of the small server.
    few: int = 1000


FULL = Preset(
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

QUICK = Preset(
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
