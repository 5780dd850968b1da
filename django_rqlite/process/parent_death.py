"""Ends a process when its parent ends.

A child that outlived its worker would go on with its job, while the job is queued again.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def _load_prctl() -> ctypes._FuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "prctl", None)


# Looked up before any fork, so that a child needs only one system call.
prctl = _load_prctl()


def die_with_parent(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to send this process a signal when its parent ends.

    On systems without such a call, a child notices at the next read from its pipe, which then
    ends.

    Args:
        parent: The process id of the parent. If it has ended already, this process exits.
        number: The signal to send.
    """
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
