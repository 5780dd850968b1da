"""A storm: workers run jobs of all kinds while workers and jobs are killed at random.

``python -m tests.chaos.storm --help`` runs one for any time, on a server of its own.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis as redis_py

from tests.chaos.final_state import Planned, check_final_state
from tests.chaos.places import all_ended, misplaced, read_places
from tests.conftest import URL_VARIABLE, Server
from tests.process_server import settings_loaded
from tests.process_tree import children_of
from tests.worker_process import WorkerProcess

#: The workers' queues, in their order.
QUEUES = ("high", "default")

#: Seconds between two kills: the shortest and the longest time.
KILL_INTERVAL = (0.1, 0.5)

#: The share of kills that hits workers; the others hit the processes of jobs.
WORKER_KILLS = 0.5

#: The share of those that hits the worker's fork server instead of the worker.
FORK_SERVER_KILLS = 0.3

#: Seconds between two checks of all places.
CHECK_INTERVAL = 0.25


@dataclass(frozen=True, slots=True)
class StormOptions:
    """The options of a storm. Durations are in seconds.

    Attributes:
        seconds: for how long jobs are enqueued and processes killed.
        lease: ``RQ["LEASE"]`` of the workers.
        drain_timeout: how long the jobs that are left may take afterwards.
    """

    seed: int
    jobs: int
    workers: int = 3
    seconds: float = 20.0
    lease: int = 3
    drain_timeout: float = 120.0


@dataclass
class Report:
    """The result of a storm."""

    problems: list[str] = field(default_factory=list)
    killed_workers: set[int] = field(default_factory=set)
    killed_jobs: set[int] = field(default_factory=set)
    numbers: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        lines = [f"{count:6} {what}" for what, count in self.numbers.items()]
        return "\n".join([*lines, *(f"PROBLEM: {problem}" for problem in self.problems)])


class Storm:
    """One storm. ``django.setup()`` has run, and ``RQ_QUEUES`` names the server.

    Args:
        redis: a client of the server, whose database is empty.
        folder: for the logs of the workers and the files of the jobs.
    """

    def __init__(self, options: StormOptions, redis: redis_py.Redis, folder: Path) -> None:
        self._options = options
        self._redis = redis
        self._folder = folder
        self._environment = {"RQ_TEST_LEASE": str(options.lease)}
        self._random = random.Random(options.seed)
        self._planned: list[Planned] = []
        self._workers: list[WorkerProcess] = []
        self._started = 0
        self._report = Report()
        self._check_at = 0.0

    def run(self) -> Report:
        """Enqueue and kill, let the workers finish the jobs, and check the result."""
        with settings_loaded(self._environment):
            try:
                self._run()
            finally:
                for worker in self._workers:
                    worker.stop()
        return self._report

    def _run(self) -> None:
        options = self._options
        self._workers = [self._worker(index) for index in range(options.workers)]
        began = time.monotonic()
        self._kill_until(began + options.seconds)
        last_kill = time.monotonic()
        self._drain(last_kill + options.drain_timeout)
        self._count("seconds of storm", round(last_kill - began))
        self._count("seconds until all was done", round(time.monotonic() - last_kill))
        self._stop_workers()
        self._count("workers killed", len(self._report.killed_workers))
        self._count("processes of jobs killed", len(self._report.killed_jobs))
        findings = check_final_state(
            self._redis,
            QUEUES,
            self._planned,
            self._folder,
            killed_workers=self._report.killed_workers,
            killed_jobs=self._report.killed_jobs,
        )
        self._report.numbers.update(findings.numbers)
        self._report.problems += findings.problems

    def _count(self, what: str, number: int) -> None:
        self._report.numbers[what] = number

    def _worker(self, index: int) -> WorkerProcess:
        # The first runs one job at a time, the others two.
        arguments = (*QUEUES, "--concurrency", "1" if index == 0 else "2")
        self._started += 1
        log = self._folder / f"worker-{self._started}.log"
        return WorkerProcess(log, arguments, self._environment)

    def _kill_until(self, end: float) -> None:
        began = time.monotonic()
        plans = plan(self._random, self._options.jobs, str(self._folder))
        kill_at = began
        # All of them are there before the end, so that the last kills hit workers at work.
        pace = self._options.jobs / (0.8 * (end - began))
        while (now := time.monotonic()) < end:
            while len(self._planned) < min(self._options.jobs, (now - began) * pace):
                self._planned.append(next(plans))
            if now >= kill_at:
                self._kill()
                kill_at = now + self._random.uniform(*KILL_INTERVAL)
            self._keep_up()
            time.sleep(0.01)
        self._planned += plans

    def _kill(self) -> None:
        worker = self._random.choice(self._workers)
        servers = children_of(worker.pid)
        children = [child for server in servers for child in children_of(server)]
        if children and self._random.random() >= WORKER_KILLS:
            victim = self._random.choice(children)
            self._report.killed_jobs.add(victim)
            _kill_if_there(victim)
        elif worker.ended():
            return
        elif servers and self._random.random() < FORK_SERVER_KILLS:
            # The worker ends with it.
            self._report.killed_workers.add(worker.pid)
            self._count("fork servers killed", self._report.numbers["fork servers killed"] + 1)
            for server in servers:
                _kill_if_there(server)
        else:
            self._report.killed_workers.add(worker.pid)
            worker.stop()

    def _keep_up(self) -> None:
        """Replace the workers that have ended, and check where the jobs are."""
        for index, worker in enumerate(self._workers):
            if worker.ended():
                if worker.pid not in self._report.killed_workers:
                    self._report.problems.append(
                        f"worker {worker.pid} ended by itself with {worker.process.returncode}; it "
                        f"printed:\n{worker.output[-3000:]}"
                    )
                self._workers[index] = self._worker(index)
        if time.monotonic() >= self._check_at:
            found = read_places(self._redis, QUEUES)
            ids = [planned.job_id for planned in self._planned]
            self._report.problems += misplaced(found, ids)
            self._report.numbers["checks of all places"] += 1
            self._check_at = time.monotonic() + CHECK_INTERVAL

    def _drain(self, deadline: float) -> None:
        ids = [planned.job_id for planned in self._planned]
        while not all_ended(found := read_places(self._redis, QUEUES), ids):
            if time.monotonic() > deadline:
                left = {job_id: found.get(job_id) for job_id in ids}
                left = {i: p for i, p in left.items() if not all_ended(found, [i])}
                self._report.problems.append(f"{len(left)} jobs have not ended: {left}")
                return
            self._keep_up()
            time.sleep(0.02)

    def _stop_workers(self) -> None:
        for worker in self._workers:
            worker.signal(signal.SIGTERM)
        for worker in self._workers:
            code, listened = worker.ends(), "Listening on" in worker.output
            # SIGTERM kills a worker that was still starting.
            if code != 0 and (listened or code != -signal.SIGTERM):
                self._report.problems.append(
                    f"SIGTERM ended a worker with {code}; it printed:\n{worker.output[-3000:]}"
                )


def _kill_if_there(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it has ended by itself


def plan(chance: random.Random, count: int, folder: str) -> Iterator[Planned]:
    """Enqueue jobs of all kinds, one at each step."""
    from django_rqlite import Dependency, Repeat, Retry, get_queue
    from tests.chaos.jobs import act

    latest: list[Planned] = []
    for _ in range(count):
        queue = get_queue(chance.choice(QUEUES))
        seconds = chance.uniform(0, 0.08)
        options: dict[str, Any] = {"result_ttl": 86400, "at_front": chance.random() < 0.1}
        kind = chance.choices(
            ("plain", "failing", "retried", "repeated", "scheduled", "dependent"),
            (30, 5, 20, 5, 15, 25),
        )[0]
        parents: list[Planned] = []
        allow_failure = False
        failures = 0
        if kind == "failing":
            failures = 1000
        elif kind == "retried":
            failures = chance.choice((1, 2))
            options["retry"] = Retry(3, interval=chance.choice((0, 1)))
        elif kind == "repeated":
            options["repeat"] = Repeat(2, interval=chance.choice((0, 1)))
        elif kind == "dependent" and latest:
            parents = chance.sample(latest, min(len(latest), chance.choice((1, 1, 2))))
            allow_failure = chance.random() < 0.3
            options["depends_on"] = Dependency(
                [parent.job_id for parent in parents], allow_failure=allow_failure
            )
        if kind == "scheduled":
            wait = timedelta(seconds=chance.uniform(0.2, 3))
            job = queue.enqueue_in(wait, act, folder, seconds, **options)
        else:
            job = queue.enqueue(act, folder, seconds, failures, **options)
        planned = Planned(
            job.id, kind, tuple(parent.job_id for parent in parents), allow_failure, failures
        )
        # Parents mostly have not ended yet, and often are children, which makes chains.
        latest = [*latest[-4:], planned]
        yield planned


def main() -> int:
    """Run one storm on a server of its own, and return the exit code."""
    parser = argparse.ArgumentParser("python -m tests.chaos.storm", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long to kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lease", type=int, default=2, help="RQ['LEASE'], in seconds")
    options = parser.parse_args()
    server = Server.start()
    os.environ[URL_VARIABLE] = server.url
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    folder = Path(tempfile.mkdtemp(prefix="rqlite-storm-"))
    try:
        with server.client() as client:
            chosen = StormOptions(
                options.seed, options.jobs, options.workers, options.seconds, options.lease
            )
            report = Storm(chosen, client, folder).run()
    finally:
        server.stop()
    print(report)
    if report.problems:
        print(f"The workers' logs and the runs of each job are in {folder}.")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
