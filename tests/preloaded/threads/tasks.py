"""A pool of threads that has begun when the module is imported."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

IMPORTED_BY = os.getpid()
POOL = ThreadPoolExecutor(1, "tasks-pool")
POOL.submit(int).result()


def use_pool() -> list[int]:
    """Have a thread of the pool do something; in a forked copy of the pool nobody would."""
    return [IMPORTED_BY, POOL.submit(os.getpid).result()]
