"""Classes of RQ and django-rq that arguments and options may name, and our classes instead.

RQ is not imported. Settings may not name RQ's classes: they must be changed for django_rqlite
anyway, and can name our classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

_T = TypeVar("_T")

_WORKERS = ("Worker", "SimpleWorker", "SpawnWorker", "HerokuWorker", "RoundRobinWorker")

#: The classes of this package, by the dotted paths of RQ's and django-rq's.
OURS: Mapping[str, str] = {
    **{
        f"{module}.{name}": f"django_rqlite.worker.{name}"
        for module in ("rq", "rq.worker", "rq.worker.worker_classes", "django_rq.workers")
        for name in (*_WORKERS, "RandomWorker")
    },
    **dict.fromkeys(
        ("rq.Queue", "rq.queue.Queue", "django_rq.queues.DjangoRQ", "django_rq.queues.Queue"),
        "django_rqlite.queues.Queue",
    ),
    **dict.fromkeys(("rq.job.Job", "django_rq.jobs.Job"), "django_rqlite.jobs.Job"),
}


def translate_path(given: _T) -> _T | str:
    """Return the path of our class if ``given`` is the path of one of RQ's; else ``given``."""
    return OURS.get(given, given) if isinstance(given, str) else given
