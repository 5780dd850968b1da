"""Taking ids out of registries and groups once their jobs have expired."""

from __future__ import annotations

from collections.abc import Sequence

from ..engine.transitions import Transitions


def sweep(transitions: Transitions, queues: Sequence[str]) -> int:
    """Trim the registries of ended jobs, and groups; gives how many ids went.

    Raises:
        redis.RedisError: the server does not answer.
    """
    return sum(transitions.trim(queue) for queue in queues) + transitions.tidy_groups()
