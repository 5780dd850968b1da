"""Alternating rounds: a noisy moment of the machine meets everybody alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import redis

from .failure import StepFailed
from .measure.measurement import Measurement
from .samples import Failure, Sample
from .stage import Stage


def play(
    measurement: Measurement, stages: Sequence[Stage], say: Callable[[str], None]
) -> tuple[list[Sample], list[Failure]]:
    """Measure everybody once in each round; every other round goes backwards.

    Who fails is left out from then on and does not stop the others.
    """
    samples: list[Sample] = []
    failures: list[Failure] = []
    playing = [stage for stage in stages if measurement.can(stage.contestant)]
    rounds = max((measurement.rounds(stage.contestant) for stage in playing), default=0)
    for number in range(rounds):
        for stage in list(playing if number % 2 == 0 else reversed(playing)):
            contestant = stage.contestant
            if number >= measurement.rounds(contestant):
                continue
            say(f"{measurement.name}, round {number + 1} of {rounds}: {contestant.title}")
            try:
                seen = measurement.measure(stage)
            except (StepFailed, redis.RedisError, OSError) as error:
                failures.append(Failure(measurement.name, contestant.name, str(error)))
                playing.remove(stage)
                continue
            samples += [
                Sample(metric, contestant.name, number, value) for metric, value in seen.items()
            ]
    return samples, failures
