"""Which process this is, told so that another on the same machine can see whether it lives.

A process id alone does not tell: each container has a process 1, and ids are given away again. So
the boot of the machine, the namespace in which the id counts and the time at which the process
started come along, as Linux has them. Elsewhere there is nothing to tell.
"""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def own_identity() -> str:
    """This process: ``<boot>:<namespace>:<process id>:<start>``; '' where it can't be told."""
    pid = os.getpid()
    place, started = _place(), _started(pid)
    return f"{place}:{pid}:{started}" if place and started else ""


def lives(identity: str) -> bool | None:
    """Whether that process lives; None: it can't be told from here."""
    place, _, rest = identity.rpartition(":")[0].rpartition(":")
    if not place or place != _place():
        return None
    return _started(int(rest)) == identity.rpartition(":")[2] if rest.isdecimal() else None


def _place() -> str:
    """Where process ids mean what they mean here."""
    try:
        if os.readlink(_PROC / "self") != str(os.getpid()):
            return ""  # a /proc of another namespace
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = os.stat(_PROC / "self/ns/pid").st_ino
    except OSError:
        return ""
    return f"{boot}:{namespace}"


def _started(pid: int) -> str:
    """When a process has started, in ticks since the boot; '' where there is none."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return ""
    # The name may contain anything, so count from its end; the process's state is the first.
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state == "Z" else fields[18]
