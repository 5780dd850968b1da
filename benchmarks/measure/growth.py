"""The cost of single operations with few jobs and with many, of django_rqlite only.

Two servers, one with few jobs and one with many, are measured in turn, so that noise affects both
alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import redis

from ..contestants import OURS, Contestant, Mode
from ..driver import Driver
from ..exceptions import MeasurementError
from ..launcher import Launcher, check_running
from ..preset import Preset
from ..samples import Failure, Sample
from ..server import Server, Transport
from .throughput import per_job, wait_for_middle

NAME = "growth"

#: The names of the operations in ``project/growth_driver.py``.
OPERATIONS = (
    *("enqueue", "counts", "cancel", "delete", "requeue"),
    # Of a job with few parents, and with many.
    *("enqueue a child", "end of a parent"),
    # For comparison: the effect of the server's memory size alone.
    *("HGETALL of a queued job", "HSET of a new key"),
    *("page of queues", "page of queued jobs", "page of failed jobs", "page of a job"),
)

#: All costs. "claim" is the total time of a worker for each job, "claim in the server" the server's
#: CPU time in it.
COSTS = ("claim", "claim in the server", *OPERATIONS)

#: Jobs that a worker with reused processes runs in a round.
_RUN = 2000

_SIZES = ("few", "many")

#: Calls of an operation that are not measured, and calls before the other server's turn.
_WARM_UP = 2
_PIECE = 25

#: The divisor of the number of calls for pages and for jobs with many parents, which take a hundred
#: times as long as the rest.
_FEWER = 8

#: The number of parents of each child.
_PARENTS = {"few": 50, "many": 5000}

#: The factor of the rounds for claims, since each is short.
_MORE_CLAIMS = 2

#: Timeouts in seconds: filling a queue, and running the jobs that fail.
_FILL = 600
_FAIL = 900

_END = 30


def measure(
    contestants: Sequence[Contestant],
    pythons: Mapping[str, Path],
    transport: Transport,
    preset: Preset,
    progress: Callable[[str], None],
) -> tuple[list[Sample], list[Failure]]:
    """Measure each checkout of django_rqlite among the contestants."""
    samples: list[Sample] = []
    failures = []
    for contestant in contestants:
        if contestant.site != OURS.site or not contestant.workers:
            continue
        try:
            with ExitStack() as stack:
                instances = {
                    size: _Instance(stack, contestant, pythons[contestant.name], transport)
                    for size in _SIZES
                }
                progress(f"growth: filling queues of {contestant.title}")
                for size, instance in instances.items():
                    instance.driver.do("parents", count=_PARENTS[size])
                instances["few"].fill(preset.few, preset.few)
                instances["many"].fill(preset.many_pending, preset.many_failed)
                # Claims are measured first, while all jobs in the queue do nothing.
                claims = preset.rounds * _MORE_CLAIMS
                for number in range(claims):
                    progress(f"growth, round {number + 1} of {claims}: claims")
                    samples += _samples(contestant, number, _claims(instances, number))
                for number in range(preset.rounds):
                    progress(f"growth, round {number + 1} of {preset.rounds}: single operations")
                    seen = _operations(instances, number, preset)
                    samples += _samples(contestant, number, seen)
        except (MeasurementError, redis.RedisError, OSError) as error:
            failures.append(Failure(NAME, contestant.name, str(error)))
    return samples, failures


def _samples(contestant: Contestant, number: int, seen: Mapping[str, float]) -> list[Sample]:
    return [
        Sample(f"growth.{name}", contestant.name, number, value) for name, value in seen.items()
    ]


class _Instance:
    """A server with few jobs or with many."""

    def __init__(
        self, stack: ExitStack, contestant: Contestant, python: Path, transport: Transport
    ) -> None:
        self.server = stack.enter_context(Server(transport))
        self.launcher = stack.enter_context(Launcher(contestant, python, self.server))
        self.driver: Driver = self.launcher.start_driver("growth_driver")

    def fill(self, pending: int, failed: int) -> None:
        """Run jobs that fail in workers, and enqueue the queued ones."""
        self.driver.do("fill", _FILL, count=failed, failing=True)
        with self.launcher.ending_workers(Mode.REUSED, 2, _END) as workers:
            deadline = time.monotonic() + _FAIL
            while self.launcher.pending():
                check_running(workers)
                if time.monotonic() > deadline:
                    raise MeasurementError(f"{failed} jobs have not failed in {_FAIL} s")
                time.sleep(0.1)
        if (seen := self.driver.do("failed")) != failed:
            raise MeasurementError(f"{seen} of {failed} jobs have failed")
        self.driver.do("fill", _FILL, count=pending)

    def times(self, operation: str, calls: int) -> list[float]:
        """The seconds of each of ``calls`` calls."""
        seconds: list[float] = self.driver.do("time", operation=operation, count=calls)
        return seconds

    def round_trips(self, operation: str) -> int:
        """The round trips of one call."""
        return int(self.driver.do("round_trips", operation=operation))

    def claim(self) -> tuple[float, float]:
        """Microseconds for each job that a worker runs: elapsed time, and CPU of the server."""
        stay = self.launcher.pending()
        self.driver.do("fill", _FILL, count=_RUN)
        with self.launcher.ending_workers(Mode.REUSED, 1, _END) as workers:
            seen = per_job(*wait_for_middle(self.launcher, workers, _RUN, _FILL, stay))
        # The worker has run some jobs more than _RUN, or fewer. Restore the number.
        missing = stay - self.launcher.pending()
        if missing > 0:
            self.driver.do("fill", _FILL, count=missing)
        return 1e6 / seen["rate"], seen["server"] * 1000


def _in_turn(instances: Mapping[str, _Instance], number: int) -> list[tuple[str, _Instance]]:
    order = list(instances.items())
    return order if number % 2 == 0 else order[::-1]


def _claims(instances: Mapping[str, _Instance], number: int) -> dict[str, float]:
    seen = {}
    for size, instance in _in_turn(instances, number):
        seen[f"claim.{size}"], seen[f"claim in the server.{size}"] = instance.claim()
    return seen


def _operations(
    instances: Mapping[str, _Instance], number: int, preset: Preset
) -> dict[str, float]:
    seen: dict[str, float] = {}
    for operation in OPERATIONS:
        for instance in instances.values():
            instance.times(operation, _WARM_UP)
        taken: dict[str, list[float]] = {size: [] for size in instances}
        wanted = preset.calls
        if operation.startswith("page") or operation == "enqueue a child":
            wanted //= _FEWER
        elif operation == "requeue":
            # Each call takes a failed job. Half of them must be left at the end.
            wanted = min(wanted, preset.few // (2 * preset.rounds))
        while len(taken["few"]) < wanted:
            for size, instance in _in_turn(instances, number):
                taken[size] += instance.times(operation, _PIECE)
        for size, instance in instances.items():
            seen[f"{operation}.{size}"] = median(taken[size]) * 1e6
            seen[f"{operation}.{size}.requests"] = instance.round_trips(operation)
    return seen
