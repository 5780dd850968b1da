"""The time and the round trips to Redis of each page of the admin, with few jobs and with many.

Three servers, which differ only in their number of jobs, are measured in turn, so that noise
affects all alike. The second has just enough jobs to fill every page and every search. A page that
takes longer on the third takes time that grows with the number of jobs.
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
from ..exceptions import MeasurementError
from ..launcher import Launcher, check_running
from ..preset import Preset
from ..samples import Failure, Sample
from ..server import Server, Transport

NAME = "admin"

#: The names of the pages in ``project/admin_driver.py``.
PAGES = (
    *("queues, charts of an hour", "queues, charts of a day"),
    *("queued jobs, first page", "queued jobs, middle page", "queued jobs, last page"),
    *("failed jobs, first page", "failed jobs, last page"),
    *("search: everything", "search: a text that no job has", "search: a job's id"),
    *("search: a function", "search: an error", "groups of failed jobs"),
    *("a queued job", "a failed job", "workers", "a worker"),
    *("delete a page of failed jobs?", "requeue all failed jobs?", "schedules"),
    *("stats.json", "metrics"),
)

#: Metrics of the worst page of a round: its growth from the second server to the third, and its
#: round trips.
MOST_GROWTH = "admin.growth"
MOST_ROUND_TRIPS = "admin.requests"

#: A site with several queues.
_SITE = "with_four_queues"

#: Requests of a page that are not measured, and requests before the next server's turn.
_WARM_UP = 2
_PIECE = 5

#: Timeouts in seconds: filling a server, running the jobs that fail, and the end of a worker.
_FILL = 300
_FAIL = 60
_END = 30


@dataclass(frozen=True, slots=True)
class DataSet:
    """The jobs of a server."""

    name: str
    queued: int
    failed: int
    #: Whether each minute of the last day has counts of runs.
    busy: bool = True

    @property
    def title(self) -> str:
        return f"{self.queued + self.failed:,} jobs"


def data_sets(preset: Preset) -> tuple[DataSet, DataSet, DataSet]:
    """A hundred jobs, enough to fill every page and every search, and very many."""
    return (
        DataSet("few", 80, 20, busy=False),
        DataSet("full", 10_000, 4_000),
        DataSet("many", preset.many_pending, preset.many_failed),
    )


def key(page: str, data_set: str) -> str:
    """The metric of a page's milliseconds. The others append ``.worst`` and ``.requests``."""
    return f"{NAME}.{page}.{data_set}"


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
                instances = []
                for data_set in data_sets(preset):
                    progress(f"admin of {contestant.title}: {data_set.title}")
                    instances.append(
                        _Instance(stack, contestant, pythons[contestant.name], transport)
                    )
                    instances[-1].fill(data_set)
                for number in range(preset.rounds):
                    progress(f"admin, round {number + 1} of {preset.rounds}")
                    samples += [
                        Sample(name, contestant.name, number, value)
                        for name, value in _round(instances, number, preset).items()
                    ]
        except (MeasurementError, redis.RedisError, OSError) as error:
            failures.append(Failure(NAME, contestant.name, str(error)))
    return samples, failures


class _Instance:
    """A server with a data set, and the site whose admin shows it."""

    def __init__(
        self, stack: ExitStack, contestant: Contestant, python: Path, transport: Transport
    ) -> None:
        server = stack.enter_context(Server(transport))
        site = replace(contestant, site=_SITE)
        self._launcher = stack.enter_context(Launcher(site, python, server))
        self._driver = self._launcher.start_driver("admin_driver")
        self.name = ""

    def fill(self, data_set: DataSet) -> None:
        """Run a few jobs that fail in a worker, copy them, and enqueue the queued ones."""
        self.name = data_set.name
        patterns = self._driver.do("enqueue_patterns")
        deadline = time.monotonic() + _FAIL
        with self._launcher.ending_workers(Mode.REUSED, 1, _END) as workers:
            while (seen := self._driver.do("counts")["failed"]) < patterns:
                check_running(workers)
                if time.monotonic() > deadline:
                    raise MeasurementError(f"{seen} of {patterns} jobs have failed in {_FAIL} s")
                time.sleep(0.1)
        wanted = {"queued": data_set.queued, "failed": data_set.failed}
        seen = self._driver.do("fill", _FILL, **wanted, busy=data_set.busy)
        if seen != wanted:
            raise MeasurementError(f"there are {seen}, not {wanted}")

    def times(self, page: str, requests: int) -> list[float]:
        """The seconds of each of ``requests`` requests."""
        seconds: list[float] = self._driver.do("time", page=page, count=requests)
        return seconds

    def round_trips(self, page: str) -> int:
        """The round trips of one request."""
        return int(self._driver.do("round_trips", page=page))


def _round(instances: Sequence[_Instance], number: int, preset: Preset) -> dict[str, float]:
    """Measure all pages on all servers. Another server is first in each round."""
    seen: dict[str, float] = {}
    begin = number % len(instances)
    order = [*instances[begin:], *instances[:begin]]
    for page in PAGES:
        taken: dict[str, list[float]] = {instance.name: [] for instance in order}
        for instance in order:
            instance.times(page, _WARM_UP)
        for _ in range(0, preset.pages, _PIECE):
            for instance in order:
                taken[instance.name] += instance.times(page, _PIECE)
        for instance in order:
            name = key(page, instance.name)
            seen[name] = median(taken[instance.name]) * 1e3
            seen[f"{name}.worst"] = max(taken[instance.name]) * 1e3
            seen[f"{name}.requests"] = instance.round_trips(page)
    seen[MOST_GROWTH] = max(seen[key(page, "many")] / seen[key(page, "full")] for page in PAGES)
    seen[MOST_ROUND_TRIPS] = max(seen[f"{key(page, 'many')}.requests"] for page in PAGES)
    return seen
