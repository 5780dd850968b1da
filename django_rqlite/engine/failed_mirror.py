"""Scripts that maintain the mirror: the list of failed jobs that RQ 0.5 shows."""

from __future__ import annotations

from typing import cast

from .base import EngineBase
from .scripts import Script

_clean_failed_mirror = Script("clean_failed_mirror")
_remove_from_failed_mirror = Script("remove_from_failed_mirror")

#: Entries of the list that one script looks at.
PART = 1000


class FailedMirrorScripts(EngineBase):
    """Scripts that maintain the mirror of failed jobs."""

    __slots__ = ()

    def clean_failed_mirror(self) -> int:
        """Remove ids of jobs that have not failed from the mirror; return how many.

        All noted ids leave. One more part of the list is checked for ids that RQ's workers and
        tools left there.
        """
        keys = (self.keys.failed_mirror, self.keys.mirror_looked, self.keys.unmirrored)
        gone, looked, whole = 0, 0, 0
        while True:
            stale, seen, length, noted = _clean_failed_mirror(
                self.connection, keys, (self.prefix, PART)
            )
            gone += int(stale)
            looked += seen
            whole = whole or length
            # After one stale id, more are likely: somebody has requeued or deleted many jobs.
            if not stale or looked >= whole:
                break
        return gone + (self._remove_noted(few=noted < PART) if noted else 0)

    def _remove_noted(self, *, few: bool) -> int:
        """Remove all noted ids in one pass over the list, from its end.

        Args:
            few: whether there are so few that most parts of a long list contain none of them.
        """
        mirror, notes = self.keys.failed_mirror, self.keys.unmirrored
        sought = set(cast("list[bytes]", self.connection.zrange(notes, 0, -1))) if few else None
        gone, behind = 0, 0
        while True:
            part = cast("list[bytes]", self.connection.lrange(mirror, -behind - PART, -behind - 1))
            if len(part) == PART and sought is not None and sought.isdisjoint(part):
                behind += PART
                continue
            left, seen, noted = _remove_from_failed_mirror(
                self.connection, (mirror, notes), (self.prefix, behind, PART)
            )
            gone += int(left)
            behind += seen - left
            if not noted or seen < PART:
                return gone
