"""Scripts that suspend the workers and pause queues."""

from __future__ import annotations

from collections.abc import Sequence

from .base import EngineBase
from .scripts import Script

_suspend = Script("suspend")
_resume = Script("resume")


class SuspensionScripts(EngineBase):
    """Scripts that suspend the workers and pause queues. Jobs that run go on."""

    __slots__ = ()

    def suspend(self, ttl: int | None = None) -> bool:
        """Keep all workers from claiming jobs; return False if they were suspended before.

        Args:
            ttl: seconds after which the suspension ends by itself; None: it does not end by itself.
        """
        return bool(self._set([self.keys.suspended], ttl))

    def resume(self) -> bool:
        """Let workers claim jobs again; return False if they were not suspended."""
        return bool(self._delete([self.keys.suspended]))

    def pause_queues(self, queues: Sequence[str], ttl: int | None = None) -> int:
        """Keep workers from claiming jobs of these queues; return how many were not paused.

        Args:
            queues: at least one name.
            ttl: seconds after which the pause ends by itself; None: it does not end by itself.
        """
        return self._set([self.keys.paused(name) for name in queues], ttl)

    def resume_queues(self, queues: Sequence[str]) -> int:
        """Let workers claim jobs of these queues again; return how many were paused.

        Args:
            queues: at least one name.
        """
        return self._delete([self.keys.paused(name) for name in queues])

    def is_suspended(self) -> bool:
        """Whether all workers are kept from claiming jobs."""
        return bool(self.connection.exists(self.keys.suspended))

    def is_paused(self, queue: str) -> bool:
        """Whether workers are kept from claiming jobs of this queue."""
        return bool(self.connection.exists(self.keys.paused(queue)))

    def _set(self, keys: Sequence[str], ttl: int | None) -> int:
        arguments = (self.prefix, "" if ttl is None else ttl)
        return int(_suspend(self.connection, keys, arguments))

    def _delete(self, keys: Sequence[str]) -> int:
        return int(_resume(self.connection, keys, (self.prefix,)))
