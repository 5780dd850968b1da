"""What a worker does that has nothing to do.

All idle at the same time, each on a server of its own, since a server counts for all its clients
together. Each has run some jobs before, and has been left alone for a while.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import redis

from ..contestants import Contestant
from ..effort import Effort
from ..failure import StepFailed
from ..processes import Started
from ..samples import Failure, Metric, Sample
from ..server import Server, Transport
from ..stage import Stage

NAME = "idle"

METRICS = (
    Metric("idle.requests", "idle worker: round trips", "1/s", 2),
    Metric("idle.cpu", "idle worker: CPU", "%", 2),
)

_WARM_UP = 3

#: Seconds after the last job.
_SETTLE = 3


def measure(
    contestants: Sequence[Contestant],
    pythons: Mapping[str, Path],
    transport: Transport,
    effort: Effort,
) -> tuple[list[Sample], list[Failure]]:
    """Watch one worker of each for the same time."""
    failures = []
    with ExitStack() as stack:
        idle: list[tuple[Stage, list[Started]]] = []
        for contestant in contestants:
            if not contestant.workers:
                continue
            server = stack.enter_context(Server(transport))
            stage = stack.enter_context(Stage(contestant, pythons[contestant.name], server))
            workers = stack.enter_context(stage.workers(contestant.default_mode, 1))
            try:
                stage.driver.do("latencies", count=_WARM_UP, pause=0.01)
            except (StepFailed, redis.RedisError, OSError) as error:
                failures.append(Failure(NAME, contestant.name, str(error)))
                continue
            idle.append((stage, workers))
        time.sleep(_SETTLE)
        before = [_state(stage, workers) for stage, workers in idle]
        time.sleep(effort.idle)
        after = [_state(stage, workers) for stage, workers in idle]
        samples = []
        for (stage, workers), (began, requests, cpu), (ended, more, used) in zip(
            idle, before, after, strict=True
        ):
            name, seconds = stage.contestant.name, ended - began
            if dead := [worker for worker in workers if worker.ended]:
                words = dead[0].last_words()
                failures.append(Failure(NAME, name, f"a worker has ended: {words}"))
                continue
            samples.append(Sample("idle.requests", name, 0, (more - requests) / seconds))
            samples.append(Sample("idle.cpu", name, 0, 100 * (used - cpu) / seconds))
    return samples, failures


def _state(stage: Stage, workers: Sequence[Started]) -> tuple[float, int, float]:
    cpu = sum(worker.cpu() for worker in workers)
    return time.monotonic(), stage.server.counted().requests, cpu
