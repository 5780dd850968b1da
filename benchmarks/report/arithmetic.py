"""Medians, ranges, and ratios within rounds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from ..samples import Sample


@dataclass(frozen=True, slots=True)
class Spread:
    """The median and the range of several values."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """The spread of the values, or None if there are none."""
        if not values:
            return None
        return cls(median(values), min(values), max(values), len(values))


class Samples:
    """All samples of a run, by metric and contestant."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._values: dict[tuple[str, str], dict[int, float]] = {}
        for sample in samples:
            rounds = self._values.setdefault((sample.metric, sample.contestant), {})
            rounds[sample.round] = sample.value

    def contestants(self, metric: str) -> list[str]:
        """The contestants that have samples of a metric."""
        return [contestant for name, contestant in self._values if name == metric]

    def spread(self, metric: str, contestant: str) -> Spread | None:
        """The spread of all rounds, or None if nothing was measured."""
        return Spread.of(list(self._values.get((metric, contestant), {}).values()))

    def ratio(self, metric: str, one: str, other: str) -> Spread | None:
        """The ratio of two contestants in a metric; see :meth:`ratio_of`."""
        return self.ratio_of((metric, one), (metric, other))

    def ratio_of(self, one: tuple[str, str], other: tuple[str, str]) -> Spread | None:
        """The ratio of two metrics and contestants, taken within each round.

        Only rounds in which both were measured count. None if there is no such round.
        """
        ours, theirs = self._values.get(one, {}), self._values.get(other, {})
        return Spread.of(
            [ours[number] / theirs[number] for number in ours if theirs.get(number, 0) > 0]
        )

    def best(self, metric: str, among: Iterable[str], *, highest: bool = True) -> str | None:
        """The contestant with the best median, or None if none was measured."""
        medians = {name: spread.median for name in among if (spread := self.spread(metric, name))}
        if not medians:
            return None
        return (max if highest else min)(medians, key=lambda name: medians[name])


def percentile(values: Sequence[float], share: float) -> float:
    """The value that a share of all values does not exceed, by the nearest-rank method.

    Raises:
        ValueError: There are no values, or the share is not between 0 and 1.
    """
    if not values or not 0 <= share <= 1:
        raise ValueError(f"no percentile {share} of {len(values)} values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]
