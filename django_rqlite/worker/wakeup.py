"""Learning that a queue has a job, without polling and without taking the job.

``BLMOVE q q LEFT LEFT`` blocks until the list has an element and then moves its head to its head:
nothing changes, so nothing can be lost, whoever dies when. One connection for each queue waits so;
the answer makes its socket readable, and the worker then claims with the script.
"""

from __future__ import annotations

import logging
import selectors
from collections.abc import Collection, Sequence
from typing import Any

import redis

logger = logging.getLogger("django_rqlite.worker")


class _Ear:
    """One queue's connection."""

    def __init__(self, queue: str, key: str) -> None:
        self.queue = queue
        self.key = key
        self.connection: Any = None
        #: Of the connection's socket, while the selector watches it.
        self.descriptor: int | None = None
        #: Whether an answer is outstanding.
        self.listening = False
        self.deaf = False


class Wakeup:
    """Listens to the queues of a worker.

    Args:
        selector: where the sockets are watched; their data is this object.
        keys: the lists, by the names of their queues.
    """

    def __init__(
        self,
        client: redis.Redis,
        selector: selectors.BaseSelector,
        queues: Sequence[str],
        keys: Sequence[str],
    ) -> None:
        self._pool = client.connection_pool
        self._selector = selector
        self._ears = [_Ear(*pair) for pair in zip(queues, keys, strict=True)]

    def listen(self, but_not_to: Collection[str]) -> None:
        """Have an answer outstanding for each queue; those that have one are left alone.

        Args:
            but_not_to: names of queues whose jobs must wait.

        Raises:
            redis.RedisError: the server does not answer.
        """
        for ear in self._ears:
            if ear.listening or ear.deaf or ear.queue in but_not_to:
                continue
            if ear.connection is None:
                self._connect(ear)
            ear.connection.send_command("BLMOVE", ear.key, ear.key, "LEFT", "LEFT", 0)
            ear.listening = True

    def _connect(self, ear: _Ear) -> None:
        # Not from the pool: it counts what it lends, and this one stays away for good.
        connection: Any = self._pool.connection_class(**self._pool.connection_kwargs)
        connection.connect()
        ear.connection = connection
        # redis-py offers no public way to a connection's socket; the name has stood since 2.0.
        ear.descriptor = connection._sock.fileno()
        self._selector.register(ear.descriptor, selectors.EVENT_READ, self)

    def hear(self, descriptor: int) -> None:
        """Take the answer that has arrived on this socket.

        Raises:
            redis.RedisError: the connection is lost.
        """
        for ear in self._ears:
            if ear.descriptor != descriptor:
                continue
            ear.listening = False
            try:
                ear.connection.read_response()
            except redis.exceptions.ResponseError as exc:
                if str(exc).startswith("UNBLOCKED"):
                    raise redis.ConnectionError(str(exc)) from exc  # the server changes its role
                # Foreign data under the queue's key, or a user without the right to BLMOVE. The
                # claims that come with every heartbeat must do.
                ear.deaf = True
                if not str(exc).startswith("WRONGTYPE"):  # which the next claim says
                    logger.warning(
                        "Queue %s can't be listened to (%s); it is looked at with every heartbeat.",
                        ear.queue,
                        exc,
                    )
            return

    def forgive(self) -> None:
        """Try again to listen to queues that refused."""
        for ear in self._ears:
            ear.deaf = False

    def hang_up(self) -> None:
        """Close the connections; :meth:`listen` opens new ones."""
        for ear in self._ears:
            ear.listening = False
            # By its number: the socket may have been closed when the connection broke.
            if ear.descriptor is not None:
                self._selector.unregister(ear.descriptor)
                ear.descriptor = None
            if ear.connection is not None:
                ear.connection.disconnect()
                ear.connection = None

    def descriptors(self) -> list[int]:
        """What a child must close."""
        return [ear.descriptor for ear in self._ears if ear.descriptor is not None]
