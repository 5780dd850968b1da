"""Keeping workers from taking jobs: from all queues of a connection, or from some.

One method, one script, one round trip each, as in :mod:`.transitions`.
"""

from __future__ import annotations

from collections.abc import Sequence

from .base import EngineBase
from .scripts import Script

_suspend = Script("suspend")
_resume = Script("resume")


class SuspensionScripts(EngineBase):
    """What keeps workers from taking jobs, on one connection below one key prefix."""

    __slots__ = ()

    def suspend(self, ttl: int | None = None) -> bool:
        """No worker takes a job any more; gives whether that is new.

        Args:
            ttl: seconds after which it ends by itself; None: never.
        """
        return bool(self._set([self.keys.suspended], ttl))

    def resume(self) -> bool:
        """Workers take jobs again; gives whether they did not."""
        return bool(self._delete([self.keys.suspended]))

    def pause_queues(self, queues: Sequence[str], ttl: int | None = None) -> int:
        """No worker takes a job from these queues any more; gives for how many that is new.

        Args:
            queues: at least one.
            ttl: seconds after which it ends by itself; None: never.
        """
        return self._set([self.keys.paused(name) for name in queues], ttl)

    def resume_queues(self, queues: Sequence[str]) -> int:
        """Workers take jobs from these queues again; gives for how many they did not.

        Args:
            queues: at least one.
        """
        return self._delete([self.keys.paused(name) for name in queues])

    def is_suspended(self) -> bool:
        """Whether workers take no jobs at all."""
        return bool(self.connection.exists(self.keys.suspended))

    def is_paused(self, queue: str) -> bool:
        """Whether workers take no jobs from this queue."""
        return bool(self.connection.exists(self.keys.paused(queue)))

    def _set(self, keys: Sequence[str], ttl: int | None) -> int:
        arguments = (self.prefix, "" if ttl is None else ttl)
        return int(_suspend(self.connection, keys, arguments))

    def _delete(self, keys: Sequence[str]) -> int:
        return int(_resume(self.connection, keys, (self.prefix,)))
