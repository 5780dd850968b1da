"""The rate and the round trips of enqueueing. No worker runs."""

from __future__ import annotations

from ..contestants import Contestant
from ..launcher import Launcher
from ..preset import Preset
from ..samples import Metric

#: Jobs in one bulk call, or in one batch of the loop for contestants without a bulk call.
_BATCH = 2000


class Enqueue:
    """One call for each job: with a queue object at hand, and with a new one as in a view."""

    name = "enqueue"
    metrics = (
        Metric("enqueue.one", "enqueue, one call", "jobs/s"),
        Metric("enqueue.requests", "enqueue, one call: round trips", "1/job", 2),
        Metric("enqueue.view", "enqueue, get_queue() each time", "jobs/s"),
    )

    def __init__(self, preset: Preset) -> None:
        self._preset = preset

    def applies_to(self, contestant: Contestant) -> bool:
        return contestant.name != "bare"

    def rounds(self, contestant: Contestant) -> int:
        return self._preset.rounds

    def measure(self, launcher: Launcher) -> dict[str, float]:
        seen = {}
        for how in ("one", "view"):
            launcher.server.empty()
            # This connects and loads all scripts.
            launcher.driver.do("enqueue_for", seconds=0.02, in_a_view=how == "view")
            before = launcher.server.counters()
            did = launcher.driver.do(
                "enqueue_for", seconds=self._preset.enqueue, in_a_view=how == "view"
            )
            after = launcher.server.counters()
            seen[f"enqueue.{how}"] = did["calls"] / did["seconds"]
            if how == "one":
                seen["enqueue.requests"] = (after.requests - before.requests) / did["calls"]
        launcher.server.empty()
        return seen


class BulkEnqueue:
    """The bulk call of each contestant, or a loop."""

    name = "bulk"
    metrics = (Metric("bulk.rate", "enqueue many at once", "jobs/s"),)

    def __init__(self, preset: Preset) -> None:
        self._preset = preset

    def applies_to(self, contestant: Contestant) -> bool:
        return contestant.name != "bare"

    def rounds(self, contestant: Contestant) -> int:
        return self._preset.rounds

    def measure(self, launcher: Launcher) -> dict[str, float]:
        launcher.server.empty()
        launcher.driver.do("fill", count=1)
        did = launcher.driver.do("enqueue_many_for", seconds=self._preset.enqueue, batch=_BATCH)
        launcher.server.empty()
        return {"bulk.rate": did["calls"] / did["seconds"]}
