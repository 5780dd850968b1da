"""The fork server: a process that forks children, waits for them, and does nothing else.

After a fork, every page of memory that either side writes to is copied, with one page fault each. A
worker that forked its children itself would write to some 600 pages while it settles one job and
claims the next, and would copy them all again after the next fork. The fork server is forked once
from the worker, when everything is imported, and then writes to very few pages. Each of these also
drops out of its huge pages, for all later children (huge_pages.py). So its loop uses numbers and
bytes, and makes no other objects.

The fork server also keeps the worker's sockets out of the children: it closes them before the first
fork.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from array import array
from collections.abc import Callable, Iterable
from types import FrameType
from typing import NoReturn

from .fork_protocol import ANSWER, FORK_FAILED, REQUEST
from .huge_pages import collapse

#: Bytes of ancillary data: one descriptor, which comes along with a request.
_ONE_DESCRIPTOR = socket.CMSG_SPACE(array("i", [0]).itemsize)

#: Bytes to read at once from the socket to which each SIGCHLD adds one.
_MOST_WAKEUPS = 4096

#: The function that a child runs. It gets the descriptor of its pipe and the fork server's process
#: id.
ChildMain = Callable[[int, int], NoReturn]


def serve(
    control: socket.socket,
    worker: int,
    to_close: Iterable[int],
    child_main: ChildMain,
    *,
    huge_pages: bool,
) -> NoReturn:
    """Serve requests until the worker closes its end, then kill the children that are left.

    This exits the process, without finalizing any object.

    Args:
        control: The server's end of the socket to the worker.
        to_close: The worker's descriptors, to be closed.
        child_main: The function that a child runs.
        huge_pages: Whether to move the memory shared with children into huge pages.
    """
    process = _ForkProcess(control, to_close, child_main)
    if huge_pages:
        collapse()
    process.run()
    os._exit(0)


class _ForkProcess:
    def __init__(
        self, control: socket.socket, to_close: Iterable[int], child_main: ChildMain
    ) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for descriptor in to_close:
            try:
                os.close(descriptor)
            except OSError:
                pass  # the worker had closed it already
        self._control = control
        self._child_main = child_main
        self._wakeup_reader, self._wakeup_writer = socket.socketpair()
        self._wakeup_writer.setblocking(False)
        signal.set_wakeup_fd(self._wakeup_writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _do_nothing)
        # The worker has blocked all signals, until their handlers are set here.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        #: The numbers of the children that this process has not waited for yet, by process id.
        self._numbers: dict[int, int] = {}
        self._own_descriptors = (
            control.fileno(),
            self._wakeup_reader.fileno(),
            self._wakeup_writer.fileno(),
        )
        self._pid = os.getpid()

    def run(self) -> None:
        control, wakeup, numbers = self._control, self._wakeup_reader, self._numbers
        poll = select.poll()
        poll.register(control, select.POLLIN)
        poll.register(wakeup, select.POLLIN)
        try:
            while True:
                for descriptor, _ in poll.poll():
                    if descriptor == self._own_descriptors[0]:
                        # One request, as socket.recv_fds() reads it. That touches more memory.
                        request, ancillary, _, _ = control.recvmsg(REQUEST.size, _ONE_DESCRIPTOR)
                        if not request:
                            return
                        number = REQUEST.unpack(request)[0]
                        if number > 0:
                            self._fork(number, int.from_bytes(ancillary[0][2], sys.byteorder))
                        else:
                            self._kill(-number)
                        continue
                    wakeup.recv(_MOST_WAKEUPS)
                    while numbers:
                        pid, status, usage = os.wait4(-1, os.WNOHANG)
                        if pid == 0:
                            break
                        number = numbers.pop(pid, 0)
                        if number:
                            control.send(ANSWER.pack(number, status, usage.ru_maxrss))
        except (BrokenPipeError, ConnectionResetError):
            pass  # the worker has ended
        finally:
            for number in list(numbers.values()):
                self._kill(number)

    def _fork(self, number: int, channel: int) -> None:
        try:
            pid = os.fork()
        except OSError as exc:
            os.close(channel)
            self._control.send(ANSWER.pack(number, exc.errno or 0, FORK_FAILED))
            return
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                for descriptor in self._own_descriptors:
                    os.close(descriptor)
                self._child_main(channel, self._pid)
            finally:
                os._exit(1)
        os.close(channel)
        self._numbers[pid] = number

    def _kill(self, number: int) -> None:
        for pid, known in self._numbers.items():
            if known == number:
                # It was not waited for, so the system has not reused its id.
                try:
                    os.killpg(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it has just been forked and leads no group yet
                os.kill(pid, signal.SIGKILL)  # it may be outside its group; see process_group.py
                return


def _do_nothing(signum: int, frame: FrameType | None) -> None:
    """Python writes a byte to the socket; there is nothing else to do."""
