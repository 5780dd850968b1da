"""The rules for a cache that a queue names with ``USE_REDIS_CACHE``."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string


def cache_problem(alias: object) -> str | None:
    """Return why ``USE_REDIS_CACHE`` cannot name this cache; None if it can.

    Imports django-redis and the backend of the cache.
    """
    if not isinstance(alias, str) or alias not in settings.CACHES:
        known = ", ".join(map(repr, settings.CACHES)) or "none"
        return f"USE_REDIS_CACHE names the cache {alias!r}, but CACHES has {known}."
    from django_redis.cache import RedisCache  # type: ignore[import-untyped]
    from django_redis.client import DefaultClient, ShardClient  # type: ignore[import-untyped]

    cache = settings.CACHES[alias]
    subject = f"USE_REDIS_CACHE names the cache {alias!r}, which"
    try:
        backend = import_string(cache["BACKEND"])
        client = cache.get("OPTIONS", {}).get("CLIENT_CLASS", DefaultClient)
        client = import_string(client) if isinstance(client, str) else client
    except (ImportError, KeyError) as error:
        return f"{subject} cannot be used: {error}"
    if not issubclass(backend, RedisCache):
        return (
            f"{subject} is a {cache['BACKEND']}, not a django-redis cache "
            "(django_redis.cache.RedisCache). Use such a cache, or give the queue a URL."
        )
    if issubclass(client, ShardClient):
        return f"{subject} is spread over several servers. Give the queue a URL."
    if not cache.get("LOCATION"):
        return f"{subject} has no LOCATION."
    return None
