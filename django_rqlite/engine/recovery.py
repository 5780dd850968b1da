"""Scripts that take jobs from dead workers."""

from __future__ import annotations

from collections.abc import Sequence

from ..protocol.codec import decode
from .base import BATCH, SEARCHES, EngineBase
from .scripts import Script
from .values import Hold, Reaped

_reap = Script("reap")
_clean_intermediate_queues = Script("clean_intermediate_queues")


class RecoveryScripts(EngineBase):
    """Scripts that take jobs from dead workers."""

    __slots__ = ()

    def reap(self, queues: Sequence[str], *, most_crashes: int, patience: int) -> list[Reaped]:
        """started → queued, at the front, for executions whose lease has expired; one batch.

        Args:
            most_crashes: how often a job is queued again after its worker died.
            patience: extra seconds before an expired lease of RQ's own workers counts.
        """
        keys = self.keys
        found = _reap(
            self.connection,
            [key for name in queues for key in (keys.started(name), keys.queue(name))],
            (self.prefix, most_crashes, patience, BATCH, SEARCHES, *queues),
        )
        return [
            Reaped(
                Hold(decode(job_id), decode(queue), decode(execution)),
                decode(worker),
                decode(verdict),
            )
            for queue, job_id, execution, worker, verdict in found
        ]

    def clean_intermediate_queues(
        self, queues: Sequence[str], *, patience: int
    ) -> list[tuple[str, str]]:
        """Put back the jobs that workers of RQ took from these queues and never started.

        Args:
            patience: seconds after which an id in an intermediate queue counts as abandoned.

        Returns:
            queue and id of each job that was put back.
        """
        keys = self.keys
        found = _clean_intermediate_queues(
            self.connection,
            [key for name in queues for key in (keys.intermediate(name), keys.queue(name))],
            (self.prefix, patience, BATCH, *queues),
        )
        return [(decode(queue), decode(job_id)) for queue, job_id in found]
