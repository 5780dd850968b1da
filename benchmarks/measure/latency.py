"""How soon an idle worker begins with a job: from just before enqueueing to the job's first line.

The process that enqueues and the job read the same clock of the host; what the job found goes
through a named pipe, not through the server.
"""

from __future__ import annotations

from ..contestants import Contestant
from ..effort import Effort
from ..report.arithmetic import percentile
from ..samples import Metric
from ..stage import Stage

#: Jobs before those that count: the worker is up, everything is loaded.
_WARM_UP = 5

_MILLISECOND = 1e6  # in nanoseconds


class Latency:
    """One worker as it is started by default: with a fork for each job, or with one process."""

    name = "latency"
    metrics = (
        Metric("latency.p50", "pick-up latency of an idle worker, p50", "ms", 2),
        Metric("latency.p99", "pick-up latency of an idle worker, p99", "ms", 2),
    )

    def __init__(self, effort: Effort) -> None:
        self._effort = effort

    def can(self, contestant: Contestant) -> bool:
        return bool(contestant.workers)

    def rounds(self, contestant: Contestant) -> int:
        return self._effort.rounds

    def measure(self, stage: Stage) -> dict[str, float]:
        stage.server.empty()
        count, pause = self._effort.latencies, self._effort.pause
        with stage.workers(stage.contestant.default_mode, 1):
            stage.driver.do("latencies", count=_WARM_UP, pause=pause)
            taken = stage.driver.do("latencies", count=count, pause=pause)
        return {
            "latency.p50": percentile(taken, 0.5) / _MILLISECOND,
            "latency.p99": percentile(taken, 0.99) / _MILLISECOND,
        }
