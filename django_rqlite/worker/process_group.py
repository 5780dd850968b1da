"""The process group that a child leads: itself, and what its jobs start."""

from __future__ import annotations

import os
import signal


class ProcessGroup:
    """The group of this process, which leads it.

    Args:
        parent: process id of the fork server, which leads a group of its own.

    Attributes:
        ended: whether :meth:`end` was called.
    """

    __slots__ = ("_parent", "ended")

    def __init__(self, parent: int) -> None:
        self._parent = parent
        self.ended = False

    def end(self) -> None:
        """Kill all processes of the group but this one.

        For that this process goes into the fork server's group, for as long as it takes.
        """
        self.ended = True
        own = os.getpid()
        try:
            os.setpgid(0, self._parent)
        except OSError:
            return  # the fork server is dead, and its end is the end of this process
        try:
            os.killpg(own, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # nobody else is in it, or nobody that this user may kill
        finally:
            os.setpgid(0, 0)
