"""Messages that other processes publish to a worker: RQ's commands, scheduled jobs, pauses.

The worker has one subscription, on a separate connection that its selector watches. Redis does not
keep messages, so nothing may depend on their arrival. Without the message, a worker finds a
scheduled job or the end of a pause a little later, and the sender of a command sees in the job's
status whether a worker has obeyed it.

The subscription also proves that the worker is alive. Other workers look for it before they take
over the worker's record. It ends with the process.

Channels belong to all databases of a server. Our commands say which database they are meant for.
RQ's do not, and are obeyed. Announcements do not either: one from another database makes a worker
look once more than necessary.
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
from .worker_name import WorkerName

logger = logging.getLogger("django_rqlite.worker")


@dataclass(frozen=True, slots=True)
class Command:
    """One of RQ's commands: ``stop-job``, ``kill-horse`` or ``shutdown``.

    Attributes:
        by: The name of its sender, for people; ``""`` if unknown.
    """

    name: str
    job_id: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class JobScheduled:
    """A job was scheduled.

    Attributes:
        due: Unix seconds by the server's clock.
    """

    due: float


@dataclass(frozen=True, slots=True)
class SuspensionChanged:
    """Queues were paused or resumed, or the workers suspended or resumed."""


Message = Command | JobScheduled | SuspensionChanged


#: The longest name of a sender that is read; in Django a user name has at most 150 characters.
LONGEST_NAME = 150


class PubSub:
    """The worker's subscription.

    Args:
        client: The connection is made as this client's are.
        selector: Watches the socket, with this object as its data.
        worker: The name to which commands are addressed.
        queues: The queues whose scheduled jobs are announced.
        instance: See :meth:`Keys.life_channel`.
    """

    def __init__(
        self,
        client: redis.Redis,
        selector: selectors.BaseSelector,
        keys: Keys,
        worker: WorkerName,
        queues: list[str],
        instance: str,
    ) -> None:
        self._pool = client.connection_pool
        self._database = database_number(client)
        self._selector = selector
        self._keys = keys
        self._worker = worker
        self._commands = keys.commands_channel(worker.value)
        self._life = keys.life_channel(instance)
        self._suspension = keys.suspension_channel
        self._scheduled = [keys.scheduled_channel(queue) for queue in queues]
        self._connection: Any = None
        self._descriptor: int | None = None

    def open(self) -> bool:
        """Subscribe under the worker's name. Return False if the subscription is open already.

        Raises:
            redis.RedisError: The server does not answer.
        """
        if self._connection is not None:
            return False
        connection: Any = self._pool.connection_class(**self._pool.connection_kwargs)
        connection.connect()
        self._connection = connection
        self._descriptor = connection._sock.fileno()
        self._selector.register(self._descriptor, selectors.EVENT_READ, self)
        self._commands = self._keys.commands_channel(self._worker.value)
        channels = (self._life, self._commands, self._suspension, *self._scheduled)
        connection.send_command("SUBSCRIBE", *channels)
        connection.read_response()  # from now on, others see the subscription
        return True

    def read(self) -> list[Message]:
        """Return the messages that have arrived.

        Raises:
            redis.RedisError: The connection is lost.
        """
        messages = []
        while self._connection is not None and self._connection.can_read(timeout=0):
            answer = self._connection.read_response()
            if isinstance(answer, list) and len(answer) == 3 and answer[0] == b"message":
                message = self._parse(answer[1].decode("utf-8", "replace"), answer[2])
                if message is not None:
                    messages.append(message)
        return messages

    def _parse(self, channel: str, payload: bytes) -> Message | None:
        if channel == self._suspension:
            return SuspensionChanged()
        try:
            if channel != self._commands:
                return JobScheduled(codec.number(payload))
            fields = json.loads(payload)
            if fields.get("x_database", self._database) != self._database:
                return None  # for the worker of this name in that database
            # Escaped, because anyone may send it, and it is stored.
            by = escape_controls(str(fields.get("by", ""))[:LONGEST_NAME])
            return Command(str(fields["command"]), str(fields.get("job_id", "")), by)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
            logger.warning("A message on %s can't be read (%r): %.200r", channel, exc, payload)
            return None

    def close(self) -> None:
        """Close the connection. :meth:`open` opens a new one."""
        if self._descriptor is not None:
            self._selector.unregister(self._descriptor)
            self._descriptor = None
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def descriptors(self) -> list[int]:
        """Return the open descriptors, which a forked process must close."""
        return [] if self._descriptor is None else [self._descriptor]
