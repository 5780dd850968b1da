"""A limit on how long a block of code may run, that is hard to swallow."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType, TracebackType

from ..exceptions import JobTimeoutException
from ..protocol.durations import LONGEST
from .signal_handlers import BY_DEFAULT, Handler, set_handler

#: Seconds after which an exception that was swallowed is raised again.
REPEAT = 1.0

#: Process id of the process in which a deadline has passed last: a forked one has none of its own.
_passed_in: int | None = None


def any_passed() -> bool:
    """Whether a deadline has passed in this process, and so something may have been cut off."""
    return _passed_in == os.getpid()


class Deadline:
    """Raises :class:`JobTimeoutException` inside the block, and again every second after.

    Works in the main thread of a process only, where signals arrive; elsewhere there is no limit.
    A block inside a block stops the outer one's clock from ringing, not from running: what is late
    by then rings when the inner one ends.

    Attributes:
        passed: whether the time was up, also when the block swallowed the exception.
    """

    def __init__(self, seconds: int | None) -> None:
        """Args: seconds: None for no limit."""
        # The system's timer has no room for more than this.
        self.seconds = None if seconds is None else min(seconds, LONGEST)
        self.passed = False
        self._armed = False
        #: What the alarm meant before the block: its handler, the seconds that were left, how often
        #: it then rings, and when that was so.
        self._outer: tuple[Handler, float, float, float] | None = None

    @property
    def message(self) -> str:
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

        Also for whoever catches what the block raised: when the time is up in the very moment the
        block ends, the exception may come before the limit is gone.
        """
        # First of all the flag: a signal between these lines must find it down.
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
