"""The jobs, as plain functions. Each contestant wraps them as it wants them."""

from __future__ import annotations

import os
import time


def noop() -> None:
    """Do nothing: all that is measured is what a queue adds to a job."""


def report_latency(sent: int) -> None:
    """Tell the driver how long it took to get here.

    Args:
        sent: nanoseconds of the monotonic clock, which is one for all processes of a host.
    """
    taken = time.monotonic_ns() - sent
    with open(os.environ["BENCH_FIFO"], "wb", buffering=0) as fifo:
        fifo.write(b"%d\n" % taken)  # one write, so that lines never mix


def fail() -> None:
    """Fill the failed registry."""
    raise ValueError("a job of the benchmark that fails")
