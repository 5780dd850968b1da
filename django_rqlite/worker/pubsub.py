"""What other processes tell a worker: RQ's commands, that a job was scheduled, that queues rest.

One subscription on a connection of its own, watched by the worker's selector. Messages are not
kept by Redis, so nothing may depend on their arrival: a scheduled job and the end of a pause are
found a little later without, and who sends a command sees in the job's status whether it was
heeded.

The subscription is also the sign of life that others look for before they take over the worker's
record: with the process, the connection ends.

Channels belong to all databases of a server. A command of ours says which one it is meant for; one
of RQ's does not, and is obeyed. Announcements do not either: one from another database costs a
look.
"""

from __future__ import annotations

import json
import logging
import selectors
from dataclasses import dataclass
from typing import Any

import redis

from ..broker.address import database_number
from ..protocol import codec
from ..protocol.escaping import escape_controls
from ..protocol.keys import Keys

logger = logging.getLogger("django_rqlite.worker")


@dataclass(frozen=True, slots=True)
class Command:
    """One of RQ's commands: ``stop-job``, ``kill-horse`` or ``shutdown``."""

    name: str
    job_id: str = ""
    #: Who sent it, for people; '' where the message does not say.
    by: str = ""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A job was scheduled for this time, in unix seconds by the server's clock."""

    due: float


@dataclass(frozen=True, slots=True)
class PausesChanged:
    """Queues were paused or resumed, or the workers suspended or resumed."""


Message = Command | Announcement | PausesChanged


#: Characters of a sender's name: a user's has at most 150 in Django.
LONGEST_NAME = 150


class PubSub:
    """The worker's subscription.

    Args:
        selector: where the socket is watched; its data is this object.
        worker: the worker's name, which its commands are addressed to.
        instance: see :meth:`Keys.life_channel`.
    """

    def __init__(
        self,
        client: redis.Redis,
        selector: selectors.BaseSelector,
        keys: Keys,
        worker: str,
        queues: list[str],
        instance: str,
    ) -> None:
        self._pool = client.connection_pool
        self._database = database_number(client)
        self._keys = keys
        self._life = keys.life_channel(instance)
        self._selector = selector
        self._commands = keys.commands_channel(worker)
        self._scheduled = [keys.scheduled_channel(queue) for queue in queues]
        self._suspension = keys.suspension_channel
        self._connection: Any = None
        self._descriptor: int | None = None

    def rename(self, worker: str) -> None:
        """Listen to commands for another name; without effect on a subscription that is open."""
        self._commands = self._keys.commands_channel(worker)

    def open(self) -> bool:
        """Subscribe, unless that is done; gives whether it was not.

        Raises:
            redis.RedisError: the server does not answer.
        """
        if self._connection is not None:
            return False
        connection: Any = self._pool.connection_class(**self._pool.connection_kwargs)
        connection.connect()
        self._connection = connection
        self._descriptor = connection._sock.fileno()
        self._selector.register(self._descriptor, selectors.EVENT_READ, self)
        channels = (self._life, self._commands, self._suspension, *self._scheduled)
        connection.send_command("SUBSCRIBE", *channels)
        connection.read_response()  # from here on, others see it
        return True

    def read(self) -> list[Message]:
        """What has arrived.

        Raises:
            redis.RedisError: the connection is lost.
        """
        messages = []
        while self._connection is not None and self._connection.can_read(timeout=0):
            answer = self._connection.read_response()
            if isinstance(answer, list) and len(answer) == 3 and answer[0] == b"message":
                message = self._understood(answer[1].decode("utf-8", "replace"), answer[2])
                if message is not None:
                    messages.append(message)
        return messages

    def _understood(self, channel: str, payload: bytes) -> Message | None:
        if channel == self._suspension:
            return PausesChanged()
        try:
            if channel != self._commands:
                return Announcement(codec.number(payload))
            said = json.loads(payload)
            if said.get("x_database", self._database) != self._database:
                return None  # for the worker of this name there
            # Anybody may send anything, and it is stored.
            by = escape_controls(str(said.get("by", ""))[:LONGEST_NAME])
            return Command(str(said["command"]), str(said.get("job_id", "")), by)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
            logger.warning("A message on %s makes no sense (%r): %.200r", channel, exc, payload)
            return None

    def close(self) -> None:
        """Close the connection; :meth:`open` opens a new one."""
        if self._descriptor is not None:
            self._selector.unregister(self._descriptor)
            self._descriptor = None
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def descriptors(self) -> list[int]:
        """What a child must close."""
        return [] if self._descriptor is None else [self._descriptor]
