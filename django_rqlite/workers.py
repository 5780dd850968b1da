"""Workers as the settings configure them; stands in for ``django_rq.workers``.

``django_rqlite.worker`` is the machinery itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import conf
from .compat.class_paths import translate_path
from .compat.missing_names import module_getattr
from .conf.classes import resolve_class
from .jobs.job import Job
from .queues.lookup import get_queues
from .queues.queue import Queue
from .worker import Worker


def get_worker(
    *queue_names: str,
    job_class: type[Job] | str | None = None,
    queue_class: type[Queue] | str | None = None,
    worker_class: type[Worker] | str | None = None,
    serializer: object = None,
    **kwargs: Any,
) -> Worker:
    """A worker for these queues; without names, for the queue ``default``, as in django-rq.

    ``get_worker().work(burst=True)`` runs what waits, each job in a process of its own.

    Args:
        **kwargs: for the worker; see :class:`Worker`.

    Raises:
        ConfigurationError: the queues can't be served by one worker, or a class is none.
        UnknownQueueError: ``RQ_QUEUES`` has no such queue.
        RedisUnavailableError: Redis does not answer.
    """
    queues = get_queues(
        *queue_names, job_class=job_class, queue_class=queue_class, serializer=serializer
    )
    given = translate_path(worker_class) or conf.queue(queues[0].name).worker_class
    return get_worker_class(given)(queues, **kwargs)


def get_worker_class(worker_class: type[Worker] | str | None = None) -> type[Worker]:
    """The class that is given, or that ``RQ["WORKER_CLASS"]`` names.

    Raises:
        ConfigurationError: it can't be imported, or does not inherit from :class:`Worker`.
    """
    given = translate_path(worker_class) or conf.default_class("WORKER_CLASS")
    return resolve_class(given, Worker, Worker, "WORKER_CLASS")


def get_exception_handlers() -> list[Callable[..., Any]]:
    """What ``RQ_EXCEPTION_HANDLERS`` names.

    Raises:
        ConfigurationError: something of it can't be imported.
    """
    return conf.load_exception_handlers()


if not TYPE_CHECKING:  # else type checkers would take any name for one of this module's
    __getattr__ = module_getattr(__name__)
