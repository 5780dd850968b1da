"""How much memory a process uses, in bytes."""

from __future__ import annotations

import resource
import sys


def resident() -> int:
    """Return the resident memory of this process.

    Pages that it shares with its parent count, as in ``ps`` and ``top``. If the system does not
    provide the current value, this is the highest one so far.
    """
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[1])
    except OSError:
        return peak(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return pages * resource.getpagesize()


def peak(ru_maxrss: int) -> int:
    """Convert ``ru_maxrss``, whose unit depends on the system, to bytes."""
    return ru_maxrss if sys.platform == "darwin" else ru_maxrss * 1024
