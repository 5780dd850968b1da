"""Signals as data: each one is a byte in a socket that a selector watches.

The handlers do nothing, so no signal interrupts a command to Redis half-way. RQ's handlers raise an
exception inside the read from the socket, which loses the reply (rq/rq#2175).
"""

from __future__ import annotations

import signal
import socket
from types import FrameType
from typing import Any

#: The signals that ask a process to end.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class SignalPipe:
    """While open, SIGINT, SIGTERM and SIGCHLD arrive in :attr:`reader`, one byte each."""

    reader: socket.socket
    _writer: socket.socket

    def __init__(self) -> None:
        self._former_handlers: dict[int, Any] = {}
        self._former_wakeup_fd = -1

    def open(self) -> None:
        """Install the handlers. Main thread only."""
        self.reader, self._writer = socket.socketpair()
        self.reader.setblocking(False)
        self._writer.setblocking(False)
        self._former_wakeup_fd = signal.set_wakeup_fd(
            self._writer.fileno(), warn_on_full_buffer=False
        )
        for number in (signal.SIGCHLD, *STOP_SIGNALS):
            self._former_handlers[number] = signal.signal(number, _do_nothing)

    def close(self, *, stop_requested: bool = True) -> None:
        """Restore the former handlers. Without effect if the pipe is not open.

        Args:
            stop_requested: Whether the process ends because of a signal. Then SIGINT and SIGTERM
                stay without effect, so that another one does not make the end look like a crash.
                Otherwise the program goes on, and they work as before.
        """
        if not self._former_handlers:
            return
        for number, former in self._former_handlers.items():
            if not (stop_requested and number in STOP_SIGNALS):
                # None: the handler was not installed from Python and cannot be restored.
                signal.signal(number, signal.SIG_DFL if former is None else former)
        signal.set_wakeup_fd(self._former_wakeup_fd)
        self._former_handlers.clear()
        self.reader.close()
        self._writer.close()

    def read(self) -> list[int]:
        """Return the signals that have arrived since the last call."""
        try:
            return list(self.reader.recv(4096))
        except BlockingIOError:
            return []

    def descriptors(self) -> list[int]:
        """Return the open descriptors, which a forked process must close."""
        return [self.reader.fileno(), self._writer.fileno()]


def _do_nothing(signum: int, frame: FrameType | None) -> None:
    """Python writes the byte to the socket; there is nothing else to do."""
