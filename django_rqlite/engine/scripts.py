"""Lua files as callable scripts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from .assembly import assembled

Argument = str | bytes | int | float


class Script:
    """One Lua file, run by its digest so that its text crosses the wire once per server."""

    __slots__ = ("digest", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = assembled(name)
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def __call__(
        self,
        connection: redis.Redis,
        keys: Sequence[str],
        arguments: Sequence[Argument],
    ) -> Any:
        """Run the script in one round trip (two when the server has forgotten it).

        Raises:
            redis.RedisError: as the server or the connection says.
        """
        call = _on_the_wire(keys, arguments)
        # redis-py leaves execute_command() without types.
        execute: Callable[..., Any] = connection.execute_command
        try:
            return execute("EVALSHA", self.digest, *call)
        except redis.exceptions.NoScriptError:
            # The server was restarted or its script cache flushed; EVAL caches it again.
            return execute("EVAL", self.text, *call)


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a script, to be made with others."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[Argument]


def run_all(connection: redis.Redis, calls: Sequence[Call]) -> list[Any]:
    """Run scripts one after the other in one round trip (three when the server has forgotten one).

    Returns:
        the answer to each call, or the ``redis.ResponseError`` that it ended with.

    Raises:
        redis.RedisError: the connection broke; which of them have run is not known.
    """
    answers = _run_all(connection, calls)
    # In what order they ran does not change: a server that has forgotten a script runs none of it.
    again = [
        number
        for number, answer in enumerate(answers)
        if isinstance(answer, redis.exceptions.NoScriptError)
    ]
    if again:
        for text in {calls[number].script.text for number in again}:
            connection.script_load(text)
        repeated = _run_all(connection, [calls[number] for number in again])
        for number, answer in zip(again, repeated, strict=True):
            answers[number] = answer
    return answers


def _run_all(connection: redis.Redis, calls: Sequence[Call]) -> list[Any]:
    with connection.pipeline(transaction=False) as pipeline:
        execute: Callable[..., Any] = pipeline.execute_command
        for call in calls:
            execute("EVALSHA", call.script.digest, *_on_the_wire(call.keys, call.arguments))
        answers: list[Any] = pipeline.execute(raise_on_error=False)
    return answers


def _on_the_wire(keys: Sequence[str], arguments: Sequence[Argument]) -> list[bytes | int | float]:
    # Ids found in Redis may be any bytes; surrogateescape carries them through text unharmed.
    return [
        part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        for part in (len(keys), *keys, *arguments)
    ]
