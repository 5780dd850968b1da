"""What jobs leave behind in Redis."""

from __future__ import annotations

import redis as redis_py

#: Keys that stay, by their beginnings: sets of names, queues and registries.
LASTING = ("rq:queues", "rq:queue:", "rq:workers", "rq:finished:", "rq:failed:")

RUNNING = ("rq:wip:", "rq:executions:", "rq:execution:")


def keys(redis: redis_py.Redis, *beginnings: str) -> set[str]:
    """All keys that begin with one of these."""
    return {key.decode() for key in redis.scan_iter() if key.decode().startswith(beginnings)}


def keys_for_ever(redis: redis_py.Redis) -> set[str]:
    """Keys that no TTL ends, other than those which stay."""
    return {key for key in keys(redis, "") if redis.ttl(key) == -1} - keys(redis, *LASTING)


def lasts(redis: redis_py.Redis, key: str, seconds: int) -> bool:
    """Whether the key's TTL is what it was set to a moment ago."""
    return bool(seconds - 60 < redis.ttl(key) <= seconds)
