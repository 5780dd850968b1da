"""How fast jobs are run: the rate, the workers' CPU and the round trips, over the middle of a run.

The queue is filled before the workers start. What counts is the time from when a tenth of the jobs
has been taken until nine tenths have, as the server shows it; starting up is over by then, and
running dry has not begun.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..contestants import Contestant, Mode
from ..conversation import Driver
from ..effort import Effort
from ..failure import StepFailed
from ..processes import Started
from ..samples import Metric
from ..server import Counted
from ..stage import Stage, raise_ended

#: Seconds between two looks at the queue: 1 in 100 of what the fastest needs for the middle.
_TICK = 0.005

#: Jobs per second below which the runner asks more of the server than the workers do.
_SLOW = 25

#: Seconds that workers have to take the first tenth.
_START = 30

#: These start a process anew for each job and are far behind whatever the noise.
_SLOW_TO_FORK = ("celery", "huey")


def metrics(mode: Mode, count: int) -> list[Metric]:
    how = "a fork for each job" if mode is Mode.FORK else "reused processes"
    name = f"{mode}-{count}"
    return [
        Metric(f"{name}.rate", f"{how}, {count} at a time", "jobs/s"),
        Metric(f"{name}.cpu", f"{how}, {count} at a time: workers' CPU", "s/1000 jobs", 2),
        Metric(f"{name}.requests", f"{how}, {count} at a time: round trips", "1/job", 2),
        Metric(f"{name}.server", f"{how}, {count} at a time: server's CPU", "s/1000 jobs", 3),
    ]


@dataclass(frozen=True, slots=True)
class _Mark:
    """The state of things at a moment."""

    time: float
    pending: int
    cpu: float
    counted: Counted


class Running:
    """Measures a mode. Remembers how many jobs each contestant needs, from round to round."""

    def __init__(self, mode: Mode, count: int, effort: Effort) -> None:
        self.name = f"{mode}-{count}"
        self.metrics = metrics(mode, count)
        self._mode, self._count, self._effort = mode, count, effort
        self._expected: dict[str, float] = {}

    def can(self, contestant: Contestant) -> bool:
        if contestant.name == "bare":
            return self._mode is Mode.FORK
        return (self._mode, self._count) in contestant.workers

    def rounds(self, contestant: Contestant) -> int:
        slow = self._mode is Mode.FORK and contestant.name in _SLOW_TO_FORK
        return self._effort.few_rounds if slow else self._effort.rounds

    def measure(self, stage: Stage) -> dict[str, float]:
        if stage.contestant.name == "bare":
            seen = _bare_loops(stage.fork_loops[: self._count], self._effort.drain)
        else:
            seen = self._run_jobs(stage)
            self._expected[stage.contestant.name] = seen["rate"]
            if seen["rate"] < _SLOW:
                del seen["server"]  # it would be what the runner asks meanwhile
        return {f"{self.name}.{what}": value for what, value in seen.items()}

    def _run_jobs(self, stage: Stage) -> dict[str, float]:
        stage.server.empty()
        jobs = self._jobs(stage.contestant)
        stage.driver.do("fill", count=jobs)
        with stage.workers(self._mode, self._count) as workers:
            return between(*watch(stage, workers, jobs, self._effort.slow))

    def _jobs(self, contestant: Contestant) -> int:
        guess = contestant.workers[self._mode, self._count].guess
        rate = self._expected.get(contestant.name, guess)
        # The middle is four fifths. A few at least, since some are taken in advance.
        return max(10, int(rate * self._effort.drain / 0.8))


def watch(
    stage: Stage, workers: Sequence[Started], jobs: int, patience: float, stay: int = 0
) -> tuple[_Mark, _Mark]:
    """Wait for the middle of a run to begin and to end, or for ``patience`` seconds of it.

    Args:
        jobs: of whose run it is the middle.
        stay: how many more are in the queue.

    Raises:
        StepFailed: it did not begin, or too little came of it.
    """
    first = _mark_below(stage, workers, stay + 0.9 * jobs, _START)
    last = _mark_below(stage, workers, stay + 0.1 * jobs, patience)
    if first.pending > stay + 0.9 * jobs:
        raise StepFailed(f"no tenth of {jobs} jobs was taken in {_START} s")
    if last.pending >= first.pending:
        raise StepFailed(f"no job was taken in {patience:g} s after the first tenth")
    return first, last


def between(first: _Mark, last: _Mark) -> dict[str, float]:
    """What each job took between two moments."""
    jobs = first.pending - last.pending
    return {
        "rate": jobs / (last.time - first.time),
        "cpu": (last.cpu - first.cpu) / jobs * 1000,
        "requests": (last.counted.requests - first.counted.requests) / jobs,
        "server": (last.counted.cpu - first.counted.cpu) / jobs * 1000,
    }


def _mark_below(stage: Stage, workers: Sequence[Started], pending: float, patience: float) -> _Mark:
    deadline = time.monotonic() + patience
    while True:
        now, left = time.monotonic(), stage.pending()
        if left <= pending or now > deadline:
            cpu = sum(worker.cpu() for worker in workers)
            return _Mark(now, left, cpu, stage.server.counted())
        raise_ended(workers)
        time.sleep(_TICK)


def _bare_loops(drivers: Sequence[Driver], seconds: float) -> dict[str, float]:
    """The rate of several fork loops at once, and their CPU."""
    for driver in drivers:
        driver.tell("fork_for", seconds=seconds)
    seen = [driver.answer(seconds + 30) for driver in drivers]
    forks = sum(one["forks"] for one in seen)
    return {
        "rate": sum(one["forks"] / one["seconds"] for one in seen),
        "cpu": sum(one["cpu"] for one in seen) / forks * 1000,
    }
