"""Alternating rounds, so that noise of the machine affects all contestants alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import redis

from .exceptions import MeasurementError
from .launcher import Launcher
from .measure.measurement import Measurement
from .samples import Failure, Sample


def run_rounds(
    measurement: Measurement, launchers: Sequence[Launcher], progress: Callable[[str], None]
) -> tuple[list[Sample], list[Failure]]:
    """Measure each contestant once in each round. Every second round runs in reverse order.

    A contestant that fails is left out of the following rounds.
    """
    samples: list[Sample] = []
    failures: list[Failure] = []
    remaining = [launcher for launcher in launchers if measurement.applies_to(launcher.contestant)]
    rounds = max((measurement.rounds(launcher.contestant) for launcher in remaining), default=0)
    for number in range(rounds):
        for launcher in list(remaining if number % 2 == 0 else reversed(remaining)):
            contestant = launcher.contestant
            if number >= measurement.rounds(contestant):
                continue
            progress(f"{measurement.name}, round {number + 1} of {rounds}: {contestant.title}")
            try:
                seen = measurement.measure(launcher)
            except (MeasurementError, redis.RedisError, OSError) as error:
                failures.append(Failure(measurement.name, contestant.name, str(error)))
                remaining.remove(launcher)
                continue
            samples += [
                Sample(metric, contestant.name, number, value) for metric, value in seen.items()
            ]
    return samples, failures
