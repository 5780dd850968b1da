"""The jobs as plain functions. Each contestant's site wraps them as it must."""

from __future__ import annotations

import os
import time


def noop() -> None:
    """Do nothing, so that only the overhead of the queue is measured."""


def report_latency(sent: int) -> None:
    """Report the latency of this job to the driver.

    Args:
        sent: Nanoseconds of the monotonic clock, which all processes of a host share.
    """
    taken = time.monotonic_ns() - sent
    with open(os.environ["BENCH_FIFO"], "wb", buffering=0) as fifo:
        fifo.write(b"%d\n" % taken)  # one write, so that lines never mix


def fail() -> None:
    """Fail."""
    raise ValueError("a job of the benchmark that fails")
