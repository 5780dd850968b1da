"""Keeping workers from taking jobs, and letting them go on, under RQ's names.

It is RQ's key, so RQ's workers heed it too. A single queue is paused with ``Queue.pause()``, which
only workers of django_rqlite heed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis

from ..broker.broker import Broker
from ..broker.errors import translate_errors
from ..compat.missing_names import module_getattr
from ..engine.engine import Engine
from ..protocol.durations import parse_duration


def suspend(connection: redis.Redis, ttl: int | str | None = None) -> None:
    """Have no worker of a connection take a job any more. Jobs that run go on.

    Args:
        connection: as from ``get_connection()``.
        ttl: seconds, or a form such as ``'1h30m'``, after which the workers go on by themselves;
            None: they wait for :func:`resume`.

    Raises:
        InvalidDurationError: ``ttl`` is none, or less than a second.
        RedisUnavailableError: the server does not answer.
    """
    seconds = pause_seconds(ttl)
    with translate_errors(connection):
        Engine(Broker.of(connection)).suspend(seconds)


def resume(connection: redis.Redis) -> int:
    """Let the workers of a connection take jobs again. Queues that are paused stay so.

    Returns:
        1 if they were suspended, else 0.

    Raises:
        RedisUnavailableError: the server does not answer.
    """
    with translate_errors(connection):
        return int(Engine(Broker.of(connection)).resume())


def is_suspended(connection: redis.Redis) -> bool:
    """Whether the workers of a connection are suspended.

    Raises:
        RedisUnavailableError: the server does not answer.
    """
    with translate_errors(connection):
        return Engine(Broker.of(connection)).is_suspended()


def pause_seconds(given: int | str | None, *, name: str = "ttl") -> int | None:
    """For how long workers are to wait; None: until they are told.

    Args:
        name: what messages call the value.

    Raises:
        InvalidDurationError: it is no duration, or less than a second.
    """
    return parse_duration(given, name=name, minimum=1, forever=False)


if not TYPE_CHECKING:  # else type checkers would take any name for one of this module's
    __getattr__ = module_getattr(__name__)
