"""How long each page of the admin takes, and how often it asks Redis, whatever waits.

Three servers, which differ only in how many jobs they have, are asked in turn, so that noise meets
all alike. The second has as many as a page or a search reads at the most: what grows beyond it
would grow with every job.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import redis

from ..contestants import OURS, Contestant, Mode
from ..effort import Effort
from ..failure import StepFailed
from ..samples import Failure, Sample
from ..server import Server, Transport
from ..stage import Stage, raise_ended

NAME = "admin"

#: As the driver calls them.
PAGES = (
    *("queues, charts of an hour", "queues, charts of a day"),
    *("queued jobs, first page", "queued jobs, middle page", "queued jobs, last page"),
    *("failed jobs, first page", "failed jobs, last page"),
    *("search: everything", "search: a text that nothing has", "search: a job's id"),
    *("search: a function", "search: an error", "groups of failed jobs"),
    *("a job that waits", "a job that has failed", "workers", "a worker"),
    *("delete a page of failed jobs?", "requeue all failed jobs?", "schedules"),
    *("stats.json", "metrics"),
)

#: The most that any page has in a round: growth from full pages to many jobs, and round trips.
MOST_GROWTH = "admin.growth"
MOST_ROUND_TRIPS = "admin.requests"

#: The site that has several queues.
_SITE = "with_four_queues"

#: Requests of a page before those that count, and before it is the next server's turn.
_WARM_UP = 2
_PIECE = 5

#: Seconds for filling a server, for failing the patterns of failed jobs, and for one's end.
_FILL = 300
_FAIL = 60
_END = 30


@dataclass(frozen=True, slots=True)
class World:
    """How many jobs a server has."""

    name: str
    queued: int
    failed: int
    #: Whether jobs ran in each minute of the last day.
    busy: bool = True

    @property
    def title(self) -> str:
        return f"{self.queued + self.failed:,} jobs"


def worlds(effort: Effort) -> tuple[World, World, World]:
    """A hundred jobs, as many as fill every page and every search, and very many."""
    return (
        World("few", 80, 20, busy=False),
        World("full", 10_000, 4_000),
        World("many", effort.many_pending, effort.many_failed),
    )


def key(page: str, world: str) -> str:
    """The name of the milliseconds of a page; with ``.worst`` and ``.requests`` of the others."""
    return f"{NAME}.{page}.{world}"


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
                sides = []
                for world in worlds(effort):
                    say(f"admin of {contestant.title}: {world.title}")
                    sides.append(_Side(stack, contestant, pythons[contestant.name], transport))
                    sides[-1].fill(world)
                for number in range(effort.rounds):
                    say(f"admin, round {number + 1} of {effort.rounds}")
                    samples += [
                        Sample(name, contestant.name, number, value)
                        for name, value in _round(sides, number, effort).items()
                    ]
        except (StepFailed, redis.RedisError, OSError) as error:
            failures.append(Failure(NAME, contestant.name, str(error)))
    return samples, failures


class _Side:
    """A server with so many jobs, and the site whose admin shows them."""

    def __init__(
        self, stack: ExitStack, contestant: Contestant, python: Path, transport: Transport
    ) -> None:
        server = stack.enter_context(Server(transport))
        site = replace(contestant, site=_SITE)
        self._stage = stack.enter_context(Stage(site, python, server))
        self._driver = self._stage.start_driver("admin_driver")
        self.name = ""

    def fill(self, world: World) -> None:
        """Have a few jobs fail in a worker, truly, copy them, and have the others wait."""
        self.name = world.name
        patterns = self._driver.do("enqueue_patterns")
        deadline = time.monotonic() + _FAIL
        with self._stage.ending_workers(Mode.REUSED, 1, _END) as workers:
            while (seen := self._driver.do("counts")["failed"]) < patterns:
                raise_ended(workers)
                if time.monotonic() > deadline:
                    raise StepFailed(f"{seen} of {patterns} jobs have failed in {_FAIL} s")
                time.sleep(0.1)
        wanted = {"queued": world.queued, "failed": world.failed}
        seen = self._driver.do("fill", _FILL, **wanted, busy=world.busy)
        if seen != wanted:
            raise StepFailed(f"there are {seen}, not {wanted}")

    def times(self, page: str, requests: int) -> list[float]:
        """Seconds of each of so many requests."""
        seconds: list[float] = self._driver.do("time", page=page, count=requests)
        return seconds

    def round_trips(self, page: str) -> int:
        """Round trips of one request."""
        return int(self._driver.do("round_trips", page=page))


def _round(sides: Sequence[_Side], number: int, effort: Effort) -> dict[str, float]:
    """All pages of all servers; one server begins in one round, another in the next."""
    seen: dict[str, float] = {}
    begin = number % len(sides)
    order = [*sides[begin:], *sides[:begin]]
    for page in PAGES:
        taken: dict[str, list[float]] = {side.name: [] for side in order}
        for side in order:
            side.times(page, _WARM_UP)
        for _ in range(0, effort.pages, _PIECE):
            for side in order:
                taken[side.name] += side.times(page, _PIECE)
        for side in order:
            name = key(page, side.name)
            seen[name] = median(taken[side.name]) * 1e3
            seen[f"{name}.worst"] = max(taken[side.name]) * 1e3
            seen[f"{name}.requests"] = side.round_trips(page)
    seen[MOST_GROWTH] = max(seen[key(page, "many")] / seen[key(page, "full")] for page in PAGES)
    seen[MOST_ROUND_TRIPS] = max(seen[f"{key(page, 'many')}.requests"] for page in PAGES)
    return seen
