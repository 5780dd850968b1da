"""How jobs come to stand elsewhere: by the clock, or because someone says so."""

from __future__ import annotations

from collections.abc import Sequence

from ..protocol.codec import decode
from .base import BATCH, EngineBase
from .list_removal import take_out
from .scripts import Argument, Script
from .values import Promoted

_promote = Script("promote")
_promote_deferred = Script("promote_deferred")
_enqueue_now = Script("enqueue_now")
_requeue = Script("requeue")
_move = Script("move")


class RequeueScripts(EngineBase):
    """How jobs that stand somewhere come to stand elsewhere: by the clock, or by someone's word."""

    __slots__ = ()

    def promote(self, queues: Sequence[str]) -> Promoted:
        """scheduled → queued, for jobs that are due, a batch of them."""
        keys = [self.keys.scheduled(name) for name in queues]
        moved, now, due = _promote(self.connection, keys, (self.prefix, BATCH, *queues))
        return Promoted(moved, float(now), float(due) if due else None)

    def promote_deferred(self, queues: Sequence[str]) -> list[tuple[str, str]]:
        """deferred → queued, scheduled or canceled, for jobs that wait for no parent any more, and
        that foreign data had kept from their place; a batch of them.

        Returns:
            queue and id of each.
        """
        keys = [self.keys.deferred(name) for name in queues]
        placed = _promote_deferred(self.connection, keys, (self.prefix, BATCH, *queues))
        return [(decode(queue), decode(job_id)) for queue, job_id in placed]

    def enqueue_now(self, job_ids: Sequence[str]) -> list[str]:
        """scheduled → queued, before their time, for any number of jobs.

        Returns:
            ``'queued'``, ``'not scheduled'`` or ``'missing'`` for each id.
        """
        return self._in_batches(_enqueue_now, job_ids)

    def requeue(self, job_ids: Sequence[str], *, at_front: bool = False) -> list[str]:
        """failed, stopped or canceled → queued, for any number of jobs.

        Returns:
            ``'queued'``, ``'not failed'`` or ``'missing'`` for each id.
        """
        return self._in_batches(_requeue, job_ids, "1" if at_front else "0")

    def move(self, job_ids: Sequence[str], queue: str, *, behind: int | None = None) -> list[str]:
        """A state → the same state in another queue, for any number of jobs.

        Those that wait come last there; in their order, if they stood near one another.

        Args:
            behind: entries of their list that stood after the last of them a moment ago, where
                that is known. It spares reading those.

        Returns:
            ``'moved'``, ``'there'`` (the queue has it already), ``'started'`` (it runs) or
            ``'missing'`` for each id.

        Raises:
            redis.ResponseError: something else stands under a key of that queue. Nothing changed.
        """
        return [*map(decode, take_out(self, _move, job_ids, queue, behind=behind))]

    def _in_batches(self, script: Script, job_ids: Sequence[str], *options: Argument) -> list[str]:
        verdicts: list[str] = []
        for start in range(0, len(job_ids), BATCH):
            batch = job_ids[start : start + BATCH]
            keys = [self.keys.job(job_id) for job_id in batch]
            answer = script(self.connection, keys, (self.prefix, *options, *batch))
            verdicts.extend(map(decode, answer))
        return verdicts
