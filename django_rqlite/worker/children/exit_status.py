"""The outcome of a job whose process ended without a report."""

from __future__ import annotations

import os
import signal

from ...execution.outcome import Failed, Outcome, Stopped
from ...process import memory
from .assignment import Assignment


def outcome_of(assignment: Assignment, status: int, ru_maxrss: int) -> Outcome:
    """Return the outcome to store.

    Args:
        status: The process's status, as :func:`os.waitpid` gives it.
        ru_maxrss: The process's peak resident memory, in the system's unit.
    """
    if assignment.stopped:
        # The first sentence is RQ's.
        by = assignment.stopped_by or "a command"
        return Stopped(f"Job stopped by user, work-horse terminated. It was stopped by {by}.")
    mebibytes = memory.peak(ru_maxrss) >> 20
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = "a signal without a name"
        how = f"was killed by {name} (signal {number})"
    else:
        how = f"ended by itself with exit code {os.WEXITSTATUS(status)}"
    if assignment.kill_reason:
        headline = f"The job was killed because {assignment.kill_reason}"
        hint = ""
    else:
        headline = f"The job's process {how} before it could report an outcome"
        hint = (
            " The kernel does so when memory runs out."
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            else " Something in the job ended the whole process."
        )
    return Failed(f"{headline}.{hint} Its peak memory was {mebibytes} MiB.", headline)
