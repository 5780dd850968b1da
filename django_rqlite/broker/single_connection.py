"""A client with a single connection, for a process that talks to one server all the time."""

from __future__ import annotations

from typing import Any

import redis

#: Timeouts in seconds, unless the settings have others. Without a limit, a server that hangs, or a
#: network that drops packets, would block the process's only thread, which also handles its
#: children and signals.
_TIMEOUTS: dict[str, Any] = {
    "socket_connect_timeout": 5,
    "socket_timeout": 10,
    "socket_keepalive": True,
}


def open_single_connection(client: redis.Redis) -> redis.Redis:
    """Return a client with a single connection, made as those of ``client`` are.

    A forked process closes that connection by its descriptor. A pool does not give the descriptors
    of its connections.

    If the settings have no timeouts, the client's pool gets finite ones.

    Raises:
        redis.ConnectionError: The server does not answer.
    """
    pool = client.connection_pool
    for name, value in _TIMEOUTS.items():
        if pool.connection_kwargs.get(name) is None and _accepts(pool.connection_class, name):
            pool.connection_kwargs[name] = value
    return redis.Redis(connection_pool=pool, single_connection_client=True)


def _accepts(connection_class: type[Any], name: str) -> bool:
    # A unix socket has neither a timeout for connecting nor keepalive.
    return name == "socket_timeout" or not issubclass(
        connection_class, redis.UnixDomainSocketConnection
    )


def disconnect(client: redis.Redis) -> None:
    """Close the connection. The next command opens a new one, to the server's current address."""
    if client.connection is not None:
        client.connection.disconnect()  # type: ignore[no-untyped-call]


def descriptors(client: redis.Redis) -> list[int]:
    """Return the open descriptors of the connection, which a forked process must close."""
    # Not public in redis-py. The attribute exists since 2.0.
    sock = getattr(client.connection, "_sock", None)
    return [] if sock is None else [sock.fileno()]
