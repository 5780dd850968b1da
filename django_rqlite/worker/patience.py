"""How long the worker waits for one answer of Redis."""

from __future__ import annotations

from typing import Any

import redis

#: Seconds. Without a limit, a server that hangs, or a network that swallows packets, would keep
#: the single thread from its children and its signals.
_TIMEOUTS: dict[str, Any] = {
    "socket_connect_timeout": 5,
    "socket_timeout": 10,
    "socket_keepalive": True,
}


def give_patience(connection: redis.Redis) -> None:
    """Set limits where the settings leave them open, for connections to come."""
    pool = connection.connection_pool
    for name, value in _TIMEOUTS.items():
        if pool.connection_kwargs.get(name) is None and _takes(pool.connection_class, name):
            pool.connection_kwargs[name] = value
    pool.disconnect()


def _takes(connection_class: type[Any], name: str) -> bool:
    # A unix socket is neither connected slowly nor kept alive.
    return not (
        issubclass(connection_class, redis.UnixDomainSocketConnection) and name != "socket_timeout"
    )
