"""How jobs are canceled and deleted, and what they leave behind is swept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..protocol.codec import decode
from .base import BATCH, EngineBase, flat
from .list_removal import take_out
from .scripts import Argument, Script

_cancel = Script("cancel")
_delete = Script("delete")
_empty = Script("empty")
_delete_queue = Script("delete_queue")
_save = Script("save")
_leave_group = Script("leave_group")
_clean_group = Script("clean_group")
_clean_groups = Script("clean_groups")
_trim = Script("trim")

#: Groups that one call looks at by chance.
SOME_GROUPS = 10

#: Ids that one call takes out of registries by their range at the most.
MOST_TRIMMED = 10_000


class RemovalScripts(EngineBase):
    """How jobs are canceled and deleted, and what they leave behind is swept."""

    __slots__ = ()

    def cancel(
        self, job_ids: Sequence[str], *, release_dependents: bool = False, behind: int | None = None
    ) -> list[str]:
        """queued, scheduled or deferred → canceled, for any number of jobs.

        Args:
            behind: as for :meth:`RequeueScripts.move`.
            release_dependents: whether jobs that wait for them run all the same; else they are
                canceled too.

        Returns:
            ``'canceled'``, ``'already'`` (it was before), ``'missing'``, or the status that keeps a
            job from being canceled.
        """
        option = "1" if release_dependents else "0"
        return [*map(decode, take_out(self, _cancel, job_ids, option, behind=behind))]

    def delete(self, job_ids: Sequence[str], *, behind: int | None = None) -> list[bool]:
        """Any state → (gone), with everything that belongs to the jobs.

        Args:
            behind: as for :meth:`RequeueScripts.move`.

        Returns:
            for each whether it was there.
        """
        return [*map(bool, take_out(self, _delete, job_ids, behind=behind))]

    def empty(self, queue: str) -> int:
        """queued → (gone) for all jobs of a queue; returns how many were deleted."""
        deleted, left = 0, 1
        while left:
            count, left = _empty(
                self.connection, (self.keys.queue(queue),), (self.prefix, queue, BATCH)
            )
            deleted += count
        return deleted

    def delete_queue(self, queue: str) -> int:
        """Take an empty queue out of the set of queues.

        Returns:
            how many jobs wait in it; unless that is 0, nothing was changed.
        """
        keys = (self.keys.queue(queue), self.keys.queues)
        return int(_delete_queue(self.connection, keys, (self.prefix,)))

    def trim(self, *queues: str) -> int:
        """Take ids whose jobs have expired out of the queues' registries; returns how many."""
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

    def leave_group(self, group: str, job_ids: Sequence[str]) -> None:
        """Take jobs, which may be gone, out of a group."""
        keys = [self.keys.job(job_id) for job_id in job_ids]
        _leave_group(self.connection, keys, (self.prefix, group, *job_ids))

    def clean_groups(self, *groups: str) -> int:
        """Take ids whose jobs have expired out of these groups; returns how many.

        Without names, some of the groups are looked at, by chance, and some ids of each.
        """
        if groups:
            return sum(map(self._clean_group, groups))
        arguments = (self.prefix, SOME_GROUPS, BATCH)
        return int(_clean_groups(self.connection, (self.keys.groups,), arguments))

    def _clean_group(self, group: str) -> int:
        keys = (self.keys.group(group), self.keys.groups)
        gone, cursor = 0, b"0"
        while True:
            count, cursor = _clean_group(self.connection, keys, (self.prefix, group, cursor, BATCH))
            gone += int(count)
            if cursor == b"0":
                return gone

    def save(self, job_id: str, fields: Mapping[str, Argument]) -> bool:
        """Store what says nothing of where a job is; False when the job is gone."""
        keys = (self.keys.job(job_id),)
        return bool(_save(self.connection, keys, (self.prefix, *flat(fields))))
