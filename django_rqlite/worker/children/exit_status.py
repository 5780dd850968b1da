"""The outcome of a job whose process ended without telling one."""

from __future__ import annotations

import os
import signal

from ...execution.outcome import Failed, Outcome, Stopped
from ...process.memory import peak as in_bytes
from .assignment import Assignment


def outcome_of(assignment: Assignment, status: int, peak: int) -> Outcome:
    """What is to be stored of it.

    Args:
        status: as :func:`os.waitpid` gives it.
        peak: the largest resident memory of its process, as ``ru_maxrss`` gives it.
    """
    if assignment.stopped:
        # RQ's words, and who gave the order.
        by = assignment.stopped_by or "a command"
        return Stopped(f"Job stopped by user, work-horse terminated. It was stopped by {by}.")
    mebibytes = in_bytes(peak) >> 20
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = "a signal without a name"
        how = f"was killed by {name} (signal {number})"
    else:
        how = f"ended by itself with exit code {os.WEXITSTATUS(status)}"
    if assignment.killed_because:
        headline = f"The job was killed because {assignment.killed_because}"
        hint = ""
    else:
        headline = f"The job's process {how} before it could report an outcome"
        hint = (
            " The kernel does so when memory runs out."
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            else " Something in the job ended the whole process."
        )
    return Failed(f"{headline}.{hint} Its peak memory was {mebibytes} MiB.", headline)
