"""Many questions to a server in one round trip, and their answers whatever was stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis


def answers(connection: redis.Redis, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
    """All answers in one round trip; an error of the server stands in its answer's place."""
    if not commands:
        return []
    with connection.pipeline(transaction=False) as pipeline:
        for name, *arguments in commands:
            # An option tells redis-py to parse the scores, as its own zrange() would.
            options = {"withscores": True} if "WITHSCORES" in arguments else {}
            encoded = [
                part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
                for part in arguments
            ]
            pipeline.execute_command(name, *encoded, **options)  # type: ignore[no-untyped-call]
        return list(pipeline.execute(raise_on_error=False))


class Questions:
    """The questions of one round trip, by what they are about."""

    def __init__(self) -> None:
        self._commands: list[tuple[Any, ...]] = []
        self._parts: dict[str, slice] = {}

    def add(self, about: str, commands: Sequence[tuple[Any, ...]]) -> None:
        """Ask these too."""
        first = len(self._commands)
        self._commands += commands
        self._parts[about] = slice(first, len(self._commands))

    def ask(self, connection: redis.Redis) -> dict[str, list[Any]]:
        """The answers, as :func:`answers` gives them, by what they are about. One round trip."""
        answered = answers(connection, self._commands)
        return {about: answered[part] for about, part in self._parts.items()}


def items(answer: Any) -> list[Any]:
    """What a list or a set has; nothing where the answer is an error."""
    return list(answer) if isinstance(answer, list | set | tuple) else []


def name_of(member: bytes) -> str:
    """An id or a key, which may be any bytes."""
    return member.decode("utf-8", "surrogateescape")
