"""Processes that end with the benchmark, and the CPU time that they use."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .exceptions import MeasurementError

_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Stat:
    """A line of ``/proc/<pid>/stat``."""

    pid: int
    state: str
    parent: int
    session: int
    #: CPU seconds of the process and of the children that it has reaped.
    cpu: float


class ManagedProcess:
    """A process in a session of its own, with all its descendants."""

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        answers: bool = False,
    ) -> None:
        """Start the process.

        Args:
            answers: Whether to open pipes to stdin and stdout. Otherwise stdout goes to the log.
        """
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                env=environment,
                # Python imports from the working directory. This one holds no modules.
                cwd=log.parent,
                stdin=subprocess.PIPE if answers else subprocess.DEVNULL,
                stdout=subprocess.PIPE if answers else output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def last_words(self) -> str:
        """The last line of its log."""
        lines = self.log.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")

    def end(self, number: signal.Signals, timeout: float) -> None:
        """Send a signal and wait for the end of the process.

        Raises:
            MeasurementError: The process has not ended within ``timeout`` seconds.
        """
        self.process.send_signal(number)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise MeasurementError(
                f"a worker did not end within {timeout:g} s of {number.name}"
            ) from error

    def kill(self) -> None:
        """Kill the process and all its descendants."""
        for _ in range(100):
            alive = [stat.pid for stat in self._descendants() if stat.state != "Z"]
            for pid in alive:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass  # it has ended meanwhile
            if not alive:
                break
            self.process.poll()
            time.sleep(0.01)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def cpu(self) -> float:
        """CPU seconds of the living processes and of the children that they have reaped."""
        return sum(stat.cpu for stat in self._descendants())

    def _descendants(self) -> list[_Stat]:
        """The process, its descendants, and orphans of its session."""
        stats = _all_stats()
        found = {self.process.pid}
        while True:
            more = {
                stat.pid
                for stat in stats
                if stat.parent in found or stat.session == self.process.pid
            } - found
            if not more:
                return [stat for stat in stats if stat.pid in found]
            found |= more


def _all_stats() -> list[_Stat]:
    stats = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdecimal():
            continue
        try:
            with open(f"/proc/{entry.name}/stat", "rb") as file:
                text = file.read()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        # The name of the program stands in parentheses and may contain anything.
        fields = text[text.rindex(b")") + 2 :].split()
        cpu = sum(map(int, fields[11:15])) / _TICKS
        stats.append(
            _Stat(int(entry.name), fields[0].decode(), int(fields[1]), int(fields[3]), cpu)
        )
    return stats


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
