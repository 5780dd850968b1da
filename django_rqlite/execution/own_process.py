"""Distinguishes the process that runs a job from processes that the job forks."""

from __future__ import annotations

import os
import sys
import traceback


class OwnProcess:
    """The process in which this object was made.

    A job may fork, and the forked process may return or raise in the job's place. Code that calls a
    project's function checks afterwards whether it still runs in this process.
    """

    __slots__ = ("_pid",)

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_current(self) -> bool:
        """Whether the caller runs in this process; ``False`` in a process forked from it."""
        return os.getpid() == self._pid

    def end_if_forked(self, error: BaseException | None = None) -> None:
        """Return in this process; end a process that was forked from it.

        The forked process ends as Python would end it: with status 0, with the status of
        :class:`SystemExit`, or with status 1 and a traceback. It flushes and closes nothing,
        because its buffers and connections belong to the other process.

        Args:
            error: The exception of the project's code; ``None`` if it returned.
        """
        if os.getpid() != self._pid:
            _end(error)


def _end(error: BaseException | None) -> None:
    status, text = 0, ""
    if isinstance(error, SystemExit):
        if isinstance(error.code, int):
            status = error.code & 0xFF
        elif error.code is not None:
            status, text = 1, f"{error.code}\n"
    elif error is not None:
        status, text = 1, "".join(traceback.format_exception(error))
    try:
        # Not through sys.stderr: its buffer may hold text that the other process will write.
        os.write(2, text.encode(sys.stderr.encoding or "utf-8", "backslashreplace"))
    except (OSError, AttributeError):
        pass  # stderr is closed
    finally:
        os._exit(status)
