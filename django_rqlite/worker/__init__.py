"""The worker process: ``manage.py rqworker``.

One single-threaded parent (:mod:`.loop`) talks to Redis (:mod:`.redis_session`). Children, forked
ahead of time (:mod:`.children`), run the jobs. ``docs/design.md`` describes the parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..compat.missing_names import module_getattr
from .dequeue_strategy import DequeueStrategy
from .listed_worker import ListedWorker, WorkerStatus
from .simple_worker import SimpleWorker
from .worker import Worker
from .worker_classes import HerokuWorker, RandomWorker, RoundRobinWorker, SpawnWorker

#: RQ's name for the base class of its workers.
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

if not TYPE_CHECKING:  # Otherwise type checkers would accept any name.
    __getattr__ = module_getattr(__name__)
