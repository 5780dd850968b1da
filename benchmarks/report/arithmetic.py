"""Medians, spreads, and ratios of one round each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from ..samples import Sample


@dataclass(frozen=True, slots=True)
class Spread:
    """Several numbers for the same thing."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """None of nothing."""
        if not values:
            return None
        return cls(median(values), min(values), max(values), len(values))


class Samples:
    """All numbers of a run, by metric and contestant."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._values: dict[tuple[str, str], dict[int, float]] = {}
        for sample in samples:
            rounds = self._values.setdefault((sample.metric, sample.contestant), {})
            rounds[sample.round] = sample.value

    def contestants(self, metric: str) -> list[str]:
        """Who has numbers for a metric."""
        return [contestant for name, contestant in self._values if name == metric]

    def spread(self, metric: str, contestant: str) -> Spread | None:
        """None: nothing was measured."""
        return Spread.of(list(self._values.get((metric, contestant), {}).values()))

    def ratio(self, metric: str, one: str, other: str) -> Spread | None:
        """One contestant's number in relation to another's; see :func:`ratio_of`."""
        return self.ratio_of((metric, one), (metric, other))

    def ratio_of(self, one: tuple[str, str], other: tuple[str, str]) -> Spread | None:
        """The ratio of two metrics and contestants, taken within each round.

        Where the second has been measured in fewer rounds, those alone count. None: there is no
        round in which both were.
        """
        ours, theirs = self._values.get(one, {}), self._values.get(other, {})
        return Spread.of(
            [ours[number] / theirs[number] for number in ours if theirs.get(number, 0) > 0]
        )

    def best(self, metric: str, among: Iterable[str], *, highest: bool = True) -> str | None:
        """Who has the best median. None: nobody has any."""
        medians = {name: spread.median for name in among if (spread := self.spread(metric, name))}
        if not medians:
            return None
        return (max if highest else min)(medians, key=lambda name: medians[name])


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed, by the nearest rank.

    Raises:
        ValueError: there are no values, or the share is not within 0 and 1.
    """
    if not values or not 0 <= share <= 1:
        raise ValueError(f"no percentile {share} of {len(values)} values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]
