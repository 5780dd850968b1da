"""How much memory a process has in use, in bytes."""

from __future__ import annotations

import resource
import sys


def resident() -> int:
    """Resident memory of this process; where the system does not say, the most there ever was.

    Pages that are shared with the worker count, as they do in ``ps`` and ``top``.
    """
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[1])
    except OSError:
        return peak(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return pages * resource.getpagesize()


def peak(ru_maxrss: int) -> int:
    """What the system says in units of its own."""
    return ru_maxrss if sys.platform == "darwin" else ru_maxrss * 1024
