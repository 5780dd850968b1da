"""Counts the round trips of this process to Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from redis.connection import AbstractConnection


@contextmanager
def counted_round_trips() -> Iterator[list[None]]:
    """Yield a list that gets an item for each request. A pipeline is one request.

    The server counts a request of more than 16 KiB, such as that of a page, as several.
    """
    sends: list[None] = []
    original: Callable[..., object] = AbstractConnection.send_packed_command

    def send(*args: Any, **kwargs: Any) -> object:
        sends.append(None)
        return original(*args, **kwargs)

    with patch.object(AbstractConnection, "send_packed_command", send):
        yield sends
