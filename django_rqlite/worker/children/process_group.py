"""The process group that a child leads: the child itself, and what its jobs start."""

from __future__ import annotations

import os
import signal


def kill_others() -> None:
    """Kill all processes of the group that this process leads, except for itself.

    Meanwhile, this process is in the group of the fork server, its parent.
    """
    own = os.getpid()
    try:
        os.setpgid(0, os.getppid())
    except OSError:
        return  # the fork server has died, so this process will be killed
    try:
        os.killpg(own, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # the group has no other process, or this user may not kill it
    finally:
        os.setpgid(0, 0)
