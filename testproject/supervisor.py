"""Runs a handful of processes as one: shows their output, and ends all of them together.

Single-threaded: one selector waits for the children's output, for their deaths and for signals.
Every child leads a process group of its own, so that Ctrl-C reaches the supervisor alone and the
children can be ended in order, those with the highest stage first.
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
    """A signal asked the supervisor to end."""


class ChildEnded(Exception):
    """A child ended although nobody asked it to."""


class NotReady(Exception):
    """Something that was waited for did not come in time."""


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
        """How it ended, for people."""
        code = self.process.returncode
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


class Supervisor:
    """A context: children started in it are gone when it is left, however it is left."""

    def __init__(self, cwd: Path, environment: Mapping[str, str], patience: float) -> None:
        """``patience``: seconds that a child has to end by itself before it is killed."""
        self.cwd = cwd
        self.environment = environment
        self.patience = patience
        self.children: list[Child] = []
        self.stop_requests = 0
        self.selector = selectors.DefaultSelector()

    def __enter__(self) -> Supervisor:
        self.wake_up, self.bell = socket.socketpair()
        self.wake_up.setblocking(False)
        self.bell.setblocking(False)
        self.selector.register(self.wake_up, selectors.EVENT_READ)
        for number in STOP_SIGNALS:
            signal.signal(number, self._note_stop_request)
        # Python writes to the bell only for signals that have a handler.
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self.bell.fileno(), warn_on_full_buffer=False)
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

        :param stage: children of a higher stage end before those of a lower one.
        :param if_orphaned: what it gets if the supervisor is killed, where the platform can do it.
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
        """Wait until ``condition()`` is true, asking ten times a second.

        :raises NotReady: with the ``complaint``, when ``seconds`` have passed.
        :raises Stopped, ChildEnded: as :meth:`watch`.
        """
        deadline = time.monotonic() + seconds
        while True:
            self._raise_what_happened()
            if condition():
                return
            if time.monotonic() > deadline:
                raise NotReady(f"{complaint} (waited {seconds:g} seconds).")
            self._pump(0.1)

    def watch(self) -> None:
        """Show the children's output until something ends it.

        :raises Stopped: SIGINT, SIGTERM or SIGHUP came.
        :raises ChildEnded: naming the child.
        """
        while True:
            self._raise_what_happened()
            self._pump(None)

    def _note_stop_request(self, number: int, frame: FrameType | None) -> None:
        self.stop_requests += 1

    def _raise_what_happened(self) -> None:
        if self.stop_requests:
            raise Stopped
        for child in self.children:
            if child.ended:
                self._pump(0)  # its last words
                raise ChildEnded(f"{child.name} {child.ending}.")

    def _pump(self, timeout: float | None) -> None:
        """Wait at most ``timeout`` seconds for anything, and show what the children wrote."""
        for key, _ in self.selector.select(timeout):
            if key.data is None:
                self.wake_up.recv(4096)
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
        """End these together: SIGTERM, and SIGKILL after a while or at another Ctrl-C."""
        requests = self.stop_requests
        deadline = time.monotonic() + self.patience
        for child in _running(children):
            child.process.terminate()
        while _running(children):
            left = deadline - time.monotonic()
            if left <= 0 or self.stop_requests > requests:
                break
            self._pump(left)
        for child in children:
            # The group may outlive its leader.
            try:
                os.killpg(child.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # the usual case: the whole group is gone
            child.process.wait()
        self._pump(0)


def say(text: str, speaker: str = "demo") -> None:
    """Print a line under the name of who says it."""
    try:
        print(f"{speaker:>8} | {text}", flush=True)
    except BrokenPipeError:
        # Whoever was reading is gone, and that is no reason to leave processes behind.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


def _running(children: Iterable[Child]) -> list[Child]:
    return [child for child in children if not child.ended]


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """What a child does before it becomes its program, so that it does not outlive its parent."""
    libc = LIBC
    if libc is None:
        return None
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died before we were armed
            os._exit(1)

    return arm
