"""How much memory this process has in use."""

from __future__ import annotations

import resource
import sys

_MIB = 1 << 20


def resident() -> int:
    """MiB of resident memory; where the system does not say, the most there ever was.

    Pages that are shared with the worker count, as they do in ``ps`` and ``top``.
    """
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // _MIB if sys.platform == "darwin" else peak // 1024
    return pages * resource.getpagesize() // _MIB
