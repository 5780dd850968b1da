"""How many runs ended in each minute, and how long they waited and ran, for charts.

The scripts count them in ``engine/lua/shared/throughput.lua``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..protocol.keys import Keys
from .pipeline import Command

_FIELD = re.compile(rb"([0-5]?\d):(?:(done|failed)|([wr])(-?\d{1,2}))")


@dataclass(slots=True)
class Runs:
    """The runs that ended within some time.

    Attributes:
        waited, ran: histograms. A key stands for times up to 2 ** key seconds that are longer than
            half of that; the value is how many runs waited, or ran, for such a time.
    """

    done: int = 0
    failed: int = 0
    waited: Counter[int] = field(default_factory=Counter)
    ran: Counter[int] = field(default_factory=Counter)

    def add(self, other: Runs) -> None:
        """Count the runs of ``other`` too."""
        self.done += other.done
        self.failed += other.failed
        self.waited.update(other.waited)
        self.ran.update(other.ran)


#: Runs by minute, as unix seconds // 60.
Throughput = Mapping[int, Runs]


def percentile_95(buckets: Mapping[int, int]) -> float | None:
    """The 95th percentile in seconds, rounded up to a power of two; None without counts."""
    total = sum(buckets.values())
    seen = 0
    for exponent in sorted(buckets):
        seen += buckets[exponent]
        if seen * 100 >= total * 95 and total:
            return float(2.0**exponent)
    return None


def hours_until(now: float, minutes: int) -> range:
    """The hours, as unix seconds // 3600, that hold the last ``minutes`` before ``now``."""
    return range(int(now - minutes * 60) // 3600, int(now) // 3600 + 1)


def commands(keys: Keys, queues: Sequence[str], hours: Sequence[int]) -> list[Command]:
    """One command for each hour of each queue."""
    return [("HGETALL", keys.activity(queue, hour)) for queue in queues for hour in hours]


def read(hours: Sequence[int], answers: Sequence[Any]) -> Throughput:
    """The counts of one queue, in the answers to :func:`commands`. Anything else is skipped.

    In a busy hour a hash has some thousand fields, so this does little work for each.
    """
    found: dict[int, Runs] = {}
    for hour, answer in zip(hours, answers, strict=True):
        if not isinstance(answer, dict):
            continue
        for name, value in answer.items():
            meaning = _meaning(name)
            if meaning is None or not value.isdigit() or len(value) > 15:
                continue
            minute, kind, exponent = meaning
            runs = found.get(hour * 60 + minute)
            if runs is None:
                runs = found[hour * 60 + minute] = Runs()
            if kind == b"done":
                runs.done += int(value)
            elif kind == b"failed":
                runs.failed += int(value)
            else:
                buckets = runs.waited if kind == b"w" else runs.ran
                buckets[exponent] = buckets.get(exponent, 0) + int(value)
    return found


def read_each(
    queues: Sequence[str], hours: Sequence[int], answers: Sequence[Any]
) -> dict[str, Throughput]:
    """The counts of each queue, in the answers to :func:`commands`."""
    each = len(hours)
    return {
        queue: read(hours, answers[number * each : (number + 1) * each])
        for number, queue in enumerate(queues)
    }


# As large as the number of names that the scripts write: 2 counts and 62 buckets for each minute.
@lru_cache(maxsize=4096)
def _meaning(name: bytes) -> tuple[int, bytes, int] | None:
    """Minute, kind and bucket of a field, or None if it is not a count."""
    matched = _FIELD.fullmatch(name)
    if not matched:
        return None
    minute, outcome, kind, exponent = matched.groups()
    return int(minute), outcome or kind, int(exponent or 0)


def total(throughput: Throughput, first: int, last: int) -> Runs:
    """All runs that ended in the minutes from ``first`` up to, but not including, ``last``."""
    together = Runs()
    for minute, runs in throughput.items():
        if first <= minute < last:
            together.add(runs)
    return together
