"""Several workers under one supervisor: ``manage.py rqworker-pool``.

The supervisor talks to nobody. It forks workers, passes signals on to them, starts those again
that died, and ends when all have ended.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from django.db.backends.base.base import BaseDatabaseWrapper

from ..exceptions import RQLiteError
from ..process.parent_death import die_with_parent
from ..process.signal_pipe import STOP, SignalPipe
from ..process.subreaper import wait_for_orphans
from .children import database_connections as databases
from .children.inherited_connections import let_go
from .children.preload import import_jobs, share_memory, stop_sharing_memory
from .shutdown import Request, Shutdown

logger = logging.getLogger("django_rqlite.worker")

#: Seconds before a worker that died is started again: at first, and at the most. Each further
#: death doubles them, until one has lived for the longest.
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


@dataclass(slots=True)
class _Seat:
    """One of the workers, through all its lives."""

    number: int
    #: Process id while it lives.
    pid: int | None = None
    #: Monotonic time at which it was started.
    since: float = 0.0
    #: Monotonic time at which it is to be started; None: it is not.
    start_at: float | None = 0.0
    deaths: int = 0


class WorkerPool:
    """A number of worker processes.

    Args:
        size: how many.
        run: what a process does, given its number from 1 on, until it has ended well. What it
            raises is a bad end.
        restart: whether those that end badly are started again.
    """

    def __init__(self, size: int, run: Callable[[int], None], *, restart: bool = True) -> None:
        self._seats = [_Seat(number) for number in range(1, size + 1)]
        self._run = run
        self._restart = restart
        self._shutdown = Shutdown(grace=None)
        self._signals = SignalPipe()
        self._selector = selectors.DefaultSelector()
        self._bad_ends = 0

    def work(self) -> int:
        """Keep the workers running until they have ended by themselves, or were told to.

        Main thread only.

        Returns:
            how many ended badly, for good.
        """
        of_the_caller = databases.in_use()
        import_jobs()
        databases.close(but=of_the_caller)  # what a module that was imported has opened
        share_memory()
        self._signals.open()
        logger.info("Pool %d: starting %d workers", os.getpid(), len(self._seats))
        self._selector.register(self._signals.reader, selectors.EVENT_READ)
        try:
            self._start_due()
            while not self._deserted:
                self._selector.select(self._pause())
                self._take_signals()
                self._bury()
                self._start_due()
        finally:
            self._pass_on(signal.SIGTERM)  # to nobody, unless something went wrong in here
            self._selector.close()
            self._signals.close()
            stop_sharing_memory()
        logger.info("Pool %d: all workers have ended, quitting", os.getpid())
        return self._bad_ends

    @property
    def _deserted(self) -> bool:
        return all(seat.pid is None and seat.start_at is None for seat in self._seats)

    def _pause(self) -> float | None:
        """Seconds until a worker is to be started; None: none is."""
        times = [seat.start_at for seat in self._seats if seat.start_at is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    # Starting

    def _start_due(self) -> None:
        now = time.monotonic()
        for seat in self._seats:
            if seat.start_at is None or seat.start_at > now:
                continue
            try:
                self._start(seat)
            except OSError as exc:
                logger.error("Pool %d: could not make a process: %s", os.getpid(), exc)
                self._start_later(seat)

    def _start(self, seat: _Seat) -> None:
        connections = databases.known()
        sys.stdout.flush()
        sys.stderr.flush()
        supervisor = os.getpid()
        with _stop_signals_blocked():
            pid = os.fork()
            if pid == 0:
                self._live(seat.number, supervisor, connections)
        seat.pid, seat.since, seat.start_at = pid, time.monotonic(), None

    def _live(
        self, number: int, supervisor: int, connections: Iterable[BaseDatabaseWrapper]
    ) -> NoReturn:
        """The whole life of a worker. Never returns: what forked must not go on in here."""
        status = 1
        try:
            let_go(connections)
            self._selector.close()
            self._signals.close()
            for stop in STOP:
                signal.signal(stop, signal.SIG_DFL)
            # It ends as if told to: the jobs that run are not repeated.
            die_with_parent(supervisor, signal.SIGTERM)
            # A signal that came since the fork ends it here, before it has done anything.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP)
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
                    pass  # nobody reads it any more
            os._exit(status)

    # Ending

    def _take_signals(self) -> None:
        for number in self._signals.read():
            if number not in STOP:
                continue
            request = self._shutdown.request()
            if request is Request.REPEATED:
                continue  # the workers had it from the terminal as well
            logger.info(
                "Pool %d: got %s, %s",
                os.getpid(),
                signal.Signals(number).name,
                "asking the workers to end" if request is Request.WARM else "once more",
            )
            for seat in self._seats:
                seat.start_at = None
            self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        for seat in self._seats:
            if seat.pid is not None:
                os.kill(seat.pid, number)

    def _bury(self) -> None:
        for seat in self._seats:
            if seat.pid is None:
                continue
            pid, status = os.waitpid(seat.pid, os.WNOHANG)
            if pid == 0:
                continue
            seat.pid = None
            self._ended(seat, pid, os.waitstatus_to_exitcode(status))
        wait_for_orphans(own={seat.pid for seat in self._seats if seat.pid is not None})

    def _ended(self, seat: _Seat, pid: int, code: int) -> None:
        if code == 0 or (self._shutdown.requested and -code in STOP):
            logger.info("Pool %d: worker %d (process %d) has ended", os.getpid(), seat.number, pid)
            return
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        logger.error(
            "Pool %d: worker %d (process %d) died with %s", os.getpid(), seat.number, pid, how
        )
        if self._restart and not self._shutdown.requested:
            self._start_later(seat)
        else:
            self._bad_ends += 1

    def _start_later(self, seat: _Seat) -> None:
        now = time.monotonic()
        if seat.since and now - seat.since >= LONGEST_PAUSE:
            seat.deaths = 0
        pause = min(SHORTEST_PAUSE * 2**seat.deaths, LONGEST_PAUSE)
        seat.deaths = min(seat.deaths + 1, 10)
        seat.start_at = now + pause
        logger.info("Pool %d: worker %d is started again in %g s", os.getpid(), seat.number, pause)


@contextmanager
def _stop_signals_blocked() -> Iterator[None]:
    """No signal to end arrives between a fork and the moment the child can take it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP)
