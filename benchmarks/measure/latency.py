"""The pick-up latency of an idle worker: from just before the enqueueing to the job's first line.

The process that enqueues and the job read the same clock of the host. The job reports through a
named pipe, not through the server.
"""

from __future__ import annotations

from ..contestants import Contestant
from ..launcher import Launcher
from ..preset import Preset
from ..report.arithmetic import percentile
from ..samples import Metric

#: Jobs that are not measured. After them the worker has started and loaded everything.
_WARM_UP = 5

_MILLISECOND = 1e6  # in nanoseconds


class Latency:
    """One worker in its default mode: with a fork for each job, or with one process."""

    name = "latency"
    metrics = (
        Metric("latency.p50", "pick-up latency of an idle worker, p50", "ms", 2),
        Metric("latency.p99", "pick-up latency of an idle worker, p99", "ms", 2),
    )

    def __init__(self, preset: Preset) -> None:
        self._preset = preset

    def applies_to(self, contestant: Contestant) -> bool:
        return bool(contestant.workers)

    def rounds(self, contestant: Contestant) -> int:
        return self._preset.rounds

    def measure(self, launcher: Launcher) -> dict[str, float]:
        launcher.server.empty()
        count, pause = self._preset.latencies, self._preset.pause
        with launcher.workers(launcher.contestant.default_mode, 1):
            launcher.driver.do("latencies", count=_WARM_UP, pause=pause)
            taken = launcher.driver.do("latencies", count=count, pause=pause)
        return {
            "latency.p50": percentile(taken, 0.5) / _MILLISECOND,
            "latency.p99": percentile(taken, 0.99) / _MILLISECOND,
        }
