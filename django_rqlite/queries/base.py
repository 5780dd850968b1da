"""What all queries share: the client and the keys of a broker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..broker.broker import Broker
from .pipeline import Command, execute


class QueriesBase:
    """Reads from one broker."""

    __slots__ = ("connection", "keys")

    def __init__(self, broker: Broker) -> None:
        self.connection = broker.client
        self.keys = broker.keys

    def _execute(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to these commands, as :func:`.pipeline.execute` gives them."""
        return execute(self.connection, commands)
