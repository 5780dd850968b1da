"""One Redis server and the prefix of its keys: what everything that reads or writes is given."""

from __future__ import annotations

from functools import cached_property
from typing import Self

import redis

from ..conf import QueueConf
from ..exceptions import ConfigurationError
from ..protocol.keys import DEFAULT_PREFIX, Keys
from .address import describe
from .client_factory import Client, decodes_responses
from .clients import connection_for
from .errors import translate_errors


class Broker:
    """A Redis server, and the prefix of the keys that are meant on it.

    Attributes:
        client: speaks to the server; RQ's ``connection``.
        keys: the names of the keys below the prefix.
    """

    def __init__(self, client: redis.Redis, prefix: str = DEFAULT_PREFIX) -> None:
        self.client = client
        self.keys = Keys(prefix)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address!r}, {self.prefix!r})"

    @classmethod
    def of(cls, connection: redis.Redis) -> Self:
        """The broker that a ``connection=`` argument means.

        The prefix is ``KEY_PREFIX`` where the client was made from the settings, else ``rq:``.

        Raises:
            ConfigurationError: the client decodes what it reads.
        """
        if isinstance(connection, Client):
            return cls(connection, connection.key_prefix)
        if decodes_responses(connection):
            raise ConfigurationError(
                "The client given as connection= has decode_responses=True, but jobs are bytes. "
                "Make it without decode_responses, or leave connection= out for that of RQ_QUEUES."
            )
        return cls(connection)

    @classmethod
    def of_queue(cls, queue: QueueConf) -> Self:
        """The broker of a configured queue. Queues with the same settings share its client.

        Raises:
            ConfigurationError: the connection setting cannot be used; the message names the queue.
        """
        return cls(connection_for(queue), queue.key_prefix)

    @property
    def prefix(self) -> str:
        """What all keys begin with: ``KEY_PREFIX``."""
        return self.keys.prefix

    @cached_property
    def address(self) -> str:
        """Where the server is, for people. User and password are never part of it."""
        return describe(self.client)

    def translate_errors(self) -> translate_errors:
        """A block in which redis-py's errors become ours, which name the server's address.

        Raises:
            RedisUnavailableError: the server does not answer.
            RedisRefusedError: the server says in which state it cannot do what it is asked.
        """
        return translate_errors(self.client)

    def is_same(self, other: Broker) -> bool:
        """Whether both mean the same keys of the same server."""
        return self.client is other.client or (
            self.prefix == other.prefix and self.address == other.address
        )
