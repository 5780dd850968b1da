"""In which order a worker looks at its queues."""

from __future__ import annotations

import random
from collections.abc import Sequence
from enum import StrEnum

from ..exceptions import ConfigurationError


class DequeueStrategy(StrEnum):
    """RQ's words (``rq worker --dequeue-strategy``)."""

    #: As they were named: nothing is taken from a queue while one before it has a job.
    DEFAULT = "default"
    #: Each in turn: the queue that the last job came from is looked at last.
    ROUND_ROBIN = "round_robin"
    #: Shuffled before each look.
    RANDOM = "random"


def strategy(given: str) -> DequeueStrategy:
    """The strategy of this name.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return DequeueStrategy(given)
    except ValueError:
        raise ConfigurationError(
            f"The dequeue strategy {given!r} is none of {', '.join(DequeueStrategy)}."
        ) from None


def order(
    chosen: DequeueStrategy, queues: Sequence[str], last: str | None, chance: random.Random
) -> list[str]:
    """The queues in the order in which the next claim looks at them.

    Args:
        queues: as they were named.
        last: where the last job came from; None: there was none.
    """
    ordered = list(queues)
    if chosen is DequeueStrategy.RANDOM:
        chance.shuffle(ordered)
    elif chosen is DequeueStrategy.ROUND_ROBIN and last in ordered:
        begin = ordered.index(last) + 1
        ordered = ordered[begin:] + ordered[:begin]
    return ordered
