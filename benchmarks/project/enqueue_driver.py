"""A process of the site that enqueues: ``python -m enqueue_driver with_rq.enqueuing``."""

from __future__ import annotations

import os
import random
import select
import sys
import time
from importlib import import_module
from typing import Any, Protocol, cast

import django

from answering import answer_until_eof

#: Calls between two looks at the clock.
_STRETCH = 20

#: Seconds after which a job that was enqueued for its latency counts as lost.
_LOST = 15


class Enqueuing(Protocol):
    """What the module ``enqueuing`` of each contestant has."""

    def one(self) -> None: ...
    def one_in_a_view(self) -> None: ...
    def many(self, count: int) -> None: ...
    def timed(self, sent: int) -> None: ...


class Driver:
    """The operations that the runner asks for."""

    def __init__(self, enqueuing: Enqueuing) -> None:
        self._enqueuing = enqueuing

    def fill(self, count: int) -> None:
        """Have jobs wait."""
        self._enqueuing.many(count)

    def enqueue_for(self, seconds: float, *, in_a_view: bool) -> dict[str, float]:
        """Enqueue one by one for so long."""
        enqueue = self._enqueuing.one_in_a_view if in_a_view else self._enqueuing.one
        calls = 0
        start = time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds:
            for _ in range(_STRETCH):
                enqueue()
            calls += _STRETCH
        return {"calls": calls, "seconds": passed}

    def enqueue_many_for(self, seconds: float, batch: int) -> dict[str, float]:
        """Enqueue many at once, again and again for so long."""
        calls = 0
        start = time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds:
            self._enqueuing.many(batch)
            calls += batch
        return {"calls": calls, "seconds": passed}

    def latencies(self, count: int, pause: float) -> list[int]:
        """Enqueue one job at a time, each when the worker has been idle for a while.

        Args:
            pause: mean seconds between one job's report and the next job.

        Returns:
            nanoseconds from just before the call to the job's first line.

        Raises:
            TimeoutError: a job did not report.
        """
        taken = []
        # For writing too, so that it has no end when a job closes it.
        fifo = os.open(os.environ["BENCH_FIFO"], os.O_RDWR)
        try:
            for _ in range(count):
                self._enqueuing.timed(time.monotonic_ns())
                if not select.select([fifo], [], [], _LOST)[0]:
                    raise TimeoutError(f"no worker ran the job within {_LOST} seconds")
                taken.append(int(os.read(fifo, 4096)))
                # Uneven, so as not to keep step with anything.
                time.sleep(pause * random.uniform(0.5, 1.5))
        finally:
            os.close(fifo)
        return taken


def main() -> None:
    django.setup()
    enqueuing = cast("Enqueuing", cast("Any", import_module(sys.argv[1])))
    driver = Driver(enqueuing)
    answer_until_eof(
        {
            "fill": driver.fill,
            "enqueue_for": driver.enqueue_for,
            "enqueue_many_for": driver.enqueue_many_for,
            "latencies": driver.latencies,
        }
    )


if __name__ == "__main__":
    main()
