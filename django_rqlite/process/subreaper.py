"""Waits for orphans: processes whose parents have ended before them.

Process 1 inherits them, or on Linux a nearer process that is marked as a "subreaper". In a
container without an init, process 1 is the command that the container runs. If it did not wait for
the processes that jobs leave running, each orphan would stay as a zombie, until the system has no
process ids left.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Container

from .parent_death import prctl

_PR_GET_CHILD_SUBREAPER = 37  # <sys/prctl.h>


def wait_for_orphans(own: Container[int]) -> None:
    """Wait for all orphans that have ended. Call this at each SIGCHLD.

    Without effect in a process that inherits no orphans.

    Args:
        own: Process ids of children that other code waits for, because it needs their status.
            While one of them has ended and was not waited for, orphans behind it stay until the
            next call.
    """
    if not _inherits_orphans():
        return
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None or ended.si_pid in own:
                return
            os.waitpid(ended.si_pid, os.WNOHANG)
        except ChildProcessError:
            return  # this process has no children


def _inherits_orphans() -> bool:
    if os.getpid() == 1:
        return True
    if prctl is None:
        return False
    answer = ctypes.c_int(0)
    return prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0) == 0 and bool(answer.value)
