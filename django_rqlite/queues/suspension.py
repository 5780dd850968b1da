"""Keeping all workers of a server from taking jobs, under RQ's names.

The key is RQ's, so RQ's workers heed it too. A single queue is paused with ``Queue.pause()``, which
only workers of django_rqlite heed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis

from ..broker.broker import Broker
from ..compat.missing_names import module_getattr
from ..engine.engine import Engine
from ..protocol.durations import parse_duration


def suspend(connection: redis.Redis, ttl: int | str | None = None) -> None:
    """Keep the workers of a connection from taking jobs. Jobs that run go on.

    Args:
        connection: As from ``get_connection()``.
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
    """Let the workers of a connection take jobs again. Queues that are paused stay paused.

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
    """How long a pause or a suspension lasts, in seconds; ``None``: until it is ended.

    Args:
        given: Seconds, or a form such as ``'1h30m'``.
        name: The name of the argument, for errors.

    Raises:
        InvalidDurationError: It is not a duration, or is less than a second.
    """
    return parse_duration(given, name=name, minimum=1, forever=False)


if not TYPE_CHECKING:  # else type checkers would take any name for one of this module's
    __getattr__ = module_getattr(__name__)
