"""Which measurements there are, and under which word each is chosen."""

from __future__ import annotations

from collections.abc import Collection

from .contestants import Mode
from .effort import Effort
from .measure.enqueueing import BulkEnqueueing, Enqueueing
from .measure.latency import Latency
from .measure.measurement import Measurement
from .measure.memory import Memory
from .measure.running import Running

#: The words of ``--only``.
PARTS = ("fork", "reused", "enqueue", "bulk", "latency", "memory", "idle", "growth", "admin")


def measurements(parts: Collection[str], effort: Effort) -> list[Measurement]:
    """What the words stand for, in the order in which it is measured."""
    every: list[tuple[str, Measurement]] = [
        ("fork", Running(Mode.FORK, 1, effort)),
        ("fork", Running(Mode.FORK, 2, effort)),
        ("reused", Running(Mode.REUSED, 1, effort)),
        ("reused", Running(Mode.REUSED, 2, effort)),
        ("enqueue", Enqueueing(effort)),
        ("bulk", BulkEnqueueing(effort)),
        ("latency", Latency(effort)),
        ("memory", Memory(effort)),
    ]
    return [measurement for part, measurement in every if part in parts]
