"""The worker process: ``manage.py rqworker``.

One single-threaded parent (:mod:`loop`) talks to Redis; children forked beforehand (:mod:`crew`,
:mod:`child`) run the jobs. ``docs/design.md`` tells the story.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..compat.absent import finder
from ..listed_workers import ListedWorker, WorkerStatus
from .loop import Worker
from .simple import SimpleWorker
from .strategies import DequeueStrategy
from .variants import HerokuWorker, RandomWorker, RoundRobinWorker, SpawnWorker

#: RQ's name for what its classes of workers have in common.
BaseWorker = Worker

__all__ = [
    "BaseWorker",
    "DequeueStrategy",
    "HerokuWorker",
    "ListedWorker",
    "RandomWorker",
    "RoundRobinWorker",
    "SimpleWorker",
    "SpawnWorker",
    "Worker",
    "WorkerStatus",
]

if not TYPE_CHECKING:  # else type checkers would take any name for one of this module's
    __getattr__ = finder(__name__)
