"""How fast a process enqueues, and in how many round trips. No worker runs."""

from __future__ import annotations

from ..contestants import Contestant
from ..effort import Effort
from ..samples import Metric
from ..stage import Stage

#: Jobs in one call of those that have a call for many; a batch of the loop of those that have not.
_BATCH = 2000


class Enqueueing:
    """One call for each job: with what was made before, and as a view does."""

    name = "enqueue"
    metrics = (
        Metric("enqueue.one", "enqueue, one call", "jobs/s"),
        Metric("enqueue.requests", "enqueue, one call: round trips", "1/job", 2),
        Metric("enqueue.view", "enqueue, get_queue() each time", "jobs/s"),
    )

    def __init__(self, effort: Effort) -> None:
        self._effort = effort

    def can(self, contestant: Contestant) -> bool:
        return contestant.name != "bare"

    def rounds(self, contestant: Contestant) -> int:
        return self._effort.rounds

    def measure(self, stage: Stage) -> dict[str, float]:
        seen = {}
        for how in ("one", "view"):
            stage.server.empty()
            # Connected after this, with all scripts loaded.
            stage.driver.do("enqueue_for", seconds=0.02, in_a_view=how == "view")
            before = stage.server.counted()
            did = stage.driver.do(
                "enqueue_for", seconds=self._effort.enqueue, in_a_view=how == "view"
            )
            after = stage.server.counted()
            seen[f"enqueue.{how}"] = did["calls"] / did["seconds"]
            if how == "one":
                seen["enqueue.requests"] = (after.requests - before.requests) / did["calls"]
        stage.server.empty()
        return seen


class BulkEnqueueing:
    """Many at once, by whatever means each has for it."""

    name = "bulk"
    metrics = (Metric("bulk.rate", "enqueue many at once", "jobs/s"),)

    def __init__(self, effort: Effort) -> None:
        self._effort = effort

    def can(self, contestant: Contestant) -> bool:
        return contestant.name != "bare"

    def rounds(self, contestant: Contestant) -> int:
        return self._effort.rounds

    def measure(self, stage: Stage) -> dict[str, float]:
        stage.server.empty()
        stage.driver.do("fill", count=1)
        did = stage.driver.do("enqueue_many_for", seconds=self._effort.enqueue, batch=_BATCH)
        stage.server.empty()
        return {"bulk.rate": did["calls"] / did["seconds"]}
