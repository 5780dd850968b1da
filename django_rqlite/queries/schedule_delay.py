"""Whether scheduled jobs enter their queues on time. Two commands for each queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..protocol.keys import Keys
from .pipeline import Command, members

#: A job is overdue this many seconds after its time. Workers, and RQ's schedulers, check about once
#: per second.
OVERDUE = 30


@dataclass(frozen=True, slots=True)
class ScheduleDelay:
    """Whether the scheduled jobs of one queue are late.

    Attributes:
        overdue: how many jobs should have been queued :data:`OVERDUE` seconds ago or earlier.
        first_due: unix seconds at which the first job is due; None: no job is scheduled.
    """

    overdue: int = 0
    first_due: float | None = None


def commands(keys: Keys, queues: Sequence[str], now: float) -> list[Command]:
    """The commands for these queues.

    Args:
        now: unix seconds.
    """
    asked: list[Command] = []
    for queue in queues:
        asked.append(("ZCOUNT", keys.scheduled(queue), "-inf", f"({now - OVERDUE:.3f}"))
        asked.append(("ZRANGE", keys.scheduled(queue), 0, 0, "WITHSCORES"))
    return asked


def read(queues: Sequence[str], answers: Sequence[Any]) -> dict[str, ScheduleDelay]:
    """The delay of each queue. A key of the wrong type counts as empty."""
    found = {}
    for queue, overdue, first in zip(queues, answers[::2], answers[1::2], strict=True):
        due = next((float(score) for _member, score in members(first)), None)
        found[queue] = ScheduleDelay(overdue if isinstance(overdue, int) else 0, due)
    return found
