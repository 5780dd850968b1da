"""Starting the driver processes and the workers of a contestant."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType

from .cleanup import MARK
from .contestants import Contestant, Mode
from .driver import Driver
from .exceptions import MeasurementError
from .processes import ManagedProcess
from .server import Server

_HERE = Path(__file__).resolve().parent
#: Folders with the modules of the contestants, and with the settings that all share.
_PATH = (_HERE / "project", _HERE.parent / "testproject")

#: Variables of the benchmark's environment that would select another Python or other settings.
_FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "DJANGO_SETTINGS_MODULE")


class Launcher:
    """Starts processes of a contestant, which use the same server.

    Args:
        python: The Python of the contestant's environment.
    """

    def __init__(self, contestant: Contestant, python: Path, server: Server) -> None:
        self.contestant = contestant
        self.server = server
        self._python = python
        self._folder = server.folder / contestant.name
        self._folder.mkdir()
        fifo = self._folder / "latencies"
        os.mkfifo(fifo)
        path = [contestant.path, *map(str, _PATH)]
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

    def __enter__(self) -> Launcher:
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
        """The process that enqueues, in all rounds."""
        return self.start_driver("enqueue_driver", f"{self.contestant.site}.enqueue")

    @cached_property
    def fork_loops(self) -> list[Driver]:
        """Two processes that only fork, for :data:`~.contestants.BARE`."""
        return [self.start_driver("fork_driver") for _ in range(2)]

    def start_driver(self, module: str, *arguments: str) -> Driver:
        """Start a driver: a module of ``project/``."""
        command = [str(self._python), "-m", module, *arguments]
        driver = Driver(command, self._environment, self._log(module))
        self._drivers.append(driver)
        return driver

    @contextmanager
    def workers(self, mode: Mode, count: int) -> Iterator[list[ManagedProcess]]:
        """Run workers during the context, and kill them afterwards.

        Raises:
            MeasurementError: The context raised it. If a worker has ended by itself, the reason is
                the last line of its log.
        """
        started: list[ManagedProcess] = []
        try:
            for arguments in self.contestant.workers[mode, count].commands:
                command = [str(self._python), *arguments]
                started.append(ManagedProcess(command, self._environment, self._log("worker")))
            yield started
        except MeasurementError as error:
            check_running(started, error)
            raise
        finally:
            for one in started:
                one.kill()

    @contextmanager
    def ending_workers(
        self, mode: Mode, count: int, timeout: float
    ) -> Iterator[list[ManagedProcess]]:
        """Run workers during the context, and let them finish their running jobs at its end.

        Raises:
            MeasurementError: A worker has not ended within ``timeout`` seconds, or ended before.
        """
        with self.workers(mode, count) as started:
            yield started
            check_running(started)
            for one in started:
                one.end(self.contestant.stop_signal, timeout)

    def pending(self) -> int:
        """The number of jobs that have not started."""
        return sum(self.server.query(self.contestant.pending))

    def _log(self, what: str) -> Path:
        self._logs += 1
        return self._folder / f"{self._logs:03}-{what}.log"


def check_running(
    workers: Iterable[ManagedProcess], because: MeasurementError | None = None
) -> None:
    """Check that no worker has ended by itself.

    Raises:
        MeasurementError: A worker has ended. The message has the last line of its log.
    """
    for worker in workers:
        if worker.ended:
            raise MeasurementError(f"a worker has ended: {worker.last_words()}") from because
