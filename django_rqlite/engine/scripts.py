"""Lua files as callable scripts.

A file may say ``--@include name`` for a part under ``lua/shared/``, as may the part itself; Redis
has no ``require``. A part that several ask for is there once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

import redis

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
        # Ids found in Redis may be any bytes; surrogateescape carries them through text unharmed.
        call = [
            part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
            for part in (len(keys), *keys, *arguments)
        ]
        # redis-py leaves execute_command() without types.
        execute: Callable[..., Any] = connection.execute_command
        try:
            return execute("EVALSHA", self.digest, *call)
        except redis.exceptions.NoScriptError:
            # The server was restarted or its script cache flushed; EVAL caches it again.
            return execute("EVAL", self.text, *call)
