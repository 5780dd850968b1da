"""The limit: the site's process forks, the child ends at once, the parent waits, and again.

It has loaded what our worker has, and has frozen it, so that its pages are as many and as seldom
written to.
"""

from __future__ import annotations

import gc
import os
import resource
import time
from importlib import import_module

import django

from answering import answer_until_eof

#: Forks between two looks at the clock.
_STRETCH = 10


def fork_for(seconds: float) -> dict[str, float]:
    """Fork one child after the other for so long."""
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
        import_module(module)  # what the worker's command has, and what it imports
    gc.collect()
    gc.freeze()
    answer_until_eof({"fork_for": fork_for})


if __name__ == "__main__":
    main()
