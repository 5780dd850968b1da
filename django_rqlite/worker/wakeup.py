"""Wakes a worker when a queue has a job, without polling and without taking the job.

``BLMOVE q q LEFT LEFT`` blocks until the list has an element, and then moves its head to its head.
Nothing changes, so no job is lost if a process dies at any moment. One connection for each queue
waits in this way. The answer makes its socket readable, and the worker then claims with the script.
"""

from __future__ import annotations

import logging
import selectors
from collections.abc import Collection, Sequence
from typing import Any

import redis

logger = logging.getLogger("django_rqlite.worker")


class _Listener:
    """The connection that waits for a job of one queue."""

    def __init__(self, queue: str, key: str) -> None:
        self.queue = queue
        self.key = key
        self.connection: Any = None
        #: The descriptor of the connection's socket while the selector watches it.
        self.descriptor: int | None = None
        #: Whether a command waits for its answer.
        self.waiting = False
        #: Whether the server refused the command.
        self.refused = False


class Wakeup:
    """Listens to the queues of a worker.

    Args:
        client: The connections are made as this client's are.
        selector: Watches the sockets, with this object as their data.
        queues: The names of the queues.
        keys: The keys of their lists, in the same order.
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
        self._listeners = [_Listener(*pair) for pair in zip(queues, keys, strict=True)]

    def listen(self, but_not_to: Collection[str]) -> None:
        """Send the waiting command for each queue that is not listened to yet.

        Args:
            but_not_to: Names of queues to leave out.

        Raises:
            redis.RedisError: The server does not answer.
        """
        for listener in self._listeners:
            if listener.waiting or listener.refused or listener.queue in but_not_to:
                continue
            if listener.connection is None:
                self._connect(listener)
            listener.connection.send_command(
                "BLMOVE", listener.key, listener.key, "LEFT", "LEFT", 0
            )
            listener.waiting = True

    def _connect(self, listener: _Listener) -> None:
        # Not from the pool, which limits its connections: this one is never returned to it.
        connection: Any = self._pool.connection_class(**self._pool.connection_kwargs)
        connection.connect()
        listener.connection = connection
        # Not public in redis-py. The attribute exists since 2.0.
        listener.descriptor = connection._sock.fileno()
        self._selector.register(listener.descriptor, selectors.EVENT_READ, self)

    def read(self, descriptor: int) -> None:
        """Read the answer that has arrived on this socket.

        Raises:
            redis.RedisError: The connection is lost.
        """
        for listener in self._listeners:
            if listener.descriptor != descriptor:
                continue
            listener.waiting = False
            try:
                listener.connection.read_response()
            except redis.exceptions.ResponseError as exc:
                if str(exc).startswith("UNBLOCKED"):  # the server has changed its role
                    raise redis.ConnectionError(str(exc)) from exc
                # The queue's key is of the wrong type, or the user may not use BLMOVE. The worker
                # still claims with every heartbeat.
                listener.refused = True
                if not str(exc).startswith("WRONGTYPE"):  # the next claim reports that
                    logger.warning(
                        "Queue %s can't be listened to (%s); it is looked at with every heartbeat.",
                        listener.queue,
                        exc,
                    )
            return

    def retry_refused(self) -> None:
        """Let :meth:`listen` try again for queues where the server refused the command."""
        for listener in self._listeners:
            listener.refused = False

    def close(self) -> None:
        """Close the connections. :meth:`listen` opens new ones."""
        for listener in self._listeners:
            listener.waiting = False
            # By its number, because a lost connection may have closed the socket already.
            if listener.descriptor is not None:
                self._selector.unregister(listener.descriptor)
                listener.descriptor = None
            if listener.connection is not None:
                listener.connection.disconnect()
                listener.connection = None

    def descriptors(self) -> list[int]:
        """Return the open descriptors, which a forked process must close."""
        return [each.descriptor for each in self._listeners if each.descriptor is not None]
