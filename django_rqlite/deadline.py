"""A limit on how long a block of code may run, that is hard to swallow."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

from .exceptions import JobTimeoutException

#: Seconds after which an exception that was swallowed is raised again.
REPEAT = 1.0


class Deadline:
    """Raises :class:`JobTimeoutException` inside the block, and again every second after.

    Works in the main thread of a process only, where signals arrive; elsewhere there is no limit.

    Attributes:
        passed: whether the time was up, also when the block swallowed the exception.
    """

    def __init__(self, seconds: int | None) -> None:
        """Args: seconds: None for no limit."""
        self.seconds = seconds
        self.passed = False
        self._armed = False
        self._before: object = None

    @property
    def message(self) -> str:
        return f"The job ran longer than its timeout of {self.seconds} s"

    def __enter__(self) -> Deadline:
        if self.seconds is not None and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGALRM, self._raise)
            self._armed = True
            signal.setitimer(signal.ITIMER_REAL, self.seconds, REPEAT)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._armed:
            # First of all the flag: a signal between these lines must find it down.
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)  # type: ignore[arg-type]

    def _raise(self, signum: int, frame: FrameType | None) -> None:
        if self._armed:
            self.passed = True
            raise JobTimeoutException(self.message)
