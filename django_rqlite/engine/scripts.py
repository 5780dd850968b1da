"""Lua files as callable scripts.

A file may say ``--@include name`` for a part under ``lua/shared/``, as may the part itself; Redis
has no ``require``. A part that several ask for is there once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import redis

from ..wire import Command, Conversation, as_bytes, ask, tries_once

_INCLUDE = re.compile(r"^--@include (\w+)$", re.MULTILINE)
_FOLDER = resources.files(__package__) / "lua"

Argument = str | bytes | int | float


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.lua").read_text(encoding="utf-8")


def _assembled(name: str, there: set[str]) -> str:
    def part(included: re.Match[str]) -> str:
        if included[1] in there:
            return ""
        there.add(included[1])
        return _assembled(f"shared/{included[1]}", there)

    return _INCLUDE.sub(part, _read(name))


class Script:
    """One Lua file, run by its digest so that its text crosses the wire once per server."""

    __slots__ = ("digest", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = _assembled(name, set())
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
        try:
            return _said(connection, ("EVALSHA", self.digest, len(keys), *keys, *arguments))
        except redis.exceptions.NoScriptError:
            # The server was restarted or its script cache flushed; EVAL caches it again.
            return _said(connection, ("EVAL", self.text, len(keys), *keys, *arguments))


def _said(connection: redis.Redis, command: Command) -> Any:
    if tries_once(connection):
        return ask(connection, command)
    # redis-py leaves execute_command() without types.
    execute: Callable[..., Any] = connection.execute_command
    return execute(*as_bytes(command))


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a script, to be made with others."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[Argument]


class Running:
    """Scripts that run one after the other, sent together (in three round trips when the server
    has forgotten one). Whoever made this must ask for the answers, or give up.

    Raises:
        redis.RedisError: the connection broke; which of them have run is not known.
    """

    def __init__(self, connection: redis.Redis, calls: Sequence[Call]) -> None:
        self._connection = connection
        self._calls = calls
        self._conversation: Conversation | None = None
        if not tries_once(connection):
            return  # its pipeline sends them, and repeats them, when it is asked for the answers
        self._conversation = Conversation(connection)
        try:
            self._conversation.send([_command(call) for call in calls])
        except BaseException:
            self.give_up()
            raise

    def answers(self) -> list[Any]:
        """The answer to each call, or the ``redis.ResponseError`` that it ended with.

        Raises:
            redis.RedisError: as when it was made.
        """
        answers = self._first_answers()
        # In what order they ran does not change: a server that has forgotten a script runs none of
        # its calls.
        again = [
            number
            for number, answer in enumerate(answers)
            if isinstance(answer, redis.exceptions.NoScriptError)
        ]
        if again:
            calls = [self._calls[number] for number in again]
            for text in {call.script.text for call in calls}:
                self._connection.script_load(text)
            for number, answer in zip(again, _in_a_pipeline(self._connection, calls), strict=True):
                answers[number] = answer
        return answers

    def _first_answers(self) -> list[Any]:
        conversation = self._conversation
        if conversation is None:
            return _in_a_pipeline(self._connection, self._calls)
        answers: list[Any] = []
        try:
            for _ in self._calls:
                try:
                    answers.append(conversation.read())
                except redis.ResponseError as exc:
                    answers.append(exc)
        finally:
            self.give_up()
        return answers

    def give_up(self) -> None:
        """Leave the connection to others; what was sent may run all the same."""
        if self._conversation is not None:
            self._conversation.end()
            self._conversation = None


def _in_a_pipeline(connection: redis.Redis, calls: Sequence[Call]) -> list[Any]:
    with connection.pipeline(transaction=False) as pipeline:
        execute: Callable[..., Any] = pipeline.execute_command
        for call in calls:
            execute(*as_bytes(_command(call)))
        answers: list[Any] = pipeline.execute(raise_on_error=False)
    return answers


def _command(call: Call) -> Command:
    return ("EVALSHA", call.script.digest, len(call.keys), *call.keys, *call.arguments)
