"""Whether a job can wait for the jobs that it is to wait for.

The script that takes a job in counts a parent without a hash as met: its result has expired. So a
parent that has no hash *yet*, or whose hash is on another server, must be found out before.
"""

from __future__ import annotations

import redis

from ..broker.address import describe
from ..broker.broker import Broker
from ..broker.errors import translate_errors
from ..exceptions import InvalidJobDependency
from ..jobs.job_data import JobData
from .commit import comes_before


def check(job: JobData, connection: redis.Redis, mode: str) -> None:
    """Look at the parents that were given as jobs; of those given by their ids nothing is known.

    Args:
        connection: where the job is enqueued.
        mode: when: a value of ``COMMIT_MODE``.

    Raises:
        InvalidJobDependency: one would not be in Redis when the job is enqueued.
    """
    for parent in job._parents:
        if _is_elsewhere(parent, connection) and not _exists(parent, connection):
            raise InvalidJobDependency(
                f"depends_on: job {parent.id} is on {_where(parent.connection)}, but the job that "
                f"is to wait for it on {_where(connection)}. A job can only wait for jobs of its "
                "own connection: use queues of the same one."
            )
        if parent._is_unpushed and not (
            parent._pending is not None and comes_before(parent._pending, mode)
        ):
            _refuse_unless_there(parent, connection)


def check_again(job: JobData, connection: redis.Redis) -> None:
    """Look once more when a job is enqueued later than its caller asked for.

    Raises:
        InvalidJobDependency: a parent is not in Redis.
    """
    for parent in job._parents:
        if parent._is_unpushed:
            _refuse_unless_there(parent, connection)


def _refuse_unless_there(parent: JobData, connection: redis.Redis) -> None:
    if _exists(parent, connection):
        return  # the one that was there when this one was refused as a duplicate, say
    why = (
        "it was made, but not enqueued"
        if parent._pending is None
        else "the transaction or the request that enqueues it has not ended, or was rolled back"
    )
    raise InvalidJobDependency(
        f"depends_on: job {parent.id} is not in Redis: {why}. The job that is to wait for it would "
        "run at once. Enqueue both in the same transaction, the first one first, or the second "
        "after the commit."
    )


def _exists(parent: JobData, connection: redis.Redis) -> bool:
    with translate_errors(connection):
        return bool(connection.exists(Broker.of(connection).keys.job(parent.id)))


def _is_elsewhere(parent: JobData, connection: redis.Redis) -> bool:
    return parent._connection is not None and not Broker.of(parent._connection).is_same(
        Broker.of(connection)
    )


def _where(connection: redis.Redis) -> str:
    return f"{describe(connection)} (keys begin with {Broker.of(connection).prefix!r})"
