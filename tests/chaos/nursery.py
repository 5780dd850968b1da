"""Worker processes at the price of a fork: a process that has imported all and forks on request.

Tests that kill workers by the hundred can't wait for each to import Django. What is forked is what
``manage.py rqworker`` is: the command, called in a process and a session of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from tests.conftest import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(eq=False)
class Newborn:
    """A worker that the nursery has forked."""

    nursery: Nursery
    pid: int
    log: Path
    #: As of :func:`os.waitstatus_to_exitcode`; None while it runs.
    exit_code: int | None = None

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def ended(self) -> bool:
        """Whether it has; also makes the exit code known."""
        if self.exit_code is None:
            self.nursery.look_after()
        return self.exit_code is not None

    def signal(self, number: int) -> None:
        if self.exit_code is None:
            os.kill(self.pid, number)

    def ends(self, seconds: float = 20) -> int:
        """Wait until it has ended; gives its exit code."""
        try:
            wait_until(self.ended, f"worker {self.pid} ends", seconds)
        except AssertionError as exc:
            raise AssertionError(f"{exc}; it printed:\n{self.output}") from None
        assert self.exit_code is not None
        return self.exit_code

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.ends()


@dataclass
class Nursery:
    """The forking process; its children die with it. Not to be shared between threads."""

    folder: Path
    born: dict[int, Newborn] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", __name__],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def worker(self, *arguments: str, url: str, lease: int) -> Newborn:
        """Fork a worker.

        Args:
            arguments: of ``rqworker``.
            url: of the server.
            lease: ``RQ["LEASE"]``, in seconds.
        """
        self.count += 1
        log = self.folder / f"worker-{self.count}.log"
        log.touch()
        pid = self._ask({"arguments": arguments, "url": url, "lease": lease, "log": str(log)})
        newborn = self.born[pid] = Newborn(self, pid, log)
        return newborn

    def look_after(self) -> None:
        """Learn which workers have ended."""
        for pid, exit_code in self._ask({}):
            self.born.pop(pid).exit_code = exit_code

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the nursery has ended with {self._process.poll()}"
        return json.loads(answer)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """A nursery for the block; logs go into ``folder``."""
    opened = Nursery(folder)
    try:
        yield opened
    finally:
        opened.close()


# In the nursery's own process


def _serve() -> None:
    for line in sys.stdin.buffer:
        request = json.loads(line)
        answer: Any = _fork(request) if request else _ended()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _ended() -> list[tuple[int, int]]:
    ended: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append((pid, os.waitstatus_to_exitcode(status)))


def _fork(request: dict[str, Any]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _live(parent, request)
    return pid


def _live(parent: int, request: dict[str, Any]) -> NoReturn:
    from django.conf import settings
    from django.core.management import call_command
    from django.core.signals import setting_changed

    from django_rqlite.process.parent_death import die_with_parent

    exit_code = 1
    try:
        os.setsid()
        die_with_parent(parent)
        log = os.open(request["log"], os.O_WRONLY | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(descriptor, target)
        for queue in settings.RQ_QUEUES.values():
            queue["URL"] = request["url"]
        settings.RQ["LEASE"] = request["lease"]
        for name in ("RQ_QUEUES", "RQ"):
            setting_changed.send(
                sender=None, setting=name, value=getattr(settings, name), enter=True
            )
        call_command("rqworker", *request["arguments"])
        exit_code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


if __name__ == "__main__":
    import django

    django.setup()
    # So that no child has to.
    import django_rqlite.management.commands.rqworker  # noqa: F401
    import tests.chaos.jobs  # noqa: F401

    _serve()
