"""Taking ids out of registries, groups and the mirror of failed jobs once they are out of place."""

from __future__ import annotations

from collections.abc import Sequence

from ..engine.transitions import Transitions


def sweep(transitions: Transitions, queues: Sequence[str]) -> int:
    """Trim the registries of ended jobs, the mirror and groups; gives how many ids went.

    Raises:
        redis.RedisError: the server does not answer.
    """
    return transitions.trim(*queues) + transitions.tidy_mirror() + transitions.tidy_groups()
