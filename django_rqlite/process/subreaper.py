"""Waiting for processes whose parents have died.

Such a process becomes a child of process 1 (or of a nearer "subreaper", on Linux). In a container
without an init that is the command which the container runs: who, if not it, waits for what jobs
leave running? Unwaited for, each stays as a zombie, until the system has no process ids left.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Container

from .parent_death import prctl

_PR_GET_CHILD_SUBREAPER = 37  # <sys/prctl.h>


def wait_for_orphans(own: Container[int]) -> None:
    """Wait for those that have ended, if this process inherits any. To be called at SIGCHLD.

    Args:
        own: process ids of children that someone else waits for, to learn how they ended. While one
            of them has ended and is not waited for, others may stay until the next call.
    """
    if not _inherits():
        return
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None or ended.si_pid in own:
                return
            os.waitpid(ended.si_pid, os.WNOHANG)
        except ChildProcessError:
            return  # there is no child at all


def _inherits() -> bool:
    if os.getpid() == 1:
        return True
    if prctl is None:
        return False
    answer = ctypes.c_int(0)
    return prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0) == 0 and bool(answer.value)
