"""The memory of a job in the server, queued and finished.

It is the growth of all that the server has allocated, without clients' buffers: keys, values, hash
tables and the rounding of the allocator.
"""

from __future__ import annotations

import time

from ..contestants import Contestant, Mode
from ..exceptions import MeasurementError
from ..launcher import Launcher, check_running
from ..preset import Preset
from ..samples import Metric

#: Timeouts in seconds: running all jobs, and the end of a worker.
_RUN = 120
_END = 15


class Memory:
    """No-op jobs without arguments. Finished jobs are kept for the contestant's default TTL."""

    name = "memory"
    metrics = (
        Metric("memory.queued", "Redis memory per queued job", "bytes"),
        Metric("memory.finished", "Redis memory per finished job", "bytes"),
    )

    def __init__(self, preset: Preset) -> None:
        self._preset = preset

    def applies_to(self, contestant: Contestant) -> bool:
        return bool(contestant.workers)

    def rounds(self, contestant: Contestant) -> int:
        return self._preset.few_rounds

    def measure(self, launcher: Launcher) -> dict[str, float]:
        server, jobs = launcher.server, self._preset.kept
        server.empty()
        launcher.driver.do("fill", count=1)  # this loads the scripts
        server.empty()
        before = server.bytes_used()
        launcher.driver.do("fill", count=jobs)
        queued = server.bytes_used()
        with launcher.ending_workers(Mode.REUSED, 1, _END) as workers:
            deadline = time.monotonic() + _RUN
            while left := launcher.pending():
                check_running(workers)
                if time.monotonic() > deadline:
                    raise MeasurementError(f"after {_RUN} s {left} of {jobs} jobs had not started")
                time.sleep(0.02)
        finished = server.bytes_used()
        server.empty()
        return {
            "memory.queued": (queued - before) / jobs,
            "memory.finished": (finished - before) / jobs,
        }
