"""A real ``manage.py rqworker`` in a process of its own, and what it prints."""

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

ROOT = Path(__file__).resolve().parent.parent


class WorkerProcess:
    """One worker. Its settings can be bent through the environment; see tests/settings.py."""

    COMMAND = "rqworker"

    #: What starts Python.
    PREFIX: Sequence[str] = ()

    def __init__(
        self, log: Path, arguments: tuple[str, ...], environment: Mapping[str, str]
    ) -> None:
        self._log = log
        log.touch()
        python = [*self.PREFIX, sys.executable, "-W", "error"]
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*python, "-m", "django", self.COMMAND, *arguments],
                cwd=ROOT,
                env={
                    **os.environ,
                    "DJANGO_SETTINGS_MODULE": "tests.settings",
                    "PYTHONPATH": str(ROOT),
                    **environment,
                },
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def prints(self, text: str, times: int = 1, seconds: float = 20) -> None:
        """Wait until the worker has printed ``text`` that often."""

        def printed() -> bool:
            return self.output.count(text) >= times or self._ended_early()

        try:
            wait_until(printed, f"the worker prints {text!r}", seconds)
        except AssertionError as exc:
            raise AssertionError(f"{exc}; it printed:\n{self.output}") from None
        assert self.output.count(text) >= times, f"no {text!r} in:\n{self.output}"

    def _ended_early(self) -> bool:
        return self.process.poll() is not None

    def ready(self) -> WorkerProcess:
        """Wait until it listens."""
        self.prints("*** Listening on")
        return self

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ends(self, seconds: float = 30) -> int:
        """Wait until it has ended; gives its exit code."""
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
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[WorkerProcess]:
    """A worker that ends with the block, whatever happens."""
    number = len(list(folder.glob("worker-*.log")))
    process = WorkerProcess(folder / f"worker-{number}.log", arguments, environment or {})
    try:
        yield process
    finally:
        process.stop()


def run_burst(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Have a worker run all jobs that wait; gives what it printed."""
    with worker(folder, "--burst", *arguments, environment=environment) as process:
        assert process.ends(60) == 0, process.output
        return process.output


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return sys.platform != "linux"


def later_than_the_same_signal(process: WorkerProcess) -> None:
    """Wait until a signal is no longer taken for the one before, sent twice."""
    until = time.monotonic() + REPEAT_WINDOW + 0.1
    wait_until(lambda: time.monotonic() > until, "the time for a repeated signal is over")
    assert process.process.poll() is None, process.output
