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

    reader: socket.socket
    _writer: socket.socket

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._wakeup_before = -1

    def open(self) -> None:
        """Begin to watch. Main thread only."""
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, *STOP):
            self._before[number] = signal.signal(number, _noted)

    def close(self, *, asked_to_end: bool = True) -> None:
        """Watch no longer. Does nothing where it does not watch.

        Args:
            asked_to_end: whether one of :data:`STOP` was what ended it. Then these go on doing
                nothing: the process is about to end, and one more should not make that look like a
                crash. Else a program that goes on after its worker can be interrupted as before.
        """
        if not self._before:
            return
        for number, before in self._before.items():
            if not (asked_to_end and number in STOP):
                # None: it was set outside of Python, and can't be put back.
                signal.signal(number, signal.SIG_DFL if before is None else before)
        signal.set_wakeup_fd(self._wakeup_before)
        self._before.clear()
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
