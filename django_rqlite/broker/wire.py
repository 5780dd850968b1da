"""Sends commands directly over a client's connections, without redis-py's ``execute_command()``.

``execute_command()`` repeats, times and reports each command, and looks up how to parse its answer.
Scripts need none of these, and with a small script they take a third of the client's time. It also
waits for the answer before it returns, so the next command cannot be prepared meanwhile.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: Packs a command in C. redis-py's own function first examines every argument in Python.
_pack_in_c: Callable[[Any], bytes] | None = None
with suppress(ImportError):
    from hiredis import pack_command as _pack_in_c

#: The arguments of a pool's ``get_connection()``. Before redis-py 5.3, it needs a command's name.
_POOL_ARGUMENTS: tuple[str, ...] = (
    ("EVALSHA",)
    if inspect.signature(redis.ConnectionPool.get_connection).parameters["command_name"].default
    is inspect.Parameter.empty
    else ()
)

Command = Sequence[str | bytes | int | float]


class NoRetry(Retry):
    """A retry policy that never repeats a command, because most of ours must not run twice."""

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 0)


def has_direct_pool(client: redis.Redis) -> bool:
    """Return whether commands may be sent directly over connections of the client's pool.

    They may if this package made the client and the settings do not ask for retries. Other clients
    execute their commands themselves.
    """
    return _is_direct(client) and client.connection is None


def has_direct_connection(client: redis.Redis) -> bool:
    """Return the same for a client with a single connection, such as a worker's."""
    return _is_direct(client) and client.connection is not None


def _is_direct(client: redis.Redis) -> bool:
    try:
        options = client.connection_pool.connection_kwargs
    except AttributeError:
        return False  # the client of a cluster, which has several pools
    return type(options.get("retry")) is NoRetry


def ends_connection(exc: BaseException) -> bool:
    """Return whether the server closes the connection after this answer.

    It does so if it cannot parse a command.
    """
    return isinstance(exc, redis.ResponseError) and str(exc).startswith("Protocol error")


def execute_command(client: redis.Redis, command: Command, *, keep: bool = False) -> Any:
    """Execute a command on any client, and return its answer.

    Args:
        keep: See :func:`execute_on_pool`.

    Raises:
        redis.RedisError: The command failed, or the connection broke.
    """
    if has_direct_pool(client):
        return execute_on_pool(client, command, keep=keep)
    if has_direct_connection(client):
        return execute_on_connection(client, command)
    # execute_command() has no types in redis-py.
    execute: Callable[..., Any] = client.execute_command
    return execute(*as_bytes(command))


def execute_on_connection(client: redis.Redis, command: Command) -> Any:
    """Execute a command on a client for which :func:`has_direct_connection` is true.

    Not thread-safe.

    Raises:
        redis.RedisError: The command failed, or the connection broke.
    """
    return _exchange(client.connection, pack(command))


def execute_on_pool(client: redis.Redis, command: Command, *, keep: bool = False) -> Any:
    """Execute a command on a client for which :func:`has_direct_pool` is true.

    Args:
        keep: Keep the connection for the next call instead of releasing it. Acquiring and releasing
            a connection takes as long as sending a command and reading its answer.

    Raises:
        redis.RedisError: The command failed, or the connection broke.
    """
    packed = pack(command)
    pool: Any = client.connection_pool
    kept: list[Any] = _kept_connections(pool) if keep else []
    connection = (kept and _take(pool, kept)) or pool.get_connection(*_POOL_ARGUMENTS)
    try:
        answer = _exchange(connection, packed)
    except BaseException:
        pool.release(connection)
        raise
    # Keep one connection only: another thread may have kept its own meanwhile.
    if kept or not keep or pool.max_connections < _MIN_POOL_SIZE:
        pool.release(connection)
    else:
        kept.append(connection)
    return answer


def _exchange(connection: Any, packed: bytes) -> Any:
    """Send a command and return its answer. The connection can be used again in any case."""
    try:
        connection.send_packed_command((packed,))
        return connection.read_response()
    except redis.ResponseError as exc:
        if ends_connection(exc):
            connection.disconnect()
        raise
    except BaseException:
        connection.disconnect()  # otherwise the next command would read this answer
        raise


#: The kept connection of each pool, and the process that keeps them. Two processes cannot share a
#: connection.
_kept: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()
_owner = os.getpid()

#: A connection is kept only if the pool may have at least this many.
_MIN_POOL_SIZE = 50


def _kept_connections(pool: Any) -> list[Any]:
    global _owner
    if _owner != os.getpid():
        _kept.clear()
        _owner = os.getpid()
    try:
        return _kept[pool]
    except KeyError:
        return _kept.setdefault(pool, [])


def _take(pool: Any, kept: list[Any]) -> Any:
    """Return the kept connection, checked as a pool checks those that it hands out, or None."""
    try:
        connection = kept.pop()
    except IndexError:
        return None  # another thread took it
    try:
        if not connection.can_read():
            return connection
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        pass  # it is broken; the pool connects it again
    connection.disconnect()
    pool.release(connection)
    return None


class CommandStream:
    """Commands sent over one connection, whose answers are read later, in the same order.

    Made for a client for which :func:`has_direct_pool` is true. It must be closed.
    """

    __slots__ = ("_connection", "_pool", "_unread")

    def __init__(self, client: redis.Redis) -> None:
        self._unread = 0
        self._pool: Any = client.connection_pool
        self._connection: Any = self._pool.get_connection(*_POOL_ARGUMENTS)

    def send(self, commands: Sequence[Command]) -> None:
        """Send commands, without waiting for their answers.

        Raises:
            redis.RedisError: The connection broke.
        """
        for command in commands:
            packed = pack(command)
            self._unread += 1
            self._connection.send_packed_command((packed,))

    def read(self) -> Any:
        """Return the next answer.

        Raises:
            redis.RedisError: The command failed, or the connection broke.
        """
        try:
            answer = self._connection.read_response()
        except redis.ResponseError:
            self._unread -= 1
            raise
        self._unread -= 1
        return answer

    def close(self) -> None:
        """Release the connection."""
        if self._unread:
            self._connection.disconnect()  # otherwise the next command would read these answers
        self._pool.release(self._connection)


def max_block_seconds(client: redis.Redis) -> float | None:
    """Return for how many seconds a command of this client may block; None for any time.

    This is half of its socket timeout, after which redis-py closes the connection.
    """
    pool = client.connection_pool
    # The default differs between releases of redis-py. Making a connection does not open it.
    timeout: float | None = pool.connection_class(**pool.connection_kwargs).socket_timeout
    return timeout / 2 if timeout else None


def pack(command: Command) -> bytes:
    """Return the bytes of a command as they are sent."""
    if _pack_in_c is not None:
        try:
            return _pack_in_c(tuple(command))
        except UnicodeEncodeError:
            return _pack_in_c(tuple(as_bytes(command)))
    parts = [b"*%d\r\n" % len(command)]
    for part in as_bytes(command):
        parts += (b"$%d\r\n" % len(part), part, b"\r\n")
    return b"".join(parts)


def as_bytes(command: Command) -> list[bytes]:
    """Return the parts of a command as bytes.

    Ids found in Redis may be any bytes; surrogateescape carries them through text unchanged.
    """
    return [
        part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")
        for part in command
    ]
