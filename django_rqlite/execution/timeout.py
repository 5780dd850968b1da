"""Limits how long a block of code may run. Code cannot easily swallow the exception."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType, TracebackType

from ..exceptions import JobTimeoutException
from ..protocol.durations import LONGEST
from .signal_handlers import BY_DEFAULT, Handler, set_handler

#: Seconds after which the exception is raised again, in case the block has swallowed it.
REPEAT = 1.0

#: The id of the process in which a deadline has passed. A process forked from it has another id.
_passed_in: int | None = None


def any_passed() -> bool:
    """Whether a deadline has passed in this process, so that code may have been interrupted."""
    return _passed_in == os.getpid()


class Deadline:
    """Raises :class:`JobTimeoutException` inside the block, and again every second after that.

    It works in the main thread of a process only, which receives the signals. In other threads
    there is no limit. Inside another such block, the time of the outer block keeps running. If it
    ends meanwhile, its exception is raised when the inner block ends.

    Args:
        seconds: ``None`` for no limit.

    Attributes:
        passed: Whether the time is over, even if the block swallowed the exception.
    """

    def __init__(self, seconds: int | None) -> None:
        # The system's timer does not accept larger numbers.
        self.seconds = None if seconds is None else min(seconds, LONGEST)
        self.passed = False
        self._armed = False
        #: The timer before the block: its handler, the seconds that were left, its interval, and
        #: the monotonic time at which they were read.
        self._outer: tuple[Handler, float, float, float] | None = None

    @property
    def message(self) -> str:
        """The beginning of a sentence that says what happened."""
        return f"The job ran longer than its timeout of {self.seconds} s"

    def __enter__(self) -> Deadline:
        if self.seconds is not None and threading.get_ident() == threading.main_thread().ident:
            left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
            handler = set_handler(signal.SIGALRM, self._raise)
            self._outer = (handler or BY_DEFAULT, left, interval, time.monotonic())
            self._armed = True
            signal.setitimer(signal.ITIMER_REAL, self.seconds, REPEAT)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.disarm()

    def disarm(self) -> None:
        """End the limit.

        Code that catches what the block raised calls this too: if the time ends just when the block
        does, the exception may be raised before the limit has ended.
        """
        # The flag comes first, because a signal may arrive between these lines.
        self._armed = False
        if self._outer is not None:
            handler, left, interval, since = self._outer
            signal.setitimer(signal.ITIMER_REAL, 0)
            set_handler(signal.SIGALRM, handler)
            if left:
                left -= time.monotonic() - since
                signal.setitimer(signal.ITIMER_REAL, max(left, 0.001), interval)
            self._outer = None

    def _raise(self, signum: int, frame: FrameType | None) -> None:
        global _passed_in
        if self._armed:
            self.passed = True
            _passed_in = os.getpid()
            raise JobTimeoutException(self.message)
