"""Whether scheduled jobs enter their queues in time.

Two commands for each queue, whatever the sizes. Nothing in here writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..protocol.keys import Keys
from .pipeline import items

#: Seconds after its time from which on a job is overdue: workers look every second or so, and
#: RQ's schedulers every second.
OVERDUE = 30


@dataclass(frozen=True, slots=True)
class Lateness:
    """Of one queue.

    Attributes:
        overdue: jobs that should have been queued :data:`OVERDUE` seconds ago or earlier.
        first_due: unix seconds at which the first job of all is due; None: none is scheduled.
    """

    overdue: int = 0
    first_due: float | None = None


def commands(keys: Keys, queues: Sequence[str], now: float) -> list[tuple[Any, ...]]:
    """What to ask the server.

    Args:
        now: unix seconds.
    """
    asked: list[tuple[Any, ...]] = []
    for queue in queues:
        asked.append(("ZCOUNT", keys.scheduled(queue), "-inf", f"({now - OVERDUE:.3f}"))
        asked.append(("ZRANGE", keys.scheduled(queue), 0, 0, "WITHSCORES"))
    return asked


def read(queues: Sequence[str], answers: Sequence[Any]) -> dict[str, Lateness]:
    """What its answers say, by queue; a key that holds something else has no jobs."""
    found = {}
    for queue, overdue, first in zip(queues, answers[::2], answers[1::2], strict=True):
        due = next((float(score) for _member, score in items(first)), None)
        found[queue] = Lateness(overdue if isinstance(overdue, int) else 0, due)
    return found
