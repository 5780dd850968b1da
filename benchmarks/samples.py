"""The results of measurements."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A quantity that is measured."""

    key: str
    title: str
    unit: str
    #: Decimal places in tables.
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """The value of a metric for a contestant in a round."""

    metric: str
    contestant: str
    round: int
    value: float


@dataclass(frozen=True, slots=True)
class Failure:
    """A measurement that failed, and the reason."""

    measurement: str
    contestant: str
    reason: str
