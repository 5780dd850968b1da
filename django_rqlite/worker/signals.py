"""Signals as data: a byte in a socket that the worker's selector watches.

No handler does anything, so none can interrupt a conversation with Redis half-way. RQ's raise
inside the socket's read, where a reply that was on its way is lost (rq/rq#2175).
"""

from __future__ import annotations

import signal
import socket
from types import FrameType
from typing import Any

STOP = (signal.SIGINT, signal.SIGTERM)


class SignalPipe:
    """While open, the watched signals arrive in :attr:`reader`, one byte each."""

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)
        self._before: Any = None
        self._wakeup_before = -1

    def open(self) -> None:
        """Begin to watch. Main thread only."""
        self._wakeup_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._before = signal.signal(signal.SIGCHLD, _noted)
        for number in STOP:
            signal.signal(number, _noted)

    def close(self) -> None:
        """Watch no longer.

        What asked the worker to end goes on doing nothing: the process is about to end, and one
        more signal should not make that look like a crash.
        """
        signal.signal(signal.SIGCHLD, self._before or signal.SIG_DFL)
        signal.set_wakeup_fd(self._wakeup_before)
        self.reader.close()
        self._writer.close()

    def read(self) -> list[int]:
        """The signals that have arrived since the last call."""
        try:
            return list(self.reader.recv(4096))
        except BlockingIOError:
            return []

    def descriptors(self) -> list[int]:
        """What a child must close."""
        return [self.reader.fileno(), self._writer.fileno()]


def _noted(signum: int, frame: FrameType | None) -> None:
    """The byte in the socket is all that is needed."""
