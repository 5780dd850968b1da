"""A driver that only forks, as the lower limit.

Each child exits at once, and the parent waits for it before it forks the next.

The process has imported what a worker of django_rqlite imports, and calls ``gc.freeze()`` as the
worker does, so that a fork copies as many pages.
"""

from __future__ import annotations

import gc
import os
import resource
import time
from importlib import import_module

import django

from driver_loop import run_driver

#: Forks between two looks at the clock.
_STRETCH = 10


def fork_for(seconds: float) -> dict[str, float]:
    """Fork one child after the other for ``seconds``."""
    forks = 0
    before = _cpu()
    start = time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        for _ in range(_STRETCH):
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
        forks += _STRETCH
    return {"forks": forks, "seconds": passed, "cpu": _cpu() - before}


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    django.setup()
    for module in ("django_rqlite.management.commands.rqworker", "noop.jobs"):
        import_module(module)  # what a worker has imported
    gc.collect()
    gc.freeze()
    run_driver({"fork_for": fork_for})


if __name__ == "__main__":
    main()
