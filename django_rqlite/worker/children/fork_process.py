"""The life of a fork server: a process that forks, buries, and does nothing else.

After a fork, every page that either side writes to is copied, one trap into the kernel each. A
worker that forked its children itself would touch some 600 pages while it settles one job and
claims the next, and with the next fork all of them would have to be copied again. The fork server
is forked once from the worker, when all is imported, and then touches next to nothing. What it
touches it also takes out of its huge pages, for all children to come (huge_pages.py). Hence the
plain style of its loop: numbers and bytes, and no objects but those.

It also keeps the worker's sockets out of its children: it has closed them before it makes one.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
from array import array
from collections.abc import Callable, Iterable
from types import FrameType
from typing import NoReturn

from django.db.backends.base.base import BaseDatabaseWrapper

from ...process.parent_death import die_with_parent
from .fork_protocol import ANSWER, NEVER_MADE, REQUEST
from .huge_pages import collapse
from .inherited_connections import let_go

logger = logging.getLogger("django_rqlite.worker")

#: Room for the descriptor that comes along with a request.
_ROOM = socket.CMSG_SPACE(array("i", [0]).itemsize)

#: Deaths that one look takes note of; what they were is asked of the system.
_MANY = 4096

#: The whole life of a child, given the descriptor of its channel and the server's process id.
Life = Callable[[int, int], NoReturn]


def serve(
    control: socket.socket,
    worker: int,
    foreign: Iterable[int],
    connections: Iterable[BaseDatabaseWrapper],
    live: Life,
    *,
    huge_pages: bool,
) -> NoReturn:
    """The whole life of the fork server. Never returns: what forked must not go on in here.

    Args:
        control: its end of the conversation with the worker.
        worker: process id of the worker, which may have ended already.
        foreign: the worker's descriptors, to be closed.
        connections: the worker's connections to databases, to be let go of.
        live: what a child does.
        huge_pages: whether to share memory with children in huge pages.
    """
    status = 1
    try:
        process = _ForkProcess(control, worker, foreign, live)
        let_go(connections)
        if huge_pages:
            collapse()
        process.run()
        status = 0
    except BaseException:
        logger.exception("The fork server of worker process %d failed", worker)
    finally:
        os._exit(status)


class _ForkProcess:
    def __init__(
        self, control: socket.socket, worker: int, foreign: Iterable[int], live: Life
    ) -> None:
        # A group of its own: the terminal's Ctrl-C is for the worker, which lets jobs end.
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        die_with_parent(worker)
        for descriptor in foreign:
            try:
                os.close(descriptor)
            except OSError:
                pass  # the worker had closed it already
        self._control = control
        self._live = live
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _noted)
        # Blocked by the worker until it is clear what they mean in here.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        #: The numbers of the children that are not buried yet, by their process ids.
        self._numbers: dict[int, int] = {}
        self._own = (control.fileno(), self._woken.fileno(), self._waker.fileno())
        self._pid = os.getpid()

    def run(self) -> None:
        """Do as told until the worker hangs up."""
        control, woken, numbers = self._control, self._woken, self._numbers
        poll = select.poll()
        poll.register(control, select.POLLIN)
        poll.register(woken, select.POLLIN)
        try:
            while True:
                for descriptor, _ in poll.poll():
                    if descriptor == self._own[0]:
                        # One request: what socket.recv_fds() does, which touches more.
                        said, came, _, _ = control.recvmsg(REQUEST.size, _ROOM)
                        if not said:
                            return
                        number = REQUEST.unpack(said)[0]
                        if number > 0:
                            self._fork(number, int.from_bytes(came[0][2], sys.byteorder))
                        else:
                            self._kill(-number)
                        continue
                    woken.recv(_MANY)
                    while numbers:
                        pid, status, usage = os.wait4(-1, os.WNOHANG)
                        if pid == 0:
                            break
                        number = numbers.pop(pid, 0)
                        if number:
                            control.send(ANSWER.pack(number, status, usage.ru_maxrss))
        except (BrokenPipeError, ConnectionResetError):
            pass  # the worker is gone
        finally:
            for number in list(numbers.values()):
                self._kill(number)

    def _fork(self, number: int, channel: int) -> None:
        try:
            pid = os.fork()
        except OSError as exc:
            os.close(channel)
            self._control.send(ANSWER.pack(number, exc.errno or 0, NEVER_MADE))
            return
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                for descriptor in self._own:
                    os.close(descriptor)
                self._live(channel, self._pid)
            finally:
                os._exit(1)
        os.close(channel)
        self._numbers[pid] = number

    def _kill(self, number: int) -> None:
        for pid, known in self._numbers.items():
            if known == number:
                # It is not buried yet, so the id is still its own.
                try:
                    os.killpg(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # so young that it has no group yet
                os.kill(pid, signal.SIGKILL)  # it may be out of its group; see process_group.py
                return


def _noted(signum: int, frame: FrameType | None) -> None:
    """The byte in the socket is all that is needed."""
