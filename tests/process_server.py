"""``manage.py`` commands for the price of a fork, from a process that has imported Django.

Most of the time that a test waits for a command goes into starting Python and Django. A process
server does that once and forks on request. The fork becomes what ``python -m django`` would be: it
has a session, standard streams, arguments and an environment of its own. It ends as Python ends,
but does not free its memory, which would copy it.

A server is of one of two kinds. One has imported Django and the package, but has not read settings:
each fork reads them in its own environment. The other has run ``django.setup()`` in the environment
that it was started with, and forks commands whose settings are the same.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent

#: Variables that Python and the C library read when they start, and those of tests whose subject is
#: the start or what is imported. A command for which one of them differs is not forked.
_READ_AT_START = (
    *("PYTHON", "LD_", "MALLOC_", "LC_", "LANG"),
    *("RQ_TEST_CLOCK_SKEW", "RQ_TEST_MOST_MEMORY", "RQ_TEST_PRELOAD"),
)

#: Variables that settings depend on, apart from those that handlers and jobs read while they run.
_SETTINGS = ("RQ_TEST_", "DJANGO_")
_READ_LATER = frozenset(
    {"RQ_TEST_TELL", "RQ_TEST_HANDLER_FILE", "RQ_TEST_RECORDS", "RQ_TEST_TRACE"}
)

#: What commands import, as far as it needs no settings.
_MODULES = (
    "django.contrib.admin",
    "django.contrib.sessions.middleware",
    "django.contrib.staticfiles.storage",
    "django.core.management",
    "django.db.backends.sqlite3.base",
    "django_rqlite.cron.process",
    "django_rqlite.management.commands.rqworker",
    "django_rqlite.metrics.views",
)

#: Besides, where settings have been read.
_MODULES_WITH_SETTINGS = ("tests.urls", "django_rqlite.management.commands.rqworker-pool")

_LENGTH = struct.Struct("!I")


class ForkedProcess:
    """A command that a server has forked, with the methods of :class:`subprocess.Popen`.

    Attributes:
        returncode: as of :class:`subprocess.Popen`; None while the process runs.
    """

    def __init__(self, server: ProcessServer, pid: int) -> None:
        self._server = server
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        if self.returncode is None:
            self._server.receive(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the process has ended, and return its exit code.

        Args:
            timeout: in seconds; None: as long as it takes.

        Raises:
            subprocess.TimeoutExpired: the process still runs.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            self._server.receive(0.05)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass  # it has ended, and the server has not reported it yet

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ProcessServer:
    """The client of one server process, which ends with this object's :meth:`close`.

    Args:
        environment: all variables of the server.
        set_up: whether the server runs ``django.setup()``.
    """

    def __init__(self, environment: Mapping[str, str], *, set_up: bool) -> None:
        self._environment = dict(environment)
        self._set_up = set_up
        self._lock = threading.Lock()
        self._running: dict[int, ForkedProcess] = {}
        self._last: ForkedProcess | None = None
        self._unread = b""
        self._socket, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", __name__, str(number), str(int(set_up))],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[number],
                start_new_session=True,
            )

    def can_fork(self, environment: Mapping[str, str]) -> bool:
        """Whether a fork with these variables does not differ from a process started with them."""
        return not any(
            name.startswith(_READ_AT_START)
            or (self._set_up and name.startswith(_SETTINGS) and name not in _READ_LATER)
            for name in {*self._environment, *environment}
            if self._environment.get(name) != environment.get(name)
        )

    def fork(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        stdout: IO[bytes],
        stderr: IO[bytes],
    ) -> ForkedProcess:
        """Start a command.

        Args:
            arguments: the command's name and its arguments.
            environment: all variables of the command.
        """
        request = json.dumps({"arguments": arguments, "environment": dict(environment)}).encode()
        streams = [stdout.fileno(), stderr.fileno()]
        with self._lock:
            socket.send_fds(self._socket, [_LENGTH.pack(len(request))], streams)
            self._socket.sendall(request)
            self._last = None
            while self._last is None:
                self._receive(60)
            return self._last

    def receive(self, seconds: float) -> None:
        """Receive what the server reports about its processes.

        Args:
            seconds: how long to wait for a report.
        """
        with self._lock:
            self._receive(seconds)

    def _receive(self, seconds: float) -> None:
        if not select.select([self._socket], [], [], seconds)[0]:
            return
        data = self._socket.recv(1 << 16)
        if not data:
            raise AssertionError(f"the process server ended with {self._process.wait(20)}")
        *lines, self._unread = (self._unread + data).split(b"\n")
        for pid, code in map(json.loads, lines):
            if code is None:
                self._last = self._running[pid] = ForkedProcess(self, pid)
            else:
                self._running.pop(pid).returncode = code

    def close(self) -> None:
        """End the server, and with it the processes that still run."""
        # A fork of this process may hold the socket, too.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._process.wait(20)


def start_command(
    arguments: Sequence[str],
    changed: Mapping[str, str],
    *,
    stdout: IO[bytes],
    stderr: IO[bytes],
    prefix: Sequence[str] = (),
    forked: bool = True,
) -> subprocess.Popen[bytes] | ForkedProcess:
    """Start a ``manage.py`` command in a session of its own.

    Args:
        arguments: the command's name and its arguments.
        changed: variables that differ from those of this process.
        prefix: a command that starts Python.
        forked: whether the command may be a fork of a server. Tests of what a process does when it
            starts say no.
    """
    environment = _environment(changed)
    if forked and not prefix:
        for server in (*_extra_servers, *_servers_of_the_session()):
            if server.can_fork(environment):
                return server.fork(arguments, environment, stdout, stderr)
    return subprocess.Popen(
        [*prefix, sys.executable, "-W", "error", "-m", "django", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


@contextmanager
def settings_loaded(changed: Mapping[str, str]) -> Iterator[None]:
    """Within the block, a server forks commands with these variables after their settings.

    Args:
        changed: variables that differ from those of this process.
    """
    server = ProcessServer(_environment(changed), set_up=True)
    _extra_servers.append(server)
    try:
        yield
    finally:
        _extra_servers.remove(server)
        server.close()


def close_servers() -> None:
    """End the servers that :func:`start_command` has started."""
    if _servers_of_the_session.cache_info().currsize:
        for server in _servers_of_the_session():
            server.close()
        _servers_of_the_session.cache_clear()


_extra_servers: list[ProcessServer] = []


@functools.cache
def _servers_of_the_session() -> tuple[ProcessServer, ProcessServer]:
    environment = _environment({})
    return ProcessServer(environment, set_up=True), ProcessServer(environment, set_up=False)


def _environment(changed: Mapping[str, str]) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": str(ROOT),
        **changed,
    }


# In the server's process


class _Forker:
    """Forks for each request that arrives, and reports which processes have ended."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._woken, self._wakes = socket.socketpair()
        for end in (self._woken, self._wakes):
            end.setblocking(False)
        self._children: set[int] = set()
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes.fileno())

    def serve(self) -> None:
        """Return in each fork, ready to run its command; exit when the client hangs up."""
        while True:
            readable, _, _ = select.select([self._channel, self._woken], [], [])
            if self._woken in readable:
                self._woken.recv(1 << 16)
                self._reap()
            if self._channel in readable:
                header, streams, _, _ = socket.recv_fds(self._channel, _LENGTH.size, 2)
                if not header:
                    self._kill_all()
                (length,) = _LENGTH.unpack(header)
                request = json.loads(self._channel.recv(length, socket.MSG_WAITALL))
                pid = os.fork()
                if pid == 0:
                    self._become(request, streams)
                    return
                for stream in streams:
                    os.close(stream)
                self._children.add(pid)
                self._report(pid, None)

    def _report(self, pid: int, code: int | None) -> None:
        self._channel.sendall(json.dumps([pid, code]).encode() + b"\n")

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._children.remove(pid)
            self._report(pid, os.waitstatus_to_exitcode(status))

    def _kill_all(self) -> NoReturn:
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
        self._close()
        sys.exit()

    def _close(self) -> None:
        signal.set_wakeup_fd(-1)
        for end in (self._channel, self._woken, self._wakes):
            end.close()

    def _become(self, request: dict[str, Any], streams: Sequence[int]) -> None:
        """Turn the fork into the process of a command."""
        self._close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        for target, stream in enumerate(streams, start=1):
            os.dup2(stream, target)
            os.close(stream)
        environment = request["environment"]
        if django.conf.settings.configured:
            environment["TZ"] = os.environ["TZ"]  # as TIME_ZONE says
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        sys.argv = [django.__main__.__file__, *request["arguments"]]


def _run_command() -> NoReturn:
    """Run the command that the arguments name, and exit."""
    code: int | None = None
    try:
        django.core.management.execute_from_command_line()
    except SystemExit as exc:
        if exc.code is not None and not isinstance(exc.code, int):
            raise
        code = exc.code
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    import django
    import django.__main__
    import django.conf

    _channel, _set_up = sys.argv[1:]
    for _module in _MODULES:
        importlib.import_module(_module)
    if _set_up == "1":
        django.setup()
        for _module in _MODULES_WITH_SETTINGS:
            importlib.import_module(_module)
    _Forker(socket.socket(fileno=int(_channel))).serve()
    _run_command()
