"""A worker loses its connection, or is killed, before or after each command that it sends.

The commands before the first claim are tried with one kind of job only, unless
``RQ_TEST_EVERY_COMMAND`` is set.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis as redis_py

from django_rqlite import Callback, Job, Retry, get_queue
from tests.chaos.jobs import act, die, record_failure, runs
from tests.chaos.places import all_ended, misplaced, read_places
from tests.chaos.proxy import Cut, Moment, Proxy, Target
from tests.conftest import URL_VARIABLE, Server, wait_until
from tests.process_server import settings_loaded
from tests.worker_process import WorkerProcess, worker

QUEUES = ("default",)

LEASE = {"RQ_TEST_LEASE": "1"}


@dataclass(frozen=True, slots=True)
class Life:
    """What is enqueued, and how it should end."""

    name: str
    #: Status and number of runs for each of the jobs.
    ends: tuple[tuple[str, int], ...]
    #: Whether its callback writes a file, some time after the outcome has been stored.
    has_callback: bool = False

    def enqueue(self, folder: str) -> list[Job]:
        queue = get_queue()
        if self.name == "fails":
            return [queue.enqueue(act, folder, failures=9, ask=False)]
        if self.name == "dies":
            return [queue.enqueue(die, folder, on_failure=Callback(record_failure))]
        if self.name == "is retried":
            return [queue.enqueue(act, folder, failures=1, ask=False, retry=Retry(2))]
        if self.name == "is due":
            return [queue.enqueue_at(datetime(2015, 11, 3, tzinfo=UTC), act, folder, ask=False)]
        first = queue.enqueue(act, folder, ask=False)
        if self.name == "has a dependent":
            return [first, queue.enqueue(act, folder, ask=False, depends_on=first)]
        return [first]


LIVES = [
    Life("succeeds", (("finished", 1),)),
    Life("fails", (("failed", 1),)),
    Life("is retried", (("finished", 2),)),
    Life("is due", (("finished", 1),)),
    Life("has a dependent", (("finished", 1), ("finished", 1))),
]


@dataclass
class World:
    """What the cases share."""

    redis: redis_py.Redis
    folder: Path
    proxy: Proxy
    #: Variables of workers that are connected through the proxy.
    through_proxy: dict[str, str]
    #: The commands that a worker sends before those about jobs.
    preamble: frozenset[Target] = frozenset()


@pytest.fixture(scope="module")
def world(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    # Not pytest's own folder: its path is too long for a unix socket on some systems.
    sockets = Path(tempfile.mkdtemp(prefix="rqlite-"))
    folder = tmp_path_factory.mktemp("cuts")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, sockets)
        proxy = Proxy(server.url, sockets / "proxy.sock")
        stack.callback(proxy.close)
        through_proxy = {**LEASE, URL_VARIABLE: proxy.url}
        for environment in (LEASE, through_proxy):
            stack.enter_context(settings_loaded(environment))
        client = stack.enter_context(server.client())
        world = World(client, folder, proxy, through_proxy)
        for _ in range(2):  # the first time, the server does not know the scripts
            Case(world, LIVES[0], Moment.BEFORE, False, None).run()
        world.preamble = frozenset(proxy.said[: proxy.said.index(Target("promote", 1))])
        yield world


class Case:
    """One life of one job, with a cut at one command."""

    def __init__(
        self, world: World, life: Life, moment: Moment, kills: bool, target: Target | None
    ) -> None:
        self._world = world
        self._life = life
        self._kills = kills
        self.folder = Path(tempfile.mkdtemp(dir=world.folder))
        self.cut = Cut(target, moment, self._act)
        self._worker: WorkerProcess | None = None
        self.jobs: list[Job] = []

    def _act(self) -> None:
        assert self._worker is not None
        if self._kills:
            os.kill(self._worker.pid, signal.SIGKILL)

    def run(self) -> None:
        """Cut the connection of one worker, let another finish the jobs, and check the result."""
        world = self._world
        world.redis.flushdb()
        self.jobs = self._life.enqueue(str(self.folder))
        world.proxy.disarm()
        workers: list[WorkerProcess] = []
        with ExitStack() as stack:
            first = self._worker = stack.enter_context(
                worker(self.folder, "default", "--burst", environment=world.through_proxy)
            )
            workers.append(first)
            world.proxy.arm(self.cut)
            try:
                wait_until(lambda: self._checked(self.cut.done or first.ended()), "the cut")
                if self.cut.done:
                    other = worker(self.folder, "default", environment=LEASE)
                    workers.append(stack.enter_context(other))
                wait_until(lambda: self._checked(self._over()), "all jobs have ended")
                self._check(first.ends())
            except AssertionError as exc:
                printed = "\n\n".join(one.output for one in workers)
                raise AssertionError(f"{self}: {exc}\nThey printed:\n{printed}") from exc

    def __str__(self) -> str:
        what = "killed" if self._kills else "cut off"
        return (
            f"a job that {self._life.name}, its worker {what} {self.cut.moment.value} "
            f"{self.cut.target}{'' if self.cut.came else ' (which did not come)'}"
        )

    def _checked(self, condition: bool) -> bool:
        """Return the condition, after a check that each job is in one place."""
        found = read_places(self._world.redis, QUEUES)
        problems = misplaced(found, [job.id for job in self.jobs])
        assert not problems, problems
        return condition

    def _over(self) -> bool:
        ended = all_ended(read_places(self._world.redis, QUEUES), [job.id for job in self.jobs])
        # The file exists a moment before the callback has written to it.
        called_back = self.callback_file.exists() and self.callback_file.stat().st_size > 0
        return ended and (not self._life.has_callback or called_back)

    @property
    def callback_file(self) -> Path:
        """The file that the callback of the first job writes."""
        return self.folder / f"{self.jobs[0].id}.failed"

    def _check(self, exit_code: int) -> None:
        redis = self._world.redis
        killed = self._kills and self.cut.done
        assert killed or exit_code == 0 or not self._started(), f"exit code {exit_code}"
        crashes = 0
        for job, (status, due) in zip(self.jobs, self._life.ends, strict=True):
            fields = redis.hmget(job.key, "status", "x_crashes")
            lost = int(fields[1] or 0)
            crashes += lost
            begun = runs(self.folder, job.id)
            assert fields[0] == status.encode(), f"{fields[0]!r} instead of {status}"
            assert due <= len(begun) <= due + lost, f"{len(begun)} runs, {lost} lost: {begun}"
            outcomes = redis.xlen(f"rq:results:{job.id}")
            assert len(begun) - lost <= outcomes <= len(begun), f"{outcomes} outcomes of {begun}"
        if not killed:
            assert self._worker is not None
            assert "was dropped" not in self._worker.output, "all its outcomes are stored"
        assert crashes <= killed, "a worker that was not killed has lost a job"
        assert not list(redis.scan_iter("rq:execution*")), "executions are left behind"

    def _started(self) -> bool:
        assert self._worker is not None
        return "*** Listening on" in self._worker.output


def each_target(world: World, life: Life, moment: Moment, kills: bool) -> Iterator[Case]:
    """Run a case for each command that a worker sends in any of them."""
    uncut = Case(world, life, moment, kills, None)
    uncut.run()
    everything = life is LIVES[0] or "RQ_TEST_EVERY_COMMAND" in os.environ
    tried: set[Target] = set() if everything else set(world.preamble)
    targets = deque(world.proxy.said)
    while targets:
        target = targets.popleft()
        if target in tried:
            continue
        tried.add(target)
        case = Case(world, life, moment, kills, target)
        case.run()
        targets += world.proxy.said
        yield case


@pytest.mark.parametrize("kills", [False, True], ids=["cut", "killed"])
@pytest.mark.parametrize("moment", list(Moment), ids=lambda moment: str(moment.value))
@pytest.mark.parametrize("life", LIVES, ids=lambda life: str(life.name).replace(" ", "-"))
def test_a_job_survives(world: World, life: Life, moment: Moment, kills: bool) -> None:
    cut = [case.cut.target for case in each_target(world, life, moment, kills) if case.cut.came]
    print(len(cut), "commands:", *cut, sep=", ")
    names = {target.name for target in cut if target is not None}
    settled = {"fails": "fail", "is retried": "retry_or_repeat"}.get(life.name, "finish")
    assert {"promote", "claim", settled} <= names
    assert life is not LIVES[0] or {"register_worker", "heartbeat", "reap"} <= names


@pytest.mark.parametrize("moment", list(Moment), ids=lambda moment: str(moment.value))
def test_a_callback_is_called_although_the_answer_was_lost(world: World, moment: Moment) -> None:
    life = Life("dies", (("failed", 1),), has_callback=True)
    cut = set()
    for case in each_target(world, life, moment, kills=False):
        assert case.callback_file.read_bytes() == b"x", str(case)
        cut.add(case.cut.target)
    assert Target("fail", 1) in cut
