"""One connection of a client, lent for one conversation.

``execute_command()`` repeats, times and reports what it does, and looks up how to read the answer.
Our scripts need none of that, and beside a small one it takes a third of the client's time. It also
waits for an answer before it gives back the connection, so nothing can be prepared meanwhile.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: What a pool wants to know when it lends a connection: the command, before redis-py 5.3.
_ASKED_FOR: tuple[str, ...] = (
    ("EVALSHA",)
    if inspect.signature(redis.ConnectionPool.get_connection).parameters["command_name"].default
    is inspect.Parameter.empty
    else ()
)

Command = Sequence[str | bytes | int | float]


class Once(Retry):
    """How often a command is tried: most of ours must not run twice without our knowing."""

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 0)


def tries_once(client: redis.Redis) -> bool:
    """Whether the client was made here and nobody asked it to repeat what fails.

    Any other client may repeat, so its commands are left to it.
    """
    return type(client.connection_pool.connection_kwargs.get("retry")) is Once


def ask(client: redis.Redis, command: Command) -> Any:
    """What the server answers to one command, of a client that :func:`tries_once`.

    Raises:
        redis.RedisError: as the server or the connection says.
    """
    conversation = Conversation(client)
    try:
        conversation.send((command,))
        return conversation.read()
    finally:
        conversation.end()


class Conversation:
    """Commands sent over one connection, their answers to be read in the same order.

    Made for a client that :func:`tries_once`; to be ended in any case.
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
        pack = self._connection.pack_command
        packed: list[bytes] = []
        for command in commands:
            try:
                packed += pack(*command)
            except UnicodeEncodeError:
                packed += pack(*as_bytes(command))
        self._outstanding += len(commands)
        self._connection.send_packed_command(packed)

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

    def end(self) -> None:
        """Give the connection back; closed where an answer is still to come, which nobody must
        take for the answer to something else."""
        if self._outstanding:
            self._connection.disconnect()
        self._pool.release(self._connection)


def as_bytes(command: Command) -> list[bytes | int | float]:
    """Ids found in Redis may be any bytes; surrogateescape carries them through text unharmed."""
    return [
        part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        for part in command
    ]
