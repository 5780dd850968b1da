"""Jobs per second, CPU and round trips of workers, over the middle of a run.

The queue is filled before the workers start. The middle is the time between the moment at which a
tenth of the jobs has been taken and the moment at which nine tenths have. The start of the workers
and the end of the queue have no influence on it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..contestants import Contestant, Mode
from ..driver import Driver
from ..exceptions import MeasurementError
from ..launcher import Launcher, check_running
from ..preset import Preset
from ..processes import ManagedProcess
from ..samples import Metric
from ..server import Counters

#: Seconds between two looks at the queue: a hundredth of the shortest middle.
_TICK = 0.005

#: Jobs per second below which the benchmark sends more commands than the workers.
_SLOW = 25

#: Seconds in which workers must take the first tenth of the jobs.
_START = 30

#: These start a new process for each job. They are so much slower that noise does not matter.
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
class _Snapshot:
    """The state of a run at a moment."""

    time: float
    pending: int
    cpu: float
    counters: Counters


class Throughput:
    """Measures a mode. It remembers the rate of each contestant from round to round."""

    def __init__(self, mode: Mode, count: int, preset: Preset) -> None:
        self.name = f"{mode}-{count}"
        self.metrics = metrics(mode, count)
        self._mode, self._count, self._preset = mode, count, preset
        self._expected: dict[str, float] = {}

    def applies_to(self, contestant: Contestant) -> bool:
        if contestant.name == "bare":
            return self._mode is Mode.FORK
        return (self._mode, self._count) in contestant.workers

    def rounds(self, contestant: Contestant) -> int:
        slow = self._mode is Mode.FORK and contestant.name in _SLOW_TO_FORK
        return self._preset.few_rounds if slow else self._preset.rounds

    def measure(self, launcher: Launcher) -> dict[str, float]:
        if launcher.contestant.name == "bare":
            seen = _bare_loops(launcher.fork_loops[: self._count], self._preset.drain)
        else:
            seen = self._run_jobs(launcher)
            self._expected[launcher.contestant.name] = seen["rate"]
            if seen["rate"] < _SLOW:
                del seen["server"]  # it would be that of the benchmark's own commands
        return {f"{self.name}.{what}": value for what, value in seen.items()}

    def _run_jobs(self, launcher: Launcher) -> dict[str, float]:
        launcher.server.empty()
        jobs = self._jobs(launcher.contestant)
        launcher.driver.do("fill", count=jobs)
        with launcher.workers(self._mode, self._count) as workers:
            return per_job(*wait_for_middle(launcher, workers, jobs, self._preset.slow))

    def _jobs(self, contestant: Contestant) -> int:
        guess = contestant.workers[self._mode, self._count].guess
        rate = self._expected.get(contestant.name, guess)
        # The middle is four fifths. Ten at least, because contestants prefetch some.
        return max(10, int(rate * self._preset.drain / 0.8))


def wait_for_middle(
    launcher: Launcher, workers: Sequence[ManagedProcess], jobs: int, timeout: float, stay: int = 0
) -> tuple[_Snapshot, _Snapshot]:
    """Wait for the begin and the end of the middle of a run, or for ``timeout`` seconds of it.

    Args:
        jobs: The number of jobs of the run.
        stay: The number of jobs that stay in the queue.

    Raises:
        MeasurementError: The middle did not begin, or no job was taken in it.
    """
    first = _snapshot_below(launcher, workers, stay + 0.9 * jobs, _START)
    last = _snapshot_below(launcher, workers, stay + 0.1 * jobs, timeout)
    if first.pending > stay + 0.9 * jobs:
        raise MeasurementError(f"less than a tenth of {jobs} jobs was taken in {_START} s")
    if last.pending >= first.pending:
        raise MeasurementError(f"no job was taken in {timeout:g} s after the first tenth")
    return first, last


def per_job(first: _Snapshot, last: _Snapshot) -> dict[str, float]:
    """The rate between two snapshots, and the costs for each job."""
    jobs = first.pending - last.pending
    return {
        "rate": jobs / (last.time - first.time),
        "cpu": (last.cpu - first.cpu) / jobs * 1000,
        "requests": (last.counters.requests - first.counters.requests) / jobs,
        "server": (last.counters.cpu - first.counters.cpu) / jobs * 1000,
    }


def _snapshot_below(
    launcher: Launcher, workers: Sequence[ManagedProcess], pending: float, timeout: float
) -> _Snapshot:
    deadline = time.monotonic() + timeout
    while True:
        now, left = time.monotonic(), launcher.pending()
        if left <= pending or now > deadline:
            cpu = sum(worker.cpu() for worker in workers)
            return _Snapshot(now, left, cpu, launcher.server.counters())
        check_running(workers)
        time.sleep(_TICK)


def _bare_loops(drivers: Sequence[Driver], seconds: float) -> dict[str, float]:
    """The rate and the CPU of several fork loops at once."""
    for driver in drivers:
        driver.tell("fork_for", seconds=seconds)
    seen = [driver.answer(seconds + 30) for driver in drivers]
    forks = sum(one["forks"] for one in seen)
    return {
        "rate": sum(one["forks"] / one["seconds"] for one in seen),
        "cpu": sum(one["cpu"] for one in seen) / forks * 1000,
    }
