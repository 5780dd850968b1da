"""One connection of a client, lent for one conversation.

``execute_command()`` repeats, times and reports what it does, and looks up how to read the answer.
Our scripts need none of that, and beside a small one it takes a third of the client's time. It also
waits for an answer before it gives back the connection, so nothing can be prepared meanwhile.
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

#: Packs a command in C. redis-py's own way to it looks at every argument in Python first.
_pack_in_c: Callable[[Any], bytes] | None = None
with suppress(ImportError):
    from hiredis import pack_command as _pack_in_c

#: What a pool wants to know when it lends a connection: the command, before redis-py 5.3.
_ASKED_FOR: tuple[str, ...] = (
    ("EVALSHA",)
    if inspect.signature(redis.ConnectionPool.get_connection).parameters["command_name"].default
    is inspect.Parameter.empty
    else ()
)

Command = Sequence[str | bytes | int | float]


class NoRetry(Retry):
    """How often a command is tried: most of ours must not run twice without our knowing."""

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 0)


def has_direct_pool(client: redis.Redis) -> bool:
    """Whether the client was made here, shares its pool's connections, and nobody asked it to
    repeat what fails. The commands of any other are left to itself."""
    return _is_ours(client) and client.connection is None


def has_direct_connection(client: redis.Redis) -> bool:
    """The same of a client that has one connection for itself, such as a worker's."""
    return _is_ours(client) and client.connection is not None


def _is_ours(client: redis.Redis) -> bool:
    try:
        options = client.connection_pool.connection_kwargs
    except AttributeError:
        return False  # a cluster's, which has no one pool
    return type(options.get("retry")) is NoRetry


def ends_connection(exc: BaseException) -> bool:
    """Whether an answer is the last of its connection: the server could not make out a command."""
    return isinstance(exc, redis.ResponseError) and str(exc).startswith("Protocol error")


def execute_on_connection(client: redis.Redis, command: Command) -> Any:
    """Execute a command on a client for which :func:`has_direct_connection` is true.

    Not thread-safe.

    Raises:
        redis.RedisError: as the server or the connection says.
    """
    return _exchange(client.connection, pack(command))


def _exchange(connection: Any, packed: bytes) -> Any:
    """The answer to a command, over a connection that can be used afterwards in any case."""
    try:
        connection.send_packed_command((packed,))
        return connection.read_response()
    except redis.ResponseError as exc:
        if ends_connection(exc):
            connection.disconnect()
        raise
    except BaseException:
        connection.disconnect()  # nobody must take the answer for that to something else
        raise


def execute_on_pool(client: redis.Redis, command: Command, *, keep: bool = False) -> Any:
    """What the server answers to one command, of a client that :func:`has_direct_pool`.

    Args:
        keep: use the connection that was kept at hand the last time, and keep it again. It takes
            as long to borrow one and to give it back as to send a command and to read its answer.

    Raises:
        redis.RedisError: as the server or the connection says.
    """
    packed = pack(command)
    pool: Any = client.connection_pool
    at_hand: list[Any] = _kept_of(pool) if keep else []
    connection = (at_hand and _taken(pool, at_hand)) or pool.get_connection(*_ASKED_FOR)
    try:
        answer = _exchange(connection, packed)
    except BaseException:
        pool.release(connection)
        raise
    if at_hand or not keep or pool.max_connections < _MANY:
        pool.release(connection)  # another thread keeps one; that will do
    else:
        at_hand.append(connection)
    return answer


def execute_command(client: redis.Redis, command: Command, *, keep: bool = False) -> Any:
    """Execute a command on any client, and return its answer.

    Args:
        keep: see :func:`execute_on_pool`.

    Raises:
        redis.RedisError: as the server or the connection says.
    """
    if has_direct_pool(client):
        return execute_on_pool(client, command, keep=keep)
    if has_direct_connection(client):
        return execute_on_connection(client, command)
    # redis-py leaves execute_command() without types.
    execute: Callable[..., Any] = client.execute_command
    return execute(*as_bytes(command))


#: What pools have lent and is kept, one connection for each pool, and the process that keeps it:
#: two can't speak over one connection.
_owner = os.getpid()
_at_hand: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()

#: Connections that a pool must be able to lend, so that one more or less does not matter to it.
_MANY = 50


def _kept_of(pool: Any) -> list[Any]:
    global _owner
    if _owner != os.getpid():
        _at_hand.clear()
        _owner = os.getpid()
    try:
        return _at_hand[pool]
    except KeyError:
        return _at_hand.setdefault(pool, [])


def _taken(pool: Any, at_hand: list[Any]) -> Any:
    """The connection that is at hand, as good as one that the pool lends, or None."""
    try:
        connection = at_hand.pop()
    except IndexError:
        return None  # another thread was faster
    try:
        if not connection.can_read():
            return connection
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        pass  # what it can't be used for any more, the pool will see to
    connection.disconnect()
    pool.release(connection)
    return None


class CommandStream:
    """Commands sent over one connection, their answers to be read in the same order.

    Made for a client that :func:`has_direct_pool`; to be ended in any case.
    """

    __slots__ = ("_connection", "_outstanding", "_pool")

    def __init__(self, client: redis.Redis) -> None:
        self._outstanding = 0
        self._pool: Any = client.connection_pool
        self._connection: Any = self._pool.get_connection(*_ASKED_FOR)

    def send(self, commands: Sequence[Command]) -> None:
        """Send commands, without waiting for their answers.

        Raises:
            redis.RedisError: the connection broke.
        """
        for command in commands:
            packed = pack(command)
            self._outstanding += 1
            self._connection.send_packed_command((packed,))

    def read(self) -> Any:
        """The next answer.

        Raises:
            redis.RedisError: as the server or the connection says.
        """
        try:
            answer = self._connection.read_response()
        except redis.ResponseError:
            self._outstanding -= 1
            raise
        self._outstanding -= 1
        return answer

    def close(self) -> None:
        """Give the connection back."""
        if self._outstanding:
            self._connection.disconnect()  # nobody must take an answer for that to something else
        self._pool.release(self._connection)


def max_block_seconds(connection: redis.Redis) -> float | None:
    """Seconds for which a command of this client may block; None: any time.

    Half of its socket timeout, after which redis-py would take the server for dead.
    """
    pool = connection.connection_pool
    # Releases of redis-py differ in what they take where nothing is set. This connects to nothing.
    patience: float | None = pool.connection_class(**pool.connection_kwargs).socket_timeout
    return patience / 2 if patience else None


def pack(command: Command) -> bytes:
    """A command as it crosses the wire."""
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
    """Ids found in Redis may be any bytes; surrogateescape carries them through text unharmed."""
    return [
        part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")
        for part in command
    ]
