"""What was seen: numbers by metric, contestant and round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A thing that is measured."""

    key: str
    title: str
    unit: str
    #: Digits after the point, for people.
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One number."""

    metric: str
    contestant: str
    round: int
    value: float


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be measured, and why."""

    measurement: str
    contestant: str
    reason: str
