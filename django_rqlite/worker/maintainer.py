"""Maintenance that a worker does with its heartbeats."""

from __future__ import annotations

import time
from collections.abc import Sequence

from .. import conf
from ..engine.engine import Engine, Hold
from ..execution.outcome import Failed
from ..protocol.records import JobRecord
from .maintenance import janitor, reaper
from .repeated_warnings import RepeatedWarnings

#: Heartbeats between two sweeps.
BEATS_PER_SWEEP = 4


class Maintainer:
    """Takes jobs from dead workers, and removes stale entries.

    Args:
        queues: The names of the worker's queues.
        cron_entries: The names of the cron entries that it evaluates.
        warnings: Logs refusals and keys of the wrong type. It is cleared with each sweep.
    """

    def __init__(
        self,
        engine: Engine,
        queues: Sequence[str],
        cron_entries: Sequence[str],
        warnings: RepeatedWarnings,
    ) -> None:
        self._engine = engine
        self._queues = queues
        self._cron_entries = cron_entries
        self._warnings = warnings
        self._beats = 0

    def reap(self) -> list[tuple[Hold, JobRecord, Failed]]:
        """Take jobs from dead workers. Return those that have failed, for their callbacks.

        Raises:
            redis.RedisError: The server does not answer.
        """
        failed: list[tuple[Hold, JobRecord, Failed]] = []
        with self._warnings.warn_of_refusals("looking for jobs of dead workers"):
            failed += reaper.reap(
                self._engine, self._queues, requeue=conf.requeue_on_worker_death()
            )
        return failed

    def sweep_if_due(self) -> bool:
        """Sweep with the first heartbeat and each fourth after it. Return whether it did.

        Raises:
            redis.RedisError: The server does not answer.
        """
        self._beats += 1
        if self._beats % BEATS_PER_SWEEP != 1:
            return False
        warnings = self._warnings
        warnings.clear()
        with warnings.warn_of_refusals("looking for keys of the wrong type"):
            hour = int(time.time() // 3600)
            for key in self._engine.wrong_type_keys(self._queues, hour, self._cron_entries):
                warnings.warn(str(key))
        with warnings.warn_of_refusals("looking for jobs that workers of RQ lost"):
            reaper.rescue(self._engine, self._queues)
        with warnings.warn_of_refusals("looking for jobs whose parents have ended"):
            reaper.place(self._engine, self._queues)
        for what, sweep in janitor.SWEEPS.items():
            with warnings.warn_of_refusals(what):
                sweep(self._engine, self._queues)
        return True
