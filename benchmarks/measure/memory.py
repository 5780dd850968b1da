"""What the server needs to keep a job: before it has run, and when it has.

The difference that many jobs make to all that the server has allocated, except for clients: keys,
values, and what the tables and the memory allocator need for them.
"""

from __future__ import annotations

import time

from ..contestants import Contestant, Mode
from ..effort import Effort
from ..failure import StepFailed
from ..samples import Metric
from ..stage import Stage, raise_ended

#: Seconds to run all jobs, and to end when that is done.
_RUN = 120
_END = 15


class Memory:
    """No-op jobs without arguments. Those that have run are kept as long as each keeps them."""

    name = "memory"
    metrics = (
        Metric("memory.queued", "Redis memory per queued job", "bytes"),
        Metric("memory.finished", "Redis memory per finished job", "bytes"),
    )

    def __init__(self, effort: Effort) -> None:
        self._effort = effort

    def can(self, contestant: Contestant) -> bool:
        return bool(contestant.workers)

    def rounds(self, contestant: Contestant) -> int:
        return self._effort.few_rounds

    def measure(self, stage: Stage) -> dict[str, float]:
        server, jobs = stage.server, self._effort.kept
        server.empty()
        stage.driver.do("fill", count=1)  # the scripts are loaded
        server.empty()
        before = server.bytes_used()
        stage.driver.do("fill", count=jobs)
        queued = server.bytes_used()
        with stage.ending_workers(Mode.REUSED, 1, _END) as workers:
            deadline = time.monotonic() + _RUN
            while left := stage.pending():
                raise_ended(workers)
                if time.monotonic() > deadline:
                    raise StepFailed(f"after {_RUN} s {left} of {jobs} jobs had not begun")
                time.sleep(0.02)
        finished = server.bytes_used()
        server.empty()
        return {
            "memory.queued": (queued - before) / jobs,
            "memory.finished": (finished - before) / jobs,
        }
