"""Scripts for scheduled jobs that are due, and deferred jobs whose parents have ended."""

from __future__ import annotations

from collections.abc import Sequence

from ..protocol.codec import decode
from .base import BATCH, EngineBase
from .scripts import Script
from .values import Promoted

_promote = Script("promote")
_promote_deferred = Script("promote_deferred")
_enqueue_now = Script("enqueue_now")


class PromotionScripts(EngineBase):
    """Scripts for jobs that have waited for a time or for other jobs."""

    __slots__ = ()

    def promote(self, queues: Sequence[str]) -> Promoted:
        """scheduled → queued, for the jobs of these queues that are due; one batch of them.

        It also continues with dependents of ended jobs, if there were too many for one script.
        """
        keys = [self.keys.scheduled(name) for name in queues]
        moved, now, due = _promote(self.connection, keys, (self.prefix, BATCH, *queues))
        return Promoted(moved, float(now), float(due) if due else None)

    def promote_deferred(self, queues: Sequence[str]) -> list[tuple[str, str]]:
        """deferred → queued, scheduled or canceled; one batch of them.

        It handles jobs that no longer wait for a parent, but stayed deferred because the key of
        their next place had the wrong type.

        Returns:
            queue and id of each job that was moved.
        """
        keys = [self.keys.deferred(name) for name in queues]
        placed = _promote_deferred(self.connection, keys, (self.prefix, BATCH, *queues))
        return [(decode(queue), decode(job_id)) for queue, job_id in placed]

    def enqueue_now(self, job_ids: Sequence[str]) -> list[str]:
        """scheduled → queued before the jobs are due, for any number of jobs.

        Returns:
            ``'queued'``, ``'not scheduled'`` or ``'missing'`` for each id.
        """
        return self._in_batches(_enqueue_now, job_ids)
