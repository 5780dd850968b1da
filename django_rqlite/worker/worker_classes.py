"""Variants of ``Worker``, by RQ's names."""

from __future__ import annotations

from .dequeue_strategy import DequeueStrategy
from .worker import Worker


class RoundRobinWorker(Worker):
    """Takes jobs from its queues in turn, as with ``--dequeue-strategy round_robin``."""

    default_dequeue_strategy = DequeueStrategy.ROUND_ROBIN


class RandomWorker(Worker):
    """Takes each job from a random queue that has one, as with ``--dequeue-strategy random``."""

    default_dequeue_strategy = DequeueStrategy.RANDOM


class SpawnWorker(Worker):
    """The same as :class:`Worker`. RQ's starts a new Python for each job; here all are forked."""


class HerokuWorker(Worker):
    """For platforms that send SIGTERM to every process at once, and SIGKILL some time later.

    The processes that run jobs ignore the SIGTERM. The worker lets them go on for
    :attr:`default_grace` seconds, and then puts their jobs back at the front of their queues. With
    RQ's worker of this name, they fail.
    """

    #: Heroku kills after 30 seconds. The remaining ones are for putting jobs back.
    default_grace = 20.0
    children_heed_sigterm = False
