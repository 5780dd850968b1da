"""An identity for this process, by which others on the same machine can see whether it is alive.

A process id alone is not enough: each container has a process 1, and the system reuses ids. So the
identity also holds the boot id of the machine, the namespace of the process id and the start time
of the process, as Linux provides them. On other systems there is no identity.
"""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def own_identity() -> str:
    """Return ``<boot>:<namespace>:<process id>:<start>``; ``""`` if it is unknown."""
    pid = os.getpid()
    namespace, started = _namespace(), _start_time(pid)
    return f"{namespace}:{pid}:{started}" if namespace and started else ""


def lives(identity: str) -> bool | None:
    """Return whether the process with this identity is alive; None if that is unknown from here."""
    namespace, _, pid = identity.rpartition(":")[0].rpartition(":")
    if not namespace or namespace != _namespace():
        return None
    return _start_time(int(pid)) == identity.rpartition(":")[2] if pid.isdecimal() else None


def _namespace() -> str:
    """Return the boot and the namespace in which the process ids seen here are valid."""
    try:
        if os.readlink(_PROC / "self") != str(os.getpid()):
            return ""  # this /proc belongs to another namespace
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = os.stat(_PROC / "self/ns/pid").st_ino
    except OSError:
        return ""
    return f"{boot}:{namespace}"


def _start_time(pid: int) -> str:
    """Return when a process started, in clock ticks since the boot; ``""`` if it has ended."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return ""
    # The command's name, in parentheses, may contain any character, so split after the last
    # parenthesis. The first field after it is the state.
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state == "Z" else fields[18]
