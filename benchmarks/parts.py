"""The parts of the benchmark that ``--only`` chooses, and their measurements."""

from __future__ import annotations

from collections.abc import Collection

from .contestants import Mode
from .measure.enqueue import BulkEnqueue, Enqueue
from .measure.latency import Latency
from .measure.measurement import Measurement
from .measure.memory import Memory
from .measure.throughput import Throughput
from .preset import Preset

#: The words of ``--only``.
PARTS = ("fork", "reused", "enqueue", "bulk", "latency", "memory", "idle", "growth", "admin")


def measurements(parts: Collection[str], preset: Preset) -> list[Measurement]:
    """The measurements of these parts, in the order in which they run."""
    every: list[tuple[str, Measurement]] = [
        ("fork", Throughput(Mode.FORK, 1, preset)),
        ("fork", Throughput(Mode.FORK, 2, preset)),
        ("reused", Throughput(Mode.REUSED, 1, preset)),
        ("reused", Throughput(Mode.REUSED, 2, preset)),
        ("enqueue", Enqueue(preset)),
        ("bulk", BulkEnqueue(preset)),
        ("latency", Latency(preset)),
        ("memory", Memory(preset)),
    ]
    return [measurement for part, measurement in every if part in parts]
