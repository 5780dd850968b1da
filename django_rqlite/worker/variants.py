"""Workers under the names that RQ has for them; the same as ``--dequeue-strategy``."""

from __future__ import annotations

from .loop import Worker
from .strategies import DequeueStrategy


class RoundRobinWorker(Worker):
    """Takes jobs from its queues in turn."""

    default_dequeue_strategy = DequeueStrategy.ROUND_ROBIN


class RandomWorker(Worker):
    """Takes each job from a queue chosen at random among those that have one."""

    default_dequeue_strategy = DequeueStrategy.RANDOM
