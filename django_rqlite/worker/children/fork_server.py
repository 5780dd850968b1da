"""The worker's side of its fork server: start it, ask for children, hear of their deaths."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from ...exceptions import ForkServerError
from . import database_connections as databases
from .fork_process import Life, serve
from .fork_protocol import ANSWER, NEVER_MADE, REQUEST

#: Answers that one look at the socket takes.
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Died:
    """A child has ended.

    Attributes:
        number: what it was known by.
        status: as :func:`os.waitpid` gives it.
        peak: its largest resident memory, as ``ru_maxrss`` gives it.
    """

    number: int
    status: int
    peak: int


@dataclass(frozen=True, slots=True)
class NeverMade:
    """The system would not make a child.

    Attributes:
        errno: why.
    """

    number: int
    errno: int


class ForkServer:
    """One process that makes all children of a worker. See :mod:`.fork_process` for why.

    The worker can't do without: when it dies, the children die with it, and the worker ends as
    if it had been killed itself. What it held is queued again when the leases end.

    Args:
        live: the whole life of a child.
        huge_pages: whether what it shares with its children is kept in huge pages.
    """

    def __init__(self, live: Life, *, huge_pages: bool = True) -> None:
        self._live = live
        self._huge_pages = huge_pages
        self._control: socket.socket
        self._numbers = itertools.count(1)
        self._said = b""
        self.pid = 0

    def start(self, foreign: Iterable[int]) -> None:
        """Fork the server. Main thread only; all that children shall share is loaded by now.

        Args:
            foreign: the worker's descriptors, which children must not hold.

        Raises:
            ForkServerError: the system would make no process.
        """
        connections = databases.known()
        sys.stdout.flush()
        sys.stderr.flush()
        worker = os.getpid()
        self._control, theirs = socket.socketpair()
        closed = [*foreign, self._control.fileno()]
        # A signal to the worker that came in between would be noted twice.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self.pid = os.fork()
            if self.pid == 0:
                serve(
                    *(theirs, worker, closed, connections, self._live),
                    huge_pages=self._huge_pages,
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
        """Readable when :meth:`read` has something to tell."""
        return self._control.fileno()

    def fork(self, channel: socket.socket) -> int:
        """Ask for a child; gives the number that it is known by.

        It may already be written to: what is said waits for it.

        Args:
            channel: the child's end of its pipe. Still to be closed in here.

        Raises:
            ForkServerError: there is no server any more.
        """
        number = next(self._numbers)
        try:
            socket.send_fds(self._control, [REQUEST.pack(number)], [channel.fileno()])
        except OSError as exc:
            raise self._gone() from exc
        return number

    def kill(self, number: int) -> None:
        """Have a child killed, with all that it started; without effect once it has ended."""
        try:
            self._control.sendall(REQUEST.pack(-number))
        except OSError:
            pass  # it died with the server, which read() tells of

    def read(self) -> list[Died | NeverMade]:
        """What has become of children.

        Raises:
            ForkServerError: there is no server any more.
        """
        try:
            data = self._control.recv(ANSWER.size * _AT_ONCE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            raise self._gone()
        self._said += data
        whole = len(self._said) - len(self._said) % ANSWER.size
        told, self._said = self._said[:whole], self._said[whole:]
        return [
            NeverMade(number, what) if peak == NEVER_MADE else Died(number, what, peak)
            for number, what, peak in ANSWER.iter_unpack(told)
        ]

    def stop(self) -> None:
        """Have it end, and all children that are left."""
        self._control.close()
        if self.pid:
            try:
                os.waitpid(self.pid, 0)
            except ChildProcessError:
                pass  # code imported by the worker has waited for it
            self.pid = 0

    def _gone(self) -> ForkServerError:
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
            f"The worker's fork server {how}, so there is no process to run jobs in, and the "
            "worker ends. What it held is queued again when its lease ends. The kernel kills so "
            "when memory runs out; a job that kills its parent process does, too. Have a "
            "supervisor such as systemd start the worker again."
        )
