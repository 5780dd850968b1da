"""The queues that one worker serves, and the client that they share."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from ..broker.address import describe
from ..broker.broker import Broker
from ..exceptions import ConfigurationError
from ..jobs.job import Job
from ..queues.lookup import named_queue
from ..queues.queue import Queue


def resolve_queues(
    given: Queue | str | Sequence[Queue | str],
    connection: redis.Redis | None = None,
    queue_class: type[Queue] | str | None = None,
    job_class: type[Job] | str | None = None,
    serializer: object = None,
) -> list[Queue]:
    """Return the queues that a worker was given, as objects or by name.

    Args:
        connection: The client of queues given by their names; None: as the settings say.

    Raises:
        UnknownQueueError: ``RQ_QUEUES`` has no such queue, and there is no connection.
        ConfigurationError: A queue is on another connection than the one given.
    """
    several = [given] if isinstance(given, Queue | str) else given
    queues = [
        one
        if isinstance(one, Queue)
        else named_queue(one, connection, queue_class, job_class, serializer)
        for one in several
    ]
    for queue in queues:
        if connection is not None and not Broker.of(queue.connection).is_same(
            Broker.of(connection)
        ):
            raise ConfigurationError(
                f"The worker was given the connection {describe(connection)}, but the queue "
                f"{queue.name!r} is on {describe(queue.connection)}, or has another KEY_PREFIX. "
                "Leave the connection out: a worker uses that of its queues."
            )
    return queues


def shared_client(queues: Sequence[Queue]) -> redis.Redis:
    """Return the client that all queues of a worker share.

    It must be one client, because a worker stores an outcome and claims the next job in one step.

    Raises:
        ConfigurationError: There are no queues, or their connection settings differ.
    """
    if not queues:
        raise ConfigurationError("A worker needs at least one queue to listen to.")
    first = queues[0]
    for other in queues:
        if other.connection is not first.connection:
            raise ConfigurationError(
                f"The queues {first.name!r} ({describe(first.connection)}) and {other.name!r} "
                f"({describe(other.connection)}) differ in their connection settings or "
                "KEY_PREFIX. A worker takes jobs and stores outcomes in one step, which needs one "
                "connection: start a worker for each and name its queues."
            )
    return first.connection
