"""The order in which a worker looks at its queues."""

from __future__ import annotations

import random
from collections.abc import Sequence
from enum import StrEnum

from ..exceptions import ConfigurationError


class DequeueStrategy(StrEnum):
    """RQ's names (``rq worker --dequeue-strategy``)."""

    #: In the order in which the queues were given: a queue is used only while those before it are
    #: empty.
    DEFAULT = "default"
    #: Each in turn: the queue that the last job came from is looked at last.
    ROUND_ROBIN = "round_robin"
    #: Shuffled before each look.
    RANDOM = "random"


def named_strategy(name: str) -> DequeueStrategy:
    """Return the strategy of this name.

    Raises:
        ConfigurationError: There is no such strategy.
    """
    try:
        return DequeueStrategy(name)
    except ValueError:
        raise ConfigurationError(
            f"The dequeue strategy {name!r} is not one of {', '.join(DequeueStrategy)}."
        ) from None


def ordered_queues(
    strategy: DequeueStrategy, queues: Sequence[str], last: str | None, generator: random.Random
) -> list[str]:
    """Return the queues in the order in which the next claim looks at them.

    Args:
        queues: In the order in which they were given.
        last: The queue that the last job came from; None if there was no job yet.
    """
    ordered = list(queues)
    if strategy is DequeueStrategy.RANDOM:
        generator.shuffle(ordered)
    elif strategy is DequeueStrategy.ROUND_ROBIN and last in ordered:
        begin = ordered.index(last) + 1
        ordered = ordered[begin:] + ordered[:begin]
    return ordered
