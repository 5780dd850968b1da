"""When a job recurs: what all schedules can tell, and the one that repeats after an interval.

Schedules are pure functions of the time that they are given, so all workers agree. Points in time
are whole unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Schedule(Protocol):
    """When an entry ticks. The text of one says all of it: equal texts, equal ticks."""

    def latest(self, now: int) -> int:
        """The last tick that is not after ``now``."""

    def following(self, after: int) -> int:
        """The first tick after ``after``."""


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
