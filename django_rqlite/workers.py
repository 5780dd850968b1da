"""Workers as the settings configure them; replaces ``django_rq.workers``.

The implementation is in the package ``django_rqlite.worker``.
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
    """Return a worker for these queues; without names, for the queue ``default``, as in django-rq.

    ``get_worker().work(burst=True)`` runs the waiting jobs, each in its own process.

    Args:
        **kwargs: Options of the worker; see :class:`Worker`.

    Raises:
        ConfigurationError: The queues can't be served by one worker, or a class can't be used.
        UnknownQueueError: ``RQ_QUEUES`` has no such queue.
        RedisUnavailableError: Redis does not answer.
    """
    queues = get_queues(
        *queue_names, job_class=job_class, queue_class=queue_class, serializer=serializer
    )
    given = translate_path(worker_class) or conf.queue(queues[0].name).worker_class
    return get_worker_class(given)(queues, **kwargs)


def get_worker_class(worker_class: type[Worker] | str | None = None) -> type[Worker]:
    """Return the given class, or else the one that ``RQ["WORKER_CLASS"]`` names.

    Raises:
        ConfigurationError: It can't be imported, or does not inherit from :class:`Worker`.
    """
    given = translate_path(worker_class) or conf.default_class("WORKER_CLASS")
    return resolve_class(given, Worker, Worker, "WORKER_CLASS")


def get_exception_handlers() -> list[Callable[..., Any]]:
    """Return the functions that ``RQ_EXCEPTION_HANDLERS`` names.

    Raises:
        ConfigurationError: One of them can't be imported.
    """
    return conf.load_exception_handlers()


if not TYPE_CHECKING:  # Otherwise type checkers would accept any name.
    __getattr__ = module_getattr(__name__)
