"""What all arrows share: the connection, the keys, and how values become arguments."""

from __future__ import annotations

from collections.abc import Mapping

from ..broker.broker import Broker
from .scripts import Argument

#: Ids that one call of a script which searches or deletes handles at the most, so that the server
#: is never busy with one of them for long.
BATCH = 250

#: Times that one call of a script may search a long list to its end, which takes the server
#: 10 ms or more where a million ids wait.
SEARCHES = 1


class EngineBase:
    """Changes of state on one connection below one key prefix."""

    __slots__ = ("broker", "connection", "keys", "prefix")

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.connection = broker.client
        self.keys = broker.keys
        self.prefix = broker.prefix


def flat(fields: Mapping[str, Argument]) -> list[Argument]:
    return [part for pair in fields.items() for part in pair]
