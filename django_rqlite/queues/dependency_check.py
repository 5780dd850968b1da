"""Checks that the jobs that a new job waits for are in Redis when it is enqueued.

The script that enqueues a job treats a parent without a hash as finished, because its result may
have expired. So a parent that has no hash *yet*, or whose hash is on another server, must be
detected earlier.
"""

from __future__ import annotations

from ..broker.broker import Broker
from ..exceptions import InvalidJobDependency
from ..jobs.record import JobBase


def check(job: JobBase, broker: Broker, mode: str) -> None:
    """Check the parents that were given as jobs. Those given as ids cannot be checked.

    Args:
        broker: The broker on which the job is enqueued.
        mode: When it is enqueued, as a value of ``COMMIT_MODE``.

    Raises:
        InvalidJobDependency: A parent would not be in Redis when the job is enqueued.
    """
    for parent in job._parents:
        if _is_elsewhere(parent, broker) and not _exists(parent, broker):
            raise InvalidJobDependency(
                f"depends_on: job {parent.id} is on {_named(Broker.of(parent.connection))}, but "
                f"the job that depends on it is on {_named(broker)}. A job can only wait for jobs "
                "of its own connection. Use queues with the same connection."
            )
        if parent._is_unpushed and not (
            parent._pending is not None and parent._pending.comes_before(mode)
        ):
            _refuse_unless_stored(parent, broker)


def check_again(job: JobBase, broker: Broker) -> None:
    """Check the parents again when a job is enqueued later than the call.

    Raises:
        InvalidJobDependency: A parent is not in Redis.
    """
    for parent in job._parents:
        if parent._is_unpushed:
            _refuse_unless_stored(parent, broker)


def _refuse_unless_stored(parent: JobBase, broker: Broker) -> None:
    if _exists(parent, broker):
        return  # for example an older job with the same id, because of which this one was refused
    why = (
        "it was made, but not enqueued"
        if parent._pending is None
        else "the transaction or the request that enqueues it has not ended, or was rolled back"
    )
    raise InvalidJobDependency(
        f"depends_on: job {parent.id} is not in Redis: {why}. The job that depends on it would "
        "run at once. Enqueue both in the same transaction, the first one first, or the second "
        "after the commit."
    )


def _exists(parent: JobBase, broker: Broker) -> bool:
    with broker.translate_errors():
        return bool(broker.client.exists(broker.keys.job(parent.id)))


def _is_elsewhere(parent: JobBase, broker: Broker) -> bool:
    return parent._connection is not None and not Broker.of(parent._connection).is_same(broker)


def _named(broker: Broker) -> str:
    return f"{broker.address} (keys begin with {broker.prefix!r})"
