"""What the scripts counted in each minute (lua/shared/activity.lua), for charts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..protocol.keys import Keys

#: Hours for which counts can be there.
HOURS_KEPT = 25

_FIELD = re.compile(rb"([0-5]?\d):(?:(done|failed)|([wr])(-?\d{1,2}))")


@dataclass(slots=True)
class Runs:
    """The runs that ended within some time.

    Attributes:
        waited, ran: how many took no longer than 2 ** key seconds, and longer than half of that.
    """

    done: int = 0
    failed: int = 0
    waited: Counter[int] = field(default_factory=Counter)
    ran: Counter[int] = field(default_factory=Counter)

    def add(self, other: Runs) -> None:
        self.done += other.done
        self.failed += other.failed
        self.waited.update(other.waited)
        self.ran.update(other.ran)


#: By minute: unix seconds // 60.
Activity = Mapping[int, Runs]


def percentile_95(buckets: Mapping[int, int]) -> float | None:
    """The seconds within which 95 of 100 were; rounded up to a power of two. None: no counts."""
    total = sum(buckets.values())
    seen = 0
    for exponent in sorted(buckets):
        seen += buckets[exponent]
        if seen * 100 >= total * 95 and total:
            return float(2.0**exponent)
    return None


def hours_until(now: float, minutes: int) -> range:
    """The hours, unix seconds // 3600, that hold the last so many minutes."""
    return range(int(now - minutes * 60) // 3600, int(now) // 3600 + 1)


def commands(keys: Keys, queue: str, hours: Sequence[int]) -> list[tuple[Any, ...]]:
    """What to ask the server for a queue's counts; one for each hour."""
    return [("HGETALL", keys.activity(queue, hour)) for hour in hours]


def read(hours: Sequence[int], answers: Sequence[Any]) -> Activity:
    """The counts in the answers to :func:`commands`. Total: what is no count is passed over.

    A busy day has some thousand fields in each of its hours, so each is touched but lightly.
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
) -> dict[str, Activity]:
    """The counts of each queue, in the answers to the commands for all of them."""
    each = len(hours)
    return {
        queue: read(hours, answers[number * each : (number + 1) * each])
        for number, queue in enumerate(queues)
    }


# All names that the scripts write: two and 62 buckets for each minute.
@lru_cache(maxsize=4096)
def _meaning(name: bytes) -> tuple[int, bytes, int] | None:
    """Minute, kind and bucket of a field; None for what is no count."""
    matched = _FIELD.fullmatch(name)
    if not matched:
        return None
    minute, outcome, kind, exponent = matched.groups()
    return int(minute), outcome or kind, int(exponent or 0)


def total(activity: Activity, first: int, last: int) -> Runs:
    """All runs that ended from the first of these minutes up to before the last."""
    together = Runs()
    for minute, runs in activity.items():
        if first <= minute < last:
            together.add(runs)
    return together
