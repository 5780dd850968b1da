"""Finds the queues that the settings describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, cast

import redis

from .. import conf
from ..broker.address import describe
from ..broker.clients import connection_for
from ..conf import QueueConf
from ..conf.classes import resolve_class
from ..exceptions import ConfigurationError, InvalidQueueError
from ..jobs.job import Job
from .queue import Queue

#: django-rq's names.
DjangoRQ = Queue
VALID_COMMIT_MODES = conf.COMMIT_MODES


def get_queue(
    name: str = "default",
    default_timeout: int | str | None = None,
    is_async: bool | None = None,
    autocommit: bool | None = None,
    commit_mode: str | None = None,
    connection: redis.Redis | None = None,
    queue_class: type[Queue] | str | None = None,
    job_class: type[Job] | str | None = None,
    serializer: object = None,
    **kwargs: Any,
) -> Queue:
    """The queue of this name as ``RQ_QUEUES`` configures it.

    It takes microseconds, because queues share their clients. Arguments other than ``name``
    override the settings; see :class:`Queue`.

    Raises:
        UnknownQueueError: ``RQ_QUEUES`` has no such queue.
        ConfigurationError: Its settings cannot be used.
    """
    configured = conf.queue(name)
    given = (
        *(default_timeout, is_async, autocommit, commit_mode),
        *(connection, queue_class, job_class, serializer),
    )
    is_plain = given == _NOTHING_GIVEN and not kwargs
    if is_plain and (made := _made.get(name)) is not None and made.still_holds(configured):
        return made.copy()
    made_by = resolve_class(queue_class or configured.queue_class, Queue, Queue, "QUEUE_CLASS")
    queue = made_by(
        name,
        default_timeout=configured.default_timeout if default_timeout is None else default_timeout,
        connection=connection_for(configured) if connection is None else connection,
        is_async=configured.is_async if is_async is None else is_async,
        job_class=job_class or cast("type[Job] | str | None", configured.job_class),
        serializer=configured.serializer if serializer is None else serializer,
        commit_mode=commit_mode,
        autocommit=autocommit,
        default_result_ttl=configured.default_result_ttl,
        **kwargs,
    )
    # The __init__() of a subclass is called each time.
    if is_plain and made_by.__init__ is Queue.__init__:
        _made[name] = _MadeQueue(configured, queue)
    return queue


class _MadeQueue:
    """A queue that the settings describe, for :func:`get_queue` to copy."""

    __slots__ = ("_configured", "_queue")

    def __init__(self, configured: QueueConf, queue: Queue) -> None:
        self._configured = configured
        self._queue = queue

    def still_holds(self, configured: QueueConf) -> bool:
        """Whether the settings still describe this queue, in this process."""
        return (
            configured is self._configured
            and connection_for(configured) is self._queue.connection
            and conf.commit_mode() == self._queue.commit_mode
        )

    def copy(self) -> Queue:
        """Another queue like this one, which its caller may change."""
        copy = object.__new__(type(self._queue))
        copy.__dict__.update(self._queue.__dict__)
        return copy


#: The arguments of :func:`get_queue` if only a name is given.
_NOTHING_GIVEN = (None,) * 8

#: Queues by name, which :func:`get_queue` copies.
_made: dict[str, _MadeQueue] = {}


def named_queue(
    name: str,
    connection: redis.Redis | None = None,
    queue_class: type[Queue] | str | None = None,
    job_class: type[Job] | str | None = None,
    serializer: object = None,
) -> Queue:
    """The queue of this name. With a connection, the queue need not be in the settings.

    Raises:
        UnknownQueueError: ``RQ_QUEUES`` has no such queue, and no connection is given.
        ConfigurationError: Its settings cannot be used.
    """
    if connection is not None and name not in conf.queues():
        made_by = get_queue_class(queue_class=queue_class)
        return made_by(name, connection, job_class=job_class, serializer=serializer)
    return get_queue(
        name,
        connection=connection,
        queue_class=queue_class,
        job_class=job_class,
        serializer=serializer,
    )


def enqueue(func: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> Job:
    """Enqueue a call into the queue ``default``; see :meth:`Queue.enqueue`."""
    return get_queue().enqueue(func, *args, **kwargs)


def get_queues(*queue_names: str, **kwargs: Any) -> list[Queue]:
    """Queues that one worker can serve.

    Args:
        *queue_names: The names; none: the queue ``default``.
        **kwargs: As for :func:`get_queue`.

    Raises:
        InvalidQueueError: They differ in their class, connection setting or ``KEY_PREFIX``.
        UnknownQueueError: ``RQ_QUEUES`` has no such queue.
    """
    first, *others = (get_queue(name, **kwargs) for name in queue_names or ("default",))
    for other in others:
        names = f"{first.name!r} and {other.name!r}"
        if type(other) is not type(first):
            raise InvalidQueueError(
                f"The queues {names} have different classes, {type(first).__name__} and "
                f"{type(other).__name__}. Give them the same QUEUE_CLASS."
            )
        if other.connection is not first.connection:
            raise InvalidQueueError(
                f"The queues {names} have different connections, {describe(first.connection)} "
                f"and {describe(other.connection)}, or another KEY_PREFIX. Get each separately."
            )
    return [first, *others]


def get_queue_by_index(index: int) -> Queue:
    """The queue with this index among the sorted names of ``RQ_QUEUES``.

    Raises:
        IndexError: There are fewer queues.
    """
    return get_queue(sorted(conf.queues())[int(index)])


def get_queue_class(
    config: Mapping[str, Any] | None = None, queue_class: type[Queue] | str | None = None
) -> type[Queue]:
    """The given class, or the one that ``config`` or ``RQ`` names.

    Args:
        config: One value of ``RQ_QUEUES``.
        queue_class: The class, or its dotted path.

    Raises:
        ConfigurationError: It cannot be imported, or does not inherit from :class:`Queue`.
    """
    given = queue_class or (config or {}).get("QUEUE_CLASS") or conf.default_class("QUEUE_CLASS")
    return resolve_class(given, Queue, Queue, "QUEUE_CLASS")


def get_commit_mode() -> str:
    """When jobs become visible; see ``COMMIT_MODE``."""
    return conf.commit_mode()


def get_result_ttl(name: str = "default") -> int | None:
    """Seconds for which results of this queue are kept; ``None``: its settings do not say.

    Raises:
        UnknownQueueError: ``RQ_QUEUES`` has no such queue.
    """
    return conf.queue(name).default_result_ttl


def get_scheduler(*args: object, **kwargs: object) -> NoReturn:
    """Raise an error that says what to use instead of rq-scheduler, which is not part of RQ.

    Raises:
        ConfigurationError: Always.
    """
    raise ConfigurationError(
        "django_rqlite has no scheduler object: every worker enqueues the jobs that are due. Use "
        "get_queue(name).enqueue_at(datetime, ...) or .enqueue_in(timedelta, ...), and RQ['CRON'] "
        "for periodic jobs."
    )
