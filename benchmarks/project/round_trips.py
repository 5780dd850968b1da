"""Counting how often this process waits for Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from redis.connection import AbstractConnection


@contextmanager
def counted_round_trips() -> Iterator[list[None]]:
    """A list that has an item for each request that is sent meanwhile, a pipeline's being one.

    The server would count a long request, such as a page's, as several.
    """
    sends: list[None] = []
    original: Callable[..., object] = AbstractConnection.send_packed_command

    def send(*args: Any, **kwargs: Any) -> object:
        sends.append(None)
        return original(*args, **kwargs)

    with patch.object(AbstractConnection, "send_packed_command", send):
        yield sends
