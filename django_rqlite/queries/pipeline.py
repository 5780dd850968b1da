"""Many commands in one round trip. An error is an answer like any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis

from ..protocol.codec import encode

Command = tuple[Any, ...]


def execute(connection: redis.Redis, commands: Sequence[Command]) -> list[Any]:
    """Send the commands and return their answers. One round trip; none without commands.

    If the server refuses a command, its answer is the ``redis.ResponseError``.
    """
    if not commands:
        return []
    with connection.pipeline(transaction=False) as pipeline:
        for name, *arguments in commands:
            # The option makes redis-py parse the scores, as its own zrange() does.
            options = {"withscores": True} if "WITHSCORES" in arguments else {}
            encoded = [encode(part) if isinstance(part, str) else part for part in arguments]
            pipeline.execute_command(name, *encoded, **options)  # type: ignore[no-untyped-call]
        return list(pipeline.execute(raise_on_error=False))


class NamedCommands:
    """The commands of one round trip, in named groups."""

    def __init__(self) -> None:
        self._commands: list[Command] = []
        self._groups: dict[str, slice] = {}

    def add(self, name: str, commands: Sequence[Command]) -> None:
        """Add a group of commands."""
        first = len(self._commands)
        self._commands += commands
        self._groups[name] = slice(first, len(self._commands))

    def execute(self, connection: redis.Redis) -> dict[str, list[Any]]:
        """Send all commands and return the answers of each group. One round trip."""
        answers = execute(connection, self._commands)
        return {name: answers[group] for name, group in self._groups.items()}


def members(answer: Any) -> list[Any]:
    """The members of a list or set in an answer; empty for an error."""
    return list(answer) if isinstance(answer, list | set | tuple) else []
