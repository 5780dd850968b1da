"""Taking out what is out of place: ids in registries, groups and the mirror, names of workers."""

from __future__ import annotations

from collections.abc import Sequence

from ..engine.transitions import Transitions


def sweep(transitions: Transitions, queues: Sequence[str]) -> int:
    """Tidy registries of ended jobs, mirror, groups and workers; gives how many entries went.

    Raises:
        redis.RedisError: the server does not answer.
    """
    return (
        transitions.trim(*queues)
        + transitions.tidy_mirror()
        + transitions.tidy_groups()
        + transitions.unlist_workers(*queues)
    )
