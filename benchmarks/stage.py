"""A contestant on a server: where its driver and its workers are started from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType

from .contestants import Contestant, Mode
from .conversation import Driver
from .failure import StepFailed
from .guardian import MARK
from .processes import Started
from .server import Server

_PROJECT = Path(__file__).resolve().parent / "project"

#: What would lead a contestant to another's environment, or make it another Python.
_FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "DJANGO_SETTINGS_MODULE")


class Stage:
    """What all processes of a contestant have in common. ``python``: of its environment."""

    def __init__(self, contestant: Contestant, python: Path, server: Server) -> None:
        self.contestant = contestant
        self.server = server
        self._python = python
        self._folder = server.folder / contestant.name
        self._folder.mkdir()
        fifo = self._folder / "latencies"
        os.mkfifo(fifo)
        path = [contestant.path, str(_PROJECT)]
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in _FOREIGN},
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "DJANGO_SETTINGS_MODULE": f"{contestant.site}.settings",
            "BENCH_URL": server.url,
            "BENCH_FOLDER": str(self._folder),
            "BENCH_FIFO": str(fifo),
            **contestant.environment,
            **MARK,
        }
        self._logs = 0
        self._drivers: list[Driver] = []

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for driver in self._drivers:
            driver.stop()

    @cached_property
    def driver(self) -> Driver:
        """The process that enqueues; the same in all rounds."""
        return self.start_driver("enqueue_driver", f"{self.contestant.site}.enqueuing")

    @cached_property
    def fork_loops(self) -> list[Driver]:
        """Two processes that only fork."""
        return [self.start_driver("fork_driver") for _ in range(2)]

    def start_driver(self, module: str, *arguments: str) -> Driver:
        """Start a process that does as it is told, see ``project/``."""
        command = [str(self._python), "-m", module, *arguments]
        driver = Driver(command, self._environment, self._log(module))
        self._drivers.append(driver)
        return driver

    @contextmanager
    def workers(self, mode: Mode, count: int) -> Iterator[list[Started]]:
        """Have workers run; they are killed afterwards.

        Raises:
            StepFailed: what was done with them failed, and one had ended: why it had.
        """
        started: list[Started] = []
        try:
            for arguments in self.contestant.workers[mode, count].commands:
                command = [str(self._python), *arguments]
                started.append(Started(command, self._environment, self._log("worker")))
            yield started
        except StepFailed as error:
            raise_ended(started, error)
            raise
        finally:
            for one in started:
                one.kill()

    @contextmanager
    def ending_workers(self, mode: Mode, count: int, patience: float) -> Iterator[list[Started]]:
        """The same, but told to end their running jobs first.

        Raises:
            StepFailed: one has not done so within ``patience`` seconds, or has ended before.
        """
        with self.workers(mode, count) as started:
            yield started
            raise_ended(started)
            for one in started:
                one.end(self.contestant.stop_signal, patience)

    def pending(self) -> int:
        """How many jobs have not begun."""
        return sum(self.server.ask(self.contestant.pending))

    def _log(self, what: str) -> Path:
        self._logs += 1
        return self._folder / f"{self._logs:03}-{what}.log"


def raise_ended(workers: Iterable[Started], because: StepFailed | None = None) -> None:
    """Tell of a worker that has ended by itself.

    Raises:
        StepFailed: there is one; with its last words.
    """
    for worker in workers:
        if worker.ended:
            raise StepFailed(f"a worker has ended: {worker.last_words()}") from because
