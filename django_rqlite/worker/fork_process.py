"""The life of a fork server: a process that forks, buries, and does nothing else.

After a fork, every page that either side writes to is copied, one trap into the kernel each. A
worker that forked its children itself would touch some 600 pages while it settles one job and
claims the next, and with the next fork all of them would have to be copied again. The fork server
is forked once from the worker, when all is imported, and then touches next to nothing.

It also keeps the worker's sockets out of its children: it has closed them before it makes one.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
from collections.abc import Callable, Iterable
from types import FrameType
from typing import NoReturn

from .fork_messages import SIZE, Died, Fork, Kill, Message, Refused, pack, unpack
from .parentage import die_with_parent

logger = logging.getLogger("django_rqlite.worker")

#: Records and descriptors that one look at the socket takes.
_AT_ONCE = 16

#: The whole life of a child, given the descriptor of its channel and the server's process id.
Life = Callable[[int, int], NoReturn]


def serve(control: socket.socket, worker: int, foreign: Iterable[int], live: Life) -> NoReturn:
    """The whole life of the fork server. Never returns: what forked must not go on in here.

    Args:
        control: its end of the conversation with the worker.
        worker: process id of the worker, which may have ended already.
        foreign: the worker's descriptors, to be closed.
        live: what a child does.
    """
    status = 1
    try:
        _ForkProcess(control, worker, foreign, live).run()
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
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _noted)
        # Blocked by the worker until it is clear what they mean in here.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self._pids: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._said = bytearray()
        self._channels: list[int] = []
        self._own = (control.fileno(), self._woken.fileno(), self._waker.fileno())
        self._pid = os.getpid()

    def run(self) -> None:
        """Do as told until the worker hangs up."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while True:
            ready = poll.poll()
            answers: list[Message] = []
            for descriptor, _ in ready:
                if descriptor == self._own[0]:
                    if not self._listen(answers):
                        self._end_all()
                        return
                else:
                    self._bury(answers)
            if answers:
                try:
                    self._control.sendall(b"".join(map(pack, answers)))
                except OSError:
                    self._end_all()  # the worker is gone
                    return

    def _listen(self, answers: list[Message]) -> bool:
        """Do what was asked for; False when the worker has hung up."""
        data, channels, _, _ = socket.recv_fds(self._control, SIZE * _AT_ONCE, _AT_ONCE)
        if not data:
            return False
        self._said += data
        self._channels += channels
        for message in unpack(self._said):
            if isinstance(message, Fork):
                self._fork(message.number, self._channels.pop(0), answers)
            elif isinstance(message, Kill):
                self._kill(message.number)
        return True

    def _fork(self, number: int, channel: int, answers: list[Message]) -> None:
        try:
            pid = os.fork()
        except OSError as exc:
            answers.append(Refused(number, exc.errno or 0))
            os.close(channel)
            return
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for descriptor in self._own:
                os.close(descriptor)
            self._live(channel, self._pid)
        os.close(channel)
        try:
            os.setpgid(pid, pid)  # the child does so too; whoever comes first
        except (PermissionError, ProcessLookupError):
            pass
        self._pids[number] = pid
        self._numbers[pid] = number

    def _kill(self, number: int) -> None:
        pid = self._pids.get(number)
        if pid is not None:
            os.killpg(pid, signal.SIGKILL)  # it is not buried yet, so the id is still its own

    def _bury(self, answers: list[Message]) -> None:
        try:
            while self._woken.recv(4096):
                pass
        except BlockingIOError:
            pass
        while self._numbers:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            number = self._numbers.pop(pid, None)
            if number is not None:
                del self._pids[number]
                answers.append(Died(number, status, usage.ru_maxrss))

    def _end_all(self) -> None:
        for number in list(self._pids):
            self._kill(number)


def _noted(signum: int, frame: FrameType | None) -> None:
    """The byte in the socket is all that is needed."""
