"""The worker's side of its fork server: start it, request children, read how they have ended."""

from __future__ import annotations

import itertools
import os
import signal
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from ...exceptions import ForkServerError
from . import clean_fork
from .fork_process import ChildMain, serve
from .fork_protocol import ANSWER, FORK_FAILED, REQUEST

#: Answers to read from the socket at once.
_MOST_ANSWERS = 256


@dataclass(frozen=True, slots=True)
class ChildExited:
    """A child has ended.

    Attributes:
        number: The child's number.
        status: As :func:`os.waitpid` gives it.
        peak: The peak resident memory, as ``ru_maxrss`` gives it.
    """

    number: int
    status: int
    peak: int


@dataclass(frozen=True, slots=True)
class ForkFailed:
    """The system could not fork a child.

    Attributes:
        number: The child's number.
        errno: The reason.
    """

    number: int
    errno: int


class ForkServer:
    """A process that forks all children of a worker. :mod:`.fork_process` explains why.

    When it dies, the children die with it, and the worker ends as if it had been killed itself. The
    jobs are queued again when their leases expire.

    Args:
        child_main: The function that a child runs.
        huge_pages: Whether the memory that it shares with its children is kept in huge pages.
    """

    def __init__(self, child_main: ChildMain, *, huge_pages: bool = True) -> None:
        self._child_main = child_main
        self._huge_pages = huge_pages
        self._control: socket.socket
        self._numbers = itertools.count(1)
        self._unread = b""
        #: Its process id; 0 if there is no such process.
        self.pid = 0

    def start(self, to_close: Iterable[int]) -> None:
        """Fork the server. Main thread only. All code that children share must be loaded by now.

        Args:
            to_close: The worker's descriptors, which children must not hold.

        Raises:
            ForkServerError: The system could not make a process.
        """
        worker = os.getpid()
        self._control, theirs = socket.socketpair()
        closed = [*to_close, self._control.fileno()]
        # Block signals: the worker's handlers would record a signal for the new process as one for
        # the worker.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.pid = clean_fork.fork(
                "The fork server",
                lambda: serve(
                    theirs, worker, closed, self._child_main, huge_pages=self._huge_pages
                ),
            )
        except OSError as exc:
            self._control.close()
            raise ForkServerError(
                f"The worker could not start its fork server: {exc}. Free memory, or raise the "
                "limit on the user's processes (ulimit -u), and start it again."
            ) from exc
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            theirs.close()

    def fileno(self) -> int:
        """Return the descriptor that is readable when :meth:`read` has something to return."""
        return self._control.fileno()

    def fork(self, channel: socket.socket) -> int:
        """Request a child and return its number.

        Its pipe can be written to at once. The child reads it when it has started.

        Args:
            channel: The child's end of the pipe. The caller still has to close it here.

        Raises:
            ForkServerError: The fork server has died.
        """
        number = next(self._numbers)
        try:
            socket.send_fds(self._control, [REQUEST.pack(number)], [channel.fileno()])
        except OSError as exc:
            raise self._error() from exc
        return number

    def kill(self, number: int) -> None:
        """Request the end of a child and of all that it started. Without effect if it has ended."""
        try:
            self._control.sendall(REQUEST.pack(-number))
        except OSError:
            pass  # the child has died with the server, as read() will tell

    def read(self) -> list[ChildExited | ForkFailed]:
        """Return which children have ended, or could not be forked, since the last call.

        Raises:
            ForkServerError: The fork server has died.
        """
        try:
            data = self._control.recv(ANSWER.size * _MOST_ANSWERS, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            raise self._error()
        self._unread += data
        whole = len(self._unread) - len(self._unread) % ANSWER.size
        answers, self._unread = self._unread[:whole], self._unread[whole:]
        return [
            ForkFailed(number, code) if peak == FORK_FAILED else ChildExited(number, code, peak)
            for number, code, peak in ANSWER.iter_unpack(answers)
        ]

    def stop(self) -> None:
        """End the server and all children that are left, and wait for the server."""
        self._control.close()
        if self.pid:
            try:
                os.waitpid(self.pid, 0)
            except ChildProcessError:
                pass  # code imported by the worker has waited for it
            self.pid = 0

    def _error(self) -> ForkServerError:
        """Return the error for a server that has died, with the reason."""
        how = "has ended"
        if self.pid:
            try:
                _, status = os.waitpid(self.pid, 0)
                code = os.waitstatus_to_exitcode(status)
                how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            except ChildProcessError:
                pass  # code imported by the worker has waited for it
            self.pid = 0
        return ForkServerError(
            f"The worker's fork server {how}. Jobs can no longer run, so the worker ends. Its jobs "
            "are queued again when their leases expire. The kernel may have killed the process "
            "because memory ran out, or a job may have killed its parent process. Have a "
            "supervisor such as systemd start the worker again."
        )
