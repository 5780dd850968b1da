"""The address of a Redis server in words, for logs, errors and pages.

User names and passwords are never part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis
from redis.connection import SSLConnection, UnixDomainSocketConnection
from redis.sentinel import SentinelConnectionPool

from ..conf import DEFAULT_PORT

DEFAULT_SENTINEL_PORT = 26379


def describe(client: redis.Redis) -> str:
    """Return the address of the server to which a client connects.

    ``redis://host:6379/0``, ``rediss://…`` with TLS, ``unix:///run/redis.sock``, or
    ``sentinel mymaster (host:26379, …)``.
    """
    # Callers may pass a cluster's client as connection=, although it is a class of its own.
    any_client: object = client
    if isinstance(any_client, redis.RedisCluster):
        return f"the cluster of {any_client.get_default_node().name}"  # type: ignore[no-untyped-call]
    pool = client.connection_pool
    options: Mapping[str, Any] = pool.connection_kwargs
    database = options.get("db") or 0
    if isinstance(pool, SentinelConnectionPool):
        sentinels = ", ".join(
            _host_and_port(sentinel.connection_pool.connection_kwargs, DEFAULT_SENTINEL_PORT)
            for sentinel in pool.sentinel_manager.sentinels
        )
        return f"sentinel {pool.service_name}{f'/{database}' if database else ''} ({sentinels})"
    if issubclass(pool.connection_class, UnixDomainSocketConnection):
        return f"unix://{options.get('path')}{f'?db={database}' if database else ''}"
    scheme = "rediss" if issubclass(pool.connection_class, SSLConnection) else "redis"
    return f"{scheme}://{_host_and_port(options, DEFAULT_PORT)}/{database}"


def database_number(client: redis.Redis) -> int:
    """Return the number of the database that a client's connections select."""
    return int(client.connection_pool.connection_kwargs.get("db") or 0)  # redis-py accepts text


def _host_and_port(options: Mapping[str, Any], default_port: int) -> str:
    host = str(options.get("host") or "localhost")
    return f"{f'[{host}]' if ':' in host else host}:{options.get('port') or default_port}"
