"""Scripts that run a job again or move it to another queue, at a person's request."""

from __future__ import annotations

from collections.abc import Sequence

from ..protocol.codec import decode
from . import list_removal
from .base import EngineBase
from .scripts import Script

_requeue = Script("requeue")
_move = Script("move")


class RequeueScripts(EngineBase):
    """Scripts that run a job again or move it to another queue."""

    __slots__ = ()

    def requeue(self, job_ids: Sequence[str], *, at_front: bool = False) -> list[str]:
        """failed, stopped or canceled → queued, for any number of jobs.

        Returns:
            ``'queued'``, ``'not failed'`` or ``'missing'`` for each id.
        """
        return self._in_batches(_requeue, job_ids, "1" if at_front else "0")

    def move(self, job_ids: Sequence[str], queue: str, *, behind: int | None = None) -> list[str]:
        """A state → the same state in another queue, for any number of jobs.

        Waiting jobs go to the end of the other queue. They keep their order if they were near one
        another.

        Args:
            behind: how many entries of their list came after the last of them a moment ago, if that
                is known. Those entries need not be read then.

        Returns:
            ``'moved'``, ``'there'`` (it is in that queue already), ``'started'`` (it runs) or
            ``'missing'`` for each id.

        Raises:
            redis.ResponseError: a key of that queue has the wrong type. Nothing has changed.
        """
        return [*map(decode, list_removal.run(self, _move, job_ids, queue, behind=behind))]
