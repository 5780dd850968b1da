"""``Broker``: one Redis server and one key prefix."""

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
    """A Redis server and the prefix of the keys that are used on it.

    All code that reads from Redis or writes to it gets one.

    Attributes:
        client: The client of the server, which RQ calls ``connection``.
        keys: The names of the keys with this prefix.
    """

    def __init__(self, client: redis.Redis, prefix: str = DEFAULT_PREFIX) -> None:
        self.client = client
        self.keys = Keys(prefix)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address!r}, {self.prefix!r})"

    @classmethod
    def of(cls, connection: redis.Redis) -> Self:
        """Return the broker that a ``connection=`` argument means.

        The prefix is the ``KEY_PREFIX`` of the settings if the client was made from them. Otherwise
        it is ``rq:``.

        Raises:
            ConfigurationError: The client decodes responses.
        """
        if isinstance(connection, Client):
            return cls(connection, connection.key_prefix)
        if decodes_responses(connection):
            raise ConfigurationError(
                "The client given as connection= has decode_responses=True, but jobs are bytes. "
                "Make it without decode_responses, or leave connection= out to use RQ_QUEUES."
            )
        return cls(connection)

    @classmethod
    def of_queue(cls, queue: QueueConf) -> Self:
        """Return the broker of a configured queue. Queues with the same settings share a client.

        Raises:
            ConfigurationError: The connection setting is invalid; the message names the queue.
        """
        return cls(connection_for(queue), queue.key_prefix)

    @property
    def prefix(self) -> str:
        """The beginning of all keys: the ``KEY_PREFIX`` of the settings."""
        return self.keys.prefix

    @cached_property
    def address(self) -> str:
        """The address of the server in words, without user name and password."""
        return describe(self.client)

    def translate_errors(self) -> translate_errors:
        """Return a context manager that turns redis-py's errors into ours.

        The errors name the server's address. Inside the block:

        Raises:
            RedisUnavailableError: The server does not answer.
            RedisRefusedError: The server refuses the command because of its present state.
        """
        return translate_errors(self.client)

    def is_same(self, other: Broker) -> bool:
        """Return whether both use the same keys of the same server."""
        return self.client is other.client or (
            self.prefix == other.prefix and self.address == other.address
        )
