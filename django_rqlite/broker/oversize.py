"""Detects that a server refused a command because of its size.

A server closes the connection if a string is longer than its ``proto-max-bulk-len``, if a command
is longer than its ``client-query-buffer-limit``, or if a client takes too much of its
``maxmemory-clients``. The client seldom receives the reason: in most cases the connection breaks
while it still sends, as if the server were gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis
from redis.exceptions import RedisClusterException

from .wire import Command, as_bytes, ends_connection

#: Bytes that a server always accepts: the lowest value of each limit.
MIN_LIMIT = 1024 * 1024

Execute = Callable[[Command], Any]


class OversizeError(redis.ResponseError):
    """The server does not accept a command of this size.

    The command was not executed, with one exception: if sending it took longer than the client's
    ``socket_timeout``, its last bytes may still arrive. The text names that timeout then.

    Callers get a ``PayloadTooLargeError``, which also names the server.
    """


def command_size(command: Command) -> int:
    """Return the number of bytes of all parts of a command."""
    return sum(map(len, as_bytes(command)))


def diagnose(execute: Execute, command: Command, exc: BaseException) -> OversizeError | None:
    """Return the error to raise instead of ``exc``; None if the size is not the cause.

    If the connection broke over a large command and the server answers a PING, the server is sent
    the same bytes again, as a command that changes nothing. The size is the cause if the connection
    breaks again and the server still answers.

    Args:
        execute: Executes a command, over a new connection if the last one broke.
        command: The command that failed.
        exc: The error with which it failed.
    """
    is_certain = ends_connection(exc)
    if not is_certain and not isinstance(exc, redis.ConnectionError | redis.TimeoutError):
        return None
    if command_size(command) < MIN_LIMIT:
        return None
    if not is_certain and not (
        _answers(execute) and _breaks(execute, command) and _answers(execute)
    ):
        return None
    return OversizeError(f"The server does not take {_excess(execute, command, exc)}.")


def _answers(execute: Execute) -> bool:
    try:
        execute(("PING",))
    except redis.ResponseError:
        return True
    except (redis.RedisError, OSError):
        return False
    return True


def _breaks(execute: Execute, command: Command) -> bool:
    """Return whether a command of the same size breaks the connection."""
    try:
        execute(("EXISTS", *command[1:]))
    except redis.ResponseError as exc:
        return ends_connection(exc)
    except RedisClusterException:
        return False  # the client of a cluster does not know the node
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        return True
    return False


def _excess(execute: Execute, command: Command, exc: BaseException) -> str:
    """Return which limit of the server a command exceeds, in words."""
    sizes = [len(part) for part in as_bytes(command)]
    longest, total = max(sizes), sum(sizes)
    string_limit = _limit(execute, "proto-max-bulk-len")
    if string_limit is not None and longest > string_limit:
        return f"a string of {longest:,} bytes: its proto-max-bulk-len is {string_limit:,}"
    command_limit = _limit(execute, "client-query-buffer-limit")
    # The lengths that are sent with the parts count, too.
    if command_limit is not None and total + 16 * len(sizes) > command_limit:
        return f"a command of {total:,} bytes: its client-query-buffer-limit is {command_limit:,}"
    if isinstance(exc, redis.TimeoutError):
        return f"a command of {total:,} bytes within the socket_timeout of its client"
    return (
        f"a command of {total:,} bytes, with a string of {longest:,}. Its limits are "
        "proto-max-bulk-len, client-query-buffer-limit and maxmemory-clients"
    )


def _limit(execute: Execute, name: str) -> int | None:
    """Return a setting of the server in bytes; None if it is hidden, as on most hosted servers."""
    try:
        answer = execute(("CONFIG", "GET", name))
        return int(next(iter(answer.values())) if isinstance(answer, dict) else answer[1])
    except (redis.RedisError, OSError, ValueError, IndexError, StopIteration):
        return None
