"""Several workers under one supervisor: ``manage.py rqworker-pool``.

The supervisor does not talk to Redis. It forks workers, passes signals on to them, restarts those
that died, and ends when all have ended.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from ..exceptions import RQLiteError
from ..process.signal_pipe import STOP_SIGNALS, SignalPipe
from ..process.subreaper import wait_for_orphans
from .children import clean_fork, database_connections
from .children.preload import import_jobs, share_memory, stop_sharing_memory
from .shutdown import Request, Shutdown

logger = logging.getLogger("django_rqlite.worker")

#: Seconds before a worker that died is restarted, at first and at most. They double each time,
#: until a worker has lived for the longest of them.
SHORTEST_DELAY, LONGEST_DELAY = 1.0, 60.0


@dataclass(slots=True)
class _Slot:
    """One of the workers, through all its restarts.

    Attributes:
        pid: Its process id; None while it does not run.
        started_at: Monotonic time of its last start.
        start_at: Monotonic time at which it is to be started; None: it is not.
        deaths: How often in a row it has died early.
    """

    number: int
    pid: int | None = None
    started_at: float = 0.0
    start_at: float | None = 0.0
    deaths: int = 0


class WorkerPool:
    """A number of worker processes.

    Args:
        size: How many.
        run: What a process runs, given its number from 1 on. If it raises, the worker has died.
        restart: Whether workers that died are restarted.
    """

    def __init__(self, size: int, run: Callable[[int], None], *, restart: bool = True) -> None:
        self._slots = [_Slot(number) for number in range(1, size + 1)]
        self._run = run
        self._restart = restart
        self._shutdown = Shutdown(grace=None)
        self._signals = SignalPipe()
        self._selector = selectors.DefaultSelector()
        self._failures = 0

    def work(self) -> int:
        """Keep the workers running until all have ended. Main thread only.

        Returns:
            How many have died and were not restarted.
        """
        callers = database_connections.in_use()
        import_jobs()
        database_connections.close(but=callers)  # those that an imported module has opened
        share_memory()
        self._signals.open()
        logger.info("Pool %d: starting %d workers", os.getpid(), len(self._slots))
        self._selector.register(self._signals.reader, selectors.EVENT_READ)
        try:
            self._start_due()
            while not self._all_ended:
                self._selector.select(self._seconds_to_next_start())
                self._read_signals()
                self._reap()
                self._start_due()
        finally:
            self._send_to_all(signal.SIGTERM)  # some are left only if an exception ended the loop
            self._selector.close()
            self._signals.close()
            stop_sharing_memory()
        logger.info("Pool %d: all workers have ended, quitting", os.getpid())
        return self._failures

    @property
    def _all_ended(self) -> bool:
        return all(slot.pid is None and slot.start_at is None for slot in self._slots)

    def _seconds_to_next_start(self) -> float | None:
        times = [slot.start_at for slot in self._slots if slot.start_at is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    # Starting

    def _start_due(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.start_at is None or slot.start_at > now:
                continue
            try:
                self._start(slot)
            except OSError as exc:
                logger.error("Pool %d: could not make a process: %s", os.getpid(), exc)
                self._start_later(slot)

    def _start(self, slot: _Slot) -> None:
        supervisor = os.getpid()
        with _stop_signals_blocked():
            # In the supervisor's process group, so that the terminal's Ctrl-C reaches the workers
            # as well. If the supervisor dies, a worker ends as if asked to, and finishes its jobs.
            pid = clean_fork.fork(
                f"Worker {slot.number} of the pool",
                lambda: self._worker_main(slot.number, supervisor),
                own_group=False,
                death_signal=signal.SIGTERM,
            )
        slot.pid, slot.started_at, slot.start_at = pid, time.monotonic(), None

    def _worker_main(self, number: int, supervisor: int) -> NoReturn:
        """Run a worker in the forked process, then exit."""
        status = 1
        try:
            self._selector.close()
            self._signals.close()
            for stop in STOP_SIGNALS:
                signal.signal(stop, signal.SIG_DFL)
            # A signal that has come since the fork ends the process here, before it does anything.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            self._run(number)
            status = 0
        except RQLiteError as exc:
            logger.error("Pool %d: worker %d: %s", supervisor, number, exc)
        except BaseException:
            logger.exception("Pool %d: worker %d failed", supervisor, number)
        finally:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except (OSError, ValueError):
                    pass  # its reader has ended
            os._exit(status)

    # Ending

    def _read_signals(self) -> None:
        for number in self._signals.read():
            if number not in STOP_SIGNALS:
                continue
            request = self._shutdown.request()
            if request is Request.REPEATED:
                continue  # the workers got it from the terminal as well
            logger.info(
                "Pool %d: got %s, %s",
                os.getpid(),
                signal.Signals(number).name,
                "asking the workers to end" if request is Request.WARM else "once more",
            )
            for slot in self._slots:
                slot.start_at = None
            self._send_to_all(number)

    def _send_to_all(self, number: int) -> None:
        for slot in self._slots:
            if slot.pid is not None:
                os.kill(slot.pid, number)

    def _reap(self) -> None:
        for slot in self._slots:
            if slot.pid is None:
                continue
            pid, status = os.waitpid(slot.pid, os.WNOHANG)
            if pid == 0:
                continue
            slot.pid = None
            self._ended(slot, pid, os.waitstatus_to_exitcode(status))
        wait_for_orphans(own={slot.pid for slot in self._slots if slot.pid is not None})

    def _ended(self, slot: _Slot, pid: int, code: int) -> None:
        if code == 0 or (self._shutdown.requested and -code in STOP_SIGNALS):
            logger.info("Pool %d: worker %d (process %d) has ended", os.getpid(), slot.number, pid)
            return
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        logger.error(
            "Pool %d: worker %d (process %d) died with %s", os.getpid(), slot.number, pid, how
        )
        if self._restart and not self._shutdown.requested:
            self._start_later(slot)
        else:
            self._failures += 1

    def _start_later(self, slot: _Slot) -> None:
        now = time.monotonic()
        if slot.started_at and now - slot.started_at >= LONGEST_DELAY:
            slot.deaths = 0
        delay = min(SHORTEST_DELAY * 2**slot.deaths, LONGEST_DELAY)
        slot.deaths = min(slot.deaths + 1, 10)
        slot.start_at = now + delay
        logger.info("Pool %d: worker %d is started again in %g s", os.getpid(), slot.number, delay)


@contextmanager
def _stop_signals_blocked() -> Iterator[None]:
    """Block the signals to end between a fork and the moment in which the child handles them."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
