"""The process group that a child leads: itself, and what its jobs start."""

from __future__ import annotations

import os
import signal


def end_others() -> None:
    """Kill all processes of this process's group but this one, which leads it.

    For that it goes into the group of the fork server, its parent, for as long as it takes.
    """
    own = os.getpid()
    try:
        os.setpgid(0, os.getppid())
    except OSError:
        return  # the fork server is dead, and its end is the end of this process
    try:
        os.killpg(own, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # nobody else is in it, or nobody that this user may kill
    finally:
        os.setpgid(0, 0)
