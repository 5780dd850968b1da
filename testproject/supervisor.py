"""Runs several processes together: prints their output, and ends all of them when one ends.

It is single-threaded: one selector waits for output of the children, for their end and for signals.
Each child leads a process group of its own, so that only the supervisor gets the signal of Ctrl-C.
It ends the children in order, those with the highest stage first.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import FrameType, TracebackType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Stopped(Exception):
    """The supervisor got a signal to end."""


class ChildEnded(Exception):
    """A child ended by itself."""


class NotReady(Exception):
    """A condition was not met in time."""


@dataclass(slots=True)
class Child:
    """A process under supervision."""

    name: str
    process: subprocess.Popen[bytes]
    stage: int
    unfinished_line: bytes = b""

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def ending(self) -> str:
        """How the process ended, in words."""
        code = self.process.returncode
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


class Supervisor:
    """A context manager that ends its children when its block is left.

    Args:
        cwd: the working directory of the children.
        environment: the environment variables of the children.
        stop_timeout: seconds that a child has to end before it is killed.
    """

    def __init__(self, cwd: Path, environment: Mapping[str, str], stop_timeout: float) -> None:
        self.cwd = cwd
        self.environment = environment
        self.stop_timeout = stop_timeout
        self.children: list[Child] = []
        self.stop_requests = 0
        self.selector = selectors.DefaultSelector()

    def __enter__(self) -> Supervisor:
        self.wakeup_reader, self.wakeup_writer = socket.socketpair()
        self.wakeup_reader.setblocking(False)
        self.wakeup_writer.setblocking(False)
        self.selector.register(self.wakeup_reader, selectors.EVENT_READ)
        for number in STOP_SIGNALS:
            signal.signal(number, self._note_stop_request)
        # Python writes to the socket only for signals that have a handler.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self.wakeup_writer.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.children:
            say("Ending everything, at once with another Ctrl-C ...")
        self._stop_all()
        signal.set_wakeup_fd(-1)

    def start(
        self, name: str, command: list[str], *, stage: int, if_orphaned: signal.Signals
    ) -> None:
        """Start a child.

        Args:
            stage: children of a higher stage end before those of a lower one.
            if_orphaned: the signal that the child gets if the supervisor is killed, on Linux.
        """
        process = subprocess.Popen(
            command,
            cwd=self.cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            process_group=0,
            preexec_fn=_die_with_parent(if_orphaned),
        )
        child = Child(name, process, stage)
        self.children.append(child)
        assert process.stdout is not None
        self.selector.register(process.stdout, selectors.EVENT_READ, child)
        say(f"started (process {process.pid})", name)

    def wait_for(self, condition: Callable[[], bool], complaint: str, seconds: float) -> None:
        """Wait until ``condition()`` is true. It is called ten times a second.

        Args:
            complaint: the text of the error.
            seconds: how long to wait.

        Raises:
            NotReady: ``seconds`` have passed.
            Stopped, ChildEnded: see :meth:`watch`.
        """
        deadline = time.monotonic() + seconds
        while True:
            self._raise_if_over()
            if condition():
                return
            if time.monotonic() > deadline:
                raise NotReady(f"{complaint} (waited {seconds:g} seconds).")
            self._pump(0.1)

    def watch(self) -> None:
        """Print the output of the children until one of these is raised.

        Raises:
            Stopped: the supervisor got SIGINT, SIGTERM or SIGHUP.
            ChildEnded: a child ended; the message names it.
        """
        while True:
            self._raise_if_over()
            self._pump(None)

    def _note_stop_request(self, number: int, frame: FrameType | None) -> None:
        self.stop_requests += 1

    def _raise_if_over(self) -> None:
        if self.stop_requests:
            raise Stopped
        for child in self.children:
            if child.ended:
                self._pump(0)  # print its last output
                raise ChildEnded(f"{child.name} {child.ending}.")

    def _pump(self, timeout: float | None) -> None:
        """Wait for an event, at most ``timeout`` seconds, and print what the children wrote."""
        for key, _ in self.selector.select(timeout):
            if key.data is None:
                self.wakeup_reader.recv(4096)
            else:
                self._show_output(key.data)

    def _show_output(self, child: Child) -> None:
        assert child.process.stdout is not None
        chunk = os.read(child.process.stdout.fileno(), 65536)
        if not chunk:
            self.selector.unregister(child.process.stdout)
            chunk = b"\n" if child.unfinished_line else b""
        *lines, child.unfinished_line = (child.unfinished_line + chunk).split(b"\n")
        for line in lines:
            say(line.decode(errors="replace"), child.name)

    def _stop_all(self) -> None:
        for stage in sorted({child.stage for child in self.children}, reverse=True):
            self._stop([child for child in self.children if child.stage == stage])

    def _stop(self, children: list[Child]) -> None:
        """End these with SIGTERM; after the timeout or another Ctrl-C, with SIGKILL."""
        requests = self.stop_requests
        deadline = time.monotonic() + self.stop_timeout
        for child in _running(children):
            child.process.terminate()
        while _running(children):
            left = deadline - time.monotonic()
            if left <= 0 or self.stop_requests > requests:
                break
            self._pump(left)
        for child in children:
            # Other processes of the group may be left.
            try:
                os.killpg(child.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # usually the whole group is gone
            child.process.wait()
        self._pump(0)


def say(text: str, speaker: str = "demo") -> None:
    """Print a line with the name of the process that it comes from."""
    try:
        print(f"{speaker:>8} | {text}", flush=True)
    except BrokenPipeError:
        # Nobody reads the output any more. Go on, so that the children are ended.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def _running(children: Iterable[Child]) -> list[Child]:
    return [child for child in children if not child.ended]


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return a function for the child to call before exec, so that it ends with its parent."""
    libc = LIBC
    if libc is None:
        return None
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)

    return arm
