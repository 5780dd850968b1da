"""The protocol of schedules, and the schedule that repeats after an interval.

Schedules are pure functions of the time, so all workers agree. Points in time are whole unix
seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Schedule(Protocol):
    """Computes the ticks of an entry. Schedules with the same ``str()`` have the same ticks."""

    def latest(self, now: int) -> int:
        """Return the last tick that is not after ``now``."""

    def following(self, after: int) -> int:
        """Return the first tick after ``after``."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Ticks at the multiples of ``seconds`` since 1970, so that all workers agree on them."""

    seconds: int

    def __str__(self) -> str:
        return f"every {self.seconds} s"

    def latest(self, now: int) -> int:
        return now // self.seconds * self.seconds

    def following(self, after: int) -> int:
        return self.latest(after) + self.seconds
