"""Scripts that read or write fields of one job, in any state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from .base import EngineBase, flat
from .scripts import Argument, Script

_save = Script("save")
_append_log = Script("append_log")


class JobHashScripts(EngineBase):
    """Scripts that read or write fields of one job."""

    __slots__ = ()

    def job_fields(self, job_id: str) -> Mapping[bytes, bytes]:
        """A job's hash as it is now, for a decision about the job. Empty if the job is gone."""
        return cast("Mapping[bytes, bytes]", self.connection.hgetall(self.keys.job(job_id)))

    def save(self, job_id: str, fields: Mapping[str, Argument]) -> bool:
        """Store fields that are not part of the job's state; return False if the job is gone."""
        keys = (self.keys.job(job_id),)
        return bool(_save(self.connection, keys, (self.prefix, *flat(fields))))

    def append_log(self, job_id: str, lines: Sequence[bytes], most: int) -> bool:
        """Store lines that a job logged; return False if the job is gone.

        Args:
            most: how many lines are kept, counted from the last one.
        """
        keys = (self.keys.job(job_id), self.keys.job_log(job_id))
        return bool(_append_log(self.connection, keys, (self.prefix, most, *lines)))
