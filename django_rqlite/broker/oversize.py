"""Finding out that a server does not take a command because of its size.

A server closes the connection over a string that is longer than ``proto-max-bulk-len``, over a
command that is longer than ``client-query-buffer-limit``, and over a client that takes too much of
``maxmemory-clients``. Its reason seldom arrives: mostly the pipe breaks while the client sends,
as if the server were gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import redis
from redis.exceptions import RedisClusterException

from .wire import Command, as_bytes, ends_connection

#: Bytes that a server's limits let pass whatever they are: the least that they can be set to.
LEAST_LIMIT = 1024 * 1024

Execute = Callable[[Command], Any]


class OversizeError(redis.ResponseError):
    """The server does not take a command of this size.

    The command was not carried out. Where it only took longer than the client's ``socket_timeout``,
    as the text then says, its last bytes may still arrive.

    What callers see is ``PayloadTooLargeError``, which also names the server.
    """


def command_size(command: Command) -> int:
    """Bytes of all its parts together."""
    return sum(map(len, as_bytes(command)))


def diagnose(execute: Execute, command: Command, exc: BaseException) -> OversizeError | None:
    """What to raise instead of ``exc``, with which a command ended; None: its size is not why.

    Where the connection broke over a large command, a server that answers a PING is sent the same
    bytes once more, as a command that changes nothing. Its size is the cause when the connection
    breaks again, and the server still answers.

    Args:
        execute: sends a command, over a new connection where the last one broke.
    """
    told = ends_connection(exc)
    if not told and not isinstance(exc, redis.ConnectionError | redis.TimeoutError):
        return None
    if command_size(command) < LEAST_LIMIT:
        return None
    if not told and not (_answers(execute) and _breaks(execute, command) and _answers(execute)):
        return None
    return OversizeError(f"The server does not take {_too_large(execute, command, exc)}.")


def _answers(execute: Execute) -> bool:
    try:
        execute(("PING",))
    except redis.ResponseError:
        return True
    except (redis.RedisError, OSError):
        return False
    return True


def _breaks(execute: Execute, command: Command) -> bool:
    try:
        execute(("EXISTS", *command[1:]))
    except redis.ResponseError as exc:
        return ends_connection(exc)
    except RedisClusterException:
        return False  # its client could not tell which node to send that to
    except (redis.ConnectionError, redis.TimeoutError, OSError):
        return True
    return False


def _too_large(execute: Execute, command: Command, exc: BaseException) -> str:
    sizes = [len(part) for part in as_bytes(command)]
    longest, total = max(sizes), sum(sizes)
    of_strings = _limit(execute, "proto-max-bulk-len")
    if of_strings is not None and longest > of_strings:
        return f"a string of {longest:,} bytes: its proto-max-bulk-len is {of_strings:,}"
    of_commands = _limit(execute, "client-query-buffer-limit")
    # What surrounds the parts counts too.
    if of_commands is not None and total + 16 * len(sizes) > of_commands:
        return f"a command of {total:,} bytes: its client-query-buffer-limit is {of_commands:,}"
    if isinstance(exc, redis.TimeoutError):
        return f"a command of {total:,} bytes within the socket_timeout of its client"
    return (
        f"a command of {total:,} bytes, with a string of {longest:,}. Its limits are "
        "proto-max-bulk-len, client-query-buffer-limit and maxmemory-clients"
    )


def _limit(execute: Execute, name: str) -> int | None:
    """A server's setting in bytes; None: it is not to be known, as with most that are hosted."""
    try:
        said = execute(("CONFIG", "GET", name))
        return int(next(iter(said.values())) if isinstance(said, dict) else said[1])
    except (redis.RedisError, OSError, ValueError, IndexError, StopIteration):
        return None
