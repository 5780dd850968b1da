"""``manage.py rqworker`` in a process of its own, and what it prints."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from django_rqlite.worker.shutdown import REPEAT_WINDOW
from tests.conftest import wait_until
from tests.process_server import ROOT, start_command

__all__ = ["ROOT", "WorkerProcess", "alive", "later_than_the_same_signal", "run_burst", "worker"]


class WorkerProcess:
    """One worker. Variables of its environment change its settings; see tests/settings.py."""

    COMMAND = "rqworker"

    #: A command that starts Python.
    PREFIX: Sequence[str] = ()

    def __init__(
        self,
        log: Path,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        *,
        forked: bool = True,
    ) -> None:
        self._log = log
        log.touch()
        with log.open("ab") as output:
            self.process = start_command(
                [self.COMMAND, *arguments],
                environment,
                stdout=output,
                stderr=output,
                prefix=self.PREFIX,
                forked=forked,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def prints(self, text: str, times: int = 1, seconds: float = 20) -> None:
        """Wait until the worker has printed ``text`` so many times."""

        def printed() -> bool:
            return self.output.count(text) >= times or self.ended()

        try:
            wait_until(printed, f"the worker prints {text!r}", seconds)
        except AssertionError as exc:
            raise AssertionError(f"{exc}; it printed:\n{self.output}") from None
        assert self.output.count(text) >= times, f"no {text!r} in:\n{self.output}"

    def ended(self) -> bool:
        return self.process.poll() is not None

    def ready(self) -> WorkerProcess:
        """Wait until the worker listens."""
        self.prints("*** Listening on")
        return self

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ends(self, seconds: float = 30) -> int:
        """Wait until the worker has ended, and return its exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the worker did not end; it printed:\n{self.output}") from None

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def worker(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    forked: bool = True,
) -> Iterator[WorkerProcess]:
    """A worker that ends with the block, whatever happens.

    Args:
        arguments: of ``rqworker``.
        environment: variables that differ from those of the tests; see tests/settings.py.
        forked: whether it may be a fork; see :mod:`tests.process_server`.
    """
    number = len(list(folder.glob("worker-*.log")))
    log = folder / f"worker-{number}.log"
    process = WorkerProcess(log, arguments, environment or {}, forked=forked)
    try:
        yield process
    finally:
        process.stop()


def run_burst(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    forked: bool = True,
) -> str:
    """Have a worker run all jobs that wait, and return what it printed."""
    with worker(folder, "--burst", *arguments, environment=environment, forked=forked) as process:
        assert process.ends(60) == 0, process.output
        return process.output


def alive(pid: int) -> bool:
    """Whether a process runs. A zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return sys.platform != "linux"


def later_than_the_same_signal(process: WorkerProcess) -> None:
    """Wait until the worker no longer takes a signal for a repetition of the last one."""
    until = time.monotonic() + REPEAT_WINDOW + 0.1
    wait_until(lambda: time.monotonic() > until, "REPEAT_WINDOW is over")
    assert process.process.poll() is None, process.output
