"""How the list of failed jobs that RQ 0.5 shows is kept in order."""

from __future__ import annotations

from typing import cast

from .base import EngineBase
from .scripts import Script

_clean_failed_mirror = Script("clean_failed_mirror")
_remove_from_failed_mirror = Script("remove_from_failed_mirror")

#: Entries of the list that one call looks at.
PART = 1000


class FailedMirrorScripts(EngineBase):
    """How the list of failed jobs that RQ 0.5 shows is kept in order."""

    __slots__ = ()

    def clean_failed_mirror(self) -> int:
        """Take ids of jobs that have not failed out of the list; returns how many.

        All that are noted go, and a part of it is looked at: what RQ's workers and tools have left
        there.
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
            # Where one stands, others do: somebody has requeued or deleted many.
            if not stale or looked >= whole:
                break
        return gone + (self._remove_from_failed_mirror(few=noted < PART) if noted else 0)

    def _remove_from_failed_mirror(self, *, few: bool) -> int:
        mirror, notes = self.keys.failed_mirror, self.keys.unmirrored
        # Where few are noted, most parts of a long list have none of them, and need no script.
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
