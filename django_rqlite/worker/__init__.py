"""The worker process: ``manage.py rqworker``.

One single-threaded parent (:mod:`loop`) talks to Redis; children forked beforehand (:mod:`crew`,
:mod:`child`) run the jobs. ``docs/design.md`` tells the story.
"""

from __future__ import annotations

from .loop import Worker
from .strategies import DequeueStrategy
from .variants import RandomWorker, RoundRobinWorker

__all__ = ["DequeueStrategy", "RandomWorker", "RoundRobinWorker", "Worker"]
