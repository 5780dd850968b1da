"""What single things cost with few jobs and with very many, of django_rqlite only.

Two servers, one with few jobs and one with many, are asked in turn, so that noise meets both alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import redis

from ..contestants import OURS, Contestant, Mode
from ..conversation import Driver
from ..effort import Effort
from ..failure import StepFailed
from ..samples import Failure, Sample
from ..server import Server, Transport
from ..stage import Stage, raise_ended
from .running import between, watch

NAME = "growth"

#: As the driver calls them.
OPERATIONS = (
    *("enqueue", "counts", "cancel", "delete", "requeue"),
    # Of a job that waits for few others, and for many.
    *("enqueue a child", "end of a parent"),
    # What the size of the server's memory alone does, for comparison.
    *("HGETALL of a waiting job", "HSET of a new key"),
    *("page of queues", "page of waiting jobs", "page of failed jobs", "page of a job"),
)

#: All whose cost is measured: a claim is what a worker needs for a job in all, and what of that is
#: the server's CPU.
COSTS = ("claim", "claim in the server", *OPERATIONS)

#: Jobs that a worker runs in a round, with reused processes.
_RUN = 2000

_SIZES = ("few", "many")

#: Calls of an operation before those that count, and before it is the other server's turn.
_WARM_UP = 2
_PIECE = 25

#: Pages, and jobs with many parents, take a hundred times as long as the rest.
_FEWER = 8

#: Jobs that each child waits for.
_PARENTS = {"few": 50, "many": 5000}

#: So many times the rounds, since each is short.
_MORE_CLAIMS = 2

#: Seconds for filling a queue, and for failing all jobs of one.
_FILL = 600
_FAIL = 900

_END = 30


def measure(
    contestants: Sequence[Contestant],
    pythons: Mapping[str, Path],
    transport: Transport,
    effort: Effort,
    say: Callable[[str], None],
) -> tuple[list[Sample], list[Failure]]:
    """Measure every checkout of django_rqlite among the contestants."""
    samples: list[Sample] = []
    failures = []
    for contestant in contestants:
        if contestant.site != OURS.site or not contestant.workers:
            continue
        try:
            with ExitStack() as stack:
                sides = {
                    size: _Side(stack, contestant, pythons[contestant.name], transport)
                    for size in _SIZES
                }
                say(f"growth: filling queues of {contestant.title}")
                for size, side in sides.items():
                    side.driver.do("parents", count=_PARENTS[size])
                sides["few"].fill(effort.few, effort.few)
                sides["many"].fill(effort.many_pending, effort.many_failed)
                # First, while there is nothing in the queue but what does nothing.
                claims = effort.rounds * _MORE_CLAIMS
                for number in range(claims):
                    say(f"growth, round {number + 1} of {claims}: claims")
                    samples += _samples(contestant, number, _claims(sides, number))
                for number in range(effort.rounds):
                    say(f"growth, round {number + 1} of {effort.rounds}: single operations")
                    seen = _operations(sides, number, effort)
                    samples += _samples(contestant, number, seen)
        except (StepFailed, redis.RedisError, OSError) as error:
            failures.append(Failure(NAME, contestant.name, str(error)))
    return samples, failures


def _samples(contestant: Contestant, number: int, seen: Mapping[str, float]) -> list[Sample]:
    return [
        Sample(f"growth.{name}", contestant.name, number, value) for name, value in seen.items()
    ]


class _Side:
    """A server with so many jobs."""

    def __init__(
        self, stack: ExitStack, contestant: Contestant, python: Path, transport: Transport
    ) -> None:
        self.server = stack.enter_context(Server(transport))
        self.stage = stack.enter_context(Stage(contestant, python, self.server))
        self.driver: Driver = self.stage.start_driver("growth_driver")

    def fill(self, pending: int, failed: int) -> None:
        """Have so many jobs fail, truly, and so many wait."""
        self.driver.do("fill", _FILL, count=failed, failing=True)
        with self.stage.ending_workers(Mode.REUSED, 2, _END) as workers:
            deadline = time.monotonic() + _FAIL
            while self.stage.pending():
                raise_ended(workers)
                if time.monotonic() > deadline:
                    raise StepFailed(f"{failed} jobs have not failed in {_FAIL} s")
                time.sleep(0.1)
        if (seen := self.driver.do("failed")) != failed:
            raise StepFailed(f"{seen} of {failed} jobs have failed")
        self.driver.do("fill", _FILL, count=pending)

    def times(self, operation: str, calls: int) -> list[float]:
        """Seconds of each of so many calls."""
        seconds: list[float] = self.driver.do("time", operation=operation, count=calls)
        return seconds

    def round_trips(self, operation: str) -> int:
        """Round trips of one call."""
        return int(self.driver.do("round_trips", operation=operation))

    def claim(self) -> tuple[float, float]:
        """Microseconds for each job that a worker runs, by the clock and of the server's CPU."""
        stay = self.stage.pending()
        self.driver.do("fill", _FILL, count=_RUN)
        with self.stage.ending_workers(Mode.REUSED, 1, _END) as workers:
            seen = between(*watch(self.stage, workers, _RUN, _FILL, stay))
        # As many as there were, since it has run more than that, or fewer.
        missing = stay - self.stage.pending()
        if missing > 0:
            self.driver.do("fill", _FILL, count=missing)
        return 1e6 / seen["rate"], seen["server"] * 1000


def _in_turn(sides: Mapping[str, _Side], number: int) -> list[tuple[str, _Side]]:
    order = list(sides.items())
    return order if number % 2 == 0 else order[::-1]


def _claims(sides: Mapping[str, _Side], number: int) -> dict[str, float]:
    seen = {}
    for size, side in _in_turn(sides, number):
        seen[f"claim.{size}"], seen[f"claim in the server.{size}"] = side.claim()
    return seen


def _operations(sides: Mapping[str, _Side], number: int, effort: Effort) -> dict[str, float]:
    seen: dict[str, float] = {}
    for operation in OPERATIONS:
        for side in sides.values():
            side.times(operation, _WARM_UP)
        taken: dict[str, list[float]] = {size: [] for size in sides}
        wanted = effort.calls
        if operation.startswith("page") or operation == "enqueue a child":
            wanted //= _FEWER
        elif operation == "requeue":
            # They are used up by it: half of them must be there at the end.
            wanted = min(wanted, effort.few // (2 * effort.rounds))
        while len(taken["few"]) < wanted:
            for size, side in _in_turn(sides, number):
                taken[size] += side.times(operation, _PIECE)
        for size, side in sides.items():
            seen[f"{operation}.{size}"] = median(taken[size]) * 1e6
            seen[f"{operation}.{size}.requests"] = side.round_trips(operation)
    return seen
