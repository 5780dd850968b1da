"""``@job``, which gives a function the methods ``delay`` and ``enqueue``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast, overload

import redis

from ..compat.missing_names import module_getattr
from ..jobs.job import Job
from .lookup import get_queue, named_queue
from .queue import Queue

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class JobFunction(Protocol[P, R_co]):
    """A decorated function: called as before, enqueued with ``delay`` or ``enqueue``."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    def delay(self, *args: Any, **kwargs: Any) -> Job: ...

    def enqueue(self, *args: Any, **kwargs: Any) -> Job: ...


@overload
def job(func_or_queue: Callable[P, R_co], /) -> JobFunction[P, R_co]: ...


@overload
def job(
    func_or_queue: Queue | str = "default",
    connection: redis.Redis | None = None,
    *,
    queue: Queue | str | None = None,
    queue_class: type[Queue] | str | None = None,
    **options: Any,
) -> Callable[[Callable[P, R_co]], JobFunction[P, R_co]]: ...


def job(
    func_or_queue: Callable[..., Any] | Queue | str = "default",
    connection: redis.Redis | None = None,
    *,
    queue: Queue | str | None = None,
    queue_class: type[Queue] | str | None = None,
    **options: Any,
) -> Any:
    """Give a function the methods ``delay`` and ``enqueue``, which enqueue a call of it.

    ``@job`` uses the queue ``default``. ``@job('mail', timeout='5m', result_ttl=60)`` uses another
    one, with options as for :meth:`Queue.enqueue_call`. The queue is looked up when a job is made,
    so the decorator needs no settings. ``delay`` takes the function's own arguments and ``job_id``,
    ``at_front``, ``depends_on``, ``unique``, ``unique_key`` and ``unique_for``, and raises what
    :meth:`Queue.enqueue` raises.

    Args:
        func_or_queue: The function, or the queue or its name.
        connection: A client instead of the one in the settings. The queue then need not be in the
            settings.
        queue: The queue or its name; RQ's name for the argument.
        queue_class: A class instead of the one in the settings.
        **options: Options of each job.
    """
    if callable(func_or_queue) and not isinstance(func_or_queue, Queue):
        return _decorated(func_or_queue, get_queue, {})
    named = func_or_queue if queue is None else queue
    if isinstance(named, Queue):
        find: Callable[[], Queue] = partial(_itself, named)
    else:
        find = partial(named_queue, named, connection, queue_class)
    return lambda func: _decorated(func, find, options)


def _itself(queue: Queue) -> Queue:
    return queue


def _decorated(
    func: Callable[..., Any], find_queue: Callable[[], Queue], options: dict[str, Any]
) -> Any:
    @wraps(func)
    def delay(*args: Any, **kwargs: Any) -> Job:
        said = dict(options)
        for name in ("job_id", "at_front", "depends_on", "unique", "unique_key", "unique_for"):
            value = kwargs.pop(name, None)
            if value is not None and value is not False:
                said[name] = value
        return find_queue().enqueue_call(func, args, kwargs, **said)

    decorated = cast("Any", func)
    decorated.delay = delay
    decorated.enqueue = delay
    return decorated


if not TYPE_CHECKING:  # otherwise type checkers would accept any name
    __getattr__ = module_getattr(__name__)
