"""Scripts that cancel and delete jobs, and remove what expired jobs leave behind."""

from __future__ import annotations

from collections.abc import Sequence

from ..protocol.codec import decode
from . import list_removal
from .base import BATCH, EngineBase
from .scripts import Script

_cancel = Script("cancel")
_delete = Script("delete")
_empty = Script("empty")
_delete_queue = Script("delete_queue")
_trim = Script("trim")

#: The maximum number of ids that one script removes from a registry if it removes a whole range.
MOST_TRIMMED = 10_000


class RemovalScripts(EngineBase):
    """Scripts that cancel and delete jobs."""

    __slots__ = ()

    def cancel(
        self, job_ids: Sequence[str], *, release_dependents: bool = False, behind: int | None = None
    ) -> list[str]:
        """queued, scheduled or deferred → canceled, for any number of jobs.

        Args:
            release_dependents: whether jobs that wait for them run nevertheless. If not, these are
                canceled too.
            behind: as for :meth:`.RequeueScripts.move`.

        Returns:
            for each id ``'canceled'``, ``'already'`` (it was canceled before), ``'missing'``, or
            the status in which the job cannot be canceled.
        """
        option = "1" if release_dependents else "0"
        return [*map(decode, list_removal.run(self, _cancel, job_ids, option, behind=behind))]

    def delete(self, job_ids: Sequence[str], *, behind: int | None = None) -> list[bool]:
        """Any state → (gone), with everything that belongs to the jobs.

        Args:
            behind: as for :meth:`.RequeueScripts.move`.

        Returns:
            whether each job existed.
        """
        return [*map(bool, list_removal.run(self, _delete, job_ids, behind=behind))]

    def empty(self, queue: str) -> int:
        """queued → (gone) for all jobs of a queue; return how many were deleted."""
        deleted, left = 0, 1
        while left:
            count, left = _empty(
                self.connection, (self.keys.queue(queue),), (self.prefix, queue, BATCH)
            )
            deleted += count
        return deleted

    def delete_queue(self, queue: str) -> int:
        """Remove an empty queue from the set of queues.

        Returns:
            how many jobs wait in the queue. Unless it is 0, nothing has changed.
        """
        keys = (self.keys.queue(queue), self.keys.queues)
        return int(_delete_queue(self.connection, keys, (self.prefix,)))

    def trim(self, *queues: str) -> int:
        """Remove ids whose jobs have expired from the queues' registries; return how many."""
        keys = self.keys
        registries = [
            registry(name)
            for name in queues
            for registry in (keys.finished, keys.failed, keys.canceled)
        ]
        trimmed, more = 0, True
        while more:
            count, more = _trim(self.connection, registries, (self.prefix, MOST_TRIMMED, BATCH))
            trimmed += int(count)
        return trimmed
