"""Scripts for groups of jobs."""

from __future__ import annotations

from collections.abc import Sequence

from .base import BATCH, EngineBase
from .scripts import Script

_leave_group = Script("leave_group")
_clean_group = Script("clean_group")
_clean_groups = Script("clean_groups")

#: Groups, chosen at random, that one call looks at.
SOME_GROUPS = 10


class GroupScripts(EngineBase):
    """Scripts for groups of jobs. A job joins its group in the script that enqueues it."""

    __slots__ = ()

    def leave_group(self, group: str, job_ids: Sequence[str]) -> None:
        """Remove jobs from a group. The jobs need not exist."""
        keys = [self.keys.job(job_id) for job_id in job_ids]
        _leave_group(self.connection, keys, (self.prefix, group, *job_ids))

    def clean_groups(self, *groups: str) -> int:
        """Remove ids whose jobs have expired from these groups; return how many.

        Without names, it looks at a few groups and at a few ids of each, chosen at random.
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
