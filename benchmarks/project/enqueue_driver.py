"""A driver that enqueues: ``python -m enqueue_driver with_rq.enqueue``."""

from __future__ import annotations

import os
import random
import select
import sys
import time
from importlib import import_module
from typing import Any, Protocol, cast

import django

from driver_loop import run_driver

#: Calls between two looks at the clock.
_STRETCH = 20

#: Seconds after which a job whose latency is measured counts as lost.
_LOST = 15


class EnqueueModule(Protocol):
    """The functions of the module ``enqueue`` of each contestant."""

    def one(self) -> None: ...
    def one_in_a_view(self) -> None: ...
    def many(self, count: int) -> None: ...
    def timed(self, sent: int) -> None: ...


class Driver:
    """The operations of the driver."""

    def __init__(self, module: EnqueueModule) -> None:
        self._module = module

    def fill(self, count: int) -> None:
        """Enqueue jobs."""
        self._module.many(count)

    def enqueue_for(self, seconds: float, *, in_a_view: bool) -> dict[str, float]:
        """Enqueue one job with each call, for ``seconds``."""
        enqueue = self._module.one_in_a_view if in_a_view else self._module.one
        calls = 0
        start = time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds:
            for _ in range(_STRETCH):
                enqueue()
            calls += _STRETCH
        return {"calls": calls, "seconds": passed}

    def enqueue_many_for(self, seconds: float, batch: int) -> dict[str, float]:
        """Enqueue ``batch`` jobs with each call, for ``seconds``."""
        calls = 0
        start = time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds:
            self._module.many(batch)
            calls += batch
        return {"calls": calls, "seconds": passed}

    def latencies(self, count: int, pause: float) -> list[int]:
        """Enqueue one job at a time, each when the worker has been idle for a while.

        Args:
            pause: Mean seconds between one job's report and the next job.

        Returns:
            Nanoseconds from just before each call to the job's first line.

        Raises:
            TimeoutError: A job did not report.
        """
        taken = []
        # Open it for writing too, so that it does not end when a job closes it.
        fifo = os.open(os.environ["BENCH_FIFO"], os.O_RDWR)
        try:
            for _ in range(count):
                self._module.timed(time.monotonic_ns())
                if not select.select([fifo], [], [], _LOST)[0]:
                    raise TimeoutError(f"no worker ran the job within {_LOST} seconds")
                taken.append(int(os.read(fifo, 4096)))
                # The pauses vary, so that they do not synchronize with a timer of the worker.
                time.sleep(pause * random.uniform(0.5, 1.5))
        finally:
            os.close(fifo)
        return taken


def main() -> None:
    django.setup()
    module = cast("EnqueueModule", cast("Any", import_module(sys.argv[1])))
    driver = Driver(module)
    run_driver(
        {
            "fill": driver.fill,
            "enqueue_for": driver.enqueue_for,
            "enqueue_many_for": driver.enqueue_many_for,
            "latencies": driver.latencies,
        }
    )


if __name__ == "__main__":
    main()
