"""The round trips and the CPU of idle workers.

All workers are idle at the same time, each on a server of its own, because the counters of a server
are those of all its clients. Each worker has run some jobs before.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import redis

from ..contestants import Contestant
from ..exceptions import MeasurementError
from ..launcher import Launcher
from ..preset import Preset
from ..processes import ManagedProcess
from ..samples import Failure, Metric, Sample
from ..server import Server, Transport

NAME = "idle"

METRICS = (
    Metric("idle.requests", "idle worker: round trips", "1/s", 2),
    Metric("idle.cpu", "idle worker: CPU", "%", 2),
)

_WARM_UP = 3

#: Seconds between the last job and the measurement.
_SETTLE = 3


def measure(
    contestants: Sequence[Contestant],
    pythons: Mapping[str, Path],
    transport: Transport,
    preset: Preset,
) -> tuple[list[Sample], list[Failure]]:
    """Watch one worker of each contestant for the same time."""
    failures = []
    with ExitStack() as stack:
        idle: list[tuple[Launcher, list[ManagedProcess]]] = []
        for contestant in contestants:
            if not contestant.workers:
                continue
            server = stack.enter_context(Server(transport))
            launcher = stack.enter_context(Launcher(contestant, pythons[contestant.name], server))
            workers = stack.enter_context(launcher.workers(contestant.default_mode, 1))
            try:
                launcher.driver.do("latencies", count=_WARM_UP, pause=0.01)
            except (MeasurementError, redis.RedisError, OSError) as error:
                failures.append(Failure(NAME, contestant.name, str(error)))
                continue
            idle.append((launcher, workers))
        time.sleep(_SETTLE)
        before = [_state(launcher, workers) for launcher, workers in idle]
        time.sleep(preset.idle)
        after = [_state(launcher, workers) for launcher, workers in idle]
        samples = []
        for (launcher, workers), (began, requests, cpu), (ended, more, used) in zip(
            idle, before, after, strict=True
        ):
            name, seconds = launcher.contestant.name, ended - began
            if dead := [worker for worker in workers if worker.ended]:
                words = dead[0].last_words()
                failures.append(Failure(NAME, name, f"a worker has ended: {words}"))
                continue
            samples.append(Sample("idle.requests", name, 0, (more - requests) / seconds))
            samples.append(Sample("idle.cpu", name, 0, 100 * (used - cpu) / seconds))
    return samples, failures


def _state(launcher: Launcher, workers: Sequence[ManagedProcess]) -> tuple[float, int, float]:
    cpu = sum(worker.cpu() for worker in workers)
    return time.monotonic(), launcher.server.counters().requests, cpu
