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
WATCHED = (*STOP, signal.SIGCHLD)


class SignalPipe:
    """While open, the watched signals arrive in :attr:`reader`, one byte each."""

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)
        self._before: dict[int, Any] = {}
        self._wakeup_before = -1

    def open(self) -> None:
        """Begin to watch. Main thread only."""
        self._wakeup_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in WATCHED:
            self._before[number] = signal.signal(number, _noted)

    def close(self) -> None:
        """Put everything back as it was."""
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
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
