"""Makes Lua files callable."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import redis

from ..broker import oversize
from ..broker.wire import (
    Command,
    CommandStream,
    as_bytes,
    ends_connection,
    execute_command,
    has_direct_pool,
)
from .lua_loader import assemble

Argument = str | bytes | int | float


class Script:
    """One Lua file. It is called by its digest, so that its text is sent to a server only once.

    Args:
        often: whether the process keeps a connection open for this script.
    """

    __slots__ = ("digest", "name", "often", "text")

    def __init__(self, name: str, *, often: bool = False) -> None:
        self.name = name
        self.often = often
        self.text = assemble(name)
        self.digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def __call__(
        self,
        connection: redis.Redis,
        keys: Sequence[str],
        arguments: Sequence[Argument],
    ) -> Any:
        """Run the script. One round trip, two if the server does not know the script.

        Raises:
            redis.RedisError: the server refused the command, or the connection broke.
        """
        try:
            return self._ask(connection, ("EVALSHA", self.digest, len(keys), *keys, *arguments))
        except redis.exceptions.NoScriptError:
            # The server was restarted, or its script cache flushed. EVAL caches the script again.
            return self._ask(connection, ("EVAL", self.text, len(keys), *keys, *arguments))

    def _ask(self, connection: redis.Redis, command: Command) -> Any:
        try:
            return execute_command(connection, command, keep=self.often)
        except redis.RedisError as exc:
            refused = oversize.diagnose(partial(execute_command, connection), command, exc)
            if refused is None:
                raise
            raise refused from exc


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """One run of a script, for a :class:`ScriptPipeline`."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[Argument]


class ScriptPipeline:
    """Scripts that are sent together and run one after the other.

    It takes one round trip, three if the server does not know a script. The commands are sent when
    the object is made; the caller must then call :meth:`answers`, which gives the connection back
    to its pool.

    Raises:
        redis.RedisError: the connection broke. Which of the scripts have run is not known.
    """

    def __init__(self, connection: redis.Redis, calls: Sequence[ScriptCall]) -> None:
        self._connection = connection
        self._calls = calls
        #: The texts to load first, if there are several scripts. Otherwise the server might know
        #: only some of them, and run their calls before the others. With a single script it runs
        #: all calls or none.
        self._loaded = {call.script.text for call in calls}
        if len(self._loaded) == 1:
            self._loaded.clear()
        self._conversation: CommandStream | None = None
        if not has_direct_pool(connection):
            return  # answers() uses the client's own pipeline, which retries after errors
        self._conversation = CommandStream(connection)
        try:
            self._conversation.send(self._commands(calls))
        except redis.RedisError as exc:
            self._disconnect()
            self._explain(exc)
        except BaseException:
            self._disconnect()
            raise

    def answers(self) -> list[Any]:
        """The answer to each call, or the ``redis.ResponseError`` with which it ended.

        Raises:
            redis.RedisError: the connection broke. Which of the scripts have run is not known.
        """
        try:
            answers = self._first_answers()
        except redis.RedisError as exc:
            self._explain(exc)
        for answer in answers:
            if isinstance(answer, redis.ResponseError) and ends_connection(answer):
                self._explain(answer)
        again = [
            number
            for number, answer in enumerate(answers)
            if isinstance(answer, redis.exceptions.NoScriptError)
        ]
        if again:
            calls = [self._calls[number] for number in again]
            self._connection.script_load(calls[0].script.text)
            for number, answer in zip(again, self._in_a_pipeline(calls), strict=True):
                answers[number] = answer
        return answers

    def _explain(self, exc: redis.RedisError) -> NoReturn:
        """Raise the error, or a better one if a command was too large for the server."""
        commands = self._commands(self._calls)
        # If the server accepts the largest command, it accepts all.
        largest = max(commands, key=oversize.command_size, default=())
        refused = oversize.diagnose(partial(execute_command, self._connection), largest, exc)
        if refused is None:
            raise exc
        raise refused from exc

    def _first_answers(self) -> list[Any]:
        conversation = self._conversation
        if conversation is None:
            return self._in_a_pipeline(self._calls)
        answers: list[Any] = []
        try:
            for _ in range(len(self._loaded) + len(self._calls)):
                try:
                    answers.append(conversation.read())
                except redis.ResponseError as exc:
                    answers.append(exc)
        finally:
            self._disconnect()
        return answers[len(self._loaded) :]

    def _disconnect(self) -> None:
        if self._conversation is not None:
            self._conversation.close()
            self._conversation = None

    def _in_a_pipeline(self, calls: Sequence[ScriptCall]) -> list[Any]:
        with self._connection.pipeline(transaction=False) as pipeline:
            execute: Callable[..., Any] = pipeline.execute_command
            for command in self._commands(calls):
                execute(*as_bytes(command))
            answers: list[Any] = pipeline.execute(raise_on_error=False)
        return answers[len(self._loaded) :]

    def _commands(self, calls: Sequence[ScriptCall]) -> list[Command]:
        commands: list[Command] = [("SCRIPT", "LOAD", text) for text in self._loaded]
        for call in calls:
            digest, keys = call.script.digest, call.keys
            commands.append(("EVALSHA", digest, len(keys), *keys, *call.arguments))
        return commands
