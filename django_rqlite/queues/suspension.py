"""Suspends and resumes all workers of a server, under RQ's names.

The key is RQ's, so RQ's workers stop too. ``Queue.pause()`` pauses a single queue; RQ's workers
ignore that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis

from ..broker.broker import Broker
from ..compat.missing_names import module_getattr
from ..engine.engine import Engine
from ..protocol.durations import parse_duration


def suspend(connection: redis.Redis, ttl: int | str | None = None) -> None:
    """Keep the workers of a connection from taking jobs. Running jobs continue.

    Args:
        connection: The client, for example from ``get_connection()``.
        ttl: How long: seconds, or a form such as ``'1h30m'``; ``None``: until :func:`resume`.

    Raises:
        InvalidDurationError: ``ttl`` is not a duration, or is less than a second.
        RedisUnavailableError: The server does not answer.
    """
    seconds = pause_seconds(ttl)
    broker = Broker.of(connection)
    with broker.translate_errors():
        Engine(broker).suspend(seconds)


def resume(connection: redis.Redis) -> int:
    """Let the workers of a connection take jobs again. Paused queues stay paused.

    Returns:
        1 if the workers were suspended, else 0.

    Raises:
        RedisUnavailableError: The server does not answer.
    """
    broker = Broker.of(connection)
    with broker.translate_errors():
        return int(Engine(broker).resume())


def is_suspended(connection: redis.Redis) -> bool:
    """Whether the workers of a connection are suspended.

    Raises:
        RedisUnavailableError: The server does not answer.
    """
    broker = Broker.of(connection)
    with broker.translate_errors():
        return Engine(broker).is_suspended()


def pause_seconds(given: int | str | None, *, name: str = "ttl") -> int | None:
    """The seconds of a pause or a suspension; ``None``: without end.

    Args:
        given: Seconds, or a form such as ``'1h30m'``.
        name: The name of the argument, for errors.

    Raises:
        InvalidDurationError: It is not a duration, or is less than a second.
    """
    return parse_duration(given, name=name, minimum=1, forever=False)


if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__ = module_getattr(__name__)
