"""A child must not outlive its worker: nobody would know of it, and its job will run again."""

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


# Looked up before any fork, so that a child needs one system call only.
prctl = _load_prctl()


def die_with_parent(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to end this process when its parent ends.

    Where there is no such call the child notices at its next look at the pipe, which breaks.

    Args:
        parent: process id of the parent, which may have ended already.
        number: the signal to end it with.
    """
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
